"""Layers of int8 whose numbers are nonsense: refused with what was found, or computed as stock does."""

from __future__ import annotations

import numpy as np
import pytest

from sbnn_tf.convert import flatbuffer
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.run import runtime
from tests.e2e import runner
from tests.e2e.test_bad_quantization import refusal
from tests.e2e.test_int8_layers import Layer, check

CONV = Layer("CONV_2D", (1, 6, 6, 8), (8, 3, 3, 8))
LAYERS = {
    "convolution": CONV,
    "depthwise": Layer("DEPTHWISE_CONV_2D", (1, 6, 6, 8), (1, 3, 3, 8)),
    "matrix": Layer("FULLY_CONNECTED", (2, 8), (8, 8)),
    "transposed": Layer("TRANSPOSE_CONV", (1, 4, 4, 8), (8, 2, 2, 8), {"strideH": 2, "strideW": 2, "padding": 0}),
}  # fmt: skip
OUTPUTS = 8


def changed(layer: Layer, change) -> bytes:
    """The layer's file after `change` of its filter, its bias and the whole model."""
    model = flatbuffer.read(layer.bytes())
    tensors = {t.name.decode(): t for t in model.subgraphs[0].tensors}
    change(tensors["w"], tensors["b"], model)
    return flatbuffer.write(model)


def scales_of(values):
    def change(filter_, bias, model):
        filter_.quantization.scale = np.array(values, np.float32)
        filter_.quantization.zeroPoint = np.zeros(len(values), np.int64)

    return change


def one_bad(value) -> list[float]:
    return [0.01] * (OUTPUTS - 1) + [value]


BAD_SCALES = {
    "zero": one_bad(0.0),
    "negative": one_bad(-0.01),
    "infinite": one_bad(np.inf),
    "nan": one_bad(np.nan),
    "subnormal": one_bad(1e-40),
    "huge": one_bad(1e30),
}


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("name", BAD_SCALES)
def test_scales_that_are_nonsense(name, layer, tmp_path):
    found = refusal(changed(LAYERS[layer], scales_of(BAD_SCALES[name])), tmp_path)
    assert "expected a scale from 1e-18 to 1e+18" in found


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("count", [0, 2, OUTPUTS - 1, OUTPUTS + 1])
def test_scales_of_another_number(count, layer, tmp_path):
    found = refusal(changed(LAYERS[layer], scales_of([0.01] * count)), tmp_path)
    assert "scales" in found


def zero_points(count: int) -> bytes:
    def change(filter_, bias, model):
        filter_.quantization.zeroPoint = np.zeros(count, np.int64)

    return changed(CONV, change)


@pytest.mark.parametrize("count", [2, OUTPUTS - 1, OUTPUTS + 1])
def test_zero_points_of_another_number(count, tmp_path):
    assert "zero points" in refusal(zero_points(count), tmp_path)


@pytest.mark.parametrize("count", [0, 1])
def test_one_zero_point_for_all_or_none(count, tmp_path):
    """Which TensorFlow Lite refuses, and the runner takes for what it can only mean."""
    x = np.random.default_rng(0).integers(-128, 128, CONV.image).astype(np.int8)
    (want,) = runtime.run(runtime.interpreter(CONV.bytes()), [x])
    (found,) = runner.outputs(tmp_path, zero_points(count), [x])
    np.testing.assert_array_equal(found, want)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("axis", [-1, 1, 2, 7])
def test_scales_along_another_dimension(axis, layer, tmp_path):
    def change(filter_, bias, model):
        filter_.quantization.quantizedDimension = axis

    assert refusal(changed(LAYERS[layer], change), tmp_path)


def test_scales_along_the_inputs(tmp_path):
    """As many as there are outputs."""

    def change(filter_, bias, model):
        filter_.quantization.quantizedDimension = 3

    found = refusal(changed(CONV, change), tmp_path)
    assert "scales along dimension 3 of the weights; expected 0" in found


@pytest.mark.parametrize("zero_point", [1, -128, 127])
def test_weights_with_a_zero_point(zero_point, tmp_path):
    def change(filter_, bias, model):
        filter_.quantization.zeroPoint = np.array([0] * (OUTPUTS - 1) + [zero_point], np.int64)

    assert "zero point" in refusal(changed(CONV, change), tmp_path)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("count", [1, OUTPUTS - 1, OUTPUTS + 1])
