"""What Keras layers compute: which of them multiply their input with a kernel, and which do not."""

from __future__ import annotations

import functools
from typing import Any

# Layers that are one product with one kernel: what patterns know them as.
OPERATORS = {
    "Dense": "dense",
    "EinsumDense": "dense",
    "Conv1DTranspose": "transposed",
    "Conv2DTranspose": "transposed",
    "Conv3DTranspose": "transposed",
    "DepthwiseConv1D": "depthwise",
    "DepthwiseConv2D": "depthwise",
    "Conv1D": "conv",
    "Conv2D": "conv",
    "Conv3D": "conv",
}
# Of two products: a depthwise one, then a pointwise one.
SEPARABLE = ("SeparableConv1D", "SeparableConv2D")
# Their projections are sublayers: all side by side, but the last, which gets what they make.
ATTENTION = ("MultiHeadAttention", "GroupedQueryAttention")

_RECURRENT = "the kernels of a recurrent cell are multiplied with its state as well"
_LOCAL = "every position has weights of its own"
# Products that no pattern is for.
UNPRUNED = {
    "SimpleRNNCell": _RECURRENT,
    "GRUCell": _RECURRENT,
    "LSTMCell": _RECURRENT,
    "ConvLSTMCell": _RECURRENT,
    "LocallyConnected1D": _LOCAL,
    "LocallyConnected2D": _LOCAL,
}
_SCALE = "its weights scale and shift values one by one"
# No products, whatever the shape of their weights.
OTHERS = {
    "Embedding": "it is a table, whose rows are looked up",
    "PReLU": _SCALE,
    "BatchNormalization": _SCALE,
    "GroupNormalization": _SCALE,
    "LayerNormalization": _SCALE,
    "RMSNormalization": _SCALE,
}


def kinds(layer: Any) -> frozenset[str]:
    """Names of the classes of Keras that a layer is an instance of, whichever Keras it is.

    A wrapper of tfmot's quantization-aware training is of the kinds of its layer.
    """
    return _kinds(type(quantized(layer) or layer))


def quantized(layer: Any) -> Any | None:
    """The layer inside of a wrapper of tfmot's quantization-aware training, which has its kernel."""
    return layer.layer if hasattr(layer, "quantize_config") else None


def operator(layer: Any) -> str | None:
    """What patterns know a layer of one kernel as; None where it is no such layer."""
    known = kinds(layer)
    # Some kinds are subclasses of others, which stand behind them: Conv2DTranspose of Conv2D.
    return next((operator for kind, operator in OPERATORS.items() if kind in known), None)


def is_product(layer: Any) -> bool:
    """Whether the layer itself, its sublayers apart, multiplies its input with a kernel."""
    return not kinds(layer).isdisjoint((*OPERATORS, *SEPARABLE, *UNPRUNED))


def is_keras_own(layer: Any) -> bool:
    """Whether a layer's class is one of Keras, and not a subclass of somebody's own."""
    return _is_of_keras(type(layer))


@functools.cache
def _kinds(cls: type) -> frozenset[str]:
    return frozenset(base.__name__ for base in cls.__mro__ if _is_of_keras(base))


def _is_of_keras(cls: type) -> bool:
    return cls.__module__.partition(".")[0] in ("keras", "tf_keras")
