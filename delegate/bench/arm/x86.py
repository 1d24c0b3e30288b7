"""The method put to the test where there is a machine to measure: our kernels on this one."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from delegate.bench.arm import plan
from delegate.bench.arm.cores import Core
from delegate.bench.arm.model import Engine


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Microseconds of each layer."""

    isa: str
    zeros: float
    group: int
    layers: list[plan.Layer]
    measured: list[float]
    predicted: list[float]

    def total(self, microseconds: Sequence[float]) -> float:
        """Of the network, each layer as often as it occurs."""
        return sum(l.count * us for l, us in zip(self.layers, microseconds, strict=True))

    @property
    def error(self) -> float:
        """Of the network's time."""
        return self.total(self.predicted) / self.total(self.measured) - 1

    @property
    def layer_error(self) -> float:
        """The mean of the layers', signs dropped."""
        errors = [abs(p / m - 1) for p, m in zip(self.predicted, self.measured, strict=True)]
        return sum(errors) / len(errors)


def parse(text: str) -> tuple[float, list[float]]:
    """Of what delegate/bench/layers prints: the FMA peak in GFLOP/s, microseconds of each layer."""
    peak = re.search(r"peak ([\d.]+) GFLOP/s", text)
    rows = [line.split() for line in text.splitlines() if line.startswith(("conv ", "dw ", "fc "))]
    if not peak or not rows:
        raise ValueError(f"no timings: {text[:200]!r}")
    return float(peak[1]), [float(row[8]) for row in rows]


def compare(
    engine: Engine,
    core: Core,
    timer: Sequence[str],
    shapes: Path,
    keep: float,
    group: int,
    rounds: int,
) -> Comparison:
    """timer: the command of delegate/bench/layers; the clock is taken from the peak that it measures."""
    command = [
        *timer,
        str(shapes),
        "--keep",
        str(keep),
        "--keep-kxk",
        str(keep),
        "--group",
        str(group),
        "--isa",
        engine.isa,
    ]
    command += ["--rounds", str(rounds)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    peak, measured = parse(printed)
    ghz = peak / (2 * core.lanes * core.fmas)
    costs = engine.network(shapes, keep, group, core, warm=True)
    predicted = [c.cycles / ghz / 1e3 for c in costs]
    layers = plan.read_layers(shapes)
    return Comparison(engine.isa, 1 - keep, group, layers, measured, predicted)
