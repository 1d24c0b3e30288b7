"""int8 operators that the delegate claims: python -m tests.e2e.random_int8_claims LIBRARY COUNT [FIRST].

Each operator stands behind a convolution in small random graphs, one for each of COUNT seeds from
FIRST on. Fails where the delegate does not claim it, or does not give the bits of stock TensorFlow
Lite on the same CPU: on emulated ARM one that the variable QEMU_CPU names.
"""

from __future__ import annotations

import collections
import os
import sys

import numpy as np

import sbnn_tf as sbnn
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.run import runtime
from tests.e2e import random_int8_layers
from tests.e2e.random_int8_graphs import Graph, halve, names

STEPS = (
    random_int8_layers.convolution,
    random_int8_layers.convolution,
    random_int8_layers.fully_connected,
    random_int8_layers.transposed_convolution,
    *[Graph.unary] * 3,
    *[Graph.binary] * 2,
    Graph.prelu,
    Graph.pool,
    Graph.mean,
    Graph.concatenation,
    Graph.softmax,
    Graph.resize,
    Graph.through_floats,
)
LAYERS = STEPS[:4]
OPERATORS = """
ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEQUANTIZE ELU FULLY_CONNECTED GELU
HARD_SWISH LEAKY_RELU LOGISTIC MAXIMUM MAX_POOL_2D MEAN MINIMUM MUL PRELU QUANTIZE RELU RELU6
RELU_0_TO_1 RELU_N1_TO_1 RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR SOFTMAX SUB TANH TRANSPOSE_CONV
""".split()


def make(seed: int) -> Graph:
    """A convolution and another operator; each one's result is an output."""
    graph, step = Graph(seed), STEPS[seed % len(STEPS)]
    uint8 = graph.kind == np.uint8 and step not in LAYERS
    if graph.kind == np.uint8:  # whose layers are left to TensorFlow Lite on ARM
        given = graph.graph.tensors[graph.last]
        given.type, given.quantization.zeroPoint[0] = schema().TensorType.INT8, -3
        graph.kind, graph.zero = np.int8, 0
    random_int8_layers.convolution(graph)
    graph.output(graph.last)
    if uint8:
        graph.kind, graph.zero = np.uint8, 128
        graph.add("QUANTIZE", [graph.last], graph.shape(graph.last), "Quantize")
    step(graph)
    if graph.last not in graph.graph.outputs:
        graph.output(graph.last)
    if seed // len(STEPS) % 2:
        halve(graph)
    return graph


def run(seed: int) -> tuple[list[str], str]:
    """The operators of a seed's graph, and what is wrong with it, if anything."""
    graph = make(seed)
    tflite = graph.bytes()
    inputs = [
        graph.rng.integers(*limits(kind), size=graph.shape(t), endpoint=True).astype(kind)
        for t in graph.graph.inputs
        for kind in [dtype(graph, t)]
    ]
    wanted = runtime.run(runtime.interpreter(tflite), inputs)
    records = []
    delegate = sbnn.load_delegate(claim="all", report=records.append)
    found = runtime.run(runtime.interpreter(tflite, delegate=delegate), inputs)
    for record in records:
        if record["record"] == "node" and not record["claimed"]:
            return names(graph), record["text"]
    for i, (want, ours) in enumerate(zip(wanted, found, strict=True)):
        steps = np.abs(want.astype(np.float64) - ours.astype(np.float64))
        if steps.any():
            count = f"{np.count_nonzero(steps)} of {steps.size} numbers"
            return names(graph), f"output {i}: {count} differ, by up to {steps.max():g}"
    return names(graph), ""


def dtype(graph: Graph, tensor: int) -> type[np.integer]:
    uint8 = graph.graph.tensors[tensor].type == schema().TensorType.UINT8
    return np.uint8 if uint8 else np.int8


def limits(kind: type[np.integer]) -> tuple[int, int]:
    return np.iinfo(kind).min, np.iinfo(kind).max


def main(count: int, first: int) -> int:
    ran, failures = collections.Counter(), 0
    for seed in range(first, first + count):
        operators, failure = run(seed)
        ran.update(operators)
        if failure:
            failures += 1
            print(f"seed {seed}, {', '.join(operators)}: {failure}", flush=True)
    missing = [name for name in OPERATORS if not ran[name]]
    if missing:
        print(f"not among the graphs: {', '.join(missing)}")
    on = f" on {os.environ['QEMU_CPU']}" if "QEMU_CPU" in os.environ else ""
    print(f"{count} graphs of int8{on}, {failures} failed")
    return 1 if failures or missing else 0


if __name__ == "__main__":
    os.environ["SBNN_DELEGATE"] = sys.argv[1]
    sys.exit(main(int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0))
