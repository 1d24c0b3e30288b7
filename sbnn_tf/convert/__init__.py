"""Models in, sparse `.tflite` bytes out."""

from __future__ import annotations

from collections.abc import Sequence

from sbnn_tf.convert import densify as _densify
from sbnn_tf.convert import flatbuffer
from sbnn_tf.convert.fold_batch import fold_batch
from sbnn_tf.convert.prune import Prune
from sbnn_tf.convert.report import Inspection, inspect_model
from sbnn_tf.convert.sources import load
from sbnn_tf.convert.sparsify import sparsify
from sbnn_tf.errors import SbnnError
from sbnn_tf.files import write_file
from sbnn_tf.patterns import Group, Pattern

__all__ = ["SbnnError", "convert", "densify", "inspect", "write_file"]


def convert(
    source,
    *,
    prune: float | None = None,
    group: int | None = None,
    pattern: Pattern | str | None = None,
    layers: Sequence[str] | None = None,
) -> bytes:
    """Turn a model into a `.tflite` that stores its zeros as sparse tensors.

    Every filter of a convolution or fully connected layer whose zeros form groups becomes a
    sparse tensor behind DENSIFY, with the group (1, 2, 4, 8 or 16 outputs) that suits the zeros
    found, if that makes it smaller; RESHAPE to the dynamic batch becomes a constant RESHAPE.
    All other buffers, names, signatures and metadata stay. The outputs are bit-identical. What is
    sparse in the source already is left as it is.

    Args:
      source: a Keras model (Keras 3 or tf_keras), the path of a `.keras` file, of a SavedModel or
        of a `.tflite` file, or `.tflite` bytes. TensorFlow is imported for the first three only.
      prune: share of the weights to prune by magnitude first, in [0, 1), without training: it
        shows what sparsity would gain in speed, and costs accuracy. None: prune nothing.
      group: outputs that are pruned together, at least 1: short for `pattern=Group(group)`.
      pattern: which weights are pruned together, an object or its name (see `patterns.get`).
        None: `Group(4)`.
      layers: which filters to prune, and no others: globs for their names, or kernel sizes such
        as "3x3", which leave the first convolution dense (see `prune.Prune`). None: all 1x1
        convolutions, logits and squeeze-and-excitation included, but not the first convolution;
        with a `KernelPattern` all larger ones instead.

    Returns:
      The bytes of the `.tflite` file.

    Raises:
      SbnnError: a file or an option that cannot be used.
      FileNotFoundError: no such path.
      TypeError: `source` is none of these.
    """
    asked = {"group": group, "pattern": pattern, "layers": layers}
    for name, value in asked.items():
        if prune is None and value is not None:
            raise SbnnError(f"{name} says what to prune: expected prune= with it, found none")
    if group is not None and pattern is not None:
        raise SbnnError("group and pattern: expected one of them, found both")
    if group is not None:
        try:
            pattern = Group(group)
        except (TypeError, ValueError) as error:
            raise SbnnError(str(error)) from error
    pruning = None if prune is None else Prune(prune, pattern or Group(4), layers)
    model = flatbuffer.read(load(source))
    if pruning is not None:
        _densify.densify(model)
        pruning(model)
    fold_batch(model)
    sparsify(model)
    return flatbuffer.write(model)


def densify(source) -> bytes:
    """The same model with all its sparse tensors expanded: the dense twin, for comparisons.

    Args and errors are those of `convert`.
    """
    model = flatbuffer.read(load(source))
    _densify.densify(model)
    return flatbuffer.write(model)


def inspect(source) -> Inspection:
    """What a model stores and runs: its constants and nodes, with their sparsity and bytes.

    Args and errors are those of `convert`. `str()` of the result is a table.
    """
    return inspect_model(flatbuffer.read(load(source)))
