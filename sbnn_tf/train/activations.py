"""Correlations of what enters and what leaves a layer, from inside the traced train step.

While a train function that records is called, the layer's `call` is one that also adds up its
inputs and outputs. Sums of products are all that is kept, so that the data may be as long as it is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from sbnn_tf.keras_model import keras_compat, kinds
from sbnn_tf.keras_model.kernels import Kernel
from sbnn_tf.train import functions

_RECORDABLE = {"Dense", "Conv1D", "Conv2D", "Conv3D", "DepthwiseConv2D"}
_CONSTANT = 1e-6  # of a mean square: a smaller variance is rounding, and the activation constant


def unrecordable(kernel: Kernel) -> str:
    """Why the activations around a kernel can't be recorded; empty if they can."""
    layer = kernel.leaf.layer
    if kernel.operator == "transposed" or _RECORDABLE.isdisjoint(kinds.kinds(layer)):
        return f"a {type(layer).__name__} does not show what its kernel is multiplied with"
    if kernel.groups != 1:
        return "its convolution is grouped"
    if getattr(layer, "data_format", None) == "channels_first":
        return "its channels come first"
    if getattr(layer, "padding", None) == "causal":
        return "its padding is causal"
    return ""


class Correlations:
    """Streaming correlations of both ends of every weight of a layer.

    One end is the input that the weight is multiplied with, at its tap; the other is the layer's
    output: over all examples and positions. Memory: a float32 for each weight of the kernel, two
    for each column and two for each output channel. Make it in the scope of the model's strategy.

    Args:
      kernel: one that `unrecordable` has no objection to.
    """

    def __init__(self, kernel: Kernel):
        self._kernel = kernel
        shape = kernel.shape
        column = (*shape[:-1], 1)
        outputs = shape[-2:] if kernel.operator == "depthwise" else shape[-1:]
        shapes = {"xy": shape, "x": column, "xx": column, "y": outputs, "yy": outputs, "steps": ()}
        # Each replica adds up its own part of a batch; reading gives the sum.
        self._sums = {
            name: tf.Variable(
                tf.zeros(shape),
                trainable=False,
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.SUM,
            )
            for name, shape in shapes.items()
        }

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """While it lasts, every call of the layer is added up."""
        layer = self._kernel.leaf.layer
        call = layer.call

        def recorded(inputs: Any, *args: Any, **kwargs: Any) -> Any:
            functions.check()
            outputs = call(inputs, *args, **kwargs)
            self._add(inputs, outputs)
            return outputs

        with keras_compat.replaced(layer, "call", recorded):
            yield

    def value(self) -> np.ndarray:
        """Pearson's correlation coefficients, in [-1, 1], shaped as the kernel.

        Those of an activation that never changes are 0.

        Raises:
          ValueError: nothing was recorded, or activations were NaN or infinite.
        """
        sums = {name: variable.numpy() for name, variable in self._sums.items()}
        steps, name = sums.pop("steps"), self._kernel.name
        if not steps:
            raise ValueError(
                f"No activations of '{name}' have been recorded: they are only in `fit`, of a "
                "layer that the model calls. Policy(exclude=...) leaves a layer out."
            )
        x, xx, y, yy = (sums[end] / steps for end in ("x", "xx", "y", "yy"))
        found = sums["xy"]  # in place: it is as large as the kernel
        found /= steps
        found -= x * y
        found *= _spread(x, xx)
        found *= _spread(y, yy)
        np.clip(found, -1.0, 1.0, out=found)
        if not np.isfinite(found.min() + yy.sum() + xx.sum()):  # NaN, if one of them is
            raise ValueError(f"The correlations of '{name}' are NaN, as its activations are.")
        return found

    def forget(self) -> None:
        for variable in self._sums.values():
            variable.assign(tf.zeros(variable.shape))

    def state(self) -> dict[str, np.ndarray]:
        return {name: variable.numpy() for name, variable in self._sums.items()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        for name, variable in self._sums.items():
            variable.assign(state[name])

    def _add(self, inputs: Any, outputs: Any) -> None:
        """Adds the means over one batch."""
        x = tf.stop_gradient(tf.cast(inputs, tf.float32))
        y = tf.stop_gradient(tf.cast(outputs, tf.float32))
        if self._kernel.operator == "dense":
            x = tf.reshape(x, (-1, x.shape[-1]))
            y = tf.reshape(y, (-1, y.shape[-1]))
        positions = tf.cast(tf.size(y) / y.shape[-1], tf.float32)
        axes = list(range(len(y.shape) - 1))
        one = tf.ones_like(y[:1])  # sums over a batch can be taken first, where it is linear
        ends = self._sums["y"].shape
        added = {
            "xy": self._products(x, y, self._kernel.shape),
            "x": self._columns(tf.reduce_sum(x, 0, keepdims=True), one),
            "xx": self._columns(tf.reduce_sum(x * x, 0, keepdims=True), one),
            "y": tf.reshape(tf.reduce_sum(y, axes), ends),
            "yy": tf.reshape(tf.reduce_sum(y * y, axes), ends),
        }
        for name, value in added.items():
            self._sums[name].assign_add(value / positions)
        self._sums["steps"].assign_add(1.0)

    def _columns(self, x: tf.Tensor, one: tf.Tensor) -> tf.Tensor:
        """Sums of each column's inputs over the positions of the outputs."""
        *columns, last = self._kernel.shape
        outputs = columns[-1] if self._kernel.operator == "depthwise" else 1
        return self._products(x, one[..., :outputs], (*columns, 1))

    def _products(self, x: tf.Tensor, y: tf.Tensor, shape: tuple[int, ...]) -> tf.Tensor:
        """Sums of inputs times outputs for each weight of a kernel of this shape.

        That is the gradient of <layer(x, kernel), y>: no more work than one of training's own.
        """
        if self._kernel.operator == "dense":
            return tf.matmul(x, y, transpose_a=True)
        kernel = tf.zeros(shape)
        with tf.GradientTape() as tape:
            tape.watch(kernel)
            outputs = self._convolve(x, kernel)
        return tape.gradient(outputs, kernel, output_gradients=y)

    def _convolve(self, x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        layer = self._kernel.leaf.layer
        padding, strides = layer.padding.upper(), list(layer.strides)
        if self._kernel.operator == "depthwise":
            return tf.nn.depthwise_conv2d(
                x, kernel, [1, *strides, 1], padding, dilations=list(layer.dilation_rate)
            )
        return tf.nn.convolution(x, kernel, strides, padding, dilations=list(layer.dilation_rate))


def _spread(mean: np.ndarray, square: np.ndarray) -> np.ndarray:
    """One over the standard deviation; 0 where that is nothing but rounding."""
    variance = square - mean * mean
    moves = variance > _CONSTANT * square
    return np.where(moves, 1.0 / np.sqrt(np.where(moves, variance, 1.0)), 0.0)
