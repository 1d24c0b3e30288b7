"""Small `.tflite` models made straight from the schema, without TensorFlow."""

from __future__ import annotations

import numpy as np

from sbnn_tf.convert import flatbuffer
from sbnn_tf.convert.flatbuffer import schema


class Flat:
    """A model under construction, with one subgraph at first; `model` is its `ModelT`."""

    def __init__(self):
        s = schema()
        self.model = s.ModelT(version=3, description="made by a test")
        self.model.operatorCodes = []
        self.model.buffers = [s.BufferT()]
        self.model.metadata = []
        self.model.signatureDefs = []
        self.model.subgraphs = []
        self.add_subgraph()

    def add_subgraph(self):
        graph = schema().SubGraphT(
            tensors=[], operators=[], name=f"graph{len(self.model.subgraphs)}"
        )
        graph.inputs = graph.outputs = np.zeros(0, np.int32)
        self.model.subgraphs.append(graph)
        self.graph = graph
        return graph

    def buffer(self, values: np.ndarray) -> int:
        data = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
        self.model.buffers.append(schema().BufferT(data=data))
        return len(self.model.buffers) - 1

    def tensor(self, name: str, shape, kind=np.float32, buffer: int = 0) -> int:
        """A shape's -1 is a size that is open, and 1 until somebody resizes it.

        The kind is numpy's, or one of the schema's names, such as "STRING".
        """
        s = schema()
        tensor = s.TensorT(name=name, buffer=buffer, hasRank=True)
        if not hasattr(s.TensorType, str(kind)):
            kind = np.dtype(kind).name.upper()
        tensor.type = getattr(s.TensorType, kind)
        tensor.shape = np.abs(np.array(shape, np.int32))
        if -1 in shape:
            tensor.shapeSignature = np.array(shape, np.int32)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def constant(self, name: str, values: np.ndarray) -> int:
        return self.tensor(name, values.shape, values.dtype, self.buffer(values))

    def node(self, name: str, inputs, outputs, options=None) -> None:
        s = schema()
        number = getattr(s.BuiltinOperator, name)
        code = s.OperatorCodeT(
            deprecatedBuiltinCode=min(number, 127), builtinCode=number, version=1
        )
        self.model.operatorCodes.append(code)
        op = s.OperatorT(opcodeIndex=len(self.model.operatorCodes) - 1)
        op.inputs, op.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
        if options is not None:
            op.builtinOptionsType = getattr(s.BuiltinOptions, type(options).__name__[:-1])
            op.builtinOptions = options
        self.graph.operators.append(op)

    def input(self, shape, kind=np.float32, name: str = "input") -> int:
        index = self.tensor(name, shape, kind)
        self.graph.inputs = np.append(self.graph.inputs, np.int32(index))
        return index

    def output(self, tensor: int) -> None:
        self.graph.outputs = np.append(self.graph.outputs, np.int32(tensor))

    def signature(self, key: str, inputs: dict[str, int], outputs: dict[str, int]) -> None:
        """Names tensors of the subgraph that was added last."""
        s = schema()
        lists = (
            [s.TensorMapT(name=name, tensorIndex=index) for name, index in named.items()]
            for named in (inputs, outputs)
        )
        index = self.model.subgraphs.index(self.graph)
        made = s.SignatureDefT(signatureKey=key, subgraphIndex=index)
        made.inputs, made.outputs = lists
        self.model.signatureDefs.append(made)

    def bias(self, outputs: int) -> int:
        return self.constant("bias", np.linspace(-1, 1, outputs, dtype=np.float32))

    def float16(self, name: str, values: np.ndarray) -> int:
        """A constant that is stored as float16, behind DEQUANTIZE."""
        stored = self.constant(f"{name}/float16", values.astype(np.float16))
        y = self.tensor(name, values.shape)
        self.node("DEQUANTIZE", [stored], [y], schema().DequantizeOptionsT())
        return y

    def int8(self, name: str, values: np.ndarray) -> int:
        """A filter (outputs, ..., inputs) of int8, with a scale for each output."""
        largest = np.abs(values).reshape(len(values), -1).max(axis=1)
        scale = (largest / 127).astype(np.float32)
        steps = values / scale.reshape(-1, *[1] * (values.ndim - 1))
        index = self.constant(name, np.rint(steps).astype(np.int8))
        self.graph.tensors[index].quantization = schema().QuantizationParametersT(
            scale=scale, zeroPoint=np.zeros(len(values), np.int64)
        )
        return index

    def conv(
        self, x: int, weight: int, name: str = "", *, bias: int | None = None, activation: int = 0
    ) -> int:
        """CONV_2D, SAME, stride 1."""
        batch, height, width, _ = self.graph.tensors[x].shape
        outputs = self.graph.tensors[weight].shape[0]
        y = self.tensor(name or f"conv{len(self.graph.operators)}", (batch, height, width, outputs))
        options = schema().Conv2DOptionsT(strideH=1, strideW=1, fusedActivationFunction=activation)
        bias = self.bias(outputs) if bias is None else bias
        self.node("CONV_2D", [x, weight, bias], [y], options)
        return y

    def dense(self, x: int, weight: int, *, bias: int | None = None) -> int:
        """FULLY_CONNECTED."""
        batch, outputs = self.graph.tensors[x].shape[0], self.graph.tensors[weight].shape[0]
        y = self.tensor(f"dense{len(self.graph.operators)}", (batch, outputs))
        options = schema().FullyConnectedOptionsT()
        bias = self.bias(outputs) if bias is None else bias
        self.node("FULLY_CONNECTED", [x, weight, bias], [y], options)
        return y

    def transpose_conv(
        self, x: int, weight: int, shape: int, *, bias: int | None = None, activation: int = 0
    ) -> int:
        """TRANSPOSE_CONV, SAME, stride 2, to the output shape in the tensor `shape`."""
        batch, height, width, _ = self.graph.tensors[x].shape
        outputs = self.graph.tensors[weight].shape[0]
        y = self.tensor(f"up{len(self.graph.operators)}", (batch, 2 * height, 2 * width, outputs))
        options = schema().TransposeConvOptionsT(
            strideH=2, strideW=2, fusedActivationFunction=activation
        )
        bias = self.bias(outputs) if bias is None else bias
        self.node("TRANSPOSE_CONV", [shape, weight, x, bias], [y], options)
        return y

    def computed_shape(self, x: int, *dims: int) -> int:
        """The batch of `x` and these dimensions, computed as TFLite's converter has it."""
        s = schema()
        number = len(self.graph.operators)
        shape = self.tensor(f"shape{number}", (len(self.graph.tensors[x].shape),), np.int32)
        self.node("SHAPE", [x], [shape], s.ShapeOptionsT(outType=s.TensorType.INT32))
        zero, one = (self.constant(f"{v}", np.array([v], np.int32)) for v in (0, 1))
        batch = self.tensor(f"batch{number}", (), np.int32)
        self.node(
            "STRIDED_SLICE",
            [shape, zero, one, one],
            [batch],
            s.StridedSliceOptionsT(shrinkAxisMask=1),
        )
        parts = [batch, *(self.constant(f"{d}", np.array(d, np.int32)) for d in dims)]
        packed = self.tensor(f"packed{number}", (len(parts),), np.int32)
        self.node("PACK", parts, [packed], s.PackOptionsT(valuesCount=len(parts)))
        return packed

    def bytes(self) -> bytes:
        return flatbuffer.write(self.model)


