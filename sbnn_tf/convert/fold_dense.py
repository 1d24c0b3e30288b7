"""Rewrite: RESHAPE, FULLY_CONNECTED, RESHAPE on all but the last axis become one FULLY_CONNECTED.

Keras' `Dense` on sequences flattens what it gets to a matrix, and gives the product its dimensions
back. FULLY_CONNECTED does the same by itself where it keeps dimensions (`keep_num_dims`).
"""

from __future__ import annotations

import numpy as np

from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.convert.graph import FULLY_CONNECTED, Uses, op_name
from sbnn_tf.convert.nodes import operator_code, remove
from sbnn_tf.convert.shapes import sizes

KEEPS_DIMENSIONS = 5  # the version of FULLY_CONNECTED from which on it can


def fold_dense(model) -> int:
    """Fold those of all subgraphs; returns how many FULLY_CONNECTED keep their dimensions now.

    Tensors keep their indices.
    """
    return sum(_fold(model, index) for index in range(len(model.subgraphs)))


def _fold(model, index: int) -> int:
    subgraph = model.subgraphs[index]
    uses = Uses(subgraph)
    before, behind = set(), set()
    for op in subgraph.operators:
        around = _around(model, subgraph, uses, op)
        if around is None:
            continue
        first, last = (subgraph.operators[node] for node in around)
        op.inputs = np.array([first.inputs[0], *op.inputs[1:]], np.int32)
        op.outputs = np.array(last.outputs, np.int32)
        op.builtinOptions.keepNumDims = True
        version = max(KEEPS_DIMENSIONS, model.operatorCodes[op.opcodeIndex].version)
        op.opcodeIndex = operator_code(model, schema().BuiltinOperator.FULLY_CONNECTED, version)
        before.add(around[0])
        behind.add(around[1])
    now = Uses(subgraph)
    unread = {node for node in before if now.unread(subgraph.operators[node])}
    remove(model, index, unread | behind)
    return len(behind)


def _around(model, subgraph, uses: Uses, op) -> tuple[int, int] | None:
    """The RESHAPE before and the one behind a dense layer that change nothing but these axes."""
    if op_name(model, op) != FULLY_CONNECTED or op.builtinOptions is None:
        return None
    matrix, product = int(op.inputs[0]), int(op.outputs[0])
    first = uses.producer.get(matrix)
    readers = uses.consumers.get(product, [])
    if first is None or len(readers) != 1 or readers[0][1] != 0 or product in uses.boundary:
        return None
    last = readers[0][0]
    if any(op_name(model, subgraph.operators[node]) != "RESHAPE" for node in (first, last)):
        return None
    x, y = (
        sizes(subgraph.tensors[t])
        for t in (subgraph.operators[first].inputs[0], subgraph.operators[last].outputs[0])
    )
    inputs, outputs = sizes(subgraph.tensors[matrix])[1:], sizes(subgraph.tensors[product])[1:]
    # One open size is the same in both, since there are as many rows.
    kept = len(x) > 2 and x[:-1] == y[:-1] and x[:-1].count(None) <= 1
    return (first, last) if kept and [x[-1:], y[-1:]] == [inputs, outputs] else None
