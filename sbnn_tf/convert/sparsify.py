"""Rewrite: store filters whose zeros form groups as sparse tensors behind DENSIFY."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sbnn_tf.convert.encoding import Encoded, encode, sparsity_parameters
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.convert.graph import (
    CONV,
    FULLY_CONNECTED,
    NO_BUFFER,
    TRANSPOSE_CONV,
    Uses,
    Weight,
    buffer_users,
    find_weights,
    text,
)
from sbnn_tf.convert.nodes import insert, set_operator
from sbnn_tf.convert.stock import refusal

GROUPS = (1, 2, 4, 8, 16)
# (group, block): blocks of four inputs are what the dot products of int8 take at once.
INT8_BLOCKS = ((1, 4), (2, 4), (4, 4))
# What TFLite's DENSIFY kernel can expand.
TYPES = (np.float32, np.float16, np.int8)
# A depthwise filter is about a hundredth of a network's bytes, and the delegate finds its zeros in a
# dense one, too: it stays dense.
KINDS = (CONV, FULLY_CONNECTED, TRANSPOSE_CONV)
# What a sparse tensor's tables, its DENSIFY and its second name add to a file, in bytes.
OVERHEAD = 384
# A small filter may grow by these tables if skipping makes it run faster: from this group and
# down to this share of its bytes, for a filter of at least so many bytes.
FASTER_GROUP = 4
FASTER_SHARE = 0.75
FASTER_BYTES = 256
# Kernels run larger groups nearer to the machine's peak; this much more data is worth it.
LARGER_GROUP_MAY_COST = 1.1


def sparsify(model) -> int:
    """Make sparse tensors of the filters that get smaller by it; returns how many.

    The dense constant keeps its index and name, and becomes the output of a DENSIFY at the front
    of its subgraph; so one DENSIFY serves all its readers. The sparse tensor takes over the
    buffer. Filters of convolutions and fully connected layers in float32, float16 (behind a
    DEQUANTIZE) and int8 are looked at; everything else is left as it is, and so are filters that
    stock TFLite would not read rightly (`stock.refusal`).
    """
    made = 0
    # Each DENSIFY goes to the front: last first.
    for buffer, weights in reversed(_by_buffer(model).items()):
        encoded = choose(weights[0].values)
        if encoded is None:
            continue
        model.buffers[buffer].data = encoded.values.reshape(-1).view(np.uint8)
        for weight in weights:
            _put_behind_densify(model, weight, encoded, buffer)
        made += len(weights)
    return made


def choose(values: np.ndarray) -> Encoded | None:
    """The encoding of a filter (O, ..., I) with the best group for the zeros found in it.

    That is the largest group within a tenth of the fewest bytes, since kernels run larger groups
    faster; in int8 blocks of inputs come before single ones. None if that makes the file no smaller
    and the run no faster.
    """
    shapes = [(group, 1) for group in GROUPS]
    if values.dtype == np.int8:
        shapes += INT8_BLOCKS
    outputs, inputs = values.shape[0], values.shape[-1]
    candidates = [encode(values, g, b) for g, b in shapes if outputs % g == inputs % b == 0]
    limit = min(c.nbytes for c in candidates) * LARGER_GROUP_MAY_COST
    best = [c for c in candidates if c.nbytes <= limit][-1]
    smaller = best.nbytes + OVERHEAD < values.nbytes
    faster = (
        best.group >= FASTER_GROUP
        and best.nbytes <= values.nbytes * FASTER_SHARE
        and values.nbytes >= FASTER_BYTES
    )
    return best if smaller or faster else None


@dataclass(frozen=True)
class LeftDense:
    """A filter whose zeros are stored, since stock TFLite fails otherwise, and why."""

    weight: Weight
    why: str


def left_dense(model) -> list[LeftDense]:
    """The filters that `sparsify` leaves dense for stock TFLite's sake, though it would gain."""
    return [
        LeftDense(weight, why)
        for weight, why in _candidates(model)
        if why and choose(weight.values) is not None
    ]


def _candidates(model) -> Iterator[tuple[Weight, str]]:
    """The filters of kinds and types that may become sparse, and what speaks against it."""
    uses: dict[int, Uses] = {}
    for weight in find_weights(model):
        if weight.kind in KINDS and weight.values.dtype in TYPES:
            if weight.subgraph not in uses:
                uses[weight.subgraph] = Uses(model.subgraphs[weight.subgraph])
            yield weight, refusal(model, uses[weight.subgraph], weight)


def _by_buffer(model) -> dict[int, list[Weight]]:
    """The filters that may become sparse, by buffer; those of one buffer can share their values.

    A buffer that anything else reads is left out: its dense data would have to stay.
    """
    found: dict[int, list[Weight]] = {}
    for weight, why in _candidates(model):
        if not why:
            buffer = model.subgraphs[weight.subgraph].tensors[weight.tensor].buffer
            found.setdefault(buffer, []).append(weight)
    users = buffer_users(model)

    def encoded_alike(weights: list[Weight]) -> bool:
        first = weights[0].values
        return all(
            w.values.dtype == first.dtype
            and w.values.shape[0] == first.shape[0]
            and w.values.shape[-1] == first.shape[-1]
            for w in weights
        )

    return {
        buffer: weights
        for buffer, weights in found.items()
        if users[buffer] == len(weights) and encoded_alike(weights)
    }


def _put_behind_densify(model, weight: Weight, encoded: Encoded, buffer: int) -> None:
    s = schema()
    subgraph = model.subgraphs[weight.subgraph]
    dense = subgraph.tensors[weight.tensor]
    sparse = copy.copy(dense)
    sparse.name = text(dense.name) + "/sparse"
    sparse.buffer = buffer
    # The same values serve filters of other middle dimensions (OI and O11I), not the same levels.
    sparse.sparsity = sparsity_parameters(
        Encoded(
            weight.values.shape,
            encoded.group,
            encoded.block,
            encoded.values,
            encoded.segments,
            encoded.indices,
        )
    )
    dense.buffer = NO_BUFFER  # it is computed
    subgraph.tensors.append(sparse)

    op, options = s.OperatorT(), s.DensifyOptionsT()
    set_operator(model, op, "DENSIFY", [len(subgraph.tensors) - 1], [weight.tensor], options)
    insert(model, weight.subgraph, 0, op)
