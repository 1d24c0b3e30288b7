"""The kernels of a model: which weights there are, which of them can be pruned, and their cost."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from sbnn_tf.models import keras_compat, wiring
from sbnn_tf.patterns import Pattern


@dataclasses.dataclass(frozen=True)
class Kernel:
    """One weight tensor that a layer multiplies its input with.

    Patterns see it as `weights()`: (*window, inputs, outputs), or (inputs, outputs) of a dense
    layer. A depthwise kernel, in Keras (*window, inputs, multiplier), is (*window, 1, inputs *
    multiplier) there: output channel by output channel, as in TensorFlow Lite.

    operator: "dense", "conv" or "depthwise".
    groups: of a grouped convolution: its output channels fall into so many parts, each with inputs
      of its own.
    reason: why it can't be pruned with any pattern; empty if it can.
    number: its place among the model's kernels, from 0: what identifies it, in files and for random
      numbers. The same in every model of the same layers, whatever these are called: Keras goes on
      counting in the names that it gives, so that a notebook cell run again makes other ones.
    """

    leaf: wiring.Leaf
    part: str
    variable: Any
    operator: str
    reason: str = ""
    groups: int = 1
    number: int = 0

    @property
    def name(self) -> str:
        return f"{self.leaf.path}/{self.part}" if self.part else self.leaf.path

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(int(n) for n in self.variable.shape)

    @property
    def view(self) -> tuple[int, ...]:
        """The shape that patterns see."""
        if self.operator != "depthwise":
            return self.shape
        *window, inputs, multiplier = self.shape
        return (*window, 1, inputs * multiplier)

    def value(self) -> np.ndarray:
        return np.asarray(self.variable.numpy())

    def weights(self) -> np.ndarray:
        """The values in the shape that patterns see. For the other way round, `reshape(shape)`."""
        return self.value().reshape(self.view)

    def fitted(self, pattern: Pattern) -> Pattern:
        """The pattern nearest to this one that the kernel can have."""
        *columns, outputs = self.view
        return pattern.fit((*columns, outputs // self.groups))  # no piece in two of the groups

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
    found = [kernel for leaf in wiring.leaves(model) for kernel in _of(leaf, layers)]
    return [dataclasses.replace(kernel, number=number) for number, kernel in enumerate(found)]


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
    if hasattr(layer, "quantize_config"):
        return _quantized(leaf, layers)
    if isinstance(layer, (layers.SeparableConv1D, layers.SeparableConv2D)):
        return [
            Kernel(leaf, "depthwise", layer.depthwise_kernel, "depthwise"),
            Kernel(leaf, "pointwise", layer.pointwise_kernel, "conv"),
        ]
    operator = _operator(layer, layers)
    if operator == "depthwise":
        kernel = getattr(layer, "depthwise_kernel", None)
        return [Kernel(leaf, "", layer.kernel if kernel is None else kernel, operator)]
    if operator is not None:
        return [_plain(leaf, operator, groups=getattr(layer, "groups", 1))]
    if getattr(layer, "kernel", None) is not None:
        return [_plain(leaf, "other", _OTHER)]
    return []


def _quantized(leaf: wiring.Leaf, layers: Any) -> list[Kernel]:
    """The kernel inside a wrapper of tfmot's quantization-aware training.

    The layer's own `kernel` is the quantized tensor there; the wrapper has the variable.
    """
    inner = leaf.layer.layer
    operator = _operator(inner, layers)
    if operator is None:
        return []
    kernel = next(v for v in keras_compat.own_variables(leaf.layer) if len(v.shape) >= 2)
    return [Kernel(leaf, "", kernel, operator, groups=getattr(inner, "groups", 1) or 1)]


def _operator(layer: Any, layers: Any) -> str | None:
    if isinstance(layer, (layers.DepthwiseConv1D, layers.DepthwiseConv2D)):
        return "depthwise"
    if isinstance(layer, layers.Dense):
        return "dense"
    convolution = isinstance(layer, (layers.Conv1D, layers.Conv2D, layers.Conv3D))
    return "conv" if convolution and "Transpose" not in type(layer).__name__ else None


_OTHER = "only Dense, Conv1D, Conv2D, Conv3D, DepthwiseConv and SeparableConv can be pruned"


def _plain(leaf: wiring.Leaf, operator: str, reason: str = "", groups: int = 1) -> Kernel:
    layer = leaf.layer
    if getattr(layer, "lora_enabled", False):
        reason = "its kernel is split by LoRA"
    elif getattr(layer, "quantization_mode", None):
        reason = "its kernel is quantized"
    variable = getattr(layer, "_kernel", None)  # Keras 3; `kernel` may be computed there
    kernel = layer.kernel if variable is None else variable
    return Kernel(leaf, "", kernel, operator, reason, groups or 1)
