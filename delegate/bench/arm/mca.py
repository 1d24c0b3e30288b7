"""Cycles of pieces of code, from llvm-mca."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Sequence

from delegate.bench.arm import inorder
from delegate.bench.arm.cores import Code, Core

ITERATIONS = 100


@dataclasses.dataclass(frozen=True)
class Price:
    """What one pass through a piece of code costs when it is repeated."""

    cycles: float
    instructions: int
    limit: str  # what takes these cycles


def price(pieces: Sequence[Code], core: Core, mca: str = "llvm-mca-19") -> list[Price]:
    """A price for each of `pieces`. Raises RuntimeError where llvm-mca does not know an instruction."""
    if core.in_order:
        return [Price(inorder.cycles(code), len(code), "issue in order") for code in pieces]
    filled = [(i, code) for i, code in enumerate(pieces) if code]
    prices = [Price(0.0, 0, "nothing") for _ in pieces]
    if not filled:
        return prices
    lines = []
    for i, code in filled:
        lines.append(f"# LLVM-MCA-BEGIN {i}")
        for instruction in code:
            lines += core.rewrite(instruction.text)
        lines.append("# LLVM-MCA-END")
    command = [mca, f"-mtriple={core.triple}", f"-mcpu={core.llvm}", f"-iterations={ITERATIONS}"]
    command += ["-json", "-instruction-info=false"]
    done = subprocess.run(
        command, input="\n".join(lines) + "\n", capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"llvm-mca for {core.name}: {done.stderr.strip()[:400]}")
    regions = parse(done.stdout)
    for (i, code), region in zip(filled, regions, strict=True):
        prices[i] = with_floors(region, code, core)
    return prices


def parse(text: str) -> list[tuple[float, dict[str, float]]]:
    """Of llvm-mca's JSON, for each region: cycles of an iteration, and of each resource in it."""
    document = json.loads(text)
    names = document["TargetInfo"]["Resources"]
    regions = []
    for region in document["CodeRegions"]:
        summary = region["SummaryView"]
        usage = {
            names[entry["ResourceIndex"]]: entry["ResourceUsage"]
            for entry in region["ResourcePressureView"]["ResourcePressureInfo"]
            if entry["InstructionIndex"] == len(region["Instructions"])
        }
        regions.append((summary["TotalCycles"] / summary["Iterations"], usage))
    return regions


def with_floors(region: tuple[float, dict[str, float]], code: Code, core: Core) -> Price:
    cycles, usage = region
    busiest = max(usage, key=usage.get, default="")
    # A unit that is busy nine cycles of ten is the limit; otherwise code waits for results.
    busy = bool(usage) and usage[busiest] >= 0.9 * cycles
    limit = busiest.split(".")[0] if busy else "latency"
    for floor in core.floors:
        if floor.cycles(code) > cycles:
            cycles, limit = floor.cycles(code), floor.reason
    return Price(cycles, len(code), limit)
