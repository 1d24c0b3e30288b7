"""What a `.tflite` network multiplies: its layers, with shapes and multiply-adds."""

from __future__ import annotations

import dataclasses

import numpy as np

from sbnn_tf.convert import densify, flatbuffer
from sbnn_tf.convert.graph import CONV, DEPTHWISE, FULLY_CONNECTED, constant, op_name

OPS = {CONV: "conv", DEPTHWISE: "dw", FULLY_CONNECTED: "fc"}


@dataclasses.dataclass(frozen=True)
class Layer:
    """A convolution or fully connected layer with constant weights.

    Attributes:
      op: "conv", "dw" or "fc".
      height, width: of the input, without what was padded: stride x those of the output. Of "fc",
        1 and its rows.
      inputs, outputs: channels.
      kernel, stride: of a square window; those of its height, where it is not square.
      macs: multiply-adds an inference, zeros included.
      kept_macs: without those whose weight is zero.
    """

    op: str
    height: int
    width: int
    inputs: int
    outputs: int
    kernel: int
    stride: int
    macs: int
    kept_macs: int


def layers(model: bytes) -> list[Layer]:
    """The layers of the first subgraph of a `.tflite` model, in the order of its operators."""
    parsed = flatbuffer.read(densify(model))
    graph = parsed.subgraphs[0]
    found = []
    for op in graph.operators:
        kind = OPS.get(op_name(parsed, op))
        if kind is None:
            continue
        x, filter_, y = (graph.tensors[i] for i in (op.inputs[0], op.inputs[1], op.outputs[0]))
        weights = constant(parsed, filter_)
        if weights is None:
            continue
        # How often each weight is used: once for each output pixel of each image.
        pixels = int(np.prod(y.shape[:-1]))
        stride_h, stride_w = 1, 1
        if kind != "fc":
            stride_h, stride_w = op.builtinOptions.strideH, op.builtinOptions.strideW
        found.append(
            Layer(
                op=kind,
                height=1 if kind == "fc" else int(y.shape[1]) * stride_h,
                width=pixels if kind == "fc" else int(y.shape[2]) * stride_w,
                inputs=int(x.shape[-1]),
                outputs=int(y.shape[-1]),
                kernel=1 if kind == "fc" else int(weights.shape[1]),
                stride=stride_h,
                macs=weights.size * pixels,
                kept_macs=int(np.count_nonzero(weights)) * pixels,
            )
        )
    return found


def macs(model: bytes) -> tuple[int, int]:
    """All multiply-adds of an inference, and those whose weight is not zero."""
    found = layers(model)
    return sum(layer.macs for layer in found), sum(layer.kept_macs for layer in found)
