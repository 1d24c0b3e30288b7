"""Read and write `.tflite` flatbuffers as the object tree of the TFLite schema (`ModelT`).

A file that was read is checked once, here: every index in it points at something. The rewrites
may therefore follow indices without looking. The schema's Python code comes with ai-edge-litert,
or else with TensorFlow; no other package is needed.
"""

from __future__ import annotations

import importlib.util
import struct
from functools import cache
from types import ModuleType, SimpleNamespace

import flatbuffers
import flatbuffers.table
import numpy as np

from sbnn_tf.convert import behind
from sbnn_tf.errors import SbnnError

IDENTIFIER = b"TFL3"
# The operators whose first input and output the rewrites follow.
REWRITTEN = (
    "BATCH_MATMUL",
    "CONV_2D",
    "DENSIFY",
    "DEPTHWISE_CONV_2D",
    "DEQUANTIZE",
    "FULLY_CONNECTED",
    "PACK",
    "RESHAPE",
    "SELECT_V2",
    "SHAPE",
    "SOFTMAX",
    "TRANSPOSE_CONV",
)
# Flatbuffer offsets are 31 bits; what is not a buffer's data needs some room too.
MAX_BYTES = 2**31 - 2**24
# A metadata entry of files whose data lies behind the flatbuffer.
BUFFER_LOCATION = b"buffer_location"
# TFLite maps tensor data in place and expects it at this alignment (schema: force_align).
DATA_ALIGNMENT = 16


class _File(np.ndarray):
    """The bytes of a file, which keep how far they were read: there the flatbuffer ends.

    A small file in which everything is referred to over and over could keep a reader busy for
    ever: what is read costs, and each byte of the file allows for so much.
    """

    end = 0
    cost = 0

    def seen(self, end: int, cost: int = 0) -> None:
        self.end = max(self.end, end)
        self.cost += cost
        if self.cost > _COST_OF_A_BYTE * min(self.size, _MOST_OF_TABLES) + _COST_OF_A_TABLE**2:
            raise ValueError("its parts are referred to over and over")


class _Table(flatbuffers.table.Table):
    """Tells its file what belongs to the flatbuffer."""

    def __init__(self, buf: _File, pos: int):
        super().__init__(buf, pos)
        types = flatbuffers.number_types
        vtable = pos - self.Get(types.SOffsetTFlags, pos)
        size, fields = (self.Get(types.VOffsetTFlags, vtable + 2 * i) for i in (0, 1))
        buf.seen(max(vtable + size, pos + fields), _COST_OF_A_TABLE)

    def String(self, off):  # noqa: N802
        found = super().String(off)
        self.Bytes.seen(self.Indirect(off) + 4 + len(found) + 1, len(found))
        return found

    def VectorLen(self, off):  # noqa: N802
        length = super().VectorLen(off)
        self.Bytes.seen(self.Vector(off))
        return length

    def GetVectorAsNumpy(self, flags, off):  # noqa: N802
        found = super().GetVectorAsNumpy(flags, off)
        self.Bytes.seen(self.Vector(off) + found.nbytes)
        return found

    def Indirect(self, off):  # noqa: N802
        self.Bytes.seen(off + 4)
        return super().Indirect(off)


# A table takes 8 bytes or more, and is read three times: an honest file stays far below the limit.
_COST_OF_A_TABLE = 64
_COST_OF_A_BYTE = 64
_MOST_OF_TABLES = 2**22  # bytes; what is more in a file is data


@cache
def schema() -> ModuleType:
    """The module generated from TFLite's schema: a copy of our own, which reads by `_Table`.

    Raises:
      SbnnError: neither ai-edge-litert nor TensorFlow is installed.
    """
    for package in ("ai_edge_litert", "tensorflow.lite.python"):
        try:
            spec = importlib.util.find_spec(f"{package}.schema_py_generated")
        except ImportError:
            continue
        if spec is not None:
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            module.flatbuffers = SimpleNamespace(**vars(flatbuffers))
            module.flatbuffers.table = SimpleNamespace(Table=_Table)
            return module
    raise SbnnError(
        "reading a .tflite file needs the package ai-edge-litert or tensorflow, and found "
        "neither: pip install ai-edge-litert"
    )


