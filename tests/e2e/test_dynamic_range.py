"""int8 weights between floats ("dynamic range"): the bits of stock TensorFlow Lite, dense and sparse."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.run import runtime
from tests.e2e.random_graphs import isas
from tests.python.convert.flat import Flat

SAME, VALID = 0, 1
RELU, RELU6 = 1, 3
NAMES = {"CONV_2D": "Conv2D", "DEPTHWISE_CONV_2D": "DepthwiseConv2D"}
NAMES |= {"FULLY_CONNECTED": "FullyConnected"}


@dataclass
class Layer:
    """One layer.

    Attributes:
      kind: of the operator.
      x: shape of the input.
      filter: as the operator has it.
      options: of the operator, besides the usual ones.
      one_scale: for all weights, not one for each output.
      bias: whether there is one.
      zero_point: of the weights.
    """

    kind: str
    x: tuple[int, ...]
    filter: tuple[int, ...]
    options: dict = field(default_factory=dict)
    one_scale: bool = False
    bias: bool = True
    zero_point: int = 0

    def bytes(self, zeros: float = 0.0, together: tuple[int, int] = (4, 1)) -> bytes:
        """`zeros`: the share of weights that are zero, so many outputs and inputs together."""
        rng = np.random.default_rng(0)
        flat, s = Flat(), schema()
        axis = 3 if self.kind == "DEPTHWISE_CONV_2D" else 0
        outputs = self.filter[axis]
        values = rng.integers(-127, 128, self.filter)
        if zeros:
            kept = rng.random(self.filter) >= zeros
            for dimension, size in ((0, together[0]), (-1, together[1])):
                first = np.arange(self.filter[dimension]) // size * size
                kept = np.take(kept, first, axis=dimension)
            values = np.where(kept, values, 0)
        x = flat.input(self.x)
        w = flat.constant("w", values.astype(np.int8))
        scales = (0.01 * rng.uniform(0.2, 1, 1 if self.one_scale else outputs)).astype(np.float32)
        flat.graph.tensors[w].quantization = s.QuantizationParametersT(
            scale=scales,
            zeroPoint=np.full(len(scales), self.zero_point, np.int64),
            quantizedDimension=0 if self.one_scale else axis,
        )
        inputs = [x, w]
        if self.bias:
            inputs.append(flat.constant("b", rng.normal(size=outputs).astype(np.float32)))
        options = getattr(s, f"{NAMES[self.kind]}OptionsT")()
        if self.kind != "FULLY_CONNECTED":
            options.strideH = options.strideW = 1
            options.dilationHFactor = options.dilationWFactor = 1
        if self.kind == "DEPTHWISE_CONV_2D":
            options.depthMultiplier = outputs // self.x[3]
        for name, value in self.options.items():
            assert hasattr(options, name)
            setattr(options, name, value)
        y = flat.tensor("y", self._output(outputs))
        flat.node(self.kind, inputs, [y], options)
        flat.model.operatorCodes[-1].version = 6 if self.kind == "DEPTHWISE_CONV_2D" else 5
        if self.kind == "FULLY_CONNECTED":
            flat.model.operatorCodes[-1].version = 12
        flat.output(y)
        return flat.bytes()

    def _output(self, outputs: int) -> tuple[int, ...]:
        if self.kind == "FULLY_CONNECTED":
            rows = self.x[:-1]
            return (*(rows if self.options.get("keepNumDims") else [np.prod(rows)]), outputs)
        sizes = []
        for size, kernel, name in zip(self.x[1:3], self.filter[1:3], "HW", strict=True):
            reach = (kernel - 1) * self.options.get(f"dilation{name}Factor", 1)
            pad = reach if self.options.get("padding", SAME) == SAME else 0
            sizes.append((size + pad - reach - 1) // self.options.get(f"stride{name}", 1) + 1)
        return (self.x[0], *sizes, outputs)


def strides(step: int, **more) -> dict:
    return {"strideH": step, "strideW": step, **more}


ACTIVATED = {"fusedActivationFunction": RELU6}
LAYERS = {
    "a row": Layer("FULLY_CONNECTED", (1, 70), (33, 70)),
    "a row, one scale": Layer("FULLY_CONNECTED", (1, 70), (33, 70), one_scale=True),
    "a row, no bias": Layer("FULLY_CONNECTED", (1, 64), (20, 64), bias=False),
    "a row of symmetric inputs": Layer(
        "FULLY_CONNECTED", (1, 64), (20, 64), {"asymmetricQuantizeInputs": False}
    ),
    "five rows": Layer(
        "FULLY_CONNECTED", (5, 33), (17, 33), {"fusedActivationFunction": RELU}
    ),
    "rows of two dimensions": Layer("FULLY_CONNECTED", (2, 9, 40), (12, 40), {"keepNumDims": True}),
    "rows of an image": Layer("FULLY_CONNECTED", (2, 3, 5, 40), (12, 40), {"keepNumDims": True}),
    "an image as a row": Layer("FULLY_CONNECTED", (2, 3, 5, 8), (12, 120)),
    "1x1": Layer("CONV_2D", (1, 14, 14, 20), (24, 1, 1, 20), ACTIVATED),
    "1x1, images, one scale": Layer("CONV_2D", (3, 9, 7, 13), (10, 1, 1, 13), one_scale=True),
    "1x1, one pixel": Layer("CONV_2D", (2, 1, 1, 20), (24, 1, 1, 20)),
    "1x1, stride 2": Layer("CONV_2D", (2, 9, 9, 16), (12, 1, 1, 16), strides(2)),
    "1x1, one channel": Layer("CONV_2D", (2, 5, 6, 1), (1, 1, 1, 1)),
    "1x1, groups": Layer("CONV_2D", (2, 5, 6, 8), (12, 1, 1, 4)),
    "3x3": Layer("CONV_2D", (2, 13, 11, 12), (20, 3, 3, 12), ACTIVATED),
    "3x3, three channels": Layer("CONV_2D", (1, 20, 18, 3), (16, 3, 3, 3), strides(2)),
    "3x3, VALID": Layer("CONV_2D", (2, 13, 11, 12), (20, 3, 3, 12), {"padding": VALID}),
    "3x3, one pixel": Layer("CONV_2D", (2, 3, 3, 12), (20, 3, 3, 12), {"padding": VALID}),
    "3x3, on one pixel": Layer("CONV_2D", (2, 1, 1, 12), (20, 3, 3, 12)),
    "3x3, dilated": Layer(
        "CONV_2D", (1, 13, 11, 12), (20, 3, 3, 12), {"dilationHFactor": 2, "dilationWFactor": 2}
    ),
    "3x3, groups": Layer("CONV_2D", (2, 9, 8, 8), (12, 3, 3, 4)),
    "3x3, bands": Layer("CONV_2D", (1, 60, 64, 32), (8, 3, 3, 32)),
    "5x3": Layer("CONV_2D", (1, 13, 11, 6), (7, 5, 3, 6)),
    "depthwise": Layer("DEPTHWISE_CONV_2D", (2, 14, 13, 18), (1, 3, 3, 18), ACTIVATED),
    "depthwise, stride 2": Layer("DEPTHWISE_CONV_2D", (1, 14, 13, 17), (1, 3, 3, 17), strides(2)),
    "depthwise, 5x5": Layer("DEPTHWISE_CONV_2D", (1, 14, 13, 19), (1, 5, 5, 19)),
    "depthwise, 7x7, VALID": Layer(
        "DEPTHWISE_CONV_2D", (1, 14, 13, 8), (1, 7, 7, 8), {"padding": VALID}
    ),
    "depthwise, two outputs each": Layer("DEPTHWISE_CONV_2D", (2, 7, 6, 5), (1, 3, 3, 10)),
    "depthwise, one pixel": Layer("DEPTHWISE_CONV_2D", (3, 1, 1, 9), (1, 3, 3, 9)),
}  # fmt: skip
ZEROS = ((0.0, (1, 1)), (0.5, (4, 1)), (0.9, (4, 4)))


def inputs(shape: tuple[int, ...]):
    """Ranges around 0, above it and below it; what is all zero, or constant."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=shape).astype(np.float32)
    yield x
    yield np.abs(x) + 1
    yield -3 * np.abs(x)
    yield 0 * x
    x = x.copy()
    x[0] = 0.7
    yield x


