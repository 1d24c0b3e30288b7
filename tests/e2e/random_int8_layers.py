"""Layers with weights for the random quantized graphs: any window, groups, zeros and scales."""

from __future__ import annotations

import numpy as np

from sbnn_tf.convert.flatbuffer import schema
from tests.e2e.random_graph import SAME, VALID


def weights(graph, shape, axis: int, depth: int, y) -> tuple[int, np.ndarray]:
    """A constant filter and its scales: dense, or with zeros of some pattern.

    `depth`: the products of an output; `y`: its quantization.
    """
    rng = graph.rng
    values = rng.integers(graph.pick(-128, -127, -127), 128, shape)
    if graph.chance(0.5):
        group, block = graph.pick((4, 1), (4, 4), (1, 4), (2, 4), (1, 1))
        kept = rng.random(shape) < graph.pick(0.2, 0.5)
        for dimension, size in ((0, group), (-1, block)):
            first = np.arange(shape[dimension]) // size * size
            kept = np.take(kept, first, axis=dimension)
        values = np.where(kept, values, 0)
    several = graph.kind == np.int8 and graph.chance(0.7)
    # Such that most outputs are inside of the range.
    typical = y[0] / (graph.quantization(graph.last)[0] * 100 * np.sqrt(depth))
    scales = np.exp(rng.uniform(-1, 1, shape[axis] if several else 1)) * typical
    scales = scales.astype(np.float32)
    tensor = graph.constant("w", (values + graph.zero).astype(graph.kind))
    per_channel(graph, tensor, scales, graph.zero, axis)
    return tensor, scales


def per_channel(graph, tensor: int, scales: np.ndarray, zero_point: int, axis: int) -> None:
    graph.graph.tensors[tensor].quantization = schema().QuantizationParametersT(
        scale=scales, zeroPoint=np.full(len(scales), zero_point, np.int64), quantizedDimension=axis
    )


def biases(graph, count: int, scales: np.ndarray, x: int) -> int:
    """Some so large that sums wrap."""
    most = graph.pick(3000, 3000, 200000, 2**31 - 1)
    values = graph.rng.integers(-most, most, count, endpoint=True).astype(np.int32)
    tensor = graph.constant("b", values)
    per_channel(graph, tensor, scales * np.float32(graph.quantization(x)[0]), 0, 0)
    return tensor


def window(graph, size: int) -> tuple[int, int, int, int]:
    """Kernel, stride, dilation and padding that fit an image of one dimension so long."""
    kernel, stride = graph.pick(1, 1, 2, 3, 3, 5), graph.pick(1, 1, 2, 3)
    dilation = graph.pick(1, 1, 2) if stride == 1 else 1
    fits = (kernel - 1) * dilation + 1 <= size
    return kernel, stride, dilation, graph.pick(SAME, VALID) if fits else SAME


def ends_before(size: int, kernel: int, stride: int) -> bool:
    """Whether windows of SAME padding leave out the end of the image."""
    return (-(-size // stride) - 1) * stride + kernel < size


def length(size: int, kernel: int, stride: int, dilation: int, padding: int) -> int:
    if padding == SAME:
        return -(-size // stride)
    return (size - (kernel - 1) * dilation - 1) // stride + 1


def convolution(graph) -> None:
    shape = graph.shape(graph.last)
    if len(shape) != 4:
        return
    n, h, w, c = shape
    depthwise = graph.kind == np.int8 and graph.chance(0.4)
    (kh, sh, dh, padding), (kw, sw, dw, other) = window(graph, h), window(graph, w)
    if graph.chance(0.5):  # as most are
        kw, sw, dw = kh, sh, dh
    if other == SAME or (kw - 1) * dw + 1 > w:
        padding = SAME
    if dh > 1 or dw > 1:
        sh = sw = 1
    if padding == SAME and kh * kw > 1 and (ends_before(h, kh, sh) or ends_before(w, kw, sw)):
        sh = sw = 1  # XNNPACK contradicts TensorFlow Lite's own kernels there
    if depthwise:
        outputs = c * graph.pick(1, 1, 1, 2, 3)
        filter_shape, axis = (1, kh, kw, outputs), 3
        name, kind, fields = (
            "DEPTHWISE_CONV_2D",
            "DepthwiseConv2D",
            {"depthMultiplier": outputs // c},
        )
    else:
        groups = graph.pick(*(g for g in range(1, c + 1) if c % g == 0)) if graph.chance(0.3) else 1
        outputs = groups * graph.pick(1, 2, 3, 5) if groups > 1 else graph.pick(1, 4, 5, 8, 17)
        filter_shape, axis = (outputs, kh, kw, c // groups), 0
        name, kind, fields = "CONV_2D", "Conv2D", {}
    depth = kh * kw * (1 if depthwise else filter_shape[3])
    y = graph.any_quantization()
    filter_, scales = weights(graph, filter_shape, axis, depth, y)
    x = graph.last
    inputs = [x, filter_, biases(graph, outputs, scales, x)]
    out = (n, length(h, kh, sh, dh, padding), length(w, kw, sw, dw, padding), outputs)
    graph.add(
        name, inputs, out, kind, y, strideH=sh, strideW=sw,
        dilationHFactor=dh, dilationWFactor=dw, padding=padding,
        fusedActivationFunction=graph.pick(0, 1, 3), **fields,
    )  # fmt: skip
    graph.model.operatorCodes[-1].version = 3 if graph.kind == np.int8 else 2


def fully_connected(graph) -> None:
    shape = graph.shape(graph.last)
    if len(shape) < 2:
        return
    outputs, inputs = graph.pick(1, 4, 7, 16, 33), shape[-1]
    y = graph.any_quantization()
    filter_, scales = weights(graph, (outputs, inputs), 0, inputs, y)
    x = graph.last
    given = [x, filter_, biases(graph, outputs, scales, x)]
    keep = graph.chance(0.5)
    out = (*shape[:-1], outputs) if keep else (int(np.prod(shape[:-1])), outputs)
    graph.add(
        "FULLY_CONNECTED", given, out, "FullyConnected", y,
        keepNumDims=keep, fusedActivationFunction=graph.pick(0, 1, 3),
    )  # fmt: skip
    graph.model.operatorCodes[-1].version = 5


def transposed_convolution(graph) -> None:
    shape = graph.shape(graph.last)
    if len(shape) != 4:
        return
    n, h, w, c = shape
    stride = graph.whole(1, 3)
    kernel, padding = graph.whole(stride, 4), graph.pick(SAME, VALID)
    outputs = graph.pick(1, 4, 5, 9)
    y = graph.any_quantization()
    filter_, scales = weights(graph, (outputs, kernel, kernel, c), 0, kernel * kernel * c, y)
    x = graph.last
    reach = kernel - stride if padding == VALID else 0
    out = (n, h * stride + reach, w * stride + reach, outputs)
    inputs = [graph.numbers(out), filter_, x, biases(graph, outputs, scales, x)]
    graph.add(
        "TRANSPOSE_CONV", inputs, out, "TransposeConv",
        y, strideH=stride, strideW=stride,
        padding=padding,
    )  # fmt: skip
    graph.model.operatorCodes[-1].version = 3
