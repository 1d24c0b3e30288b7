"""Operators that only move elements, or give shapes: the delegate against stock TensorFlow Lite."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.run import runtime
from tests.e2e.test_operators import Model, check, distinct
from tests.python.models import bring_to_life


def one(name: str, inputs_of, *shape: int, rank: int = 4, **fields) -> bytes:
    """A model of `shape` inputs whose last operator is `name` with these fields of its options."""
    model = Model(*shape)
    options = None
    if fields:
        kinds = {"MIRROR_PAD": "MirrorPad"}
        kind = kinds.get(name, name.title().replace("_", ""))
        options = getattr(schema(), f"{kind}OptionsT")()
        for field, value in fields.items():
            assert hasattr(options, field)
            setattr(options, field, value)
    return model.finished(model.add(name, inputs_of(model), options, rank))


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_transpose(order):
    def inputs(model):
        return [model.image, model.numbers(*order)]

    check(one("TRANSPOSE", inputs, 2, 5, 7, 4), "TRANSPOSE")


@pytest.mark.parametrize("shape", [(2, 1, 1, 5), (1, 1, 9, 3), (3, 8)])
def test_transposes_of_few_pixels(shape):
    for order in itertools.permutations(range(len(shape))):

        def inputs(model):
            return [model.image, model.numbers(*order)]

        check(one("TRANSPOSE", inputs, *shape, rank=len(shape)), "TRANSPOSE")


@pytest.mark.parametrize("groups", [2, 3, 4])
@pytest.mark.parametrize("rank", [3, 5])
def test_shuffled_channels_are_one_step(groups, rank):
    height, width, channels = 5, 7, 12
    model = Model(2, height, width, channels)
    parts = [2, height, width, groups, channels // groups]
    if rank == 3:
        parts[:3] = [2 * height * width]
    order = [*range(rank - 2), rank - 1, rank - 2]
    grouped = model.add("RESHAPE", [model.image, model.numbers(*parts)], rank=rank)
    turned = model.add("TRANSPOSE", [grouped, model.numbers(*order)], rank=rank)
    shape = (2, height, width, channels)
    tflite = model.finished(model.add("RESHAPE", [turned, model.numbers(*shape)]))
    check(tflite, "RESHAPE")
    records = []
    delegate = sbnn.load_delegate(claim="all", profile=True, report=records.append)
    made = runtime.interpreter(tflite, delegate=delegate, xnnpack=False)
    runtime.run(made, [np.zeros(shape, np.float32)])
    del made, delegate  # who goes leaves its profile
    labels = [r["label"] for r in records if r["record"] == "step_profile"]
    (label,) = [label for label in labels if "TRANSPOSE" in label]
    assert label.count("RESHAPE") == 2


@pytest.mark.parametrize("block", [1, 2, 3])
def test_depth_to_space_and_back(block):
    shape = (2, 5, 7, 2 * block * block)
    tflite = one("DEPTH_TO_SPACE", lambda model: [model.image], *shape, blockSize=block)
    want = check(tflite, "DEPTH_TO_SPACE")
    assert want.shape == (2, 5 * block, 7 * block, 2)
    shape = (2, 2 * block, 5 * block, 3)
    tflite = one("SPACE_TO_DEPTH", lambda model: [model.image], *shape, blockSize=block)
    assert check(tflite, "SPACE_TO_DEPTH").shape == (2, 2, 5, 3 * block * block)


def test_depth_to_space_of_one_pixel():
    tflite = one("DEPTH_TO_SPACE", lambda model: [model.image], 3, 1, 1, 12, blockSize=2)
    check(tflite, "DEPTH_TO_SPACE")
    tflite = one("SPACE_TO_DEPTH", lambda model: [model.image], 3, 2, 2, 5, blockSize=2)
    check(tflite, "SPACE_TO_DEPTH")


PADS = [
    [(0, 0), (0, 0), (0, 0), (0, 0)],
    [(0, 0), (1, 2), (3, 0), (0, 0)],
    [(0, 0), (0, 0), (0, 0), (2, 1)],
    [(1, 0), (0, 3), (2, 2), (1, 3)],
    [(0, 1), (4, 4), (6, 6), (3, 3)],
]


@pytest.mark.parametrize("pads", PADS)
@pytest.mark.parametrize("mode", [0, 1], ids=["reflect", "symmetric"])
@pytest.mark.parametrize("shape", [(2, 5, 7, 4), (2, 5, 7, 1)])
def test_mirror_pad(pads, mode, shape):
    pads = [(min(a, d - 1), min(b, d - 1)) for (a, b), d in zip(pads, shape)]
    table = np.array(pads, np.int32)

    def inputs(model):
        return [model.image, model.constant("pads", table)]

    check(one("MIRROR_PAD", inputs, *shape, mode=mode), "MIRROR_PAD")


def test_mirror_pad_modes_differ():
    pads = np.array([(0, 0), (1, 2), (2, 1), (0, 0)], np.int32)

    def inputs(model):
        return [model.image, model.constant("pads", pads)]

    distinct([check(one("MIRROR_PAD", inputs, 2, 5, 7, 4, mode=m), "MIRROR_PAD") for m in (0, 1)])


@pytest.mark.parametrize("pads", PADS)
@pytest.mark.parametrize("shape", [(2, 5, 7, 4), (2, 1, 1, 4)])
def test_pad_any_dimension(pads, shape):
    table = np.array(pads, np.int32)

    def pad(model):
        return [model.image, model.constant("pads", table)]

    def pad_with(model):
        return [*pad(model), model.constant("value", np.array(2.5, np.float32))]

    check(one("PAD", pad, *shape), "PAD")
    check(one("PADV2", pad_with, *shape), "PADV2")


@pytest.mark.parametrize("pads", [[(1, 2), (0, 3)], [(0, 1), (2, 0)]])
def test_pad_two_dimensions(pads):
    table = np.array(pads, np.int32)

    def pad(model):
        return [model.image, model.constant("pads", table)]

    check(one("PAD", pad, 3, 8, rank=2), "PAD")


@pytest.mark.parametrize("axis, count", [(3, 2), (-1, 3), (3, 6), (0, 2), (1, 4), (2, 5), (-4, 1)])
def test_split(axis, count):
    model = Model(2, 4, 5, 6)
    options = schema().SplitOptionsT()
    options.numSplits = count
    parts = [model.tensor(f"part{i}", [1, 1, 1, 1]) for i in range(count)]
    model.node("SPLIT", [model.numbers(axis), model.image], parts, options)
    model.graph.tensors[model.graph.operators[-1].inputs[0]].shape = np.zeros(0, np.int32)
    tflite = model.finished(*parts)
    last = sbnn.explain(tflite, claim="all").nodes[-1]
    assert last["op"] == "SPLIT" and last["claimed"]
    x = np.random.default_rng(1).uniform(-8, 8, (2, 4, 5, 6)).astype(np.float32)
    want = runtime.run(runtime.interpreter(tflite, xnnpack=False), [x])
    found = runtime.run(runtime.interpreter(tflite, delegate=sbnn.load_delegate(claim="all")), [x])
    for a, b in zip(want, found):
        np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-5)
    assert len(found) == count


SLICES = [  # begin, end, strides, begin_mask, end_mask, shrink_axis_mask
    ((0, 1, 2, 0), (2, 4, 6, 4), (1, 1, 1, 1), 0, 0, 0),
    ((0, 0, 0, 1), (2, 5, 7, 4), (1, 2, 3, 2), 0, 0, 0),
    ((1, 1, 1, 1), (1, 1, 1, 1), (1, 1, 1, 1), 7, 15, 0),
    ((0, -3, -5, 0), (2, -1, 100, -1), (1, 1, 2, 1), 0, 0, 0),
    ((0, 4, 6, 3), (0, 0, 0, 0), (1, -1, -2, -1), 0, 7, 0),
    ((1, 0, 0, 0), (2, 0, 0, 0), (1, 1, 1, 1), 0, 14, 1),
    ((0, 2, 0, 0), (0, 3, 0, 0), (1, 1, 1, 1), 0, 13, 2),
    ((0, 0, 0, -1), (0, 0, 0, 0), (1, 1, 2, 1), 7, 7, 8),
    ((0, 2, 3, 0), (0, 3, 4, 0), (1, 1, 1, 1), 9, 9, 6),
]


@pytest.mark.parametrize("begin, end, strides, begin_mask, end_mask, shrink", SLICES)
def test_strided_slice(begin, end, strides, begin_mask, end_mask, shrink):
    def inputs(model):
        return [model.image, *(model.numbers(*each) for each in (begin, end, strides))]

    fields = {"beginMask": begin_mask, "endMask": end_mask, "shrinkAxisMask": shrink}
    rank = 4 - bin(shrink).count("1")
    tflite = one("STRIDED_SLICE", inputs, 2, 5, 7, 4, rank=rank, **fields)
    assert check(tflite, "STRIDED_SLICE").ndim == rank


def test_slices_of_fewer_dimensions():
    def inputs(model):
        return [model.image, model.numbers(0, 2), model.numbers(2, 4), model.numbers(1, 1)]

    check(one("STRIDED_SLICE", inputs, 2, 5, 7, 4, beginMask=0), "STRIDED_SLICE")


def test_slices_with_an_ellipsis_are_left():
    def inputs(model):
        return [model.image, model.numbers(0, 0), model.numbers(2, 2), model.numbers(1, 1)]

    tflite = one("STRIDED_SLICE", inputs, 2, 5, 7, 4, ellipsisMask=1)
    check(tflite, "STRIDED_SLICE", left="ellipsis")


@pytest.mark.parametrize("axis", [0, 1, 2, 3, -1, -4])
def test_concatenation(axis):
    def inputs(model):
        return [model.image, model.start, model.image]

    check(one("CONCATENATION", inputs, 2, 5, 7, 4, axis=axis), "CONCATENATION")


@pytest.mark.parametrize("shape", [(3, 8), (2, 5, 7, 4)])
def test_pack(shape):
    results = []
    for axis in range(-len(shape) - 1, len(shape) + 1):
        model = Model(*shape)
        options = schema().PackOptionsT(valuesCount=2)
        options.axis = axis
        y = model.add("PACK", [model.image, model.start], options, rank=len(shape) + 1)
        results.append(check(model.finished(y), "PACK"))
    ranks = len(shape) + 1
    assert all(each.shape[i % ranks] == 2 for i, each in enumerate(results))
    distinct(results[:ranks])


@pytest.mark.parametrize("shape", [(2, 1, 1, 4), (1, 5, 1, 4), (3, 5, 7, 1)])
def test_squeeze_and_expand(shape):
    where = [d for d, size in enumerate(shape) if size == 1]
    for axes in [[], where, where[:1], [d - 4 for d in where]]:

        def inputs(model):
            return [model.image]

        rank = 4 - len(axes or where)
        tflite = one("SQUEEZE", inputs, *shape, rank=rank, squeezeDims=np.array(axes, np.int32))
        assert check(tflite, "SQUEEZE").ndim == rank
    for axis in range(-5, 5):

        def with_axis(model):
            return [model.image, model.numbers(axis)]

        assert check(one("EXPAND_DIMS", with_axis, *shape, rank=5), "EXPAND_DIMS").ndim == 5


def resized(tflite: bytes, *sizes: tuple[int, ...]) -> None:
    """Both give the same after each change of the input's shape, in one interpreter."""
    stock = runtime.interpreter(tflite, xnnpack=False)
    ours = runtime.interpreter(tflite, delegate=sbnn.load_delegate(claim="all"))
    for size in sizes:
        x = np.random.default_rng(len(size)).uniform(-1, 1, size).astype(np.float32)
        results = []
        for made in (stock, ours):
            made.resize_tensor_input(made.get_input_details()[0]["index"], size)
            made.allocate_tensors()
            results.append(runtime.run(made, [x])[0])
        want, found = results
        assert want.shape == found.shape and want.std() > 0
        np.testing.assert_allclose(found, want, rtol=1e-5, atol=1e-5 * np.abs(want).max())


