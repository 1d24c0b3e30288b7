"""Add and remove operators, keeping what refers to them right."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from sbnn_tf.convert import shapes
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.convert.graph import Uses, op_name, text
from sbnn_tf.errors import SbnnError

# TFLite keeps ordering constraints between nodes, by index, in a metadata entry of this name.
CONTROL_EDGES = "model_control_dependencies"
CONTROL_EDGES_VERSION = 1
# Operator codes above it are not in the field that old readers look at.
OLD_CODES_END = 127


def operator_code(model, builtin: int, version: int = 1) -> int:
    """The index of a builtin operator among the model's operator codes; made if new."""
    for index, code in enumerate(model.operatorCodes):
        same = max(code.builtinCode, code.deprecatedBuiltinCode) == builtin
        if same and code.version == version:
            return index
    code = schema().OperatorCodeT()
    code.builtinCode = builtin
    code.deprecatedBuiltinCode = min(builtin, OLD_CODES_END)
    code.version = version
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def drop_unused_codes(model) -> None:
    """Leave out the operator codes that no operator has; rewrites may have made or unused some."""
    ops = [op for subgraph in model.subgraphs for op in subgraph.operators]
    used = sorted({op.opcodeIndex for op in ops})
    model.operatorCodes = [model.operatorCodes[i] for i in used]
    for op in ops:
        op.opcodeIndex = used.index(op.opcodeIndex)


def add_tensor(subgraph, name: str, kind: str, sizes: Sequence[int | None]) -> int:
    """Add a tensor that is computed; returns its index.

    Args:
      kind: its type, as the schema names it.
      sizes: its dimensions, None for those that are open.
    """
    tensor = schema().TensorT(name=name, hasRank=True, type=getattr(schema().TensorType, kind))
    shapes.set_sizes(tensor, sizes)
    subgraph.tensors.append(tensor)
    return len(subgraph.tensors) - 1


def add_constant(model, subgraph, name: str, values: np.ndarray) -> int:
    """Add numbers to a subgraph, floats as float32 and others as int32; returns their tensor."""
    values = np.asarray(values)
    kind = "FLOAT32" if values.dtype.kind == "f" else "INT32"
    index = add_tensor(subgraph, name, kind, values.shape)
    data = np.ascontiguousarray(values, "<f4" if kind == "FLOAT32" else "<i4")
    model.buffers.append(schema().BufferT(data=data.reshape(-1).view(np.uint8)))
    subgraph.tensors[index].buffer = len(model.buffers) - 1
    return index


def set_operator(model, op, name: str, inputs, outputs, options=None) -> None:
    """Make an operator one of the first version of its kind."""
    s = schema()
    op.opcodeIndex = operator_code(model, getattr(s.BuiltinOperator, name))
    op.inputs, op.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
    kind = "NONE" if options is None else type(options).__name__.removesuffix("T")
    op.builtinOptionsType, op.builtinOptions = getattr(s.BuiltinOptions, kind), options


def insert(model, subgraph: int, at: int, op) -> None:
    """Make `op` the operator of index `at` of a subgraph."""
    operators = model.subgraphs[subgraph].operators
    old = range(len(operators))
    operators.insert(at, op)
    _renumber(model, subgraph, {node: node + (node >= at) for node in old})


def remove(model, subgraph: int, nodes: Collection[int]) -> None:
    """Remove the operators of these indices from a subgraph."""
    operators = model.subgraphs[subgraph].operators
    kept = [i for i in range(len(operators)) if i not in nodes]
    operators[:] = [operators[i] for i in kept]
    _renumber(model, subgraph, {old: new for new, old in enumerate(kept)})


def move_to_front(model, subgraph: int, nodes: Collection[int]) -> None:
    """Make the operators of these indices the first ones; among themselves all keep their order."""
    operators = model.subgraphs[subgraph].operators
    order = sorted(range(len(operators)), key=lambda node: node not in nodes)
    operators[:] = [operators[node] for node in order]
    _renumber(model, subgraph, {old: new for new, old in enumerate(order)})


def held(model, subgraph: int) -> set[int]:
    """The operators whose order the model prescribes beyond what they read."""
    found: set[int] = set()
    for entry in model.metadata:
        if text(entry.name) == CONTROL_EDGES:
            edges = _edges(model, entry)
            found.update(
                node for pairs in edges[subgraph : subgraph + 1] for node in sum(pairs, ())
            )
    return found


def remove_unread(model, subgraph: int, names: Collection[str]) -> None:
    """Remove the operators of these names whose outputs nobody reads, and then those before them."""
    operators = model.subgraphs[subgraph].operators
    while True:
        uses = Uses(model.subgraphs[subgraph])
        unread = {
            i for i, op in enumerate(operators) if op_name(model, op) in names and uses.unread(op)
        }
        if not unread:
            return
        remove(model, subgraph, unread)


def _renumber(model, subgraph: int, new_index: dict[int, int]) -> None:
    """Carry new node indices into the control edges, if the model has any.

    An edge at a removed node goes: only nodes without effects are ever removed.
    """
    for entry in model.metadata:
        if text(entry.name) == CONTROL_EDGES:
            edges = _edges(model, entry)
            if subgraph < len(edges):
                edges[subgraph] = [
                    (new_index[a], new_index[b])
                    for a, b in edges[subgraph]
                    if a in new_index and b in new_index
                ]
            model.buffers[entry.buffer].data = np.frombuffer(_write_edges(edges), np.uint8)


def _edges(model, entry) -> list[list[tuple[int, int]]]:
    """What a metadata entry of control edges holds: pairs of nodes, for each subgraph."""
    data = model.buffers[entry.buffer].data
    return _read_edges(bytes(data if data is not None else b""))


def _read_edges(data: bytes) -> list[list[tuple[int, int]]]:
    stream = iter(data)

    def unsigned() -> int:
        value = shift = 0
        for byte in stream:
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
        raise SbnnError(f"damaged .tflite model: metadata {CONTROL_EDGES!r} ends too early")

    def signed() -> int:
        value = unsigned()
        return -(value >> 1) - 1 if value & 1 else value >> 1

    version = unsigned()
    if version != CONTROL_EDGES_VERSION:
        raise SbnnError(
            f"metadata {CONTROL_EDGES!r}: expected version {CONTROL_EDGES_VERSION}, found {version}"
        )
    return [[(signed(), signed()) for _ in range(unsigned())] for _ in range(unsigned())]


def _write_edges(edges: list[list[tuple[int, int]]]) -> bytes:
    out = bytearray()

    def unsigned(value: int) -> None:
        while value > 127:
            out.append(value & 127 | 128)
            value >>= 7
        out.append(value)

    def signed(value: int) -> None:
        unsigned(-(value + 1) * 2 + 1 if value < 0 else value * 2)

    unsigned(CONTROL_EDGES_VERSION)
    unsigned(len(edges))
    for subgraph in edges:
        unsigned(len(subgraph))
        for pair in subgraph:
            for node in pair:
                signed(node)
    return bytes(out)
