"""Add and remove operators, keeping what refers to them right."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.convert.graph import text
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


def add_constant(model, subgraph, name: str, values: np.ndarray) -> int:
    """Add a list of int32 to a subgraph; returns its tensor's index."""
    s = schema()
    buffer = s.BufferT()
    buffer.data = np.asarray(values, "<i4").view(np.uint8)
    model.buffers.append(buffer)
    tensor = s.TensorT()
    tensor.name = name
    tensor.type = s.TensorType.INT32
    tensor.shape = np.array([len(values)], np.int32)
    tensor.buffer = len(model.buffers) - 1
    subgraph.tensors.append(tensor)
    return len(subgraph.tensors) - 1


def insert_front(model, subgraph: int, op) -> None:
    """Make `op` the first to run in a subgraph."""
    operators = model.subgraphs[subgraph].operators
    operators.insert(0, op)
    _renumber(model, subgraph, {old: old + 1 for old in range(len(operators) - 1)})


def remove(model, subgraph: int, nodes: Collection[int]) -> None:
    """Remove the operators of these indices from a subgraph."""
    operators = model.subgraphs[subgraph].operators
    kept = [i for i in range(len(operators)) if i not in nodes]
    operators[:] = [operators[i] for i in kept]
    _renumber(model, subgraph, {old: new for new, old in enumerate(kept)})


def _renumber(model, subgraph: int, new_index: dict[int, int]) -> None:
    """Carry new node indices into the control edges, if the model has any.

    An edge at a removed node goes: only nodes without effects are ever removed.
    """
    for entry in model.metadata:
        if text(entry.name) == CONTROL_EDGES:
            buffer = model.buffers[entry.buffer]
            edges = _read_edges(bytes(buffer.data if buffer.data is not None else b""))
            if subgraph < len(edges):
                edges[subgraph] = [
                    (new_index[a], new_index[b])
                    for a, b in edges[subgraph]
                    if a in new_index and b in new_index
                ]
            buffer.data = np.frombuffer(_write_edges(edges), np.uint8)


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
