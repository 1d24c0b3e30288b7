"""Rewrite: RESHAPE, FULLY_CONNECTED, RESHAPE on all but the last axis become one FULLY_CONNECTED.

Keras' `Dense` on sequences flattens what it gets to a matrix, and gives the product its dimensions
back. FULLY_CONNECTED does the same by itself where it keeps dimensions (`keep_num_dims`). Of layers
that follow each other, with an activation that TFLite fuses, only the first flattens and only the
last gives back, with a RESHAPE between that changes nothing: all of them keep dimensions then.
"""

from __future__ import annotations

import numpy as np

from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.convert.graph import FULLY_CONNECTED, Uses, op_name
from sbnn_tf.convert.nodes import operator_code, remove
from sbnn_tf.convert.shapes import set_sizes, sizes

KEEPS_DIMENSIONS = 5  # the version of FULLY_CONNECTED from which on it can


def fold_dense(model) -> int:
    """Fold those of all subgraphs; returns how many FULLY_CONNECTED keep their dimensions now.

    Tensors keep their indices.
    """
    return sum(_fold(model, index) for index in range(len(model.subgraphs)))


def _fold(model, index: int) -> int:
    subgraph = model.subgraphs[index]
    uses = Uses(subgraph)
    before, behind, folded = set(), set(), 0
    for op in subgraph.operators:
        found = _layers(model, subgraph, uses, op)
        if found is None:
            continue
        first, layers, reshapes = found
        read = int(subgraph.operators[first].inputs[0])
        kept = sizes(subgraph.tensors[read])[:-1]
        for layer in layers:
            layer.inputs = np.array([read, *layer.inputs[1:]], np.int32)
            read = int(layer.outputs[0])
            product = subgraph.tensors[read]
            set_sizes(product, [*kept, *sizes(product)[-1:]])
            layer.builtinOptions.keepNumDims = True
            version = max(KEEPS_DIMENSIONS, model.operatorCodes[layer.opcodeIndex].version)
            layer.opcodeIndex = operator_code(
                model, schema().BuiltinOperator.FULLY_CONNECTED, version
            )
        layers[-1].outputs = np.array(subgraph.operators[reshapes[-1]].outputs, np.int32)
        before.add(first)
        behind.update(reshapes)
        folded += len(layers)
    now = Uses(subgraph)
    unread = {node for node in before if now.unread(subgraph.operators[node])}
    remove(model, index, unread | behind)
    return folded


def _layers(model, subgraph, uses: Uses, first) -> tuple[int, list, list[int]] | None:
    """Of a first layer: the RESHAPE before it, it and those that follow, and the RESHAPEs between.

    The last RESHAPE gives back the dimensions that the first one took.
    """
    if not _is_dense(model, subgraph, first):
        return None
    before = uses.producer.get(int(first.inputs[0]))
    if before is None or op_name(model, subgraph.operators[before]) != "RESHAPE":
        return None
    x = sizes(subgraph.tensors[subgraph.operators[before].inputs[0]])
    same_rows = x[-1:] == sizes(subgraph.tensors[first.inputs[0]])[1:]
    # One open size is the same in the end, since there are as many rows.
    if not same_rows or len(x) < 3 or x[:-1].count(None) > 1:
        return None
    layers, behind, made = [first], [], int(first.outputs[0])
    while True:
        readers = uses.consumers.get(made, [])
        if len(readers) != 1 or readers[0][1] != 0 or made in uses.boundary:
            return None
        op = subgraph.operators[readers[0][0]]
        dense = _is_dense(model, subgraph, op)
        if not dense and op_name(model, op) != "RESHAPE":
            return None
        matrix, made = sizes(subgraph.tensors[made]), int(op.outputs[0])
        if dense:
            layers.append(op)
            continue
        behind.append(readers[0][0])
        found = sizes(subgraph.tensors[made])
        if found == [*x[:-1], *matrix[1:]]:
            return before, layers, behind
        if found != matrix:
            return None


def _is_dense(model, subgraph, op) -> bool:
    """Whether it is a layer that computes a row of each row of a matrix."""
    if op_name(model, op) != FULLY_CONNECTED or op.builtinOptions is None or len(op.inputs) < 2:
        return False
    matrix, weights = (sizes(subgraph.tensors[t]) for t in op.inputs[:2])
    return len(matrix) == 2 and matrix[1:] == weights[1:]
