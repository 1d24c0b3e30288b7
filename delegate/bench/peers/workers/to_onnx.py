"""to_onnx.py CHAIN.npz OUT.onnx: a chain that `graph.save` wrote, as ONNX. Needs the package onnx."""

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

        for i, layer in enumerate(layers):
            name = f"layer{i}"
            if layer["op"] == "conv":
                weights = arrays[f"weights{i}"]
                names = [constant(f"w{i}", weights), constant(f"b{i}", arrays[f"bias{i}"])]
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
                if any(map(math.isfinite, layer["limits"])):
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