def check(tflite: bytes, shape, **options) -> None:
    """The layer is claimed, and equal in every bit."""
    (node,) = sbnn.explain(tflite, claim="all").nodes
    assert node["claimed"], node["reason"]
    stock = runtime.interpreter(tflite)
    ours = runtime.interpreter(
        tflite, delegate=sbnn.load_delegate(claim="all", **options), xnnpack=False
    )
    for x in inputs(shape):
        want, found = (runtime.run(made, [x])[0] for made in (stock, ours))
        np.testing.assert_array_equal(found, want)


@pytest.mark.parametrize("zeros, together", ZEROS, ids=["dense", "4x1", "4x4"])
@pytest.mark.parametrize("name", LAYERS)
def test_layers(name, zeros, together):
    layer = LAYERS[name]
    check(layer.bytes(zeros, together), layer.x)
    check(layer.bytes(zeros, together), layer.x, num_threads=2)


@pytest.mark.parametrize("isa", isas())
@pytest.mark.parametrize("name", ["a row", "five rows", "1x1", "3x3", "depthwise"])
def test_instruction_sets(name, isa):
    layer = LAYERS[name]
    for zeros, together in ZEROS:
        check(layer.bytes(zeros, together), layer.x, isa=isa)


@pytest.mark.parametrize("name", ["five rows", "1x1, images, one scale", "3x3", "depthwise"])
def test_what_is_not_finite_stays_where_it_is(name):
    """NaN and infinity are numbers that nobody promises, in their own row, pixel or image."""
    layer = LAYERS[name]
    ours = runtime.interpreter(layer.bytes(), delegate=sbnn.load_delegate(claim="all"))
    x = next(inputs(layer.x))
    (want,) = runtime.run(ours, [x])
    for value in (np.nan, np.inf, -np.inf):
        spoilt = x.copy()
        spoilt[0, ..., 0] = value
        (found,) = runtime.run(ours, [spoilt])
        np.testing.assert_array_equal(found[1:], want[1:])


