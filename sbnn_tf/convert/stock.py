"""What stock TFLite computes with a filter that DENSIFY makes, and where it fails.

Its XNNPACK delegate expands constants itself: it takes DENSIFY and DEQUANTIZE away with the nodes
that read them, and leaves them in place for nodes that it does not take. Of a chain of both it
takes DENSIFY away even so, and the DEQUANTIZE that stays reads memory that nobody has written (seen
in TFLite 2.21 and ai-edge-litert 2.1). So behind DEQUANTIZE a filter may be sparse only where every
reader is one that XNNPACK surely takes.
"""

from __future__ import annotations

import numpy as np

from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.convert.graph import (
    CONV,
    DEPTHWISE,
    FULLY_CONNECTED,
    TRANSPOSE_CONV,
    Uses,
    Weight,
    constant,
    dtype,
    is_constant,
    op_name,
    text,
)

# By operator: the position of its data among its inputs.
_DATA = {CONV: 0, DEPTHWISE: 0, FULLY_CONNECTED: 0, TRANSPOSE_CONV: 2}
_OPTIONS = {
    CONV: "Conv2DOptionsT",
    DEPTHWISE: "DepthwiseConv2DOptionsT",
    FULLY_CONNECTED: "FullyConnectedOptionsT",
    TRANSPOSE_CONV: "TransposeConvOptionsT",
}
# The operators whose float16 constants XNNPACK reads as they are.
_READ_FLOAT16 = (CONV, DEPTHWISE, FULLY_CONNECTED)


def refusal(model, uses: Uses, weight: Weight) -> str:
    """Why stock TFLite would not compute the same with this filter behind DENSIFY; "" if it does.

    Args:
      uses: of the weight's subgraph.
    """
    subgraph = model.subgraphs[weight.subgraph]
    nodes = [subgraph.operators[n] for n in weight.nodes]
    if weight.values.dtype == np.int8:
        inputs = [subgraph.tensors[op.inputs[_DATA[weight.kind]]] for op in nodes]
        if weight.kind != CONV or any(dtype(tensor) != np.int8 for tensor in inputs):
            return "XNNPACK takes int8 filters behind DENSIFY, but prepares CONV_2D in int8 alone"
    if weight.values.dtype == np.float16:
        for op in nodes:
            if reason := _left(model, subgraph, uses, op):
                output = text(subgraph.tensors[op.outputs[0]].name)
                return f"XNNPACK may leave {weight.kind} {output!r}: {reason}"
    return ""


def misread(model) -> set[tuple[int, int]]:
    """The sparse tensors, as (subgraph, tensor), that stock TFLite may read wrongly.

    Those are float16 filters behind DEQUANTIZE, and outputs of the graph, in a file that somebody
    else has written.
    """
    found = set()
    for s, subgraph in enumerate(model.subgraphs):
        uses = Uses(subgraph)
        for op in subgraph.operators:
            if op_name(model, op) == "DENSIFY" and _misread(model, subgraph, uses, op.outputs[0]):
                found.add((s, int(op.inputs[0])))
    return found


def _misread(model, subgraph, uses: Uses, dense: int) -> bool:
    if int(dense) in uses.boundary:
        return True  # XNNPACK takes the DENSIFY away, and nobody writes the graph's output
    for node, _ in uses.consumers[int(dense)]:
        unpack = subgraph.operators[node]
        if op_name(model, unpack) != "DEQUANTIZE":
            continue
        for reader, position in uses.consumers[int(unpack.outputs[0])]:
            op = subgraph.operators[reader]
            known = op_name(model, op) in _DATA and position == 1
            if known and _left(model, subgraph, uses, op):
                return True
    return False


def _left(model, subgraph, uses: Uses, op) -> str:
    """Why XNNPACK may leave a node with a float16 filter to TFLite; "" if it surely takes it."""
    kind, options = op_name(model, op), op.builtinOptions
    inputs = [*map(int, op.inputs), -1, -1]  # the last ones may be left out
    data, filter_, output = (
        subgraph.tensors[t] for t in (inputs[_DATA[kind]], inputs[1], op.outputs[0])
    )
    bias = inputs[3 if kind == TRANSPOSE_CONV else 2]
    if min(inputs[0], inputs[_DATA[kind]]) < 0 or type(options).__name__ != _OPTIONS[kind]:
        return "its inputs or options are incomplete"
    if {dtype(data), dtype(output)} != {np.dtype(np.float32)}:
        return "expected float32 in and out"
    if options.fusedActivationFunction not in _clamps():
        return "its fused activation is no clamp"
    for tensor in (data, output) if kind == FULLY_CONNECTED else (data, output, filter_):
        if not len(tensor.shape) or min(tensor.shape) < 1:
            return "its shape is not known before it runs"
        if len(tensor.shape) != 4 and kind != FULLY_CONNECTED:
            return "its shape is not that of images"
    if kind == FULLY_CONNECTED and options.weightsFormat:
        return "its weights are shuffled"
    if kind in (CONV, TRANSPOSE_CONV) and data.shape[3] < filter_.shape[3]:
        return "the filter has more inputs than there are"
    if kind == TRANSPOSE_CONV:
        shape = constant(model, subgraph.tensors[inputs[0]])
        if shape is None:
            return "its output shape is computed (a model with a fixed batch has a constant one)"
        if not _follows(shape, options, data, filter_):
            return "its output shape is not that of its input and strides"
    if bias < 0:
        return "it has no bias" if kind in (CONV, DEPTHWISE) else ""
    values = subgraph.tensors[bias]
    if list(values.shape) != [filter_.shape[3 if kind == DEPTHWISE else 0]]:
        return "its bias is no vector of its outputs"
    float16 = _is_float16(model, subgraph, uses, bias)
    if kind == TRANSPOSE_CONV:
        return "" if float16 or is_constant(model, values) else "its bias is computed"
    readers = {op_name(model, subgraph.operators[n]) for n, at in uses.consumers[bias] if at > 0}
    if not float16 or any(at == 0 for _, at in uses.consumers[bias]) or readers - {*_READ_FLOAT16}:
        return "its bias is no float16 constant that only such nodes read"
    return ""


def _clamps() -> tuple[int, ...]:
    """The fused activations that XNNPACK knows."""
    kinds = schema().ActivationFunctionType
    return kinds.NONE, kinds.RELU, kinds.RELU6, kinds.RELU_N1_TO_1


def _is_float16(model, subgraph, uses: Uses, tensor: int) -> bool:
    """Whether this is a float16 constant behind DEQUANTIZE."""
    maker = uses.producer.get(tensor)
    if maker is None or op_name(model, subgraph.operators[maker]) != "DEQUANTIZE":
        return False
    stored = subgraph.tensors[subgraph.operators[maker].inputs[0]]
    return dtype(stored) == np.float16 and is_constant(model, stored)


def _follows(shape: np.ndarray, options, data, filter_) -> bool:
    """Whether this is an output shape of TRANSPOSE_CONV that XNNPACK expects."""
    if shape.shape != (4,) or shape[3] != filter_.shape[0]:
        return False
    window, strides = filter_.shape[1:3], (options.strideH, options.strideW)
    if options.padding == schema().Padding.VALID:
        return all(shape[1:3] >= window)
    return all(
        0 < stride <= size and -(-out // stride) == in_
        for stride, size, out, in_ in zip(strides, window, shape[1:3], data.shape[1:3])
    )
