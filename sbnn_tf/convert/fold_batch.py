"""Rewrite: RESHAPE to a shape computed from the batch becomes RESHAPE to a constant [-1, ...].

With a dynamic batch, TFLite's converter computes the new shape at run time: SHAPE of some tensor,
STRIDED_SLICE of its batch, PACK with the other dimensions, RESHAPE. Such a RESHAPE gives its
output a shape that is unknown until it runs, and splits the graph for every delegate.

Why the folded one is the same for every batch: let PACK join one computed scalar b and constants
c > 0. RESHAPE of n elements is valid only if b * prod(c) = n (or b = -1, which stands for the
same), so b = n / prod(c), which is what RESHAPE computes for -1 in the place of b. How b was
computed does not matter.
"""

from __future__ import annotations

import numpy as np

from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.convert.graph import Uses, constant, op_name
from sbnn_tf.convert.nodes import remove

# The operators of such a chain; they have no effect but their output.
CHAIN = ("SHAPE", "STRIDED_SLICE", "PACK")


def fold_batch(model) -> int:
    """Fold the chains of all subgraphs; returns how many RESHAPE got a constant shape.

    Operators of a chain that nothing else reads are removed. Tensors keep their indices.
    """
    return sum(_fold(model, index) for index in range(len(model.subgraphs)))


def _fold(model, index: int) -> int:
    subgraph = model.subgraphs[index]
    uses = Uses(subgraph)
    new_shapes: dict[tuple[int, ...], int] = {}
    folded = 0
    for op in subgraph.operators:
        if op_name(model, op) != "RESHAPE" or len(op.inputs) != 2:
            continue
        pack = uses.producer.get(int(op.inputs[1]))
        shape = None if pack is None else _shape(model, subgraph, subgraph.operators[pack])
        if shape is None:
            continue
        if shape not in new_shapes:
            new_shapes[shape] = _add_constant(model, subgraph, shape)
        op.inputs = np.array([op.inputs[0], new_shapes[shape]], np.int32)
        if op.builtinOptions is not None:
            op.builtinOptions.newShape = np.array(shape, np.int32)
        folded += 1
    if folded:
        _remove_unread(model, index)
    return folded


def _shape(model, subgraph, pack) -> tuple[int, ...] | None:
    """What PACK makes, with -1 for its one computed scalar; None if it is not of that form."""
    if op_name(model, pack) != "PACK" or subgraph.tensors[pack.outputs[0]].type != (
        schema().TensorType.INT32
    ):
        return None
    dims = []
    for position in pack.inputs:
        tensor = subgraph.tensors[position]
        if len(tensor.shape) != 0:
            return None
        value = constant(model, tensor)
        dims.append(-1 if value is None else int(value))
        if value is not None and value <= 0:
            return None
    return tuple(dims) if dims.count(-1) == 1 else None


def _add_constant(model, subgraph, values: tuple[int, ...]) -> int:
    s = schema()
    buffer = s.BufferT()
    buffer.data = np.array(values, "<i4").view(np.uint8)
    model.buffers.append(buffer)
    tensor = s.TensorT()
    tensor.name = "reshape/" + "x".join(str(v) for v in values)
    tensor.type = s.TensorType.INT32
    tensor.shape = np.array([len(values)], np.int32)
    tensor.buffer = len(model.buffers) - 1
    subgraph.tensors.append(tensor)
    return len(subgraph.tensors) - 1


def _remove_unread(model, index: int) -> None:
    subgraph = model.subgraphs[index]
    while True:
        uses = Uses(subgraph)
        unread = {
            i
            for i, op in enumerate(subgraph.operators)
            if op_name(model, op) in CHAIN
            and not any(uses.consumers.get(int(t)) or int(t) in uses.boundary for t in op.outputs)
        }
        if not unread:
            return
        remove(model, index, unread)
