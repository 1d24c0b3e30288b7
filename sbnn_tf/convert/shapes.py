"""Sizes that TFLite's converter lost: of a tensor, by what its operator reads.

Where a size goes through a computed shape, the converter takes it for unknown, and so are all that
follow from it. Once the computed shape is constant they can be told again. (The runtime finds them
by itself when it prepares the operators; who reads the file does not.)
"""

from __future__ import annotations

import numpy as np

from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.convert.graph import CONV, DEPTHWISE, constant, op_name

# A size that is open is None.
Sizes = list[int | None]

WINDOWS = (CONV, DEPTHWISE, "AVERAGE_POOL_2D", "MAX_POOL_2D")
SAME_SHAPE = (
    "ABS",
    "DEQUANTIZE",
    "ELU",
    "EXP",
    "GELU",
    "HARD_SWISH",
    "LEAKY_RELU",
    "LOGISTIC",
    "PRELU",
    "QUANTIZE",
    "RELU",
    "RELU6",
    "SOFTMAX",
    "TANH",
)
BINARY = ("ADD", "DIV", "MAXIMUM", "MINIMUM", "MUL", "SUB")


def sizes(tensor) -> Sizes:
    """A tensor's dimensions, the batch of a dynamic one among what is None."""
    signature = tensor.shapeSignature
    known = tensor.shape if signature is None or not len(signature) else signature
    return [int(n) if n >= 0 else None for n in known]


def set_sizes(tensor, found: Sizes) -> None:
    tensor.shape = np.array([1 if n is None else n for n in found], np.int32)
    if None in found:
        tensor.shapeSignature = np.array([-1 if n is None else n for n in found], np.int32)
    else:
        tensor.shapeSignature = None


def infer(model, subgraph, op) -> None:
    """Tell the open sizes of an operator's output, where they follow from its inputs."""
    if len(op.outputs) != 1:
        return
    y = subgraph.tensors[op.outputs[0]]
    before = sizes(y)
    if None not in before[1:]:
        return
    inputs = [subgraph.tensors[t] for t in op.inputs if t >= 0]
    found = _found(model, op_name(model, op), op, inputs)
    if found is None or len(found) != len(before):
        return
    both = [b if b is not None else f for b, f in zip(before, found)]
    if any(f not in (None, b) for f, b in zip(found, both)):
        return  # the file says otherwise
    set_sizes(y, both)


def _found(model, name: str, op, inputs) -> Sizes | None:
    options = op.builtinOptions
    first = sizes(inputs[0]) if inputs else []
    if name in SAME_SHAPE:
        return first
    if name in BINARY and len(inputs) == 2:
        return broadcast(first, sizes(inputs[1]))
    if name in WINDOWS and len(first) == 4 and options is not None:
        if name in (CONV, DEPTHWISE):
            window = [int(n) for n in inputs[1].shape[1:3]]
            dilation = options.dilationHFactor or 1, options.dilationWFactor or 1
        else:
            window = [options.filterHeight, options.filterWidth]
            dilation = 1, 1
        strides = options.strideH, options.strideW
        same = options.padding == schema().Padding.SAME
        image = [
            None if n is None else _places(n, (k - 1) * d + 1, s, same)
            for n, k, d, s in zip(first[1:3], window, dilation, strides)
        ]
        return [first[0], *image, None]  # (Channels are known.)
    if name == "BATCH_MATMUL" and len(inputs) == 2 and options is not None:
        return _product(first, sizes(inputs[1]), options.adjX, options.adjY)
    if name == "TRANSPOSE" and len(inputs) == 2:
        order = constant(model, inputs[1])
        valid = order is not None and set(order.reshape(-1)) == set(range(len(first)))
        return [first[i] for i in order.reshape(-1)] if valid else None
    if name == "CONCATENATION" and options is not None:
        return _joined([sizes(t) for t in inputs], options.axis)
    if name in ("EXPAND_DIMS", "MIRROR_PAD", "PAD", "PADV2", "TILE") and len(inputs) >= 2:
        values = constant(model, inputs[1])
        if values is None:
            return None
        if name.endswith(("PAD", "PADV2")):
            around = values.reshape(-1, 2).sum(axis=1)
            return [None if n is None else n + int(m) for n, m in zip(first, around)]
        if name == "TILE":
            return [None if n is None else n * int(k) for n, k in zip(first, values.reshape(-1))]
        axis = int(values.reshape(-1)[0])
        axis += len(first) + 1 if axis < 0 else 0
        return [*first[:axis], 1, *first[axis:]]
    return None


def _places(size: int, reach: int, stride: int, same: bool) -> int:
    """Of a window on an axis, as TensorFlow counts them."""
    return -(-size // stride) if same else (size - reach + stride) // stride


def broadcast(a: Sizes, b: Sizes) -> Sizes:
    """Of an operator on two operands that are stretched to each other."""
    length = max(len(a), len(b))
    a, b = [1] * (length - len(a)) + a, [1] * (length - len(b)) + b
    # (Beside an open size another one may be 1, and be stretched.)
    return [m if n == 1 else n if m == 1 or m == n else None for n, m in zip(a, b)]


def _product(a: Sizes, b: Sizes, transpose_a: bool, transpose_b: bool) -> Sizes | None:
    if min(len(a), len(b)) < 2:
        return None
    rows, columns = a[-1 if transpose_a else -2], b[-2 if transpose_b else -1]
    return [*broadcast(a[:-2], b[:-2]), rows, columns]


def _joined(all_sizes: list[Sizes], axis: int) -> Sizes | None:
    rank = len(all_sizes[0])
    if any(len(each) != rank for each in all_sizes):
        return None
    joined: Sizes = []
    for i, along in enumerate(zip(*all_sizes)):
        if i == axis % rank:
            joined.append(None if None in along else sum(along))
        else:
            joined.append(next((n for n in along if n is not None), None))
    return joined
