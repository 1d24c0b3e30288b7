"""How much a weight matters, in the units of the layer's output."""

from __future__ import annotations

from typing import Any

import numpy as np


def scores(weights: np.ndarray, batch_norm: Any | None = None) -> np.ndarray:
    """|w|, times the factor that a batch norm behind it gives to the weight's output channel.

    Args:
      weights: a kernel, output channel last.
      batch_norm: the BatchNormalization that alone follows the layer: at inference it multiplies
        channel c by gamma[c] / sqrt(moving_variance[c] + epsilon), just as when it is folded into
        the weights on conversion (Jacob et al., "Quantization and Training of Neural Networks
        for Efficient Integer-Arithmetic-Only Inference", 2018, section 3.2).

    Returns:
      float64 array of the same shape, >= 0, and 0 exactly where the weight is 0: what is pruned
      already stays the least important.
    """
    magnitude = np.abs(weights.astype(np.float64))
    if batch_norm is None:
        return magnitude
    scale = 1.0 / np.sqrt(batch_norm.moving_variance.numpy() + float(batch_norm.epsilon))
    if batch_norm.gamma is not None:
        scale = np.abs(batch_norm.gamma.numpy()) * scale
    if scale.shape != (weights.shape[-1],) or not np.isfinite(scale).all():
        return magnitude
    # A batch norm that starts at gamma = 0 (the end of a residual block) must not make every weight
    # equal to a pruned one.
    floor = 1e-6 * scale.max()
    return magnitude * (np.maximum(scale, floor) if floor > 0 else 1.0)
