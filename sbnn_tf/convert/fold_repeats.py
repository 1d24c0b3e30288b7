"""Rewrite: pixels repeated by RESHAPE (or EXPAND_DIMS) and TILE become one RESIZE_NEAREST_NEIGHBOR.

This is what Keras 3 makes of `UpSampling2D`, for each axis: RESHAPE puts an axis of size 1 behind
it, TILE makes that k long, RESHAPE joins both. Tensors of five dimensions are slow everywhere, and
no delegate takes them.

Whether operators do nothing but this is found by following the axes. Each is a row of factors;
RESHAPE may join and part them, but not break one. TILE of an axis of size 1 puts a new factor
there. If in the end the factors of the image's axes are (rows, k), (columns, l) and (channels),
pixel (y, x) is (y // k, x // l) of the input.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.convert.graph import Uses, constant, op_name, type_name
from sbnn_tf.convert.nodes import add_constant, operator_code, remove

# The types that RESIZE_NEAREST_NEIGHBOR takes, each since a version.
VERSIONS = {"FLOAT32": 1, "INT8": 2, "UINT8": 2}

MOVES = ("EXPAND_DIMS", "RESHAPE", "TILE")

# A factor of an axis: its size, and what it belongs to, None where it repeats.
Factor = tuple[int, str | None]


def fold_repeats(model) -> int:
    """Fold those of all subgraphs; returns how many RESIZE_NEAREST_NEIGHBOR there are now instead.

    Tensors keep their indices.
    """
    return sum(_fold(model, index) for index in range(len(model.subgraphs)))


def _fold(model, index: int) -> int:
    subgraph = model.subgraphs[index]
    removed: set[int] = set()
    folded = 0
    for nodes in _runs(model, subgraph):
        if removed.intersection(nodes) or not _repeats_pixels(model, subgraph, nodes):
            continue
        last = subgraph.operators[nodes[-1]]
        x, y = int(subgraph.operators[nodes[0]].inputs[0]), int(last.outputs[0])
        s = schema()
        size = np.array(subgraph.tensors[y].shape[1:3], np.int32)
        name = "resize/" + "x".join(str(n) for n in size)
        last.inputs = np.array([x, add_constant(model, subgraph, name, size)], np.int32)
        last.opcodeIndex = operator_code(
            model,
            s.BuiltinOperator.RESIZE_NEAREST_NEIGHBOR,
            VERSIONS[type_name(subgraph.tensors[y])],
        )
        last.builtinOptionsType = s.BuiltinOptions.ResizeNearestNeighborOptions
        last.builtinOptions = s.ResizeNearestNeighborOptionsT()
        removed.update(nodes[:-1])
        folded += 1
    remove(model, index, removed)
    return folded


def _runs(model, subgraph) -> list[list[int]]:
    """Operators that follow each other and are read by nobody else, longest first."""
    uses = Uses(subgraph)

    def behind(node: int) -> int | None:
        y = int(subgraph.operators[node].outputs[0])
        readers = uses.consumers[y]
        if len(readers) != 1 or readers[0][1] != 0 or y in uses.boundary:
            return None
        return readers[0][0] if moves(readers[0][0]) else None

    def moves(node: int) -> bool:
        return op_name(model, subgraph.operators[node]) in MOVES

    runs = []
    for first in range(len(subgraph.operators)):
        run = []
        node: int | None = first if moves(first) else None
        while node is not None:
            run.append(node)
            runs.append(list(run))
            node = behind(node)
    return sorted(runs, key=len, reverse=True)


def _repeats_pixels(model, subgraph, nodes: Sequence[int]) -> bool:
    operators = [subgraph.operators[node] for node in nodes]
    x, y = subgraph.tensors[operators[0].inputs[0]], subgraph.tensors[operators[-1].outputs[0]]
    if type_name(y) not in VERSIONS or len(x.shape) != 4 or len(y.shape) != 4:
        return False
    batch, *image = (int(n) for n in x.shape)
    axes: list[list[Factor]] | None = [
        [(n, of)] if n != 1 else [] for n, of in zip(image, ("rows", "columns", "channels"))
    ]
    wanted = [[of for _, of in axis] for axis in axes]
    for op in operators:
        shape = _fixed_shape(subgraph.tensors[op.outputs[0]], batch)
        if shape is None or axes is None:
            return False
        if op_name(model, op) == "TILE":
            axes = _tiled(axes, constant(model, subgraph.tensors[op.inputs[1]]))
        else:
            axes = _regrouped([factor for axis in axes for factor in axis], shape)
    repeated = [[of for _, of in axis if of is not None] for axis in axes or ()]
    if repeated != wanted or len(axes[2]) != len(wanted[2]):
        return False
    # What belongs to an axis comes before what repeats it.
    for axis in axes[:2]:
        if any(of is not None for _, of in axis[1:]):
            return False
    scales = [int(new) // old for new, old in zip(y.shape[1:3], image)]
    return any(scale > 1 for scale in scales) and all(
        _rounds_well(old, scale) for old, scale in zip(image, scales)
    )


def _fixed_shape(tensor, batch: int) -> list[int] | None:
    """A tensor's dimensions behind the batch; None if they, or the batch, may be others."""
    signature = tensor.shapeSignature
    if not len(tensor.shape) or int(tensor.shape[0]) != batch:
        return None
    if signature is not None and any(int(n) < 0 for n in signature[1:]):
        return None
    return [int(n) for n in tensor.shape[1:]]


def _regrouped(factors: list[Factor], shape: Sequence[int]) -> list[list[Factor]] | None:
    """Factors in their order, as axes of these sizes; None if one would have to be broken."""
    factors = list(factors)
    axes = []
    for size in shape:
        axis: list[Factor] = []
        product = 1
        while product < size and factors:
            axis.append(factors.pop(0))
            product *= axis[-1][0]
        if product != size:
            return None
        axes.append(axis)
    return None if factors else axes


def _tiled(axes: list[list[Factor]], multiples) -> list[list[Factor]] | None:
    """Axes of size 1 repeated; None if another is, or the batch."""
    if multiples is None or multiples.ndim != 1 or len(multiples) != len(axes) + 1:
        return None
    if int(multiples[0]) != 1 or (multiples < 1).any():
        return None
    tiled = []
    for axis, multiple in zip(axes, multiples[1:]):
        if multiple != 1 and axis:
            return None
        tiled.append([(int(multiple), None)] if multiple != 1 else axis)
    return tiled


def _rounds_well(size: int, scale: int) -> bool:
    """Whether TFLite, in single precision, finds position i // scale for each i."""
    at = np.arange(size * scale)
    step = np.float32(size) / np.float32(size * scale)
    found = np.floor(at.astype(np.float32) * step).astype(np.int64)
    return bool((found == at // scale).all())
