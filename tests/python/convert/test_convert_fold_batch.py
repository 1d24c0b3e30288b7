"""RESHAPE to the dynamic batch becomes constant, and computes the same for every batch."""

import numpy as np
import pytest
from flat import Flat, ops
from models import INTERPRETERS, run_stock

from sbnn_tf.convert import convert, flatbuffer
from sbnn_tf.convert.flatbuffer import schema

CHAIN = {"SHAPE", "STRIDED_SLICE", "PACK"}


@pytest.fixture(scope="module", params=["MobileNet", "EfficientNetB0"])
def network(request, application):
    return request.param, application(request.param)


def test_no_chain_is_left_in_keras_networks(network):
    name, dense = network
    chains = {"MobileNet": 1, "EfficientNetB0": 16}[name]
    assert [ops(dense).count(op) for op in sorted(CHAIN)] == [chains] * 3
    folded = convert(dense)
    assert not CHAIN & set(ops(folded))
    assert ops(folded).count("RESHAPE") == chains


@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_dynamic_batch_still_works(network, interpreter):
    _, dense = network
    folded = convert(dense)
    for xnnpack in (True, False):
        for batch in (1, 4):
            before = run_stock(interpreter, dense, batch=batch, xnnpack=xnnpack)
            after = run_stock(interpreter, folded, batch=batch, xnnpack=xnnpack)
            assert before.shape[0] == batch
            np.testing.assert_array_equal(before, after)


def reshape_model(*dims, extra_reader: bool = False) -> bytes:
    """(n, 4, 6) reshaped to PACK of `dims`; in there "n" is the computed batch."""
    s = schema()
    flat = Flat()
    x = flat.input((1, 4, 6))
    flat.graph.tensors[x].shapeSignature = np.array([-1, 4, 6], np.int32)
    shape = flat.tensor("shape", (3,), np.int32)
    flat.node("SHAPE", [x], [shape], s.ShapeOptionsT(outType=s.TensorType.INT32))
    zero, one = (flat.constant(str(v), np.array([v], np.int32)) for v in (0, 1))
    batch = flat.tensor("batch", (), np.int32)
    flat.node(
        "STRIDED_SLICE", [shape, zero, one, one], [batch], s.StridedSliceOptionsT(shrinkAxisMask=1)
    )
    parts = [batch if d == "n" else flat.constant(f"c{d}", np.array(d, np.int32)) for d in dims]
    packed = flat.tensor("packed", (len(dims),), np.int32)
    flat.node("PACK", parts, [packed], s.PackOptionsT(valuesCount=len(dims)))
    y = flat.tensor("y", [1 if d == "n" else abs(d) for d in dims])
    flat.node("RESHAPE", [x, packed], [y], s.ReshapeOptionsT())
    flat.output(y)
    if extra_reader:
        flat.output(packed)
    return flat.bytes()


@pytest.mark.parametrize("dims", [("n", 24), ("n", 2, 12), (6, "n", 4), ("n", 1, 1, 24)])
def test_one_computed_dimension_is_folded(dims):
    dense = reshape_model(*dims)
    folded = convert(dense)
    assert ops(folded) == ["RESHAPE"]
    for batch in (1, 4):
        np.testing.assert_array_equal(
            run_stock("litert", dense, batch=batch), run_stock("litert", folded, batch=batch)
        )
    model = flatbuffer.read(folded)
    op = model.subgraphs[0].operators[0]
    assert list(op.builtinOptions.newShape) == [-1 if d == "n" else d for d in dims]


@pytest.mark.parametrize("dims", [("n", "n", 24), ("n", -1), ("n", 0)])
def test_what_cannot_be_proved_is_left(dims):
    dense = reshape_model(*dims)
    assert convert(dense) == dense


def test_a_chain_that_others_read_stays_for_them():
    folded = convert(reshape_model("n", 24, extra_reader=True))
    assert ops(folded) == ["SHAPE", "STRIDED_SLICE", "PACK", "RESHAPE"]
    model = flatbuffer.read(folded)
    packed = model.subgraphs[0].operators[2].outputs[0]
    assert model.subgraphs[0].operators[3].inputs[1] != packed
