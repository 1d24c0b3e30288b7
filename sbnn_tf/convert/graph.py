"""What the rewrites ask of a model's graph: operators, constants, uses, weights."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.errors import SbnnError

CONV, DEPTHWISE, FULLY_CONNECTED = "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"
TRANSPOSE_CONV = "TRANSPOSE_CONV"
NO_BUFFER = 0
WEIGHT_OPS = (CONV, DEPTHWISE, FULLY_CONNECTED, TRANSPOSE_CONV)


def op_name(model, op) -> str:
    """The name of an operator: `CONV_2D`, or a custom operator's own."""
    code = model.operatorCodes[op.opcodeIndex]
    # Files written before there were 127 operators have the code in the old field alone.
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    builtin = _names(schema().BuiltinOperator)
    if number == schema().BuiltinOperator.CUSTOM:
        name = text(code.customCode) or "CUSTOM"
        return f"custom {name}" if name in builtin.values() and name != "CUSTOM" else name
    return builtin.get(number, f"OPERATOR_{number}")


def type_name(tensor) -> str:
    """The name of a tensor's type in the schema, such as `FLOAT32`."""
    return _names(schema().TensorType).get(tensor.type, f"TYPE_{tensor.type}")


@cache
def _names(enumeration) -> dict[int, str]:
    return {v: k for k, v in vars(enumeration).items() if isinstance(v, int)}


def text(name: bytes | str | None) -> str:
    """A string of the flatbuffer as text; what is no UTF-8 is marked, not refused."""
    if name is None:
        return ""
    return name if isinstance(name, str) else name.decode("utf-8", "replace")


def dtype(tensor) -> np.dtype | None:
    """The numpy type of a tensor, or None where numpy has no such type."""
    known = {
        "FLOAT32": np.float32,
        "FLOAT16": np.float16,
        "FLOAT64": np.float64,
        "INT8": np.int8,
        "UINT8": np.uint8,
        "INT16": np.int16,
        "UINT16": np.uint16,
        "INT32": np.int32,
        "UINT32": np.uint32,
        "INT64": np.int64,
        "UINT64": np.uint64,
        "BOOL": np.bool_,
    }.get(type_name(tensor))
    return None if known is None else np.dtype(known)


def stored(model, tensor) -> np.ndarray | None:
    """A tensor's bytes in the file; None if there are none.

    To TFLite buffer 0 is the empty one, whatever is in it: its tensors are computed.
    """
    data = None if tensor.buffer == NO_BUFFER else model.buffers[tensor.buffer].data
    return None if data is None or not len(data) else np.asarray(data, np.uint8)


def is_constant(model, tensor) -> bool:
    """Whether the tensor's values are in the file."""
    return stored(model, tensor) is not None and not tensor.isVariable


def constant(model, tensor) -> np.ndarray | None:
    """The values of a dense constant in its shape (a view), or None if it is none.

    Raises:
      SbnnError: the buffer does not hold what the shape says.
    """
    kind = dtype(tensor)
    if kind is None or tensor.sparsity is not None or not is_constant(model, tensor):
        return None
    data = stored(model, tensor)
    shape = [int(d) for d in tensor.shape]
    wanted = math.prod(shape) * kind.itemsize
    if wanted != len(data):
        raise SbnnError(
            f"damaged .tflite model: tensor {text(tensor.name)!r} of shape {shape} needs {wanted} "
            f"bytes, and its buffer has {len(data)}"
        )
    return data.view(kind).reshape(shape)


def buffer_users(model) -> Counter[int]:
    """How many tensors and metadata entries refer to each buffer."""
    users = Counter(tensor.buffer for subgraph in model.subgraphs for tensor in subgraph.tensors)
    users.update(entry.buffer for entry in model.metadata)
    users.update(int(b) for b in ([] if model.metadataBuffer is None else model.metadataBuffer))
    return users


def set_data(model, changes: Sequence[tuple[object, np.ndarray]]) -> None:
    """Give tensors new values, without changing what others read from the buffers they share.

    Tensors that share a buffer and get the same values still share one.
    """
    by_buffer: dict[int, list[tuple[np.ndarray, list]]] = defaultdict(list)
    for tensor, values in changes:
        data = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
        for known, tensors in by_buffer[tensor.buffer]:
            if np.array_equal(known, data):
                tensors.append(tensor)
                break
        else:
            by_buffer[tensor.buffer].append((data, [tensor]))
    users = buffer_users(model)
    for buffer, groups in by_buffer.items():
        free = users[buffer] == sum(len(tensors) for _, tensors in groups) and buffer != NO_BUFFER
        for data, tensors in groups:
            if free:
                model.buffers[buffer].data, free = data, False
                continue
            model.buffers.append(schema().BufferT(data=data))
            for tensor in tensors:
                tensor.buffer = len(model.buffers) - 1


