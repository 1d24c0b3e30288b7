"""A quantized network with all that its kind has, whole in the delegate: the bits of TensorFlow Lite."""

from __future__ import annotations

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.run import runtime
from tests.e2e.random_graph import SAME
from tests.e2e.random_graphs import isas
from tests.e2e.random_int8_graphs import Graph


class Network(Graph):
    """Two branches and a sum, squeeze-and-excitation, a pool, a classifier with float outputs."""

    def __init__(self):
        super().__init__(seed=3)
        self.kind, self.zero = np.int8, 0
        self.graph.inputs = np.zeros(0, np.int32)
        self.last = self.fed((1, 14, 14, 3), (0.05, -4))
        stem = self.convolution(16, 3)
        self.convolution(32, 1)
        self.convolution(32, 3, depthwise=True)
        branch = self.convolution(16, 1, activation=0)
        self.add("ADD", [stem, branch], self.shape(stem), "Add")
        self.convolution(32, 1)
        image = self.add("HARD_SWISH", [self.last], self.shape(self.last))
        self.mean_of_pixels()
        self.convolution(32, 1)
        gate = self.add("LOGISTIC", [self.last], (1, 1, 1, 32), None, (1 / 256, -128))
        gated = self.add("MUL", [image, gate], self.shape(image), "Mul")
        self.moved(
            "MAX_POOL_2D", [gated], (1, 7, 7, 32), "Pool2D", strideH=2, strideW=2, filterHeight=2,
            filterWidth=2, padding=SAME,
        )  # fmt: skip
        self.mean_of_pixels()
        self.convolution(8, 1)
        self.moved("RESHAPE", [self.last, self.numbers((1, 8))], (1, 8), "Reshape")
        self.add("SOFTMAX", [self.last], (1, 8), "Softmax", (1 / 256, -128), beta=1.0)
        shares = self.tensor("shares", (1, 8))
        self.node("DEQUANTIZE", [self.last], [shares], schema().DequantizeOptionsT())
        self.model.operatorCodes[-1].version = 2
        self.output(shares)
        self.output(gated)

    def per_channel(self, tensor: int, scales: np.ndarray, axis: int) -> int:
        self.graph.tensors[tensor].quantization = schema().QuantizationParametersT(
            scale=scales, zeroPoint=np.zeros(len(scales), np.int64), quantizedDimension=axis
        )
        return tensor

    def convolution(self, outputs: int, size: int, depthwise=False, activation=3) -> int:
        x, (n, h, w, c) = self.last, self.shape(self.last)
        shape = (1, size, size, c) if depthwise else (outputs, size, size, c)
        values = self.rng.integers(-127, 127, shape).astype(np.int8)
        if not depthwise:
            keep = self.rng.random((outputs // 4, *shape[1:])) > 0.5
            values *= np.repeat(keep, 4, axis=0)
        scales = np.exp(self.rng.uniform(-6, -4, outputs)).astype(np.float32)
        weights = self.per_channel(self.constant("w", values), scales, 3 if depthwise else 0)
        biases = self.rng.integers(-2000, 2000, outputs).astype(np.int32)
        bias = self.constant("b", biases)
        self.per_channel(bias, scales * np.float32(self.quantization(x)[0]), 0)
        kind = "DepthwiseConv2D" if depthwise else "Conv2D"
        fields = {"depthMultiplier": 1} if depthwise else {}
        y = self.add(
            "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", [x, weights, bias],
            (n, h, w, outputs), kind, (0.05, 3), strideH=1, strideW=1, padding=SAME,
            fusedActivationFunction=activation, **fields,
        )  # fmt: skip
        self.model.operatorCodes[-1].version = 3
        return y

    def mean_of_pixels(self) -> None:
        shape = (1, 1, 1, self.shape(self.last)[3])
        self.add("MEAN", [self.last, self.numbers((1, 2))], shape, "Reducer", keepDims=True)


@pytest.mark.parametrize("isa", isas())
def test_whole_network(isa, tmp_path):
    tflite = Network().bytes()
    x = np.random.default_rng(0).integers(-128, 128, (1, 14, 14, 3)).astype(np.int8)
    wanted = runtime.run(runtime.interpreter(tflite), [x])
    assert all(len(np.unique(want)) > 3 for want in wanted), "a network that says nothing"
    cache = tmp_path / "weights.bin"
    for num_threads in (1, 2):  # the second one reads the first one's packed weights
        records = []
        delegate = sbnn.load_delegate(
            claim="all", isa=isa, num_threads=num_threads, cache_path=str(cache), profile=True,
            report=records.append,
        )  # fmt: skip
        made = runtime.interpreter(tflite, delegate=delegate, xnnpack=False)
        for want, found in zip(wanted, runtime.run(made, [x]), strict=True):
            np.testing.assert_array_equal(found, want)
        (subgraph,) = (record for record in records if record["record"] == "subgraph")
        assert "in 1 part" in subgraph["text"]
        assert [r["text"] for r in records if r["record"] == "node" and not r["claimed"]] == []
        assert cache.exists()
