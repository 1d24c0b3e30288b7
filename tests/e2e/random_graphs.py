"""Random graphs of every operator that the delegate knows, against stock TensorFlow Lite.

`python -m tests.e2e.random_graphs FIRST COUNT` runs the graphs of COUNT seeds from FIRST on, prints
the command that reproduces each failure, and ends with status 1 if there was one.

Each one runs in stock TensorFlow Lite with and without XNNPACK and in
the delegate, with an instruction set and a number of threads that follow from the seed too; then
its input is resized, and all run again. Bar: the delegate differs from TensorFlow Lite without
XNNPACK by at most four times what XNNPACK does, and never by more than 1e-4, relative to the
largest output. Where XNNPACK differs by less than rounding does, rounding is the bar. Where the two
contradict each other, which version 2.21 does for grouped convolutions of several images, the
delegate must agree with one of them.
"""

from __future__ import annotations

import collections
import dataclasses
import sys

import numpy as np

import sbnn_tf as sbnn
from sbnn_tf.run import runtime
from tests.e2e.random_graph import make

NEVER_ABOVE = 1e-4
CONTRADICTION = 1e-3
ROUNDING = 1e-5  # a few units in the last place, through some layers


@dataclasses.dataclass
class Result:
    """What a seed's graph showed."""

    operators: collections.Counter  # how often each was claimed
    left: list[str]  # the report's lines about others
    difference: float  # of the delegate, relative to the largest output
    bar: float  # for that
    failure: str = ""


def isas() -> list[str]:
    """The instruction sets of this processor, best first."""
    best = runtime.open_library().sbnn_isa().decode()
    return {"avx512": ["avx512", "avx2", "scalar"], "avx2": ["avx2", "scalar"],
            "neon": ["neon", "scalar"]}.get(best, ["scalar"])  # fmt: skip


def run(seed: int) -> Result:
    """Run the graph of one seed."""
    tflite, resizable = make(seed)
    rng = np.random.default_rng(seed)
    names = isas()
    records = []
    delegate = sbnn.load_delegate(
        claim="all",
        num_threads=1 + seed % 2,
        isa=names[seed // 2 % len(names)],
        report=records.append,
    )
    plain = runtime.interpreter(tflite, xnnpack=False)
    fast = runtime.interpreter(tflite)
    ours = runtime.interpreter(tflite, delegate=delegate, xnnpack=False)
    nodes = [record for record in records if record["record"] == "node"]
    claimed = collections.Counter(node["op"] for node in nodes if node["claimed"])
    left = [node["text"] for node in nodes if not node["claimed"]]
    result = Result(claimed, left, 0.0, ROUNDING)
    index = plain.get_input_details()[0]["index"]
    shape = [int(d) for d in plain.get_input_details()[0]["shape"]]
    for batch in [shape[0], 4 - shape[0], shape[0]] if resizable else [shape[0]]:
        x = rng.uniform(-1, 1, [batch, *shape[1:]]).astype(np.float32)
        outputs = []
        for made in (plain, fast, ours):
            if made.get_input_details()[0]["shape"][0] != batch:
                made.resize_tensor_input(index, x.shape)
                made.allocate_tensors()
            outputs.append(runtime.run(made, [x]))
        for i, (want, other, found) in enumerate(zip(*outputs)):
            if want.shape != found.shape:
                result.failure = f"output {i} has shape {found.shape}, expected {want.shape}"
                return result
            size = max(1e-6, float(np.abs(want).max()))
            own = float(np.abs(other - want).max()) / size
            difference = float(np.abs(found - want).max()) / size
            if own > CONTRADICTION:
                difference = min(difference, float(np.abs(found - other).max()) / size)
            bar = min(max(4 * own, ROUNDING), NEVER_ABOVE)
            if not difference <= result.difference:
                result.difference, result.bar = difference, bar
            if not difference <= bar:
                result.failure = (
                    f"output {i} at batch {batch} differs by {difference:.2g}: {bar=:.2g}"
                )
                return result
    return result


def main(first: int, count: int) -> int:
    claimed, left, failures = collections.Counter(), collections.Counter(), 0
    worst = 0.0
    for seed in range(first, first + count):
        print(f"seed {seed}", file=sys.stderr, flush=True)  # should it crash
        try:
            result = run(seed)
        except ValueError as error:
            result = Result(collections.Counter(), [], 0.0, 0.0, str(error))
        claimed += result.operators
        left.update(" ".join(line.split()[2:]) for line in result.left)
        worst = max(worst, result.difference)
        if result.failure:
            failures += 1
            print(f"{result.failure}: python -m tests.e2e.random_graphs {seed} 1", flush=True)
    print(f"{count} graphs, {failures} failed, largest difference {worst:.2g}")
    print("claimed: " + ", ".join(f"{name} {n}" for name, n in sorted(claimed.items())))
    for reason, n in left.most_common():
        print(f"left {n}: {reason}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
