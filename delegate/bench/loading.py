"""Times how long an interpreter takes to load, and counts its memory.

    python -m delegate.bench.loading MODEL.tflite ...

Stock TensorFlow Lite, the delegate, and the delegate with a warm `cache_path` take turns in one
process; an interpreter is gone before the next is made, so that no weights are shared.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

import sbnn_tf as sbnn
from sbnn_tf.interpreters import interpreter_module
from sbnn_tf.run import runtime

ALIGNMENT = 64  # bytes, of tensors in TensorFlow Lite's arena


def load_ms(path: str, options: dict | None) -> float:
    """Milliseconds until an interpreter could be invoked."""
    kinds = interpreter_module()
    start = time.perf_counter()
    delegates = None if options is None else [sbnn.load_delegate(**options)]
    made = kinds.Interpreter(model_path=path, num_threads=1, experimental_delegates=delegates)
    made.allocate_tensors()
    return (time.perf_counter() - start) * 1e3


def arena_bytes(model: bytes) -> int:
    """What TensorFlow Lite without XNNPACK needs for activations, inputs and outputs included.

    It does not tell, so its plan is made again: tensors in their order of size, each at the lowest
    place that is free while it is needed. Work space of operators (im2col) is not counted, nor what
    DENSIFY writes.
    """
    made = runtime.interpreter(model, xnnpack=False)
    size = {d["index"]: 4 * int(np.prod(d["shape"])) for d in made.get_tensor_details()}
    operators = [
        o for o in made._get_ops_details() if o["op_name"] not in ("DENSIFY", "DEQUANTIZE")
    ]
    first = {d["index"]: 0 for d in made.get_input_details()}
    last = {}
    for n, operator in enumerate(operators):
        for t in operator["outputs"]:
            first[t] = last[t] = n
        for t in operator["inputs"]:
            if t in first:
                last[t] = n
    for d in made.get_output_details():
        last[d["index"]] = len(operators)
    placed: list[tuple[int, int, int]] = []  # offset, end, tensor
    for t in sorted(last, key=lambda t: -size[t]):
        offset = 0
        for begin, end, other in sorted(placed):
            if last[other] < first[t] or last[t] < first[other]:
                continue
            if offset + size[t] <= begin:
                break
            offset = max(offset, end)
        aligned = -(-size[t] // ALIGNMENT) * ALIGNMENT
        placed.append((offset, offset + aligned, t))
    return max(end for _, end, _ in placed)


def delegate_bytes(model: bytes) -> tuple[int, int]:
    """Bytes of activations and of packed weights in the delegate."""
    explanation = sbnn.explain(model, claim="all")
    parts, subgraphs = explanation.of_kind("part"), explanation.of_kind("subgraph")
    return sum(p["activation_bytes"] for p in parts), sum(s["packed_bytes"] for s in subgraphs)


def least_bytes(model: bytes) -> float:
    """Of the weights that are not zero, and 2 for each column: `g` of them, 8 if dense."""
    total = 0.0
    for row in sbnn.inspect(model).tensors:
        if len(row.shape) < 2 or row.type not in ("FLOAT32", "FLOAT16"):
            continue  # a bias, a shape
        values = (1 - row.sparsity) * float(np.prod(row.shape))
        group = re.fullmatch(r"group(\d+)", row.pattern)
        size = int(group[1]) if group else 8 if row.pattern == "dense" else 1
        total += values * (4 + 2 / size)
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", metavar="MODEL", help=".tflite files")
    parser.add_argument("--rounds", type=int, default=9, metavar="N", help="turns of each side")
    options = parser.parse_args()
    print(
        "| model | TFLite, ms | delegate | cached | activations, TFLite, MB | here | weights, MB |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|")
    for path in options.models:
        with tempfile.TemporaryDirectory() as folder:
            plain = {"claim": "all"}
            sides = (None, plain, {**plain, "cache_path": Path(folder) / "packed"})
            load_ms(path, sides[2])  # writes the file
            times = [[load_ms(path, side) for side in sides] for _ in range(options.rounds)]
        stock, ours, cached = (statistics.median(t) for t in zip(*times))
        model = Path(path).read_bytes()
        theirs, (mine, packed) = arena_bytes(model), delegate_bytes(model)
        print(
            f"| {Path(path).stem} | {stock:.0f} | {ours:.0f} ({ours / stock:.2f}) | {cached:.0f} "
            f"({cached / stock:.2f}) | {theirs / 1e6:.2f} | {mine / 1e6:.2f} ({mine / theirs:.2f}) "
            f"| {packed / 1e6:.1f} ({packed / least_bytes(model):.2f}) |",
            flush=True,
        )


if __name__ == "__main__":
    main()