class Uses:
    """Who makes and who reads each tensor of one subgraph (as it was when this was made)."""

    def __init__(self, subgraph):
        self.producer: dict[int, int] = {}
        self.consumers: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for index, op in enumerate(subgraph.operators):
            for output in op.outputs:
                self.producer[int(output)] = index
            for position, tensor in enumerate(op.inputs):
                self.consumers[int(tensor)].append((index, position))
        self.boundary = {int(t) for t in (*subgraph.inputs, *subgraph.outputs)}

    def unread(self, op) -> bool:
        """Whether nobody reads what an operator makes, in the subgraph or outside."""
        return not any(self.consumers.get(int(t)) or int(t) in self.boundary for t in op.outputs)


@dataclass
class Weight:
    """A dense constant that serves as the filter of one kind of operator, and as nothing else.

    Attributes:
      subgraph, tensor: where it is.
      kind: `CONV_2D` or `TRANSPOSE_CONV` (OHWI), `DEPTHWISE_CONV_2D` (1HWC) or
        `FULLY_CONNECTED` (OI).
      nodes: the operators it is the filter of, directly or behind one DEQUANTIZE.
      values: as stored; float16 weights behind DEQUANTIZE are float16 here.
      names: the names of the constant and of the operators' outputs.
    """

    subgraph: int
    tensor: int
    kind: str
    values: np.ndarray
    nodes: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    @property
    def pointwise(self) -> bool:
        return self.kind == CONV and self.values.shape[1:3] == (1, 1)

    @property
    def operator(self) -> str:
        """What patterns call the operator: "conv", "depthwise" or "dense"."""
        return {DEPTHWISE: "depthwise", FULLY_CONNECTED: "dense"}.get(self.kind, "conv")

    @property
    def kernel_shape(self) -> tuple[int, ...]:
        """The shape as patterns have it: (*window, inputs, outputs)."""
        shape = self.values.shape
        if self.kind == DEPTHWISE:
            return (*shape[1:3], 1, shape[3])
        return (*shape[1:], shape[0])


def find_weights(model) -> list[Weight]:
    """All weights of a model, in the order in which the operators first use them."""
    return [w for s in range(len(model.subgraphs)) for w in _weights(model, s)]


def _weights(model, index: int) -> list[Weight]:
    subgraph = model.subgraphs[index]
    uses = Uses(subgraph)
    found = []
    for t, tensor in enumerate(subgraph.tensors):
        if not is_constant(model, tensor) or t in uses.boundary or t in uses.producer:
            continue
        readers = _readers(model, subgraph, uses, t)
        kinds = {op_name(model, subgraph.operators[node]) for node, _ in readers}
        if len(kinds) != 1 or any(position != 1 for _, position in readers):
            continue
        (kind,) = kinds
        rank = 2 if kind == FULLY_CONNECTED else 4
        if kind not in WEIGHT_OPS or len(tensor.shape) != rank:
            continue
        values = constant(model, tensor)
        if values is None or values.size == 0:
            continue
        nodes = sorted({node for node, _ in readers})
        names = [text(tensor.name)]
        names += [text(subgraph.tensors[subgraph.operators[n].outputs[0]].name) for n in nodes]
        found.append(Weight(index, t, kind, values, nodes, names))
    return sorted(found, key=lambda weight: weight.nodes[0])


def _readers(model, subgraph, uses: Uses, tensor: int) -> list[tuple[int, int]]:
    """(node, input position) of all readers; a float16 constant is followed through DEQUANTIZE."""
    readers = []
    for node, position in uses.consumers[tensor]:
        op = subgraph.operators[node]
        if type_name(subgraph.tensors[tensor]) == "FLOAT16" and op_name(model, op) == "DEQUANTIZE":
            output = int(op.outputs[0])
            if output in uses.boundary:
                return []
            readers += uses.consumers[output]
        else:
            readers.append((node, position))
    return readers
