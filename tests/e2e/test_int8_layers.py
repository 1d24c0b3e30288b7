"""Layers of int8 with weights: the bits of stock TensorFlow Lite with XNNPACK, dense and sparse."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf.convert import flatbuffer
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.run import runtime
from tests.python.convert.flat import Flat, ops

SAME, VALID = 0, 1
NONE, RELU, RELU6 = 0, 1, 3


@dataclass
class Layer:
    """One layer, its zeros and its quantization.

    Attributes:
      kind: of the operator.
      image: shape of the input.
      filter: as the operator has it.
      zeros: (outputs, inputs, share) of weights that are zero together, and how many are.
      zero_points: of input and output.
      per_channel: scales of weights; else one for all.
      least: of the weights.
      uint8: all tensors of uint8 instead.
    """

    kind: str
    image: tuple[int, ...]
    filter: tuple[int, ...]
    options: dict = field(default_factory=dict)
    zeros: tuple[int, int, float] = (1, 1, 0.0)
    zero_points: tuple[int, int] = (-5, 3)
    per_channel: bool = True
    least: int = -127
    uint8: bool = False

    def bytes(self) -> bytes:
        rng = np.random.default_rng(0)
        flat, s = Flat(), schema()
        kind = np.uint8 if self.uint8 else np.int8
        shift = 128 if self.uint8 else 0

        def quantized(tensor: int, scale, zero_point: int, axis: int = 0) -> int:
            scale = np.atleast_1d(np.float32(scale))
            flat.graph.tensors[tensor].quantization = s.QuantizationParametersT(
                scale=scale,
                zeroPoint=np.full(len(scale), zero_point, np.int64),
                quantizedDimension=axis,
            )
            return tensor

        axis = 3 if self.kind == "DEPTHWISE_CONV_2D" else 0
        outputs = self.filter[axis]
        values = rng.integers(self.least, 128, self.filter)
        if self.least == -128:
            values[rng.random(self.filter) < 0.2] = -128
        group, block, share = self.zeros
        if share:
            kept = rng.random((outputs // group, *self.filter[1:-1], self.filter[-1] // block))
            kept = np.repeat(np.repeat(kept >= share, group, axis=0), block, axis=-1)
            values = np.where(kept, values, 0)
        depth = np.sqrt(np.prod(self.filter[:3] if axis else self.filter[1:]))
        spread = np.linspace(0.5, 1.5, outputs) if self.per_channel else 1.0
        scales = 0.01 * spread
        x = quantized(flat.input(self.image, kind), 0.02, self.zero_points[0] + shift)
        w = flat.constant("w", (values + shift).astype(kind))
        quantized(w, scales, shift, axis)
        bias = flat.constant("b", rng.integers(-3000, 3000, outputs).astype(np.int32))
        quantized(bias, 0.02 * np.broadcast_to(scales, np.shape(spread)), 0)
        y = flat.tensor("y", self._output(), kind)
        quantized(y, 0.02 * depth, self.zero_points[1] + shift)
        names = {"CONV_2D": "Conv2D", "DEPTHWISE_CONV_2D": "DepthwiseConv2D"}
        names |= {"TRANSPOSE_CONV": "TransposeConv", "FULLY_CONNECTED": "FullyConnected"}
        options = getattr(s, f"{names[self.kind]}OptionsT")()
        if self.kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            options.strideH = options.strideW = options.dilationHFactor = 1
            options.dilationWFactor = 1
        if self.kind == "DEPTHWISE_CONV_2D":
            options.depthMultiplier = outputs // self.image[3]
        for name, value in self.options.items():
            assert hasattr(options, name)
            setattr(options, name, value)
        inputs = [x, w, bias]
        if self.kind == "TRANSPOSE_CONV":
            inputs = [flat.constant("shape", np.array(self._output(), np.int32)), w, x, bias]
        flat.node(self.kind, inputs, [y], options)
        flat.output(y)
        return flat.bytes()

    def _output(self) -> tuple[int, ...]:
        if self.kind == "FULLY_CONNECTED":
            return (self.image[0], self.filter[0])
        if self.kind == "TRANSPOSE_CONV":
            step, pad = self.options["strideH"], self.options["padding"]
            reach = max(0, self.filter[1] - step) if pad == VALID else 0
            return (self.image[0], *(n * step + reach for n in self.image[1:3]), self.filter[0])
        sizes = []
        for axis, name in ((1, "H"), (2, "W")):
            reach = (self.filter[axis] - 1) * self.options.get(f"dilation{name}Factor", 1) + 1
            pad = reach - 1 if self.options.get("padding", SAME) == SAME else 0
            sizes.append(
                (self.image[axis] + pad - reach) // self.options.get(f"stride{name}", 1) + 1
            )
        channels = self.filter[3 if self.kind == "DEPTHWISE_CONV_2D" else 0]
        return (self.image[0], *sizes, channels)


def check(tflite: bytes, *, left: str | None = None, **options) -> None:
    """The layer is claimed (or left, for a reason that says `left`), and equal in every bit."""
    (node,) = [each for each in sbnn.explain(tflite, claim="all").nodes if each["op"] != "DENSIFY"]
    if left is not None:
        assert left in node["reason"]
        return
    assert node["claimed"], node["reason"]
    stock = runtime.interpreter(tflite)
    ours = runtime.interpreter(tflite, delegate=sbnn.load_delegate(claim="all", **options))
    (entry,) = stock.get_input_details()
    info = np.iinfo(entry["dtype"])
    for seed in range(3):
        rng = np.random.default_rng(seed)
        x = rng.integers(info.min, info.max + 1, entry["shape"]).astype(entry["dtype"])
        want, found = (runtime.run(made, [x])[0] for made in (stock, ours))
        assert want.std() > 5, "a constant shows nothing"
        np.testing.assert_array_equal(found, want)


def strides(step: int, **more) -> dict:
    return {"strideH": step, "strideW": step, **more}


CONVOLUTIONS = {
    "1x1": Layer("CONV_2D", (1, 14, 14, 20), (24, 1, 1, 20)),
    "1x1 of odd sizes": Layer("CONV_2D", (2, 7, 7, 13), (9, 1, 1, 13)),
    "1x1 stride 2": Layer("CONV_2D", (1, 9, 9, 8), (8, 1, 1, 8), strides(2)),
    "of one pixel": Layer("CONV_2D", (2, 1, 1, 70), (33, 1, 1, 70)),
    "3x3": Layer("CONV_2D", (1, 11, 13, 12), (21, 3, 3, 12)),
    "3x3 stride 2": Layer("CONV_2D", (1, 12, 13, 8), (8, 3, 3, 8), strides(2)),
    "5x3 valid": Layer("CONV_2D", (1, 9, 9, 5), (4, 5, 3, 5), {"padding": VALID}),
    "dilated": Layer(
        "CONV_2D", (1, 9, 9, 8), (8, 3, 3, 8), {"dilationHFactor": 2, "dilationWFactor": 3}
    ),
    "to one pixel": Layer("CONV_2D", (2, 5, 5, 6), (7, 5, 5, 6), {"padding": VALID}),
    "in bands": Layer("CONV_2D", (1, 40, 40, 64), (8, 3, 3, 64)),
    "of an image": Layer("CONV_2D", (2, 32, 31, 3), (16, 3, 3, 3), strides(2)),
    "of a gray image": Layer("CONV_2D", (1, 12, 12, 1), (8, 5, 5, 1)),
    "of an image to one pixel": Layer("CONV_2D", (2, 3, 3, 3), (5, 3, 3, 3), {"padding": VALID}),
    "extreme zero points": Layer("CONV_2D", (1, 6, 6, 8), (8, 3, 3, 8), zero_points=(-128, 127)),
    "one scale": Layer("CONV_2D", (1, 14, 14, 20), (24, 1, 1, 20), per_channel=False),
    "weights of -128": Layer("CONV_2D", (1, 14, 14, 20), (24, 1, 1, 20), least=-128),
    "relu6": Layer("CONV_2D", (1, 8, 8, 8), (8, 1, 1, 8), {"fusedActivationFunction": RELU6}),
    "uint8": Layer("CONV_2D", (1, 8, 8, 8), (8, 3, 3, 8), per_channel=False, uint8=True),
    "grouped": Layer("CONV_2D", (1, 9, 9, 12), (8, 3, 3, 3)),
    "grouped 1x1": Layer("CONV_2D", (2, 7, 7, 24), (24, 1, 1, 8)),
    "grouped of one pixel": Layer("CONV_2D", (1, 1, 1, 24), (12, 1, 1, 8)),
    "a group for each channel": Layer("CONV_2D", (1, 9, 9, 6), (12, 3, 3, 1), least=-128),
}
DEPTHWISE = {
    f"{k}x{k} stride {step} {'same' if padding == SAME else 'valid'} of {size}": Layer(
        "DEPTHWISE_CONV_2D", (1, size, size, 10), (1, k, k, 10), strides(step, padding=padding)
    )
    for k in (3, 5)
    for step in (1, 2)
    for padding in (SAME, VALID)
    for size in (7, 18)
} | {
    "7x7": Layer("DEPTHWISE_CONV_2D", (2, 9, 9, 6), (1, 7, 7, 6)),
    "3x3 dilated": Layer(
        "DEPTHWISE_CONV_2D",
        (1, 9, 9, 6),
        (1, 3, 3, 6),
        {"dilationHFactor": 2, "dilationWFactor": 2},
    ),
    "weights of -128": Layer("DEPTHWISE_CONV_2D", (1, 9, 9, 8), (1, 3, 3, 8), least=-128),
    "two of each channel": Layer("DEPTHWISE_CONV_2D", (1, 9, 9, 6), (1, 3, 3, 12)),
    "three of each, stride 2": Layer("DEPTHWISE_CONV_2D", (2, 9, 9, 5), (1, 5, 5, 15), strides(2)),
    "eight of the only channel": Layer("DEPTHWISE_CONV_2D", (1, 9, 9, 1), (1, 3, 3, 8)),
    "four of each, of one pixel": Layer("DEPTHWISE_CONV_2D", (1, 1, 1, 6), (1, 1, 1, 24)),
    "to one pixel": Layer("DEPTHWISE_CONV_2D", (2, 3, 3, 6), (1, 3, 3, 6), {"padding": VALID}),
    "relu": Layer(
        "DEPTHWISE_CONV_2D", (1, 9, 9, 8), (1, 3, 3, 8), {"fusedActivationFunction": RELU}
    ),
}
FULLY_CONNECTED = {
    "one row": Layer("FULLY_CONNECTED", (1, 101), (37, 101), per_channel=False),
    "rows": Layer("FULLY_CONNECTED", (5, 101), (37, 101), per_channel=False),
    "weights of -128": Layer("FULLY_CONNECTED", (1, 64), (16, 64), per_channel=False, least=-128),
}


@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_convolutions(case):
    check(CONVOLUTIONS[case].bytes())


@pytest.mark.parametrize("case", DEPTHWISE)
def test_depthwise_convolutions(case):
    check(DEPTHWISE[case].bytes())


@pytest.mark.parametrize("padding", [SAME, VALID])
@pytest.mark.parametrize("kernel, step", [(2, 2), (3, 2), (4, 2), (3, 1), (2, 3)])
def test_transposed_convolutions(kernel, step, padding):
    options = strides(step, padding=padding)
    layer = Layer("TRANSPOSE_CONV", (2, 5, 7, 6), (9, kernel, kernel, 6), options)
    gaps = padding == SAME and kernel < step
    check(layer.bytes(), left="the windows do not cover" if gaps else None)


@pytest.mark.parametrize("kernel", [2, 3])
def test_transposed_convolution_of_one_pixel(kernel):
    layer = Layer("TRANSPOSE_CONV", (2, 1, 1, 8), (5, kernel, kernel, 8), strides(2, padding=SAME))
    check(layer.bytes())


@pytest.mark.parametrize("case", FULLY_CONNECTED)
def test_fully_connected_layers(case):
    check(FULLY_CONNECTED[case].bytes())


@pytest.mark.parametrize("isa", ["avx2", "scalar"])
@pytest.mark.parametrize("layer", [CONVOLUTIONS["3x3"], DEPTHWISE["3x3 stride 1 same of 18"]])
def test_other_instruction_sets(layer, isa):
    check(layer.bytes(), isa=isa, num_threads=2)


# What is single columns to the kernels, and what blocks.
ZEROS = [(1, 1), (2, 1), (4, 1), (8, 1), (1, 4), (2, 4), (4, 4)]


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("zeros", ZEROS, ids=lambda z: f"{z[0]}x{z[1]}")
def test_sparse_convolutions(zeros, kernel):
    shape = (16, kernel, kernel, 64)
    layer = Layer("CONV_2D", (1, 9, 9, 64), shape, zeros=(*zeros, 0.8))
    dense = layer.bytes()
    check(dense, num_threads=2)
    sparse = sbnn.convert(dense)
    assert ops(sparse).count("DENSIFY") == 1 and len(sparse) < len(dense)
    check(sparse)


@pytest.mark.parametrize(
    "kind, filter_", [("CONV_2D", (8, 1, 3, 8)), ("DEPTHWISE_CONV_2D", (1, 1, 3, 8))]
)
def test_windows_that_end_before_the_image(kind, filter_):
    """Where XNNPACK computes something else than TensorFlow Lite's own kernels."""
    options = {"strideH": 2, "strideW": 1}
    check(Layer(kind, (1, 10, 12, 8), filter_, options).bytes(), left="end before the image")
    check(Layer(kind, (1, 9, 12, 8), filter_, options).bytes())


