"""Rewrite: RESHAPE to a shape computed from the batch becomes RESHAPE to a constant [-1, ...].

With a dynamic batch, TFLite's converter computes the new shape at run time: SHAPE of some tensor,
STRIDED_SLICE of its batch, PACK or CONCATENATION with the other dimensions, RESHAPE. (Of sizes that
it has lost by then there are also MUL, and RESHAPE to a list of one. A Keras `Dense` layer on
sequences takes the dimensions that it keeps and their product: GATHER, REDUCE_PROD.) Such a RESHAPE
gives its output a shape that is unknown until it runs, and splits the graph for every delegate.

Why the folded one is the same for every batch: let a computed scalar b and constants c > 0 be
joined. RESHAPE of n elements is valid only if b * prod(c) = n (or b = -1, which stands for the
same), so b = n / prod(c), which is what RESHAPE computes for -1 in the place of b. How b was
computed does not matter. Other dimensions of a tensor than its batch are constants too, where the
file says how large they are.
"""

from __future__ import annotations

import math

import numpy as np

from sbnn_tf.convert import shapes
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.convert.graph import Uses, constant, op_name
from sbnn_tf.convert.nodes import add_constant, remove_unread

# The operators of such a chain; they have no effect but their output.
CHAIN = (
    "CONCATENATION",
    "GATHER",
    "MUL",
    "PACK",
    "REDUCE_PROD",
    "RESHAPE",
    "SHAPE",
    "STRIDED_SLICE",
)


def fold_batch(model) -> int:
    """Fold the chains of all subgraphs; returns how many RESHAPE got a constant shape.

    Operators of a chain that nothing else reads are removed. Tensors keep their indices; sizes that
    follow from a folded shape are known from then on.
    """
    return sum(_fold(model, index) for index in range(len(model.subgraphs)))


def _fold(model, index: int) -> int:
    subgraph = model.subgraphs[index]
    uses = Uses(subgraph)
    new_shapes: dict[tuple[int, ...], int] = {}
    folded = 0
    for op in subgraph.operators:
        shape = _new_shape(model, subgraph, uses, op)
        if shape is None:
            if folded:
                shapes.infer(model, subgraph, op)
            continue
        if shape not in new_shapes:
            name = "reshape/" + "x".join(str(n) for n in shape)
            new_shapes[shape] = add_constant(model, subgraph, name, np.array(shape))
        op.inputs = np.array([op.inputs[0], new_shapes[shape]], np.int32)
        if op.builtinOptions is not None:
            op.builtinOptions.newShape = np.array(shape, np.int32)
        shapes.set_sizes(subgraph.tensors[op.outputs[0]], [None if n == -1 else n for n in shape])
        folded += 1
    if folded:
        remove_unread(model, index, CHAIN)
    return folded


def _new_shape(model, subgraph, uses: Uses, op) -> tuple[int, ...] | None:
    """The constant that may stand for a RESHAPE's computed shape; None where there is none."""
    if op_name(model, op) != "RESHAPE" or len(op.inputs) != 2:
        return None
    if constant(model, subgraph.tensors[op.inputs[1]]) is not None:
        return None
    dims = _values(model, subgraph, uses, int(op.inputs[1]))
    if dims is None or dims.count(None) != 1 or any(n is not None and n <= 0 for n in dims):
        return None
    return tuple(-1 if n is None else n for n in dims)


def _values(model, subgraph, uses: Uses, index: int) -> shapes.Sizes | None:
    """Numbers of an int32 tensor of up to one dimension, None for those that are computed."""
    tensor = subgraph.tensors[index]
    if tensor.type != schema().TensorType.INT32 or len(tensor.shape) > 1:
        return None
    values = constant(model, tensor)
    if values is not None:
        return [int(n) for n in values.reshape(-1)]
    unknown = [None] * int(np.prod(tensor.shape))
    node = uses.producer.get(index)
    if node is None:
        return unknown
    op = subgraph.operators[node]
    name = op_name(model, op)
    if name == "SHAPE":
        found = shapes.sizes(subgraph.tensors[op.inputs[0]])
        return [None, *found[1:]] if len(found) == len(unknown) else unknown
    if name in ("PACK", "CONCATENATION"):
        parts = [_values(model, subgraph, uses, int(t)) for t in op.inputs]
        joined = None if None in parts else [n for part in parts for n in part]
        return joined if joined is not None and len(joined) == len(unknown) else unknown
    if name == "RESHAPE":
        moved = _values(model, subgraph, uses, int(op.inputs[0]))
        return moved if moved is not None and len(moved) == len(unknown) else unknown
    if name == "MUL":
        factors = [_values(model, subgraph, uses, int(t)) for t in op.inputs]
        if None in factors or any(len(each) != len(unknown) for each in factors):
            return unknown
        return [None if None in pair else pair[0] * pair[1] for pair in zip(*factors)]
    if name == "STRIDED_SLICE":
        return _slice(model, subgraph, uses, op, len(unknown)) or unknown
    if name in ("GATHER", "REDUCE_PROD"):
        of = _values(model, subgraph, uses, int(op.inputs[0]))
        picked = constant(model, subgraph.tensors[op.inputs[1]])
        if of is None or picked is None or picked.ndim > 1:
            return unknown
        if name == "REDUCE_PROD":  # (of a list there is one axis)
            return [None if None in of else math.prod(of)] if len(unknown) == 1 else unknown
        places = [int(i) for i in picked.reshape(-1)]
        if len(places) != len(unknown) or any(not 0 <= i < len(of) for i in places):
            return unknown
        return [of[i] for i in places]
    return unknown


def _slice(model, subgraph, uses: Uses, op, count: int) -> shapes.Sizes | None:
    """The numbers that a STRIDED_SLICE takes; None if it is not plain."""
    options = op.builtinOptions
    bounds = [constant(model, subgraph.tensors[t]) for t in op.inputs[1:4]]
    if options is None or any(b is None or b.size != 1 for b in bounds):
        return None
    if options.ellipsisMask or options.newAxisMask or getattr(options, "offset", False):
        return None
    of = _values(model, subgraph, uses, int(op.inputs[0]))
    if of is None:
        return None
    begin, end, step = (int(b.reshape(-1)[0]) for b in bounds)
    if step == 0:
        return None
    if options.shrinkAxisMask:
        taken = of[begin : begin + 1 or None]
    else:
        taken = of[None if options.beginMask else begin : None if options.endMask else end : step]
    return taken if len(taken) == count else None
