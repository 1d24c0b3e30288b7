"""Models whose file leaves sizes open: claimed and packed for what is usual, prepared at the file's
placeholder of one pixel, and run in any size."""

from __future__ import annotations

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf.convert.flatbuffer import read, schema, write
from sbnn_tf.errors import SbnnError
from sbnn_tf.run import runtime
from sbnn_tf.run.explaining import Explanation
from tests.e2e.test_operators import Model, conv_options
from tests.python.convert.flat import group_sparse, ops

TYPICAL = 224  # what open rows and columns are taken for
VALID = 1


def convolution(model: Model, x: int, kernel: int, **fields) -> int:
    filters = group_sparse((16, kernel, kernel, 16), 4, 0.8)
    weights = model.constant("filters", filters / np.float32(np.sqrt(filters[0].size / 5)))
    return model.add("CONV_2D", [x, weights, model.bias(16)], conv_options("Conv2D", **fields))


def depthwise(model: Model, x: int) -> int:
    options = conv_options("DepthwiseConv2D", padding=VALID, depthMultiplier=1)
    return model.add("DEPTHWISE_CONV_2D", [x, model.filters(1, 3, 3, 16), model.bias(16)], options)


def pool(model: Model, x: int) -> int:
    options = conv_options("Pool2D", padding=VALID, filterWidth=3, filterHeight=3)
    return model.add("AVERAGE_POOL_2D", [x], options)


def crop(model: Model, x: int) -> int:
    bounds = [model.numbers(*each) for each in ((0, 2, 2, 0), (0, -1, -1, 0), (1, 1, 1, 1))]
    return model.add(
        "STRIDED_SLICE", [x, *bounds], schema().StridedSliceOptionsT(beginMask=9, endMask=9)
    )


def reflect(model: Model, x: int) -> int:
    pads = model.constant("pads", np.array([(0, 0), (2, 1), (1, 2), (0, 0)], np.int32))
    return model.add("MIRROR_PAD", [x, pads], schema().MirrorPadOptionsT())


def left(model: Model, x: int) -> int:
    """An operator that the delegate leaves, between claimed ones."""
    return model.add("SIN", [convolution(model, x, 3, padding=VALID)])


WINDOWS = {
    "convolution": lambda model, x: convolution(model, x, 3, padding=VALID),
    "strides": lambda model, x: convolution(model, x, 3, padding=VALID, strideW=2, strideH=2),
    "depthwise": depthwise,
    "pool": pool,
    "crop": crop,
    "reflect": reflect,
    "left": left,
}  # reads more pixels than the placeholder has


def files(window) -> tuple[bytes, bytes]:
    """The same network for images of the typical size, and for any."""
    model = Model(1, TYPICAL, TYPICAL, 16)
    y = convolution(model, window(model, convolution(model, model.image, 1)), 3)
    y = model.add("MEAN", [y, model.numbers(1, 2)], schema().ReducerOptionsT(), rank=2)
    y = model.add("FULLY_CONNECTED", [y, model.filters(5, 16), model.bias(5)],
                  schema().FullyConnectedOptionsT(), rank=2)  # fmt: skip
    fixed = sbnn.convert(model.finished(y))
    return fixed, any_size(fixed)


def any_size(fixed: bytes) -> bytes:
    """As TensorFlow's converter writes it: placeholders of 1, and a signature with open sizes."""
    model = read(fixed)
    graph = model.subgraphs[0]
    filters = {
        int(op.outputs[0]) for op, name in zip(graph.operators, ops(fixed)) if name == "DENSIFY"
    }
    for i, tensor in enumerate(graph.tensors):
        constant = model.buffers[tensor.buffer].data is not None or i in filters
        if not constant and len(tensor.shape) == 4:
            batch, _, _, channels = tensor.shape
            tensor.shape = np.array([batch, 1, 1, channels], np.int32)
            tensor.shapeSignature = np.array([batch, -1, -1, channels], np.int32)
    return write(model)


def explained(tflite: bytes, **options) -> Explanation:
    return sbnn.explain(tflite, shapes={"input": (1, 40, 30, 16)}, **options)


def claimed(report: Explanation) -> list[tuple[int, bool]]:
    """Each node, and whether it is claimed."""
    return [(node["node"], node["claimed"]) for node in report.nodes]


@pytest.mark.parametrize("claim", ["faster", "all"])
@pytest.mark.parametrize("kind", WINDOWS)
def test_prepared_at_the_placeholder_and_run_in_any_size(kind, claim):
    _, tflite = files(WINDOWS[kind])
    assert explained(tflite, claim=claim).claimed
    made = runtime.interpreter(tflite, delegate=sbnn.load_delegate(claim=claim))
    rng = np.random.default_rng(0)
    for size in [(32, 32), (9, 40), (5, 5), (32, 32)]:
        shape = (1, *size, 16)
        x = rng.uniform(-1, 1, shape).astype(np.float32)
        results = []
        for each in (runtime.interpreter(resized(tflite, shape), xnnpack=False), made):
            each.resize_tensor_input(each.get_input_details()[0]["index"], shape)
            each.allocate_tensors()
            results.append(runtime.run(each, [x])[0])
        want, found = results
        assert want.std() > 0
        np.testing.assert_allclose(found, want, rtol=1e-5, atol=1e-5 * np.abs(want).max())


def resized(tflite: bytes, shape: tuple[int, ...]) -> bytes:
    """With another placeholder: stock TensorFlow Lite refuses some that are too small."""
    model = read(tflite)
    model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]].shape = np.array(shape, np.int32)
    return write(model)


@pytest.mark.parametrize("kind", WINDOWS)
def test_claimed_and_packed_as_if_it_were_of_the_typical_size(kind):
    fixed, tflite = files(WINDOWS[kind])
    reports = [sbnn.explain(fixed), explained(tflite)]
    assert claimed(reports[0]) == claimed(reports[1])
    packed = [report.of_kind("subgraph")[0]["packed_bytes"] for report in reports]
    assert packed[0] == packed[1]
    times = [[node.get("predicted_seconds") for node in report.nodes] for report in reports]
    assert times[0] == times[1]


def test_the_report_says_which_size_was_assumed():
    fixed, tflite = files(WINDOWS["crop"])
    assert sbnn.explain(fixed).of_kind("open_input") == []
    (record,) = explained(tflite).of_kind("open_input")
    assert record["assumed"] == [1, TYPICAL, TYPICAL, 16]
    assert '"input" may have any size: claimed and packed for 1x224x224x16' in record["text"]


@pytest.mark.parametrize("kind", ["convolution", "reflect", "left"])
def test_run_at_the_placeholder(kind):
    """Stock TensorFlow Lite crashes on some of these."""
    _, tflite = files(WINDOWS[kind])
    made = runtime.interpreter(tflite, delegate=sbnn.load_delegate(claim="all"))
    with pytest.raises(SbnnError, match=r"any size, but not this one, \[1, 1, 1, 16\]"):
        runtime.run(made, [np.ones((1, 1, 1, 16), np.float32)])


def test_a_size_that_is_too_small_is_said_when_it_is_asked_for():
    _, tflite = files(WINDOWS["reflect"])
    made = runtime.interpreter(tflite, delegate=sbnn.load_delegate(claim="all"))
    made.resize_tensor_input(made.get_input_details()[0]["index"], (1, 2, 9, 16))
    with pytest.raises(RuntimeError, match="a mirror image larger than the image"):
        made.allocate_tensors()
