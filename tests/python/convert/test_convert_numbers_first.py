"""What computes on numbers and booleans comes first, where nothing else must come before it."""

import numpy as np
import pytest
from flat import Flat, ops
from models import assert_same_outputs

from sbnn_tf.convert import convert, flatbuffer
from sbnn_tf.convert.flatbuffer import schema


def late_mask(*, of_dense: bool = False, variable: bool = False, edges=None) -> bytes:
    """A dense layer, then a mask of the second input that its result is multiplied with.

    Args:
      of_dense: the mask depends on the layer.
      variable: the mask's input is one that keeps its values from run to run.
      edges: between nodes, as a metadata entry has them.
    """
    s = schema()
    flat = Flat()
    x, ids = flat.input((2, 4)), flat.input((2, 4), np.int32, "ids")
    y = flat.dense(x, flat.constant("w", np.random.default_rng(0).random((4, 4), np.float32)))
    flat.graph.tensors[ids].isVariable = variable
    zero = flat.constant("zero", np.int32(0))
    if of_dense:
        whole = flat.tensor("whole", (2, 4), np.int32)
        types = s.TensorType
        options = s.CastOptionsT(inDataType=types.FLOAT32, outDataType=types.INT32)
        flat.node("CAST", [y], [whole], options)
        ids = whole
    seen, mask = flat.tensor("seen", (2, 4), np.bool_), flat.tensor("mask", (2, 4))
    flat.node("NOT_EQUAL", [ids, zero], [seen], s.NotEqualOptionsT())
    options = s.CastOptionsT(inDataType=s.TensorType.BOOL, outDataType=s.TensorType.FLOAT32)
    flat.node("CAST", [seen], [mask], options)
    product = flat.tensor("product", (2, 4))
    flat.node("MUL", [y, mask], [product], s.MulOptionsT())
    flat.output(product)
    if edges is not None:
        buffer = flat.buffer(np.array(edges, np.uint8))
        entry = s.MetadataT(name="model_control_dependencies", buffer=buffer)
        flat.model.metadata.append(entry)
    return flat.bytes()


def test_a_mask_of_an_input_comes_first():
    before = late_mask()
    after = convert(before)
    assert ops(after) == ["NOT_EQUAL", "CAST", "FULLY_CONNECTED", "MUL"]
    assert_same_outputs(before, after)


# version 1, one subgraph, one edge: 0 -> 1, signed numbers in zigzag.
@pytest.mark.parametrize(
    "options", [{"of_dense": True}, {"variable": True}, {"edges": [1, 1, 1, 0, 2]}]
)
def test_what_must_come_later_stays(options):
    before = late_mask(**options)
    assert ops(convert(before)) == ops(before)


def test_control_edges_follow_their_nodes():
    model = flatbuffer.read(convert(late_mask(edges=[1, 1, 1, 0, 6])))  # 0 -> 3
    assert list(model.buffers[model.metadata[0].buffer].data) == [1, 1, 1, 4, 6]
