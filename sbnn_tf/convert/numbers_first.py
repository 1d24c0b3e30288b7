"""Rewrite: what computes on whole numbers and booleans comes before all else, where it can.

Such are masks and the numbers of words, made from a network's inputs. No delegate takes them. In
what order independent operators run is the file's choice; but TensorFlow Lite puts together what a
delegate takes in that order, and a mask that comes behind the first dense layer parts what needs
the mask from what does not.
"""

from __future__ import annotations

from sbnn_tf.convert.graph import Uses, op_name, type_name
from sbnn_tf.convert.nodes import held, move_to_front

NUMBERS = ("BOOL", "INT32", "INT64")
# Of no effect but their output.
MOVABLE = (
    "ADD",
    "CAST",
    "CONCATENATION",
    "EQUAL",
    "EXPAND_DIMS",
    "FILL",
    "GATHER",
    "GREATER",
    "GREATER_EQUAL",
    "LESS",
    "LESS_EQUAL",
    "LOGICAL_AND",
    "LOGICAL_NOT",
    "LOGICAL_OR",
    "MAXIMUM",
    "MINIMUM",
    "MUL",
    "NOT_EQUAL",
    "PACK",
    "REDUCE_ALL",
    "REDUCE_ANY",
    "RESHAPE",
    "SELECT",
    "SELECT_V2",
    "SQUEEZE",
    "STRIDED_SLICE",
    "SUB",
    "TILE",
    "TRANSPOSE",
)


def numbers_first(model) -> int:
    """Order the operators of all subgraphs so; returns how many come first."""
    count = 0
    for index, subgraph in enumerate(model.subgraphs):
        first = _first(model, subgraph, held(model, index))
        move_to_front(model, index, first)
        count += len(first)
    return count


def _first(model, subgraph, fixed: set[int]) -> set[int]:
    """Operators on numbers that need nothing but the inputs and each other, and what they need."""
    makers = Uses(subgraph).producer
    inputs = {int(t) for t in subgraph.inputs}
    needs: dict[int, set[int]] = {}  # of each that might come first
    first = set()
    for node, op in enumerate(subgraph.operators):
        read = [int(t) for t in op.inputs if t >= 0]
        needed = {makers[t] for t in read if t in makers}
        kept = any(subgraph.tensors[t].isVariable for t in read)
        if op_name(model, op) not in MOVABLE or node in fixed or kept or not needed <= needs.keys():
            continue
        needs[node] = needed
        computed = [t for t in (*read, *op.outputs) if int(t) in makers or int(t) in inputs]
        if any(type_name(subgraph.tensors[t]) in NUMBERS for t in computed):
            first.add(node)
    left = list(first)
    while left:
        more = needs[left.pop()] - first
        first |= more
        left += more
    return first
