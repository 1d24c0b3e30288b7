"""What is in a model: the rows behind `inspect`, and their table."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from sbnn_tf.convert.densify import sparse_values
from sbnn_tf.convert.encoding import levels
from sbnn_tf.convert.graph import (
    WEIGHT_OPS,
    Uses,
    constant,
    dtype,
    op_name,
    stored,
    text,
    type_name,
)
from sbnn_tf.convert.sparsify import left_dense
from sbnn_tf.naming import printable


@dataclass(frozen=True)
class TensorRow:
    """A constant.

    Attributes:
      subgraph, index: where it is.
      name, shape, type: of the dense tensor; `type` as in the schema.
      pattern: "dense", or what a sparse tensor stores: "group4" (4 outputs share their inputs),
        "unstructured", or "block 1x4" (another block shape).
      sparsity: share of zeros in its values, stored or not; 0.0 for types that have no zero.
      dense_bytes, stored_bytes: without sparse storage, and in this file.
      why_dense: why `convert` does not store a filter sparsely that would get smaller by it; "".
    """

    subgraph: int
    index: int
    name: str
    shape: tuple[int, ...]
    type: str
    pattern: str
    sparsity: float
    dense_bytes: int
    stored_bytes: int
    why_dense: str = ""


@dataclass(frozen=True)
class NodeRow:
    """An operator: where it is, its name, its output's name and shape (-1: dynamic), and the
    pattern and sparsity of its filter, if it has one."""

    subgraph: int
    index: int
    op: str
    name: str
    shape: tuple[int, ...]
    pattern: str
    sparsity: float | None


@dataclass(frozen=True)
class Inspection:
    """The constants and the nodes of a model.

    Attributes:
      tensors, nodes: rows, in the file's order.
      dense_bytes, stored_bytes: sums over the buffers (one that is shared counts once; the tables
        of sparse tensors that share their values are each its own).
    """

    tensors: list[TensorRow] = field(default_factory=list)
    nodes: list[NodeRow] = field(default_factory=list)
    dense_bytes: int = 0
    stored_bytes: int = 0

    def to_dict(self) -> dict:
        """Plain lists and numbers, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        tensors = [("tensor", "shape", "type", "pattern", "sparsity", "dense B", "stored B")]
        tensors += [
            (
                short(row.name),
                _dims(row.shape),
                row.type,
                row.pattern,
                f"{row.sparsity:.1%}",
                f"{row.dense_bytes}",
                f"{row.stored_bytes}",
            )
            for row in self.tensors
        ]
        tensors.append(("total", "", "", "", "", f"{self.dense_bytes}", f"{self.stored_bytes}"))
        nodes = [("node", "op", "output", "shape", "filter", "sparsity")]
        nodes += [
            (
                f"{row.subgraph}:{row.index}",
                short(row.op),
                short(row.name),
                _dims(row.shape),
                row.pattern,
                "" if row.sparsity is None else f"{row.sparsity:.1%}",
            )
            for row in self.nodes
        ]
        parts = [_table(tensors, right=4), _table(nodes, right=5)]
        left = [row for row in self.tensors if row.why_dense]
        if left:
            parts.append("\n".join(f"left dense: {short(r.name)}: {r.why_dense}" for r in left))
        return "\n\n".join(parts)


def inspect_model(model) -> Inspection:
    """The rows of a parsed model.

    Raises:
      SbnnError: a constant or a sparse tensor contradicts itself.
    """
    tensors: dict[tuple[int, int], TensorRow] = {}
    nodes = []
    why_dense = {(w.weight.subgraph, w.weight.tensor): w.why for w in left_dense(model)}
    for s, subgraph in enumerate(model.subgraphs):
        for t, tensor in enumerate(subgraph.tensors):
            row = _tensor_row(model, s, t, tensor)
            if row is not None:
                tensors[s, t] = replace(row, why_dense=why_dense.get((s, t), ""))
        uses = Uses(subgraph)
        nodes += [_node_row(model, s, i, tensors, uses) for i in range(len(subgraph.operators))]
    dense, values, tables = {}, {}, 0
    for (s, t), row in tensors.items():
        tensor = model.subgraphs[s].tensors[t]
        own = 0 if tensor.sparsity is None else _metadata_bytes(tensor.sparsity)
        dense[tensor.buffer] = row.dense_bytes
        values[tensor.buffer] = row.stored_bytes - own
        tables += own
    return Inspection(
        list(tensors.values()), nodes, sum(dense.values()), sum(values.values()) + tables
    )


