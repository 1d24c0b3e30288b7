"""All engines in one run: files, workers, a check of the outputs, turns."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from delegate.bench import models, work
from delegate.bench.peers.rivals import PATTERNS, Case, Missing, Rival
from delegate.bench.peers.worker import Worker, WorkerError

TOLERANCE = 1e-3  # of outputs, relative to the largest; Winograd convolutions lose some digits
INT8_TOLERANCE = 0.2  # a step of one layer's outputs moves those of the next ones


@dataclasses.dataclass
class Line:
    """One engine with one pattern: its worker, and what it computes right."""

    rival: Rival
    worker: Worker
    points: list[Point]


@dataclasses.dataclass
class Point:
    """One model of a line.

    Attributes:
      index: in the worker.
      about: what is known about it.
      off: largest difference of its output to TensorFlow Lite's, relative to the largest output.
      ms: times of its turns.
    """

    sparsity: float
    index: int
    about: str
    off: float
    ms: list[float]


def measure(
    rivals: Sequence[Rival], sparsities: Sequence[float], size: int, rounds: int, folder: Path
) -> dict:
    """Time every engine at every sparsity.

    Returns:
      What `record` reads: the machine, `lines` with the times in ms of each engine, `missing` with
      what was left out and why, and `macs`, by pattern and sparsity: all, those whose weight is not
      zero.
    """
    from sbnn_tf.run.benchmark import cpu_name
    from sbnn_tf.run.runtime import open_library

    patterns = {rival.pattern for rival in rivals}
    cases = make_cases(patterns, sparsities, size, folder / "models")
    peak = open_library().sbnn_peak_gflops
    core = max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    missing: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        lines = []
        for rival in rivals:
            line = _start(rival, cases, core, folder, missing, stack)
            if line is not None:
                lines.append(line)
        with _on(core):
            peaks = [peak(1)]
        _take_turns(lines, rounds)
        with _on(core):
            peaks.append(peak(1))
    return {
        "cpu": cpu_name(),
        "peak_gflops": max(peaks),
        "size": size,
        "rounds": rounds,
        "missing": missing,
        "macs": {
            f"{case.pattern} {case.sparsity:g}": work.macs(case.path.read_bytes()) for case in cases
        },
        "lines": [
            {
                "name": line.rival.name,
                "pattern": line.rival.pattern,
                "points": [
                    {
                        "sparsity": point.sparsity,
                        "about": point.about,
                        "off": point.off,
                        "ms": point.ms,
                    }
                    for point in line.points
                ],
            }
            for line in lines
        ],
    }


def make_cases(
    patterns: Collection[str], sparsities: Sequence[float], size: int, folder: Path
) -> list[Case]:
    """The network with each pattern and sparsity, as `.tflite` files that the others are made from."""
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    cases = []
    for pattern, (name, _) in PATTERNS.items():
        if pattern not in patterns:
            continue
        network = models.NETWORKS[name]
        dense = models.dense(network, size)
        for sparsity in sparsities:
            path = folder / f"{pattern}_{sparsity:g}_{size}".replace(".", "_")
            path = path.with_suffix(".tflite")
            path.write_bytes(models.pruned(network, dense, sparsity))
            cases.append(Case(pattern, sparsity, path))
    return cases


def _start(
    rival: Rival,
    cases: Sequence[Case],
    core: int | None,
    folder: Path,
    missing: dict[str, str],
    stack: contextlib.ExitStack,
) -> Line | None:
    """A worker with those of its models that it computes right; None if there are none."""
    name = f"{rival.name}, {rival.pattern}"
    say(f"loading {name}")
    try:
        worker = stack.enter_context(Worker(rival.command(), core))
    except (Missing, OSError) as error:
        missing[name] = str(error)
        say(f"left out: {error}")
        return None
    line = Line(rival, worker, [])
    for case in cases:
        if case.pattern != rival.pattern:
            continue
        try:
            file, stored = rival.prepare(case)
            index, loaded, off = _load(worker, case, file, folder)
        except (Missing, WorkerError) as error:
            missing[f"{name}, {case.sparsity:g}"] = str(error)
            say(f"left out at {case.sparsity:g}: {error}")
            if str(error) == "the process ended":
                return None
            continue
        about = "; ".join(filter(None, (stored, loaded)))
        line.points.append(Point(case.sparsity, index, about, off, []))
    return line if line.points else None


def _load(worker: Worker, case: Case, file: Path, folder: Path) -> tuple[int, str, float]:
    """Load a file and compare its output with TensorFlow Lite's.

    Returns:
      The model's index in the worker, what the worker says about it, and how far it is off.

    Raises:
      WorkerError: it cannot be loaded, or computes something else.
    """
    from sbnn_tf.run import runtime
    from sbnn_tf.run.comparing import largest, largest_difference

    stock = runtime.interpreter(case.path)
    size = int(stock.get_input_details()[0]["shape"][1])
    (entry,), (result,) = stock.get_input_details(), stock.get_output_details()
    int8 = entry["dtype"] == np.int8
    rng = np.random.default_rng(0)
    shape = (1, 3, size, size)
    # (What is quantized knows images from 0 to 1.)
    images = (rng.random(shape) if int8 else rng.standard_normal(shape)).astype(np.float32)
    x = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
    if int8:
        scale, zero_point = entry["quantization"]
        x = np.clip(np.rint(x / scale) + zero_point, -128, 127).astype(np.int8)
    (expected,) = runtime.run(stock, [x])
    if int8:
        scale, zero_point = result["quantization"]
        expected = (expected.astype(np.float32) - zero_point) * scale
    source, target = (folder.absolute() / name for name in ("input.f32", "output.f32"))
    images.tofile(source)
    target.unlink(missing_ok=True)
    index, about = worker.load(file, source, target)
    output = np.fromfile(target, np.float32) if target.is_file() else np.zeros(0)
    off = float("inf")
    if output.size == expected.size:
        off = largest_difference(output, expected.ravel()) / largest(expected)
    if not off <= (INT8_TOLERANCE if int8 else TOLERANCE):
        raise WorkerError(f"its output is off by {off:.1e} of the largest")
    return index, about, off


def _take_turns(lines: Sequence[Line], rounds: int) -> None:
    """Every model of every engine once a round, in an order that is reversed every round."""
    order = [(line.worker, point) for line in lines for point in line.points]
    for worker, point in order:
        worker.turn(point.index)  # warm
    for round_ in range(rounds):
        for worker, point in order if round_ % 2 == 0 else reversed(order):
            point.ms.append(worker.turn(point.index))
        say(f"round {round_ + 1} of {rounds}")


@contextlib.contextmanager
def _on(core: int | None):
    """This process on one core only, meanwhile."""
    before = os.sched_getaffinity(0) if core is not None else None
    if before:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        if before:
            os.sched_setaffinity(0, before)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