def chain(*filters: np.ndarray, size: int = 4) -> bytes:
    """A chain of convolutions on a (1, size, size, I) input, filters named f0, f1, ..."""
    flat = Flat()
    x = flat.input((1, size, size, filters[0].shape[-1]))
    for i, values in enumerate(filters):
        x = flat.conv(x, flat.constant(f"f{i}", values), f"layer{i}/out")
    flat.output(x)
    return flat.bytes()


def masked(
    *,
    hidden: float = -1e9,
    mask: np.ndarray | None = None,
    swapped: bool = False,
    less: bool = False,
    true: tuple[int, ...] | None = None,
    joined: np.ndarray | None = None,
    shape=(2, 3, 4),
    also_read: bool = False,
    zeroed: bool = False,
    softmax: bool = True,
    beta: float = 1,
) -> bytes:
    """SELECT_V2 and SOFTMAX of an input.

    Args:
      hidden: what stands for a hidden score, or is added to it (`less`).
      mask: a constant one; else it is the second input.
      swapped: the condition is true where scores are hidden.
      true: a part of the mask that is true, in this shape.
      joined: a constant that is part of it, too.
      also_read: what is masked is an output, too.
      zeroed: what is hidden becomes 0 behind the softmax; then comes a product.
      beta: of the softmax, if that is what comes (`softmax`).
    """
    s = schema()
    flat = Flat()
    x = flat.input(shape)
    condition = flat.input(shape, np.bool_) if mask is None else flat.constant("c", mask)
    for part in [None if true is None else np.ones(true, bool), joined]:
        if part is not None:
            both, constant = flat.tensor("both", shape, np.bool_), flat.constant("part", part)
            flat.node("LOGICAL_AND", [condition, constant], [both], s.LogicalAndOptionsT())
            condition = both
    other = flat.constant("hidden", np.float32(hidden))
    if less:
        amount, other = flat.constant("amount", np.float32(-hidden)), flat.tensor("less", shape)
        flat.node("SUB", [x, amount], [other], s.SubOptionsT())
    scores, y = flat.tensor("scores", shape), flat.tensor("y", shape)
    branches = [other, x] if swapped else [x, other]
    flat.node("SELECT_V2", [condition, *branches], [scores], s.SelectV2OptionsT())
    if softmax:
        flat.node("SOFTMAX", [scores], [y], s.SoftmaxOptionsT(beta=beta))
    else:
        flat.node("EXP", [scores], [y], s.ExpOptionsT())
    if zeroed:
        values = flat.constant("v", np.random.default_rng(0).random((1, 4, 5), np.float32))
        p, y, zero = y, flat.tensor("zeroed", shape), flat.constant("zero", np.float32(0))
        flat.node("SELECT_V2", [condition, p, zero], [y], s.SelectV2OptionsT())
        z, y = y, flat.tensor("product", (2, 3, 5))
        flat.node("BATCH_MATMUL", [z, values], [y], s.BatchMatMulOptionsT())
    flat.output(y)
    if also_read:
        flat.output(scores)
    return flat.bytes()


def group_sparse(shape, group: int, sparsity: float, seed: int = 0) -> np.ndarray:
    """Random float32 (O, ..., I), with exactly this share of columns of `group` outputs zero."""
    rng = np.random.default_rng(seed)
    values = rng.uniform(0.5, 1.5, shape) * rng.choice([-1, 1], shape)
    columns = shape[0] // group * int(np.prod(shape[1:]))
    keep = rng.permutation(columns) >= round(sparsity * columns)
    mask = np.repeat(keep.reshape(shape[0] // group, 1, *shape[1:]), group, axis=1).reshape(shape)
    return np.where(mask, values, 0).astype(np.float32)


def ops(data: bytes, subgraph: int = 0) -> list[str]:
    """The names of a subgraph's operators, in order."""
    from sbnn_tf.convert.graph import op_name

    model = flatbuffer.read(data)
    return [op_name(model, op) for op in model.subgraphs[subgraph].operators]
