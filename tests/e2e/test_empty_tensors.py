"""Tensors without elements: the delegate gives what stock TensorFlow Lite gives, in values and
shapes."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.run import runtime
from tests.e2e.test_operators import Model, conv_options


def outputs(made, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    """Of an interpreter, on random inputs of these shapes."""
    details = made.get_input_details()
    for detail, shape in zip(details, shapes):
        made.resize_tensor_input(detail["index"], shape)
    made.allocate_tensors()
    rng = np.random.default_rng(0)
    for detail, shape in zip(made.get_input_details(), shapes):
        made.set_tensor(detail["index"], rng.uniform(-1, 1, shape).astype(np.float32))
    made.invoke()
    return [made.get_tensor(detail["index"]) for detail in made.get_output_details()]


def assert_as_stock(tflite: bytes, *runs: list[tuple[int, ...]], claimed=()) -> None:
    """In one interpreter, for each run's shapes of the inputs; `claimed` are some that must be."""
    report = sbnn.explain(tflite, claim="all")
    assert set(claimed) <= {node["op"] for node in report.claimed}, str(report)
    stock = runtime.interpreter(tflite, xnnpack=False)
    ours = runtime.interpreter(tflite, delegate=sbnn.load_delegate(claim="all"))
    for shapes in runs:
        for want, found in zip(outputs(stock, *shapes), outputs(ours, *shapes)):
            assert found.shape == want.shape
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                np.testing.assert_allclose(found, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layer", ["LSTM", "GRU", "SimpleRNN"])
def test_recurrent_layers_that_return_sequences(layer):
    """What a step writes goes between the slices before and behind it: in step 0 the first is empty."""
    import keras
    import tensorflow as tf

    x = keras.Input((5, 8), batch_size=1)
    y = keras.layers.Dense(8)(x)
    y = getattr(keras.layers, layer)(16, return_sequences=True)(y)
    model = keras.Model(x, keras.layers.Dense(4)(y))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    assert_as_stock(converter.convert(), [(1, 5, 8)], claimed=["FULLY_CONNECTED"])


def test_a_cache_that_begins_empty():
    model = Model(1, 8)
    cache = model.input((1, 8))
    y = model.add("CONCATENATION", [cache, model.image], schema().ConcatenationOptionsT(), rank=2)
    weights, bias = model.random(5, 8), model.bias(5)
    options = schema().FullyConnectedOptionsT()
    tflite = model.finished(y, model.add("FULLY_CONNECTED", [y, weights, bias], options, rank=2))
    runs = [[(1, 8), (rows, 8)] for rows in (1, 0, 3, 0)]
    assert_as_stock(tflite, *runs, claimed=["CONCATENATION", "FULLY_CONNECTED"])


def test_one_output_of_two_is_empty():
    model = Model(2, 5, 7, 4)
    bounds = [model.numbers(*each) for each in ((0, 3, 0, 0), (0, 9, 0, 0), (1, 1, 1, 1))]
    options = schema().StridedSliceOptionsT(beginMask=13, endMask=13)
    rest = model.add("STRIDED_SLICE", [model.image, *bounds], options)
    tflite = model.finished(model.image, model.add("RELU", [rest]))
    runs = [[(2, rows, 7, 4)] for rows in (5, 3, 0, 4)]
    assert_as_stock(tflite, *runs, claimed=["CONV_2D", "STRIDED_SLICE", "RELU"])


@pytest.mark.parametrize("behind", ["", "CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D", "MEAN"])
def test_pad_of_an_empty_image(behind):
    """Of one: where there are two, TensorFlow Lite's own kernel leaves the second unwritten."""
    model = Model(1, 5, 7, 4)
    pads = model.constant("pads", np.array([(0, 0), (1, 2), (2, 1), (0, 0)], np.int32))
    y = model.add("PAD", [model.image, pads], schema().PadOptionsT())
    kind = {"CONV_2D": "Conv2D", "DEPTHWISE_CONV_2D": "DepthwiseConv2D"}.get(behind)
    if behind == "MEAN":
        y = model.add(behind, [y, model.numbers(1, 2)], schema().ReducerOptionsT(keepDims=True))
    elif behind == "MAX_POOL_2D":
        y = model.add(behind, [y], conv_options("Pool2D", filterWidth=2, filterHeight=2, padding=1))
    elif behind:
        weights = model.random(1, 3, 3, 4) if "DEPTH" in behind else model.random(6, 3, 3, 4)
        fields = {"depthMultiplier": 1} if "DEPTH" in behind else {}
        bias = model.bias(4 if fields else 6)
        y = model.add(behind, [y, weights, bias], conv_options(kind, padding=1, **fields))
    runs = [[(1, *size, 4)] for size in ((5, 7), (0, 7), (5, 0), (0, 0), (3, 3))]
    assert_as_stock(model.finished(y), *runs, claimed=["PAD", *filter(None, [behind])])


def unary(name: str, inputs=lambda model: [], options=None, rank: int = 4):
    return lambda model: model.add(name, [model.image, *inputs(model)], options, rank)


def s(kind: str, **fields):
    return getattr(schema(), f"{kind}OptionsT")(**fields)


def binary(name: str, *shape: int):
    kind = {"MAXIMUM": "MaximumMinimum"}.get(name, name.title())
    return unary(name, lambda model: [model.random(*shape)], s(kind))


OPERATORS = {
    "RELU": unary("RELU"),
    "LOGISTIC": unary("LOGISTIC"),
    "GELU": unary("GELU", options=s("Gelu")),
    "SOFTMAX": unary("SOFTMAX", options=s("Softmax", beta=1.0)),
    "BATCH_MATMUL": unary(
        "BATCH_MATMUL", lambda model: [model.random(4, 5)], s("BatchMatMul", adjX=False)
    ),
    "ADD": binary("ADD", 4),
    "MUL": binary("MUL", 1),
    "MAXIMUM": binary("MAXIMUM", 1, 1, 4),
    "AVERAGE_POOL_2D": unary(
        "AVERAGE_POOL_2D", options=conv_options("Pool2D", filterWidth=2, filterHeight=2)
    ),
    "CONV_2D": unary(
        "CONV_2D", lambda model: [model.random(6, 3, 3, 4), model.bias(6)], conv_options("Conv2D")
    ),
    "DEPTH_TO_SPACE": unary("DEPTH_TO_SPACE", options=s("DepthToSpace", blockSize=2)),
    "SPACE_TO_DEPTH": unary("SPACE_TO_DEPTH", options=s("SpaceToDepth", blockSize=2)),
    "TRANSPOSE": unary("TRANSPOSE", lambda model: [model.numbers(0, 3, 1, 2)], s("Transpose")),
    "EXPAND_DIMS": unary(
        "EXPAND_DIMS", lambda model: [model.numbers(1)], s("ExpandDims"), rank=5
    ),
    "RESHAPE": unary("RESHAPE", lambda model: [model.numbers(-1, 4)], s("Reshape"), rank=2),
    "MIRROR_PAD": unary(
        "MIRROR_PAD",
        lambda model: [
            model.constant("pads", np.array([(0, 0), (0, 0), (0, 0), (1, 2)], np.int32))
        ],
        s("MirrorPad"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_on_empty_images(name):
    model = Model(2, 4, 6, 4)
    tflite = model.finished(OPERATORS[name](model))
    runs = [[(n, h, w, 4)] for n, h, w in ((2, 4, 6), (0, 4, 6), (2, 0, 6), (2, 4, 0), (1, 4, 4))]
    assert_as_stock(tflite, *runs, claimed=[name])


@pytest.mark.parametrize("kind", ["CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D"])
def test_a_window_a_little_larger_than_the_image(kind):
    """TensorFlow Lite's arithmetic gives no rows rather than an error."""
    model = Model(2, 9, 9, 4)
    if kind == "MAX_POOL_2D":
        y = model.add(
            kind, [model.image], conv_options("Pool2D", filterWidth=3, filterHeight=3, padding=1)
        )
    else:
        depthwise = kind != "CONV_2D"
        weights = model.random(1, 3, 3, 4) if depthwise else model.random(4, 3, 3, 4)
        fields = {"depthMultiplier": 1} if depthwise else {}
        options = conv_options("DepthwiseConv2D" if depthwise else "Conv2D", padding=1, **fields)
        y = model.add(kind, [model.image, weights, model.bias(4)], options)
    runs = [[(2, h, w, 4)] for h, w in ((9, 9), (2, 9), (9, 2), (2, 2), (5, 5))]
    assert_as_stock(model.finished(y), *runs, claimed=[kind])
