"""Follows channels through a Keras model: which axis of which weight belongs to which segment."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

from sbnn_tf.keras_model import keras_compat, kernels, kinds
from sbnn_tf.rearrange.channels import Channels, Segment, count, fix, unify

# What treats every channel alike, and so lets any order pass.
_PASSING = """
    Activation ActivityRegularization AlphaDropout AveragePooling1D AveragePooling2D
    AveragePooling3D Cropping1D Cropping2D Cropping3D Dropout ELU GaussianDropout GaussianNoise
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D
    GlobalMaxPooling2D GlobalMaxPooling3D Identity LeakyReLU MaxPooling1D MaxPooling2D MaxPooling3D
    ReLU Resizing Softmax SpatialDropout1D SpatialDropout2D SpatialDropout3D UpSampling1D
    UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D
    Gelu HardSigmoid HardSwish HardSilu Relu Relu6 Sigmoid Silu Swish Tanh Elu
    tf.nn.relu tf.nn.relu6 tf.nn.silu tf.math.sigmoid tf.math.tanh tf.nn.swish
""".split()
_TOGETHER = """
    Add Subtract Multiply Average Maximum Minimum
    tf.math.add tf.__operators__.add tf.math.multiply tf.math.subtract tf.math.maximum
""".split()


@dataclasses.dataclass
class Trace:
    """What a model's weights have in common.

    Attributes:
      axes: (variable, axis, its channels), for every axis that follows an order.
      made: id of a kernel -> the channels that it makes.
      read: id of a kernel -> the channels that it reads.
    """

    axes: list[tuple[Any, int, Channels]] = dataclasses.field(default_factory=list)
    made: dict[int, Channels] = dataclasses.field(default_factory=dict)
    read: dict[int, Channels] = dataclasses.field(default_factory=dict)


def trace(model: Any) -> Trace:
    """Follows the channels of a functional or Sequential model.

    What is not known to let an order pass (a layer of one's own, an attention, a model's inputs and
    outputs) keeps its channels where they are.

    Raises:
      ValueError: the wiring is not known: a subclassed model.
    """
    graph = keras_compat.graph(model)
    if graph is None:
        raise ValueError(
            f"The wiring of '{model.name}' is plain Python code: rearrangement needs a functional "
            "or Sequential model."
        )
    tracer = _Tracer()
    for channels in tracer.walk(model, [_fixed(tensor) for tensor in graph.inputs]):
        fix(channels)
    return tracer.trace


class _Tracer:
    def __init__(self) -> None:
        self.trace = Trace()
        self._seen: dict[int, tuple[Channels, Channels]] = {}  # layer -> its first call's

    def walk(self, model: Any, feeds: list[Channels]) -> list[Channels]:
        """Follows a graph from the channels of its inputs to those of its outputs."""
        graph = keras_compat.graph(model)
        known = dict(zip(map(id, graph.inputs), feeds))
        for layer, ins, outs in keras_compat.calls(graph):
            if not ins:
                continue
            channels = [known[id(tensor)] for tensor in ins]
            if hasattr(layer, "train_step") and keras_compat.graph(layer) is not None:
                made = self.walk(layer, channels)
            else:
                made = self._call(layer, ins, outs, channels)
            known.update(zip(map(id, outs), made))
        return [known[id(tensor)] for tensor in graph.outputs]

    def _call(
        self, layer: Any, ins: Sequence, outs: Sequence, channels: list[Channels]
    ) -> list[Channels]:
        rule = self._rule(layer)
        last = getattr(layer, "data_format", None) != "channels_first"
        if rule is not None and last and len(outs) == 1 and all(channels):
            made = rule(layer, ins, outs[0], channels)
            if made is not None and count(made) == outs[0].shape[-1]:
                return [made]
        for each in channels:
            fix(each)
        if (seen := self._seen.get(id(layer))) is not None:
            fix(seen[0]), fix(seen[1])
        return [_fixed(tensor) for tensor in outs]

    def _rule(self, layer: Any) -> Callable | None:
        if not (kinds.is_keras_own(layer) and _is_elementwise(getattr(layer, "activation", None))):
            return None
        kind = type(layer).__name__
        if kind in ("TFOpLambda", "SlicingOpLambda"):  # tf_keras: a TensorFlow function
            kind = getattr(layer, "symbol", None) or layer.name
        if kind in _PASSING:
            return self._pass
        if kind in _TOGETHER:
            return self._together
        return getattr(self, f"_{kind}", None)

    # Rules: they return the channels of the output, or None where no order may pass.

    def _pass(self, layer, ins, out, channels):
        return channels[0] if len(channels) == 1 else None

    def _together(self, layer, ins, out, channels):
        size = out.shape[-1]
        full = [each for each in channels if count(each) == size]
        if len(channels) < 2 or not full or any(count(c) not in (1, size) for c in channels):
            return None  # an operation on a constant, whose order is not known to change
        for other in full[1:]:
            unify(full[0], other)
        return full[0]

    def _Concatenate(self, layer, ins, out, channels):
        if layer.axis in (-1, len(out.shape) - 1):
            return [segment for each in channels for segment in each]
        for other in channels[1:]:
            unify(channels[0], other)
        return channels[0]

    def _Flatten(self, layer, ins, out, channels):
        return self._reshaped(ins[0], out, channels[0])

    def _Reshape(self, layer, ins, out, channels):
        return self._reshaped(ins[0], out, channels[0])

    def _reshaped(self, before, after, channels):
        size, times = after.shape[-1], before.shape[1:-1]
        if size == count(channels):
            return channels
        if None not in times and size == math.prod(times) * count(channels):
            return channels * math.prod(times)  # a channel's weights are that far apart
        return None

    def _Rescaling(self, layer, ins, out, channels):
        scalars = all(getattr(value, "ndim", 0) == 0 for value in (layer.scale, layer.offset))
        plain = not isinstance(layer.scale, (list, tuple))
        return channels[0] if scalars and plain else None

    def _BatchNormalization(self, layer, ins, out, channels):
        axis = layer.axis if isinstance(layer.axis, int) else list(layer.axis)[0]
        if axis not in (-1, len(out.shape) - 1):
            return None
        return self._each(layer, channels[0], axis=0)

    def _LayerNormalization(self, layer, ins, out, channels):
        axis = layer.axis if isinstance(layer.axis, int) else list(layer.axis)
        if axis not in (-1, [-1], len(out.shape) - 1, [len(out.shape) - 1]):
            return None
        return self._each(layer, channels[0], axis=0)

    def _PReLU(self, layer, ins, out, channels):
        return self._each(layer, channels[0], axis=-1)

    def _each(self, layer, channels, axis):
        """A layer whose every weight has the channels of its input."""
        weights = [v for v in layer.weights if len(v.shape) and v.shape[axis] == count(channels)]
        return self._weighted(
            layer, channels, lambda: channels, [(weight, axis) for weight in weights], []
        )

    def _Dense(self, layer, ins, out, channels):
        return self._mixing(layer, channels[0], -2, -1)

    def _Conv(self, layer, ins, out, channels):
        if getattr(layer, "groups", 1) != 1:
            return None
        return self._mixing(layer, channels[0], -2, -1)

    _Conv1D = _Conv2D = _Conv3D = _Conv

    def _ConvTranspose(self, layer, ins, out, channels):
        return self._mixing(layer, channels[0], -1, -2)

    _Conv1DTranspose = _Conv2DTranspose = _Conv3DTranspose = _ConvTranspose

    def _mixing(self, layer, channels, in_axis, out_axis):
        """A layer that makes new channels, in whatever order."""
        kernel, reason = kernels.variable(layer)
        if reason:
            return None
        made = [Segment(int(kernel.shape[out_axis]))]
        bias = [(layer.bias, 0)] if layer.use_bias else []
        return self._weighted(
            layer, channels, lambda: made, [(kernel, in_axis)], [(kernel, out_axis), *bias]
        )

    def _DepthwiseConv(self, layer, ins, out, channels):
        kernel = getattr(layer, "depthwise_kernel", None)
        kernel = layer.kernel if kernel is None else kernel
        if layer.depth_multiplier != 1:
            return None
        bias = [(layer.bias, 0)] if layer.use_bias else []
        made = channels[0]
        return self._weighted(layer, made, lambda: made, [], [(kernel, -2), *bias])

    _DepthwiseConv1D = _DepthwiseConv2D = _DepthwiseConv

    def _SeparableConv(self, layer, ins, out, channels):
        if layer.depth_multiplier != 1:
            return None
        depthwise, pointwise = layer.depthwise_kernel, layer.pointwise_kernel
        if id(layer) not in self._seen:
            self.trace.made[_key(depthwise)] = channels[0]
        made = [Segment(int(pointwise.shape[-1]))]
        bias = [(layer.bias, 0)] if layer.use_bias else []
        return self._weighted(
            layer,
            channels[0],
            lambda: made,
            [(depthwise, -2), (pointwise, -2)],
            [(pointwise, -1), *bias],
        )

    _SeparableConv1D = _SeparableConv2D = _SeparableConv

    def _weighted(self, layer, channels, make, following, leading):
        """A layer with weights: `following` have the input's channels, `leading` the output's.

        In every call of a shared layer both are those of its first call.
        """
        if (seen := self._seen.get(id(layer))) is not None:
            unify(seen[0], channels)
            return seen[1]
        made = make()
        self._seen[id(layer)] = channels, made
        for owner, pairs in ((channels, following), (made, leading)):
            self.trace.axes += [(variable, axis, owner) for variable, axis in pairs]
        if leading:
            self.trace.made[_key(leading[0][0])] = made
        if leading and following:
            self.trace.read[_key(leading[0][0])] = channels
        return made


def _is_elementwise(activation: Any) -> bool:
    """Whether a layer's activation is known to treat every channel alike."""
    if activation is None:
        return True
    if hasattr(activation, "weights"):  # a layer
        return kinds.is_keras_own(activation) and type(activation).__name__ in _PASSING
    module = getattr(activation, "__module__", None) or ""
    return module.partition(".")[0] in ("keras", "tf_keras", "tensorflow")


def _fixed(tensor: Any) -> Channels:
    size = tensor.shape[-1] if len(tensor.shape) else None
    return [Segment(int(size), fixed=True)] if size else []


def _key(variable: Any) -> int:
    return id(keras_compat.components(variable)[0])
