"""Predicts the int8 kernels' time on phones' cores, against XNNPACK's dense int8 ones.

The method is that of predict.py, which writes what is recorded here into ARM.md. Patterns: groups of 4
outputs whose inputs are kept one by one (4x1) or four together (4x4).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from delegate.bench.arm import cores, cost, model, plan, report, xnnpack_int8
from delegate.bench.arm.cores import Core
from delegate.bench.arm.networks import BENCH, commit, shapes_of
from delegate.bench.arm.xnnpack_int8 import Products

RECORDED = BENCH / "recorded/arm_model_int8.jsonl"

NAMES = ("MobileNet-v1", "ResNet-50")
PATTERNS = {"4x1": 1, "4x4": 4}  # inputs that are kept together
ZEROS = (0.0, 0.5, 0.7, 0.9)
CORES: dict[Core, Products] = {
    cores.A76: xnnpack_int8.DOTS,
    cores.A55: xnnpack_int8.DOTS_IN_ORDER,
    cores.A710: xnnpack_int8.MATRICES,
    cores.A72: xnnpack_int8.NO_DOTS,
    cores.A53: xnnpack_int8.NO_DOTS_IN_ORDER,
}
# What the project asks of MobileNet-v1, at these zeros.
BARS = {
    ("Cortex-A76", "4x4"): {0.5: 1.6, 0.7: 2.1, 0.9: 2.9},
    ("Cortex-A76", "4x1"): {0.5: 1.25, 0.7: 1.7, 0.9: 2.6},
    ("Cortex-A55", "4x4"): {0.5: 1.4, 0.7: 1.9, 0.9: 3.0},
}


class Engines:
    """Our int8 kernels, by pattern and by the CPU that qemu is to be."""

    def __init__(self, program: Path, qemu: Sequence[str]):
        self._program, self._qemu = program, list(qemu)
        self._made: dict[tuple[str, str], model.Engine] = {}

    def of(self, pattern: str, products: Products) -> model.Engine:
        key = (pattern, products.ours)
        if key not in self._made:
            emulator = [self._qemu[0], "-cpu", products.ours, *self._qemu[1:]]
            options = ["--int8", "--block", str(PATTERNS[pattern])]
            self._made[key] = model.Engine(self._program, "neon", emulator, options)
        return self._made[key]


def predicted(
    name: str, commit: str, shapes: Path, engines: Engines, library: Path, core: Core
) -> report.Prediction:
    products = CORES[core]
    ours = {
        (pattern, zeros): engines.of(pattern, products).network(shapes, 1 - zeros, 4, core)
        for pattern in PATTERNS
        for zeros in ZEROS
    }
    layers = plan.read_layers(shapes)
    dense = stock(library, layers, core, products)
    return report.Prediction(name, commit, core, layers, dense, ours)


def stock(
    library: Path, layers: Sequence[plan.Layer], core: Core, products: Products
) -> list[cost.LayerCost]:
    """The same network, dense, in XNNPACK."""
    priced = xnnpack_int8.baseline(library, core, products)
    works = [xnnpack_int8.works(i, layer, products, priced) for i, layer in enumerate(layers)]
    total = sum(l.count * w[0].weights for l, w in zip(layers, works, strict=True))
    return [
        cost.layer_cost(layer, w, priced, core, total, element=1)
        for layer, w in zip(layers, works, strict=True)
    ]


def recorded() -> list[report.Prediction]:
    layers = {name: plan.read_layers(shapes_of(name)) for name in NAMES}
    return report.recorded(RECORDED, layers, list(CORES))


def bars(predictions: Sequence[report.Prediction]) -> str:
    """What the project asks of MobileNet-v1, and what is predicted."""
    rows = []
    for p in predictions:
        for (core, pattern), asked in BARS.items():
            if p.network == "MobileNet-v1" and p.core.name == core:
                rows += [
                    [
                        core,
                        pattern,
                        report.percent(z),
                        f"{bar:.2f}",
                        f"{p.speed_up(pattern, z):.2f}",
                    ]
                    for z, bar in asked.items()
                ]
    return report.table(["core", "pattern", "zeros", "bar", "predicted"], rows)


def speed_ups(predictions: Sequence[report.Prediction]) -> str:
    head = ["network", "commit", "core", "pattern", "XNNPACK dense int8, M cycles"]
    rows = [
        [p.network, p.commit, p.core.name, pattern, f"{p.cycles(p.dense) / 1e6:.1f}"]
        + [f"{p.speed_up(pattern, z):.2f}" for z in ZEROS]
        for p in predictions
        for pattern in PATTERNS
    ]
    return report.table([*head, *[f"{report.percent(z)} zeros" for z in ZEROS]], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--arm-bin", type=Path, required=True, help="folder of the aarch64 build of delegate/bench"
    )
    parser.add_argument(
        "--runtime", type=Path, required=True, help="folder of the aarch64 ai-edge-litert"
    )
    options = parser.parse_args()
    qemu = ["qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu"]
    engines = Engines(options.arm_bin / "plan", qemu)
    library = options.runtime / xnnpack_int8.LIBRARY
    predictions = []
    for name in NAMES:
        for core in CORES:
            predictions.append(predicted(name, commit(), shapes_of(name), engines, library, core))
            print(name, core.name, flush=True)
    report.record(RECORDED, predictions)
    print(bars(predictions))


if __name__ == "__main__":
    main()
