"""Rewrite: float constants are stored as float16, behind DEQUANTIZE."""

from __future__ import annotations

import copy

import numpy as np

from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.convert.graph import NO_BUFFER, Uses, constant, set_data, text
from sbnn_tf.convert.nodes import insert, set_operator


def to_float16(model) -> int:
    """Narrow the float32 constants of more than one value; returns how many.

    Each keeps its index and name, and becomes the output of a DEQUANTIZE, which XNNPACK and the
    delegate take away again: what is computed is computed in float32. Constants with a value beyond
    float16, 65504, stay as they are.
    """
    s, changes = schema(), []
    for index, subgraph in enumerate(model.subgraphs):
        uses = Uses(subgraph)
        for t in reversed(range(len(subgraph.tensors))):  # each goes to the front: last first
            dense = subgraph.tensors[t]
            if dense.type != s.TensorType.FLOAT32 or t in uses.boundary or not uses.consumers[t]:
                continue
            values = constant(model, dense)
            if values is None or values.size < 2:
                continue
            with np.errstate(over="ignore"):
                narrow = values.astype(np.float16)
            if not np.isfinite(narrow).all():
                continue
            stored = copy.copy(dense)
            stored.type = s.TensorType.FLOAT16
            stored.name = text(dense.name) + "/float16"
            dense.buffer = NO_BUFFER  # it is computed
            subgraph.tensors.append(stored)
            changes.append((stored, narrow))
            op, options = s.OperatorT(), s.DequantizeOptionsT()
            set_operator(model, op, "DEQUANTIZE", [len(subgraph.tensors) - 1], [t], options)
            insert(model, index, 0, op)
    set_data(model, changes)
    return len(changes)