def _tensor_row(model, s: int, t: int, tensor) -> TensorRow | None:
    data = stored(model, tensor)
    size = 0 if data is None else len(data)
    shape = tuple(int(d) for d in tensor.shape)
    if tensor.sparsity is not None:
        dense_bytes = math.prod(shape) * dtype(tensor).itemsize if dtype(tensor) else size
        values = sparse_values(model, tensor)
        pattern = _pattern(tensor, shape, len(values))
        zeros = 1 - np.count_nonzero(values) / math.prod(shape) if math.prod(shape) else 0.0
        # Segments and indices are part of the price.
        size = values.nbytes + _metadata_bytes(tensor.sparsity)
        return TensorRow(
            s, t, text(tensor.name), shape, type_name(tensor), pattern, zeros, dense_bytes, size
        )
    if not size or tensor.isVariable:
        return None
    values = constant(model, tensor)
    zeros = 0.0 if values is None else _zeros(values)
    return TensorRow(s, t, text(tensor.name), shape, type_name(tensor), "dense", zeros, size, size)


def _zeros(values: np.ndarray) -> float:
    return 1 - np.count_nonzero(values) / values.size if values.size else 0.0


def _metadata_bytes(sparsity) -> int:
    vectors = [v for d in sparsity.dimMetadata for v in (d.arraySegments, d.arrayIndices)]
    return sum(v.values.nbytes for v in vectors if v is not None and v.values is not None)


def _pattern(tensor, shape: tuple[int, ...], stored: int) -> str:
    blocks = [1] * len(shape)
    for level in levels(tensor.sparsity, shape, stored, text(tensor.name)):
        if level.block:
            blocks[level.dim] = level.size
    if all(b == 1 for b in blocks):
        return "unstructured"
    return f"group{blocks[0]}" if math.prod(blocks) == blocks[0] else f"block {_dims(blocks)}"


def _node_row(model, s: int, index: int, tensors: dict, uses: Uses) -> NodeRow:
    subgraph = model.subgraphs[s]
    op = subgraph.operators[index]
    output = subgraph.tensors[op.outputs[0]] if len(op.outputs) else None
    shape = ()
    if output is not None:
        signature = output.shapeSignature
        shape = output.shape if signature is None or len(signature) == 0 else signature
    row = _filter_row(model, s, op, tensors, uses)
    return NodeRow(
        s,
        index,
        op_name(model, op),
        "" if output is None else text(output.name),
        tuple(int(d) for d in shape),
        "" if row is None else row.pattern,
        None if row is None else row.sparsity,
    )


def _filter_row(model, s: int, op, tensors: dict, uses: Uses) -> TensorRow | None:
    """The row of the constant that a filter comes from, through DENSIFY and DEQUANTIZE."""
    if op_name(model, op) not in WEIGHT_OPS:
        return None
    tensor = int(op.inputs[1]) if len(op.inputs) > 1 else -1
    for _ in range(3):
        node = uses.producer.get(tensor)
        if node is None:
            break
        maker = model.subgraphs[s].operators[node]
        if op_name(model, maker) not in ("DENSIFY", "DEQUANTIZE") or not len(maker.inputs):
            break
        tensor = int(maker.inputs[0])
    return tensors.get((s, tensor))


def _dims(shape) -> str:
    return "x".join(str(d) for d in shape) or "scalar"


def short(name: str, width: int = 48) -> str:
    """The first of a tensor's names, or its end."""
    first = printable(name.split(";")[0])
    return first if len(first) <= width else "..." + first[3 - width :]


def _table(rows: list[tuple[str, ...]], right: int) -> str:
    """Aligned columns; from column `right` on they are numbers, aligned to the right."""
    widths = [max(len(row[c]) for row in rows) for c in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.rjust(width) if column >= right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])