REFUSED = {
    "zero point": (
        Layer("DEPTHWISE_CONV_2D", (1, 5, 5, 1), (1, 3, 3, 1), zero_point=3), "a zero point of 3"
    ),
    "activation": (
        Layer("FULLY_CONNECTED", (1, 16), (8, 16), {"fusedActivationFunction": 4}),
        "fused activation 4",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    layer, reason = REFUSED[name]
    (node,) = sbnn.explain(layer.bytes(), claim="all").nodes
    assert not node["claimed"] and reason in node["reason"]


@pytest.fixture(scope="module")
def network():
    """A Keras network, pruned and with filters worth quantizing: the `.tflite` by share of zeros."""
    import keras

    from tests.python.models import bring_to_life

    keras.utils.set_random_seed(0)
    layers = [keras.Input((20, 20, 3)), keras.layers.Conv2D(48, 3, strides=2, padding="same")]
    for i in (1, 2):
        layers += [
            keras.layers.DepthwiseConv2D(5, padding="same"),
            keras.layers.Conv2D(48, 1, name=f"pointwise_{i}"),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(6.0),
        ]
    layers += [
        keras.layers.Conv2D(32, 3),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(64),
    ]
    model = keras.Sequential(layers)
    bring_to_life(model)
    dense = sbnn.convert(model)

    def at(zeros: float) -> bytes:
        pruning = {"prune": zeros, "group": 4} if zeros else {}
        return sbnn.convert(dense, quantize="int8-dynamic", verbose=0, **pruning)

    return at


@pytest.mark.parametrize("zeros", [0, 0.5, 0.9])
def test_network(network, zeros):
    tflite = network(zeros)
    nodes = sbnn.explain(tflite, claim="all").nodes
    assert [node["reason"] for node in nodes if not node["claimed"]] == []
    assert sbnn.verify(tflite, tflite, delegate=True).within
    (x, *_) = inputs((1, 20, 20, 3))
    delegate = sbnn.load_delegate(claim="all")
    (want,), (found,) = (
        runtime.run(runtime.interpreter(tflite, delegate=each), [x]) for each in (None, delegate)
    )
    # (The first layer is one of floats, whose last bits decide some roundings.)
    assert np.abs(found - want).max() < 0.05 * np.abs(want).max()
