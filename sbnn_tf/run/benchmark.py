"""Time a sparse model in the delegate against its dense twin in stock TensorFlow Lite."""

from __future__ import annotations

import dataclasses
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sbnn_tf.errors import SbnnError
from sbnn_tf.run import runtime
from sbnn_tf.run.child import in_child
from sbnn_tf.run.comparing import Pair, largest_difference
from sbnn_tf.run.explaining import explained
from sbnn_tf.run.graph import OPEN, Graph, Shapes, match, settle, sizes
from sbnn_tf.run.running import Running
from sbnn_tf.run.runtime import File, Model


@dataclasses.dataclass(frozen=True)
class Times:
    """Milliseconds an inference."""

    min_ms: float
    median_ms: float


@dataclasses.dataclass(frozen=True)
class Result:
    """What `benchmark` measured. The speed-ups are baseline time over delegate time."""

    baseline: Times
    delegate: Times
    speedup_min: float
    speedup_median: float
    max_abs_diff: float
    num_threads: int
    cpu: str
    peak_gflops: float  # of one core: fused multiply-adds, counted as two
    graph: str  # what was timed: "signature 'serving_default'", say
    inputs: dict[str, tuple[int, ...]]  # the shapes they had
    signatures: tuple[str, ...]  # all that the file has
    claimed_nodes: int
    total_nodes: int
    floats: Times | None = None  # of the model before it was quantized, where one was given

    def to_dict(self) -> dict[str, Any]:
        """As `sbnn benchmark --json` prints it: `baseline` and `delegate` are objects."""
        return dataclasses.asdict(self)


def benchmark(
    sparse: Model,
    baseline: Model | None = None,
    *,
    signature: str | None = None,
    shapes: Shapes | None = None,
    num_threads: int = 1,
    rounds: int = 50,
    library: str | os.PathLike | None = None,
    claim: str = "faster",
    floats: Model | None = None,
) -> Result:
    """Time `sparse` in the delegate and `baseline` in stock TensorFlow Lite with XNNPACK.

    They take turns in one process on the same cores, so that whatever else the machine does
    meets both. Each turn invokes twice and times the second, when the caches hold that model.

    Args:
      sparse: path or bytes of the model to run in the delegate.
      baseline: path or bytes of the model to beat; default is `sparse` itself with its weights
        stored densely, zeros included.
      signature: the one to time. None: the first graph, which `invoke` runs.
      shapes: of inputs, by name or position, for files that take any size.
      num_threads: of each side.
      rounds: turns of each side.
      library: the delegate's library, as in `load_delegate`.
      claim: what the delegate takes, as in `load_delegate`: "faster" or "all".
      floats: path or bytes of the dense model before it was quantized: timed beside them in stock
        TensorFlow Lite, to tell what quantizing brings, and what zeros bring on top.

    Raises:
      FileNotFoundError, ValueError: a model or the library cannot be used.
    """
    runtime.at_least(1, num_threads=num_threads, rounds=rounds)
    sparse = runtime.read_model(sparse)
    from sbnn_tf.convert import densify  # not in the process that runs the models
    from sbnn_tf.run import contents

    mine = contents.read(sparse)
    if baseline is None:
        dense = File(f"{sparse.name}, stored densely", densify(sparse.content))
    else:
        dense = runtime.read_model(baseline)
    graph, other = match(
        contents.entry(contents.read(dense), signature, dense.name),
        contents.entry(mine, signature, sparse.name),
    )
    (graph,) = settle([graph], shapes, sparse.name)
    reached = contents.reached(mine, [other])
    third = None
    if floats is not None:
        file = runtime.read_model(floats)
        there = contents.entry(contents.read(file), signature, file.name)
        third = file, _sized_as(there, graph, file.name)
    named = tuple(each.signature for each in contents.entries(mine) if each.signature is not None)
    options = (num_threads, rounds, library, claim)
    return in_child(_benchmark, dense, sparse, third, (graph, other), reached, named, *options)


