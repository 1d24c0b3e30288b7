"""Rewrite: sparse tensors become dense constants, and their DENSIFY goes. Undoes `sparsify`."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from sbnn_tf.convert.encoding import decode
from sbnn_tf.convert.graph import NO_BUFFER, Uses, dtype, op_name, set_data, stored, text
from sbnn_tf.convert.nodes import remove
from sbnn_tf.errors import SbnnError


def densify(model, chosen: Collection[tuple[int, int]] | None = None) -> int:
    """Expand sparse constants, written by this package or by others; returns how many.

    Args:
      chosen: which, as (subgraph, tensor); None: all.

    Raises:
      SbnnError: a sparse tensor's metadata contradict themselves.
    """
    found = [
        (s, t, tensor)
        for s, subgraph in enumerate(model.subgraphs)
        for t, tensor in enumerate(subgraph.tensors)
        if tensor.sparsity is not None and (chosen is None or (s, t) in chosen)
    ]
    set_data(model, [(tensor, expand(model, tensor)) for _, _, tensor in found])
    for _, _, tensor in found:
        tensor.sparsity = None
    for index in range(len(model.subgraphs)):
        _remove_densify(model, index, [t for s, t, _ in found if s == index])
    return len(found)


def sparse_values(model, tensor) -> np.ndarray:
    """(n,) the stored values of a sparse tensor, in its type.

    Raises:
      SbnnError: a type without a numpy counterpart, or part of a value at the end.
    """
    kind = dtype(tensor)
    data = stored(model, tensor)
    size = 0 if data is None else len(data)
    if kind is None or size % kind.itemsize:
        raise SbnnError(
            f"sparse tensor {text(tensor.name)!r} cannot be read: expected values of a plain "
            f"type, found {size} bytes of type {tensor.type}"
        )
    return np.zeros(0, kind) if data is None else data.view(kind)


def expand(model, tensor) -> np.ndarray:
    """The dense values of a sparse tensor; raises SbnnError if it is damaged."""
    shape = tuple(int(d) for d in tensor.shape)
    return decode(tensor.sparsity, shape, sparse_values(model, tensor), text(tensor.name))


def _remove_densify(model, index: int, expanded: list[int]) -> None:
    """Let who reads a DENSIFY of these tensors, which are dense now, read them."""
    subgraph = model.subgraphs[index]
    uses = Uses(subgraph)
    gone, unread = set(), set()
    for t in expanded:
        tensor = subgraph.tensors[t]
        readers = {node for node, _ in uses.consumers[t]}
        densifies = {n for n in readers if op_name(model, subgraph.operators[n]) == "DENSIFY"}
        for node in densifies:
            subgraph.tensors[subgraph.operators[node].outputs[0]].buffer = tensor.buffer
        if readers and readers == densifies and t not in uses.boundary:
            tensor.buffer = NO_BUFFER
            unread.add(t)
        gone |= densifies
    remove(model, index, gone)
    # Tensors that `sparsify` had added are the last ones; all others keep their indices.
    while len(subgraph.tensors) - 1 in unread:
        subgraph.tensors.pop()
