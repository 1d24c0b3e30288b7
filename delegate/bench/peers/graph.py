"""A `.tflite` network as a plain chain of layers, from which files for other engines are made.

It covers MobileNet-v1: convolutions with their activation, a mean over the image, a reshape. Every
engine thus gets the same weights as TensorFlow Lite, folded batch norms and zeros included.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np

from sbnn_tf.convert import densify, flatbuffer
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.convert.graph import CONV, DEPTHWISE, constant, op_name
from sbnn_tf.errors import SbnnError


@dataclasses.dataclass(frozen=True)
class Layer:
    """One step of the chain.

    Attributes:
      op: "conv" (with a bias), "mean" (over height and width) or "flatten".
      weights: (outputs, inputs / groups, height, width).
      bias: (outputs,).
      stride, pads: of a convolution; pads are top, left, bottom, right.
      groups: 1, or the channels of a depthwise convolution.
      limits: (lowest, highest) of the activation; infinite where there is none.
      output: scale and zero point of what a step of a quantized network gives.
      scales: of such a convolution's weights, which are whole numbers then, by output.
    """

    op: str
    weights: np.ndarray | None = None
    bias: np.ndarray | None = None
    stride: int = 1
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    groups: int = 1
    limits: tuple[float, float] = (-np.inf, np.inf)
    output: tuple[float, int] | None = None
    scales: np.ndarray | None = None


def chain(model: bytes) -> list[Layer]:
    """The layers of a `.tflite` model.

    Raises:
      SbnnError: it is not a chain of the operators above.
    """
    parsed = flatbuffer.read(densify(model))
    graph = parsed.subgraphs[0]
    layers, at = [], int(graph.inputs[0])
    for op in graph.operators:
        name = op_name(parsed, op)
        if int(op.inputs[0]) != at:
            raise SbnnError(f"expected a chain of operators, found {name} beside it")
        if name in (CONV, DEPTHWISE):
            layers.append(_convolution(parsed, graph, op, name == DEPTHWISE))
        elif name == "MEAN":
            layers.append(Layer("mean"))
        elif name in ("RESHAPE", "SQUEEZE"):
            layers.append(Layer("flatten"))
        else:
            raise SbnnError(f"expected convolutions, MEAN and RESHAPE, found {name}")
        at = int(op.outputs[0])
        layers[-1] = dataclasses.replace(layers[-1], output=quantization(graph.tensors[at]))
    if at != int(graph.outputs[0]):
        raise SbnnError("expected a chain that ends at the model's output")
    return layers


def input_quantization(model: bytes) -> tuple[float, int] | None:
    """Scale and zero point of a quantized model's input."""
    graph = flatbuffer.read(model).subgraphs[0]
    return quantization(graph.tensors[int(graph.inputs[0])])


def quantization(tensor) -> tuple[float, int] | None:
    """Scale and zero point of a quantized tensor."""
    given = tensor.quantization
    if given is None or given.scale is None or not len(given.scale):
        return None
    return float(given.scale[0]), int(given.zeroPoint[0])


def _convolution(parsed, graph, op, depthwise: bool) -> Layer:
    x, y = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    weights, bias = (constant(parsed, graph.tensors[i]) for i in op.inputs[1:3])
    options = op.builtinOptions
    stride = int(options.strideH)
    if stride != options.strideW or weights is None or bias is None:
        raise SbnnError("expected convolutions of equal strides with constant weights and biases")
    kernel = weights.shape[1:3]
    pads = (0, 0, 0, 0)
    if options.padding == schema().Padding.SAME:
        total = [
            max((int(out) - 1) * stride + k - int(size), 0)
            for out, size, k in zip(y.shape[1:3], x.shape[1:3], kernel)
        ]
        before = [t // 2 for t in total]
        pads = (before[0], before[1], total[0] - before[0], total[1] - before[1])
    kinds = schema().ActivationFunctionType
    limits = {kinds.NONE: (-np.inf, np.inf), kinds.RELU: (0, np.inf), kinds.RELU6: (0, 6)}
    scales = None
    if np.issubdtype(weights.dtype, np.integer):
        scales = np.broadcast_to(graph.tensors[op.inputs[1]].quantization.scale, len(bias))
    return Layer(
        "conv",
        # OHWI or 1HWC
        weights.transpose((3, 0, 1, 2) if depthwise else (0, 3, 1, 2)),
        bias,
        stride,
        pads,
        groups=weights.shape[3] if depthwise else 1,
        limits=limits[options.fusedActivationFunction],
        scales=scales,
    )


def save(layers: list[Layer], size: int, path: Path, of_input=None) -> None:
    """Write a chain for an input of (1, 3, size, size) as `.npz`, for `to_onnx.py`.

    `of_input`: scale and zero point of a quantized network's input.
    """
    arrays = {}
    for i, layer in enumerate(layers):
        if layer.op == "conv":
            arrays[f"weights{i}"], arrays[f"bias{i}"] = layer.weights, layer.bias
            if layer.scales is not None:
                arrays[f"scales{i}"] = layer.scales
    about = [
        {
            "op": layer.op,
            "stride": layer.stride,
            "pads": layer.pads,
            "groups": layer.groups,
            "limits": [float(limit) for limit in layer.limits],
            "output": layer.output,
        }
        for layer in layers
    ]
    np.savez(path, size=size, layers=json.dumps(about), of_input=json.dumps(of_input), **arrays)


def save_ncnn(layers: list[Layer], path: Path) -> None:
    """Write a chain as ncnn's `path.param` (text) and `path.bin`; its blobs are "x" and "y".

    The format is ncnn's own documentation of "param and model file structure" and its table of
    operation parameters; 9=3 is the fused clip.
    """
    lines, weights, at = ["Input x 0 1 x"], bytearray(), "x"
    for i, layer in enumerate(layers):
        name = "y" if i + 1 == len(layers) else f"y{i}"
        if layer.op == "conv":
            depthwise = layer.groups > 1
            top, left, bottom, right = layer.pads
            height, width = layer.weights.shape[2:]
            values = {0: len(layer.bias), 1: width, 11: height, 2: 1, 3: layer.stride}
            values |= {4: left, 15: right, 14: top, 16: bottom, 5: 1, 6: layer.weights.size}
            values |= {7: layer.groups} if depthwise else {}
            if np.isfinite(layer.limits).any():
                values |= {9: 3, -23310: f"2,{layer.limits[0]:e},{min(layer.limits[1], 3e38):e}"}
            kind = "ConvolutionDepthWise" if depthwise else "Convolution"
            # A tag of 0 says that float32 follows; biases have none.
            weights += bytes(4) + np.ascontiguousarray(layer.weights, "<f4").tobytes()
            weights += np.ascontiguousarray(layer.bias, "<f4").tobytes()
        elif layer.op == "mean":
            kind, values = "Pooling", {0: 1, 4: 1}
        else:
            kind, values = "Flatten", {}
        numbers = " ".join(f"{key}={value}" for key, value in values.items())
        lines.append(f"{kind} {name} 1 1 {at} {name} {numbers}".rstrip())
        at = name
    header = ["7767517", f"{len(lines)} {len(lines)}"]
    path.with_suffix(".param").write_text("\n".join(header + lines) + "\n")
    path.with_suffix(".bin").write_bytes(bytes(weights))
