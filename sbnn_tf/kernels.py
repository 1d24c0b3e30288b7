"""The kernels of a model: which weights there are, which of them can be pruned, and their cost."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from sbnn_tf import keras_compat, wiring


@dataclasses.dataclass(frozen=True)
class Kernel:
    """One weight tensor, output channel last, that a layer multiplies its input with.

    reason: why it can't be pruned; empty if it can.
    """

    leaf: wiring.Leaf
    part: str
    variable: Any
    reason: str

    @property
    def name(self) -> str:
        return f"{self.leaf.path}/{self.part}" if self.part else self.leaf.path

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(int(n) for n in self.variable.shape)

    def value(self) -> np.ndarray:
        return np.asarray(self.variable.numpy())

    def positions(self) -> int | None:
        """How often each weight is used for one input image; None where that is not known."""
        if not self.leaf.shapes:
            return None
        transposed = "Transpose" in type(self.leaf.layer).__name__
        first = getattr(self.leaf.layer, "data_format", None) == "channels_first"
        total = 0
        for shape_in, shape_out in self.leaf.shapes:
            shape = shape_in if transposed else shape_out
            spatial = shape[2:] if first else shape[1:-1]
            if None in spatial:
                return None
            total += math.prod(spatial)
        return total


def find(model: Any) -> list[Kernel]:
    """The kernels of a model in the order of computation (of creation, where that is unknown).

    Raises:
      TypeError: not a Keras model.
      ValueError: the model was never built.
    """
    layers = keras_compat.api(model).layers
    if not model.built:
        raise ValueError(
            f"The model '{model.name}' has never been built, so it has no weights yet. Call it on "
            "a batch, or model.build(input_shape), or give its first layer an input shape."
        )
    return [kernel for leaf in wiring.leaves(model) for kernel in _of(leaf, layers)]


def folded_batch_norm(kernel: Kernel, layers: Any) -> Any | None:
    """The batch norm that directly follows a kernel's layer, and nothing else does."""
    leaf = kernel.leaf
    if not leaf.wired or leaf.escapes or len(leaf.outputs) != 1:
        return None
    activation = getattr(leaf.layer, "activation", None)
    if activation is not None and getattr(activation, "__name__", "") != "linear":
        return None
    follower = next(iter(leaf.outputs)).layer
    return follower if isinstance(follower, layers.BatchNormalization) else None


def _of(leaf: wiring.Leaf, layers: Any) -> list[Kernel]:
    layer = leaf.layer
    if not isinstance(layer, layers.Layer) or not layer.built or not leaf.has_kernel:
        return []
    if isinstance(layer, (layers.SeparableConv1D, layers.SeparableConv2D)):
        reason = "" if isinstance(layer, layers.SeparableConv2D) else _NOT_YET
        return [
            Kernel(leaf, "depthwise", layer.depthwise_kernel, _NOT_YET),
            Kernel(leaf, "pointwise", layer.pointwise_kernel, reason),
        ]
    if isinstance(layer, (layers.DepthwiseConv1D, layers.DepthwiseConv2D)):
        kernel = getattr(layer, "depthwise_kernel", None)
        return [Kernel(leaf, "", layer.kernel if kernel is None else kernel, _NOT_YET)]
    if isinstance(layer, layers.Dense):
        return [_plain(leaf, "")]
    if isinstance(layer, layers.Conv2D) and not isinstance(layer, layers.Conv2DTranspose):
        pointwise = tuple(layer.kernel_size) == (1, 1) and layer.groups == 1
        return [_plain(leaf, "" if pointwise else _NOT_YET)]
    if getattr(layer, "kernel", None) is not None:
        return [_plain(leaf, _NOT_YET)]
    return []


_NOT_YET = "only 1x1 Conv2D, the pointwise half of SeparableConv2D, and Dense can be pruned"


def _plain(leaf: wiring.Leaf, reason: str) -> Kernel:
    layer = leaf.layer
    if getattr(layer, "lora_enabled", False):
        reason = "its kernel is split by LoRA"
    elif getattr(layer, "quantization_mode", None):
        reason = "its kernel is quantized"
    variable = getattr(layer, "_kernel", None)  # Keras 3; `kernel` may be computed there
    return Kernel(leaf, "", layer.kernel if variable is None else variable, reason)
