"""What the errors of TensorFlow's converter mean, which are pages of MLIR."""

from __future__ import annotations

import re

_TYPES = {"f16": "float16", "bf16": "bfloat16", "f64": "float64"}


def cause(error: str) -> str:
    """What is wrong with a model and what to do about it; "" where this is not known.

    Args:
      error: all that the converter said.
    """
    if "TensorListReserve" in error:
        return (
            "it has a recurrent layer or another loop over a list, and these need a fixed batch: "
            "give it one with keras.Input(batch_shape=(1, ...)), or a trained one with "
            "inputs = keras.Input(batch_shape=(1, ...)); keras.Model(inputs, model(inputs))"
        )
    missing = sorted(set(re.findall(r"'(tf\.\w+)' op is neither a custom op nor a flex op", error)))
    if not missing:
        return ""
    details = re.findall(rf"^\t(?:{'|'.join(map(re.escape, missing))})\(.*", error, re.MULTILINE)
    found = {kind for line in details for kind in re.findall(r"[<x](b?f\d+)>", line)}
    for kind in sorted(found & _TYPES.keys()):
        return (
            f"it computes in {_TYPES[kind]}, which TensorFlow Lite does not: build it in float32 "
            "(no mixed precision), and give it the weights of this one with set_weights"
        )
    return (
        f"TensorFlow Lite has no operator for {', '.join(missing)} as it is used there: leave it "
        "out of the model, or convert with tf.lite.OpsSet.SELECT_TF_OPS yourself and pass that file"
    )


def first_line(error: Exception) -> str:
    """The first line of an error, without the places in a graph that MLIR puts before it."""
    lines = str(error).strip().splitlines()
    return re.sub(r"^.*error: (loc\(.*\): )?", "", lines[0]) if lines else type(error).__name__