def test_uint8():
    options = {"per_channel": False, "uint8": True}
    check(Layer("CONV_2D", (1, 9, 9, 12), (8, 3, 3, 3), **options).bytes())
    check(Layer("FULLY_CONNECTED", (5, 101), (37, 101), **options).bytes())
    transposed = strides(2, padding=SAME)
    check(Layer("TRANSPOSE_CONV", (1, 9, 9, 8), (5, 3, 3, 8), transposed, **options).bytes())
    depthwise = Layer("DEPTHWISE_CONV_2D", (1, 9, 9, 8), (1, 3, 3, 8), **options)
    check(depthwise.bytes(), left="rounds otherwise")


def test_sparse_groups():
    layer = Layer("CONV_2D", (1, 9, 9, 64), (16, 3, 3, 16), zeros=(4, 1, 0.8))
    sparse = sbnn.convert(layer.bytes())
    assert ops(sparse).count("DENSIFY") == 1
    check(sparse)


def test_weights_with_a_zero_point_are_left():
    model = flatbuffer.read(Layer("FULLY_CONNECTED", (1, 8), (4, 8), per_channel=False).bytes())
    model.subgraphs[0].tensors[1].quantization.zeroPoint = np.array([3], np.int64)
    check(flatbuffer.write(model), left="weights with a zero point of 3")


def test_windows_with_one_pixel_of_output_have_a_price():
    """Whatever kind of steps their weights are packed in: single outputs take more of them."""

    def predicted(zeros: tuple[int, int]) -> float:
        layer = Layer(
            "CONV_2D", (1, 7, 7, 64), (64, 7, 7, 64), {"padding": VALID}, zeros=(*zeros, 0.7)
        )
        (node,) = sbnn.explain(layer.bytes(), claim="all").nodes
        return node["predicted_seconds"]

    assert predicted((1, 4)) > predicted((4, 4)) > 0
