"""Whether a layer computes with its kernel as it is, or makes another one of it."""

from __future__ import annotations

import numpy as np

from sbnn_tf.keras_model import kinds
from sbnn_tf.keras_model.kernels import Kernel

_SIGNIFICANT = 1e-4  # of the largest output
REMADE = (
    "The layers make another kernel of the one that is pruned, as weight standardization does, and "
    "its zeros do not stay zeros: {}. Their .tflite will be dense; leave them out."
)


def keeps_zeros(kernel: Kernel) -> bool:
    """Whether a zero in a kernel is a zero in what its layer multiplies with.

    Not so where a layer of one's own standardizes its kernel, say: it subtracts a mean. Found by
    trying: what meets zeros alone must not depend on the weights beside them. The kernel is as it
    was when this returns. Layers of Keras are known to keep zeros, and those that can't be called
    with one input of the usual shape are believed to.
    """
    outer = [layer for _, layer in kernel.leaf.chain[-2:]]
    wrapper = outer[0] if getattr(outer[0], "layer", None) is kernel.leaf.layer else None
    asked = next((x for x in (kernel.leaf.layer, wrapper) if x and not kinds.is_keras_own(x)), None)
    inputs = kernel.view[-2]
    if asked is None or kernel.part or inputs < 2 or kernel.operator not in ("dense", "conv"):
        return True
    if hasattr(kernel.leaf.layer, "equation") or kernel.groups != 1:
        return True
    before = kernel.value().copy()
    window = kernel.view[:-2]
    rng = np.random.default_rng(0)
    shape = (2, *(4 * n for n in window), inputs)
    data = rng.uniform(0.5, 1.5, shape).astype(np.float32)
    data[..., 0] = 0.0  # the only input whose weights are not zero
    if getattr(kernel.leaf.layer, "data_format", None) == "channels_first":
        data = np.moveaxis(data, -1, 1)
    weights = np.zeros(kernel.view, before.dtype)
    weights[..., 0, :] = rng.uniform(0.5, 1.5, weights[..., 0, :].shape)
    outputs = []
    try:
        for sign in (1, -1):
            kernel.variable.assign(kernel.stored(sign * weights))
            outputs.append(np.asarray(asked(data), np.float32))
    except Exception:  # whatever a layer of somebody's own wants
        return True
    finally:
        kernel.variable.assign(before)
    one, other = outputs
    return bool(np.abs(one - other).max() <= _SIGNIFICANT * max(np.abs(one).max(), 1e-6))
