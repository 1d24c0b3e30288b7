"""to_onnx.py CHAIN.npz OUT.onnx: a chain that `graph.save` wrote, as ONNX. Needs the package onnx.

A quantized one has a pair QuantizeLinear, DequantizeLinear behind each step, as the engines expect
it (QDQ), with activations of uint8; input and output are floats.
"""

import json
import math
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def main(source: str, target: str) -> None:
    with np.load(source) as arrays:
        layers, size = json.loads(str(arrays["layers"])), int(arrays["size"])
        nodes, constants, at = [], [], "x"

        def constant(name: str, values: np.ndarray) -> str:
            constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
            return name

        def node(kind: str, inputs: list, name: str, **attributes) -> str:
            nodes.append(helper.make_node(kind, inputs, [f"{name}_y"], name, **attributes))
            return f"{name}_y"

        def rounded(at: str, name: str, scale: float, zero_point: int) -> str:
            given = [
                constant(f"{name}_scale", np.float32(scale)),
                constant(f"{name}_zero", np.uint8(zero_point + 128)),
            ]
            at = node("QuantizeLinear", [at, *given], f"{name}_q")
            return node("DequantizeLinear", [at, *given], f"{name}_d")

        def floats(values: np.ndarray, name: str, scales: np.ndarray) -> str:
            given = [
                constant(name, values),
                constant(f"{name}_scale", np.asarray(scales, np.float32)),
                constant(f"{name}_zero", np.zeros(len(scales), values.dtype)),
            ]
            return node("DequantizeLinear", given, f"{name}_d", axis=0)

        of_input = json.loads(str(arrays["of_input"]))
        scale = of_input[0] if of_input else None
        if of_input:
            at = rounded(at, "input", *of_input)
        for i, layer in enumerate(layers):
            name = f"layer{i}"
            if layer["op"] == "conv":
                weights, bias = arrays[f"weights{i}"], arrays[f"bias{i}"]
                if of_input:
                    scales = arrays[f"scales{i}"]
                    names = [
                        floats(weights, f"w{i}", scales),
                        floats(bias, f"b{i}", scale * scales),
                    ]
                else:
                    names = [constant(f"w{i}", weights), constant(f"b{i}", bias)]
                nodes.append(
                    helper.make_node(
                        "Conv",
                        [at, *names],
                        [f"{name}_y"],
                        name,
                        kernel_shape=list(weights.shape[2:]),
                        strides=[layer["stride"]] * 2,
                        pads=layer["pads"],
                        group=layer["groups"],
                    )
                )
                at = f"{name}_y"
                # (Quantized, a range ends where the activation does.)
                if any(map(math.isfinite, layer["limits"])) and not of_input:
                    low, high = (np.float32(v) for v in layer["limits"])
                    limits = [constant(f"low{i}", low), constant(f"high{i}", high)]
                    nodes.append(helper.make_node("Clip", [at, *limits], [f"{name}_c"], f"c{i}"))
                    at = f"{name}_c"
            elif layer["op"] == "mean":
                nodes.append(helper.make_node("GlobalAveragePool", [at], [f"{name}_y"], name))
                at = f"{name}_y"
            else:
                nodes.append(helper.make_node("Flatten", [at], [f"{name}_y"], name, axis=1))
                at = f"{name}_y"
            if of_input:
                scale, zero_point = layer["output"]
                at = rounded(at, name, scale, zero_point)
        classes = len(arrays[f"bias{max(i for i, x in enumerate(layers) if x['op'] == 'conv')}"])
    graph = helper.make_graph(
        nodes,
        "chain",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, size, size])],
        [helper.make_tensor_value_info(at, TensorProto.FLOAT, [1, classes])],
        constants,
    )
    # Versions that the oldest of the engines reads.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    onnx.checker.check_model(model)
    onnx.save(model, target)


if __name__ == "__main__":
    main(*sys.argv[1:])