def read(data: bytes):
    """Parse the bytes of a `.tflite` file.

    Data that lies behind the flatbuffer (buffers with an offset) is brought into its buffer.

    Args:
      data: the whole file.

    Returns:
      A `ModelT` whose arrays are read-only views of `data`, with all lists present and all
      indices within range. Its attribute `behind` has what else lies behind the flatbuffer, for
      `write`: a zip of labels, say.

    Raises:
      SbnnError: not a `.tflite` file, truncated, damaged, or newer than the installed schema.
    """
    data = bytes(data)
    file = np.frombuffer(data, np.uint8).view(_File)
    if len(data) < 8 or data[4:8] != IDENTIFIER:
        found = data[4:8] if len(data) >= 8 else data
        raise SbnnError(
            f"not a .tflite model: expected the identifier {IDENTIFIER!r} at byte 4, found "
            f"{found!r} in {len(data)} bytes"
        )
    try:
        root = schema().Model.GetRootAs(file, 0)
        _reject_unknown_fields(root)
        model = schema().ModelT.InitFromObj(root)
        model.behind = behind.find(data, file.end, _inline(model, data))
        _check(model)
    except SbnnError:
        raise
    except (
        struct.error,
        ArithmeticError,
        AttributeError,
        LookupError,
        MemoryError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        # The generated readers follow offsets blindly; any of these means one led nowhere.
        raise SbnnError(
            f"damaged or truncated .tflite model of {len(data)} bytes: expected a flatbuffer "
            f"that can be followed to its end ({type(error).__name__}: {error}); "
            "copy or export the file again"
        ) from error
    return model


def write(model) -> bytes:
    """Pack a `ModelT` into the bytes of a `.tflite` file, with what was behind the one it is from.

    Raises:
      SbnnError: the model does not fit a flatbuffer (2 GB).
    """
    size = sum(len(b.data) for b in model.buffers if b.data is not None)
    if size > MAX_BYTES:
        raise SbnnError(
            f"the model's constants take {size} bytes, and one .tflite file holds at most "
            f"{MAX_BYTES}: split the model or store its weights as float16"
        )
    builder = _Builder(size + 2**16)
    try:
        builder.Finish(model.Pack(builder), IDENTIFIER)
    except (struct.error, AttributeError, TypeError, ValueError, OverflowError) as error:
        # Values that no writer of the format can produce, found only when written again.
        raise SbnnError(f"the model cannot be written as .tflite: {error}") from error
    return behind.append(bytes(builder.Output()), getattr(model, "behind", ()))


class _Builder(flatbuffers.Builder):
    """Keeps the alignment that the schema asks for; the generated Python code ignores it."""

    def StartVector(self, elemSize, numElems, alignment):  # noqa: N802, N803
        byte_data = elemSize == 1
        return super().StartVector(
            elemSize, numElems, DATA_ALIGNMENT if byte_data else max(alignment, 4)
        )


def _reject_unknown_fields(root) -> None:
    """Refuse a file with fields that the installed schema would silently drop."""
    s = schema()
    tables = [(s.ModelStart, root)]
    for subgraph in (root.Subgraphs(i) for i in range(root.SubgraphsLength())):
        tables.append((s.SubGraphStart, subgraph))
        tables += ((s.TensorStart, subgraph.Tensors(i)) for i in range(subgraph.TensorsLength()))
        tables += (
            (s.OperatorStart, subgraph.Operators(i)) for i in range(subgraph.OperatorsLength())
        )
    for start, table in tables:
        tab = table._tab
        vtable = tab.Pos - struct.unpack_from("<i", tab.Bytes, tab.Pos)[0]
        fields = (struct.unpack_from("<H", tab.Bytes, vtable)[0] - 4) // 2
        if fields > _known_fields(start):
            raise SbnnError(
                f"the model uses fields that the installed TFLite schema does not know "
                f"({start.__name__[:-5]} has {fields}, expected at most {_known_fields(start)}): "
                "it is damaged, or newer than the installed ai-edge-litert; upgrade that"
            )


@cache
def _known_fields(start) -> int:
    builder = flatbuffers.Builder(0)
    start(builder)
    return len(builder.current_vtable)


def _inline(model, data: bytes) -> list[tuple[int, int]]:
    """Bring data from behind the flatbuffer into it; returns (start, stop) of each."""
    read = []

    def outside(offset: int, size: int, what: str) -> np.ndarray:
        if offset + size > len(data):
            raise SbnnError(
                f"truncated .tflite model: {what} lies at bytes {offset} to {offset + size}, "
                f"and the file has {len(data)}"
            )
        read.append((offset, offset + size))
        return np.frombuffer(data, np.uint8, size, offset)

    for index, buffer in enumerate(model.buffers or []):
        if buffer.offset > 1:
            buffer.data = outside(buffer.offset, buffer.size, f"buffer {index}")
        buffer.offset = buffer.size = 0
    for subgraph in model.subgraphs or []:
        for index, op in enumerate(subgraph.operators or []):
            if op.largeCustomOptionsOffset > 1:
                op.customOptions = outside(
                    op.largeCustomOptionsOffset, op.largeCustomOptionsSize, f"node {index}"
                )
            op.largeCustomOptionsOffset = op.largeCustomOptionsSize = 0
    model.metadata = [m for m in model.metadata or [] if m.name != BUFFER_LOCATION]
    return read


def _check(model) -> None:
    """Check every index of the model, and replace absent lists by empty ones."""
    model.operatorCodes = model.operatorCodes or []
    model.buffers = model.buffers or []
    model.signatureDefs = model.signatureDefs or []
    if not model.subgraphs:
        raise SbnnError("the model has no subgraph: expected at least one")

    def within(indices, low: int, end: int, what: str) -> None:
        for index in indices:
            if not low <= index < end:
                raise SbnnError(
                    f"damaged .tflite model: {what} is {index}, expected {low} to {end - 1}"
                )

    rewritten = [getattr(schema().BuiltinOperator, name) for name in REWRITTEN]
    for s, subgraph in enumerate(model.subgraphs):
        subgraph.tensors = subgraph.tensors or []
        subgraph.operators = subgraph.operators or []
        subgraph.inputs = _indices(subgraph.inputs)
        subgraph.outputs = _indices(subgraph.outputs)
        tensors = len(subgraph.tensors)
        within(subgraph.inputs, 0, tensors, f"an input of subgraph {s}")
        within(subgraph.outputs, 0, tensors, f"an output of subgraph {s}")
        for t, tensor in enumerate(subgraph.tensors):
            tensor.shape = _indices(tensor.shape)
            within([tensor.buffer], 0, len(model.buffers), f"the buffer of tensor {t}")
            within(tensor.shape, 0, 2**31, f"a dimension of tensor {t}")
        for o, op in enumerate(subgraph.operators):
            op.inputs = _indices(op.inputs)
            op.outputs = _indices(op.outputs)
            within([op.opcodeIndex], 0, len(model.operatorCodes), f"the operator code of node {o}")
            within(op.inputs, -1, tensors, f"an input of node {o}")
            within(op.outputs, 0, tensors, f"an output of node {o}")
            code = model.operatorCodes[op.opcodeIndex]
            if max(code.builtinCode, code.deprecatedBuiltinCode) in rewritten and not (
                len(op.inputs) and len(op.outputs)
            ):
                raise SbnnError(f"damaged .tflite model: node {o} has no input or no output")
            for kind, options in (
                (op.builtinOptionsType, op.builtinOptions),
                (op.builtinOptions2Type, op.builtinOptions2),
            ):
                if kind and options is None:
                    raise SbnnError(
                        f"node {o} has options of the unknown kind {kind}: the model is damaged, "
                        "or newer than the installed ai-edge-litert; upgrade that"
                    )
    for entry in model.metadata:
        within([entry.buffer], 0, len(model.buffers), "the buffer of a metadata entry")
    for signature in model.signatureDefs:
        within([signature.subgraphIndex], 0, len(model.subgraphs), "the subgraph of a signature")
        tensors = len(model.subgraphs[signature.subgraphIndex].tensors)
        for entry in (signature.inputs or []) + (signature.outputs or []):
            within([entry.tensorIndex], 0, tensors, "a tensor of a signature")


def _indices(values) -> np.ndarray:
    """An int32 array; absent vectors read as empty ones."""
    return np.asarray([] if values is None else values, np.int32)