def test_a_reshape_that_follows_the_batch():
    """As Keras writes it where the batch is open: SHAPE, STRIDED_SLICE, PACK, RESHAPE."""
    import keras
    import tensorflow as tf

    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6, 6, 3)),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.Lambda(lambda x: tf.reshape(x, [tf.shape(x)[0], 3, 12, 8])),
            layers.Conv2D(4, 1),
            layers.Lambda(lambda x: tf.reshape(x, [tf.shape(x)[0], 12, -1, 4])),
            layers.Conv2D(4, 1),
            layers.GlobalAveragePooling2D(),
            layers.Dense(5),
        ]
    )
    bring_to_life(model)
    tflite = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    explanation = sbnn.explain(tflite, claim="all")
    assert "SHAPE" in [node["op"] for node in explanation.nodes]
    assert explanation.claimed == explanation.nodes, str(explanation)
    resized(tflite, (1, 6, 6, 3), (3, 6, 6, 3), (2, 6, 6, 3), (1, 6, 6, 3))


def shape_chain(outputs: str) -> bytes:
    """An image reshaped to [its batch, -1, 2 * its channels] behind a convolution."""
    s = schema()
    model = Model(1, 4, 6, 2)
    shape = model.tensor("shape", [4], np.int32)
    model.node("SHAPE", [model.image], [shape], s.ShapeOptionsT(outType=s.TensorType.INT32))
    batch = model.tensor("batch", [], np.int32)
    options = s.StridedSliceOptionsT()
    options.shrinkAxisMask = 1
    bounds = [model.numbers(0), model.numbers(1), model.numbers(1)]
    model.node("STRIDED_SLICE", [shape, *bounds], [batch], options)
    constants = [model.constant("n", np.array(n, np.int32)) for n in (-1, 4)]
    target = model.tensor("target", [3], np.int32)
    model.node("PACK", [batch, *constants], [target], s.PackOptionsT(valuesCount=3))
    y = model.add("RESHAPE", [model.image, target], s.ReshapeOptionsT(), rank=3)
    return model.finished(*([y, target] if outputs == "numbers" else [y]))


def test_numbers_of_shapes():
    tflite = shape_chain("image")
    (whole,) = sbnn.explain(tflite, claim="all").of_kind("subgraph")
    assert (whole["claimed"], whole["nodes"], whole["parts"]) == (5, 5, 1)
    resized(tflite, (1, 4, 6, 2), (3, 4, 6, 2), (2, 5, 4, 2))


def test_numbers_that_others_need_are_left():
    tflite = shape_chain("numbers")
    (pack,) = [node for node in sbnn.explain(tflite, claim="all").nodes if node["op"] == "PACK"]
    assert pack["reason"].startswith("whole numbers go")
    resized(tflite, (1, 4, 6, 2), (3, 4, 6, 2))
