"""Constants in 16 bits, behind DENSIFY and DEQUANTIZE, that several nodes read: the delegate takes
some of these nodes and leaves others, of which XNNPACK takes some in turn."""

from __future__ import annotations

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.run import runtime
from tests.python.convert.flat import Flat, group_sparse, ops

CHANNELS, SIZE = 32, 24
SHAPE = (1, SIZE, SIZE, CHANNELS)


class Float16(Flat):
    """Convolutions with filters and biases in 16 bits, and SIN, which the delegate leaves."""

    def __init__(self):
        super().__init__()
        self.rng = np.random.default_rng(0)
        self.image = self.input(SHAPE)

    def unpacked(self, values: np.ndarray) -> int:
        stored = self.constant("float16", values.astype(np.float16))
        y = self.tensor("unpacked", values.shape)
        self.node("DEQUANTIZE", [stored], [y], schema().DequantizeOptionsT())
        return y

    def filters(self, kernel: int) -> int:
        # Alone, a 1x1 with so few zeros is not worth two changes of layout on any CPU.
        zeros = 0.5 if kernel == 1 else 0.8
        values = group_sparse((CHANNELS, kernel, kernel, CHANNELS), 4, zeros)
        return self.unpacked(values / np.sqrt(values[0].size))

    def biases(self) -> int:
        return self.unpacked(self.rng.uniform(-1, 1, CHANNELS))

    def convolution(self, x: int, filters: int, bias: int) -> int:
        y = self.tensor("convolved", SHAPE)
        options = schema().Conv2DOptionsT(strideH=1, strideW=1)
        self.node("CONV_2D", [x, filters, bias], [y], options)
        return y

    def sine(self, x: int) -> int:
        y = self.tensor("sine", SHAPE)
        self.node("SIN", [x], [y])
        return y

    def sparse(self, layers: int) -> bytes:
        tflite = sbnn.convert(self.bytes())
        assert ops(tflite).count("DENSIFY") == layers
        return tflite


def verdicts(tflite: bytes, name: str, **options) -> list[bool]:
    """Of each node of this name, in order, whether it is claimed."""
    nodes = sbnn.explain(tflite, **options).nodes
    return [node["claimed"] for node in nodes if node["op"] == name]


def assert_as_stock(tflite: bytes, xnnpack: bool = True, **options) -> None:
    x = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
    want = runtime.run(runtime.interpreter(tflite, xnnpack=False), [x])
    delegate = sbnn.load_delegate(**options)
    made = runtime.interpreter(tflite, delegate=delegate, xnnpack=xnnpack)
    for _ in range(2):
        for a, b in zip(want, runtime.run(made, [x])):
            np.testing.assert_allclose(b, a, atol=1e-5 * np.abs(a).max())


@pytest.mark.parametrize("kernels", [(1, 3, 1), (3, 1, 1)], ids=["left first", "claimed first"])
def test_a_bias_of_a_claimed_and_a_left_convolution(kernels):
    """XNNPACK took the left one's bias for 32 bits beside a filter of 16: far off, or NaN."""
    model = Float16()
    shared = model.biases()
    x = model.convolution(model.image, model.filters(kernels[0]), shared)
    x = model.convolution(model.sine(x), model.filters(kernels[1]), shared)
    model.output(model.convolution(model.sine(x), model.filters(kernels[2]), model.biases()))
    tflite = model.sparse(3)
    assert verdicts(tflite, "CONV_2D") == [kernel == 3 for kernel in kernels]
    assert_as_stock(tflite)


@pytest.mark.parametrize("xnnpack", [True, False])
def test_constants_of_other_parts_are_not_unpacked(xnnpack):
    """All that unpacks for claimed nodes is claimed, wherever in the graph these are."""
    model = Float16()
    filters, bias = model.filters(3), model.biases()
    x = model.convolution(model.sine(model.image), filters, bias)
    x = model.convolution(model.sine(x), model.filters(1), bias)
    model.output(model.convolution(model.sine(x), filters, model.biases()))
    tflite = model.sparse(2)
    for name, count in {"CONV_2D": 3, "DENSIFY": 2, "DEQUANTIZE": 4}.items():
        assert verdicts(tflite, name, claim="all") == [True] * count
    (whole,) = sbnn.explain(tflite, claim="all").of_kind("subgraph")
    assert (whole["claimed"], whole["nodes"], whole["parts"]) == (9, 12, 3)
    assert_as_stock(tflite, xnnpack, claim="all")


def test_an_unpacked_constant_that_the_graph_gives():
    model = Float16()
    bias = model.biases()
    model.output(model.convolution(model.image, model.filters(3), bias))
    model.output(bias)
    tflite = model.sparse(1)
    assert verdicts(tflite, "CONV_2D", claim="all") == [True]
    nodes = sbnn.explain(tflite, claim="all").nodes
    (left,) = [node for node in nodes if node["op"] == "DEQUANTIZE" and not node["claimed"]]
    assert left["reason"] == "its result is an output of the graph"
    assert_as_stock(tflite, claim="all")
    assert_as_stock(tflite, xnnpack=False, claim="all")
