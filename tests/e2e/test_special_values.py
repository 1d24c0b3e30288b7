"""NaN, infinity and denormal numbers: they go where they belong, and nowhere else."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.run import runtime
from tests.python.convert.flat import Flat

SHAPE = (2, 6, 9, 5)
STRIDES = {"strideH": 1, "strideW": 1}
ONE = np.ones((1, 1, 1, 5), np.float32), np.zeros(5, np.float32)
TINY = 1e-40  # the smallest normal number is 1.2e-38


def model(name: str, constants=(), kind: str = "", **fields) -> bytes:
    """One operator that reads an image and these arrays, behind a convolution by one.

    The convolution makes a part worth claiming.
    """
    made = Flat()
    image = made.tensor("image", SHAPE)
    one = [made.input(SHAPE), *(made.constant("one", each) for each in ONE)]
    options = schema().DepthwiseConv2DOptionsT(depthMultiplier=1, **STRIDES)
    made.node("DEPTHWISE_CONV_2D", one, [image], options)
    inputs = [image, *(made.constant("c", np.asarray(c)) for c in constants)]
    y = made.tensor("y", SHAPE)
    made.node(name, inputs, [y], getattr(schema(), f"{kind}OptionsT")(**fields) if kind else None)
    made.output(y)
    return made.bytes()


def ones(*shape: int) -> np.ndarray:
    """Of two values, none zero, so that sums of tiny numbers stay exact."""
    return np.where(np.arange(np.prod(shape)).reshape(shape) % 2, 1, 0.5).astype(np.float32)


SIZE = np.array([11, 20], np.int32)
MODELS = {
    "CONV_2D": model("CONV_2D", [ones(9, 3, 3, 5), 0 * ones(9)], "Conv2D", **STRIDES),
    "DEPTHWISE_CONV_2D": model(
        "DEPTHWISE_CONV_2D", [ones(1, 3, 3, 5), 0 * ones(5)], "DepthwiseConv2D",
        depthMultiplier=1, **STRIDES,
    ),
    "AVERAGE_POOL_2D": model(
        "AVERAGE_POOL_2D", kind="Pool2D", filterHeight=2, filterWidth=2, padding=1, **STRIDES
    ),
    "MAX_POOL_2D": model(
        "MAX_POOL_2D", kind="Pool2D", filterHeight=3, filterWidth=3, **STRIDES
    ),
    "ADD": model("ADD", [0 * ones(5)], "Add"),
    "SUB": model("SUB", [0 * ones(9, 1)], "Sub"),
    "MUL": model("MUL", [ones(6, 1, 5)], "Mul"),
    "DIV": model("DIV", [ones(5)], "Div"),
    "PRELU": model("PRELU", [ones(1, 1, 5)]),
    "LEAKY_RELU": model("LEAKY_RELU", kind="LeakyRelu", alpha=0.5),
    "RESIZE_BILINEAR": model(
        "RESIZE_BILINEAR", [SIZE], "ResizeBilinear", halfPixelCenters=True
    ),
    "RESIZE_NEAREST_NEIGHBOR": model("RESIZE_NEAREST_NEIGHBOR", [SIZE], "ResizeNearestNeighbor"),
    "MEAN": model("MEAN", [np.array([1], np.int32)], "Reducer", keepDims=True),
}  # fmt: skip


@functools.cache
def is_claimed(name: str) -> bool:
    return name in [node["op"] for node in sbnn.explain(MODELS[name], claim="all").claimed]


def both(name: str, x: np.ndarray) -> list[np.ndarray]:
    """Stock TensorFlow Lite's output for a model of MODELS, and the delegate's."""
    assert is_claimed(name)
    tflite = MODELS[name]
    delegate = sbnn.load_delegate(num_threads=2, claim="all")
    stock = runtime.interpreter(tflite, xnnpack=False)
    ours = runtime.interpreter(tflite, delegate=delegate, xnnpack=False)
    return [runtime.run(made, [x])[0] for made in (stock, ours)]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", MODELS)
def test_no_other_pixel_or_channel(name, value):
    """What does not depend on an element is the same, whatever the element is."""
    rng = np.random.default_rng(0)
    for at in [(0, 0, 0, 0), (0, 5, 8, 4), (1, 0, 8, 2), (1, 3, 4, 0)]:
        x = rng.uniform(-1, 1, SHAPE).astype(np.float32)
        want, before = both(name, x)
        x[at] = 1000
        depends = both(name, x)[0] != want
        assert depends.any() and not depends.all()
        x[at] = value
        after = both(name, x)[1]
        np.testing.assert_array_equal(after[~depends], before[~depends])
        # A maximum passes over what is not larger.
        assert name == "MAX_POOL_2D" or not (after[depends] == before[depends]).all()


@pytest.mark.parametrize("name", MODELS)
def test_denormal_numbers(name):
    x = np.random.default_rng(0).uniform(-TINY, TINY, SHAPE).astype(np.float32)
    want, found = both(name, x)
    assert 0 < np.abs(want).max() < 1.2e-38
    # Their last place is 1.4e-45; sums and products round at each step.
    np.testing.assert_allclose(found, want, rtol=0, atol=1e-43)