def _sized_as(floats: Graph, graph: Graph, file: str) -> Graph:
    """The graph with the sizes of another's inputs, whose types may differ."""
    shapes = [port.shape for port in graph.inputs]
    fitting = len(shapes) == len(floats.inputs) and all(
        len(mine.shape) == len(shape) and all(m in (OPEN, n) for m, n in zip(mine.shape, shape))
        for mine, shape in zip(floats.inputs, shapes)
    )
    if not fitting:
        expected, found = (
            ", ".join(sizes(port.shape) for port in each.inputs) for each in (graph, floats)
        )
        raise SbnnError(f"{file}: expected inputs of {expected}, found {found}")
    ports = (dataclasses.replace(p, shape=shape) for p, shape in zip(floats.inputs, shapes))
    return dataclasses.replace(floats, inputs=tuple(ports))


def _benchmark(
    dense: File,
    sparse: File,
    floats: tuple[File, Graph] | None,
    pair: Pair,
    reached: set[int],
    signatures: tuple[str, ...],
    num_threads: int,
    rounds: int,
    library: Any,
    claim: str,
) -> Result:
    shapes = [port.shape for port in pair[0].inputs]
    functions = runtime.open_library(library)
    with pinned(num_threads):
        peaks = [functions.sbnn_peak_gflops()]
        (ours,), explanation = explained(sparse, [(pair[1], shapes)], num_threads, library, claim)
        made = runtime.construct(dense, num_threads=num_threads)
        sides = [Running.start(made, pair[0], dense.name), ours]
        inputs = sides[0].draw(np.random.default_rng(0))
        outputs = [side.run(inputs) for side in sides]
        if floats is not None:
            file, graph = floats
            made = runtime.construct(file, num_threads=num_threads)
            sides.append(Running.start(made, graph, file.name))
            sides[-1].run(sides[-1].draw(np.random.default_rng(0)))
        times = take_turns([side.invoke for side in sides], rounds)
        peaks.append(functions.sbnn_peak_gflops())
    nodes = [node for node in explanation.nodes if node["subgraph"] in reached]
    stock, ours, *others = (Times(min(t), statistics.median(t)) for t in times)
    return Result(
        baseline=stock,
        delegate=ours,
        speedup_min=stock.min_ms / ours.min_ms,
        speedup_median=stock.median_ms / ours.median_ms,
        max_abs_diff=max(map(largest_difference, *outputs), default=0.0),
        num_threads=num_threads,
        cpu=cpu_name(),
        peak_gflops=max(peaks),
        graph=pair[0].title,
        inputs={port.name: port.shape for port in pair[0].inputs},
        signatures=signatures,
        claimed_nodes=sum(node["claimed"] for node in nodes),
        total_nodes=len(nodes),
        floats=others[0] if others else None,
    )


def take_turns(
    sides: Sequence[Callable[[], Any]], rounds: int, warm_up_s: float = 0.3
) -> list[list[float]]:
    """Milliseconds of each side's timed calls, `rounds` of them.

    Each side is called for `warm_up_s` seconds first. Then they take turns, in an order that is
    reversed every round; in its turn a side is called twice, and the second call counts.
    """
    for side in sides:
        end = time.perf_counter() + warm_up_s
        side()
        while time.perf_counter() < end:
            side()
    times: list[list[float]] = [[] for _ in sides]
    watched = sys.stderr.isatty()
    for round_ in range(rounds):
        order = range(len(sides))
        for i in order if round_ % 2 == 0 else reversed(order):
            sides[i]()
            start = time.perf_counter()
            sides[i]()
            times[i].append((time.perf_counter() - start) * 1e3)
        if watched:
            end = "\n" if round_ + 1 == rounds else ""
            print(f"\rround {round_ + 1} of {rounds}", end=end, file=sys.stderr, flush=True)
    return times


class pinned:
    """Keeps this thread, and threads it starts meanwhile, on as many cores as there are threads.

    Does nothing where the system offers no such call (macOS) or fewer cores.
    """

    def __init__(self, num_threads: int):
        self._num_threads = num_threads
        self._before: set[int] = set()

    def __enter__(self) -> None:
        if hasattr(os, "sched_getaffinity"):
            self._before = os.sched_getaffinity(0)
            if self._num_threads < len(self._before):
                os.sched_setaffinity(0, sorted(self._before)[-self._num_threads :])

    def __exit__(self, *_: object) -> None:
        if self._before:
            os.sched_setaffinity(0, self._before)


def cpu_name() -> str:
    """The processor's name as the system gives it."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        text = ""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("model name", "Hardware", "CPU part"):
            return value.strip()
    return platform.processor() or platform.machine()