def test_a_bias_of_another_length(count, layer, tmp_path):
    def change(filter_, bias, model):
        bias.shape = np.array([count], np.int32)
        model.buffers[bias.buffer].data = np.zeros(4 * count, np.uint8)

    assert "bias" in refusal(changed(LAYERS[layer], change), tmp_path)


@pytest.mark.parametrize("kind, size", [("FLOAT32", 4), ("INT64", 8), ("INT8", 1)])
def test_a_bias_of_another_type(kind, size, tmp_path):
    def change(filter_, bias, model):
        bias.type = getattr(schema().TensorType, kind)
        model.buffers[bias.buffer].data = np.zeros(size * OUTPUTS, np.uint8)

    assert "bias" in refusal(changed(CONV, change), tmp_path)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("least", [-127, -128])
def test_biases_that_overflow_wrap_as_in_stock(layer, least):
    def change(filter_, bias, model):
        values = np.array([2**31 - 1, -(2**31), 2**31 - 5000, 5000 - 2**31, 0, 1, -1, 7], np.int32)
        model.buffers[bias.buffer].data = values.view(np.uint8)

    given = LAYERS[layer]
    check(changed(Layer(given.kind, given.image, given.filter, given.options, least=least), change))


def test_sums_that_become_far_too_large(tmp_path):
    def change(filter_, bias, model):
        filter_.quantization.scale = np.full(OUTPUTS, 1e10, np.float32)

    assert "expected less than 256" in refusal(changed(CONV, change), tmp_path)


@pytest.mark.parametrize("layer", LAYERS)
def test_scales_that_make_sums_larger(layer, tmp_path):
    inputs = np.prod(LAYERS[layer].filter) / OUTPUTS  # that a sum has, and its scale is divided by

    def change(filter_, bias, model):
        filter_.quantization.scale = np.full(OUTPUTS, 4 * inputs, np.float32)

    check(changed(LAYERS[layer], change))

    def and_biases(filter_, bias, model):
        change(filter_, bias, model)
        values = np.full(OUTPUTS, 2**30, np.int32)
        model.buffers[bias.buffer].data = values.view(np.uint8)

    found = refusal(changed(LAYERS[layer], and_biases), tmp_path)
    assert "more than 2^31 steps of the output" in found


def test_a_tensor_with_a_zero_point_beyond_its_type(tmp_path):
    def change(filter_, bias, model):
        model.subgraphs[0].tensors[0].quantization.zeroPoint = np.array([200], np.int64)

    found = refusal(changed(CONV, change), tmp_path)
    assert "expected a zero point from -128 to 127, found 200" in found


def uint8(scales: int, zero_point: int) -> bytes:
    layer = Layer("CONV_2D", (1, 6, 6, 8), (8, 3, 3, 8), per_channel=False, uint8=True)

    def change(filter_, bias, model):
        filter_.quantization.scale = np.full(scales, 0.01, np.float32)
        filter_.quantization.zeroPoint = np.full(scales, zero_point, np.int64)

    return changed(layer, change)


def test_uint8(tmp_path):
    check(uint8(1, 128))
    assert "uint8 with several zero points" in refusal(uint8(OUTPUTS, 128), tmp_path)
    assert "more than 8 bits around their zero point" in refusal(uint8(1, 0), tmp_path)
    assert "zero point" in refusal(uint8(1, 300), tmp_path)


@pytest.mark.parametrize("kind, message", [("UINT8", "between tensors"), ("FLOAT32", "int8")])
def test_tensors_of_different_types(kind, message, tmp_path):
    def change(filter_, bias, model):
        model.subgraphs[0].tensors[0].type = getattr(schema().TensorType, kind)

    assert refusal(changed(CONV, change), tmp_path)


@pytest.mark.parametrize("beta", [np.nan, np.inf, -1.0])
def test_a_softmax_of_nonsense(beta, tmp_path):
    from tests.e2e.random_int8_graphs import Graph

    graph = Graph(1)
    while len(graph.shape(graph.last)) != 4:
        graph = Graph(2)
    graph.add("SOFTMAX", [graph.last], graph.shape(graph.last), "Softmax", beta=float(beta))
    graph.output(graph.last)
    assert "expected a beta from 0 to 1e6" in refusal(graph.bytes(), tmp_path)
