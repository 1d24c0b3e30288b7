"""How far two models, and two arrays, are apart. Runs in the child of `verify`."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from sbnn_tf.run import runtime
from sbnn_tf.run.graph import Graph
from sbnn_tf.run.running import Running
from sbnn_tf.run.runtime import File

Pair = tuple[Graph, Graph]


@dataclasses.dataclass(frozen=True)
class Difference:
    """How one output of two models differs over all runs; absolute numbers."""

    graph: str  # which, as "signature 'serving_default'"
    name: str
    shape: tuple[int, ...]  # in the last run
    largest_output: float  # of the first model; of what is finite
    max_difference: float  # NaN where one of the models, not both, gives NaN
    # How far the first model's output moves when its input changes; NaN where nothing tells.
    input_effect: float
    # How far it moves when its inputs change by a millionth; NaN where that was not looked at.
    rounding_effect: float = math.nan
    note: str = ""  # where the two have different shapes

    @property
    def relative(self) -> float:
        """`max_difference` over `largest_output`."""
        return relative(self.max_difference, self.largest_output)


def largest(x: np.ndarray) -> float:
    """The largest finite absolute value; 0 where there is none, 1 of strings."""
    if x.dtype.kind in "OSU":
        return 1.0
    sizes = np.abs(_wide(x))
    return float(np.max(sizes, initial=0.0, where=np.isfinite(sizes)))


def largest_difference(x: np.ndarray, y: np.ndarray) -> float:
    """The largest |x - y| over all elements; 0 of empty arrays.

    What is equal differs by 0: NaN and NaN, infinity and the same infinity. NaN and a number differ
    by NaN, infinity and anything else by infinity, as do arrays of other shapes; strings by 1.
    """
    if x.shape != y.shape:
        return math.inf
    if x.dtype.kind in "OSU":
        return float(np.any(x != y))
    if x.dtype.kind == "c" or y.dtype.kind == "c":
        same = _same(x.real, y.real) & _same(x.imag, y.imag)
    else:
        same = _same(x, y)
    if same.all():
        return 0.0
    with np.errstate(invalid="ignore"):
        apart = np.abs(_wide(x)[~same] - _wide(y)[~same])
    if x.dtype.kind in "iu" and y.dtype.kind in "iu":
        apart = np.maximum(apart, 1)  # also where they are too large for a float to tell
    return float(np.max(apart))


def relative(difference: float, largest: float) -> float:
    """A difference over the largest value; where that is zero, any difference is infinite."""
    if largest == 0:
        return 0.0 if difference == 0 else math.inf
    return float(difference / largest)


def _same(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x == y) | ((x != x) & (y != y))


def _wide(x: np.ndarray) -> np.ndarray:
    return x.astype(np.complex128 if x.dtype.kind == "c" else np.float64)


def run_alone(file: File, graph: Graph, num_threads: int, runs: int, seed: int) -> None:
    """Run a graph as `compare` would; raises SbnnError where TensorFlow Lite can't."""
    made = runtime.construct(file, num_threads=num_threads)
    running = Running.start(made, graph, file.name)
    rng = np.random.default_rng(seed)
    for _ in range(runs):
        running.run(running.draw(rng))


def compare(
    a: File,
    b: File,
    pairs: list[Pair],
    delegate: bool,
    num_threads: int,
    runs: int,
    seed: int,
    library: Any,
    rounds: bool,
) -> list[Difference]:
    """Run both models' graphs, one after the other.

    Args:
      rounds: whether to see how far small changes go in the first model, which rounds them to steps.
      others: as for `verify`.
    """
    plugin = runtime.load_delegate(num_threads=num_threads, library=library) if delegate else None
    sides = [(a, runtime.construct(a, num_threads=num_threads))]
    sides.append((b, runtime.construct(b, num_threads=num_threads, delegate=plugin)))
    if rounds:
        sides.append((a, runtime.construct(a, num_threads=num_threads)))
    found = []
    for pair in pairs:
        shapes = [port.shape for port in pair[0].inputs]
        graphs = (*pair, pair[0])
        running = [
            Running.start(made, graph, file.name, shapes)
            for graph, (file, made) in zip(graphs, sides)
        ]
        tallies = [_Tally() for _ in pair[0].outputs]
        rng = np.random.default_rng(seed)
        for _ in range(runs):
            inputs = running[0].draw(rng)
            given = [inputs, inputs, _moved(inputs, seed)]
            results = [each.run(values) for each, values in zip(running, given)]
            for tally, *outputs in zip(tallies, *results):
                tally.add(*outputs)
        for tally, port in zip(tallies, pair[0].outputs):
            found.append(tally.difference(pair[0], port.name))
    return found


def _moved(inputs: list[np.ndarray], seed: int) -> list[np.ndarray]:
    """The inputs, where they are float numbers changed by a millionth of each."""
    rng = np.random.default_rng(seed + 1)
    return [
        (x * (1 + 1e-6 * rng.standard_normal(x.shape))).astype(x.dtype)
        if x.dtype.kind == "f"
        else x
        for x in inputs
    ]


class _Tally:
    """What the runs so far say of one output."""

    def __init__(self):
        self._largest = self._apart = self._effect = self._rounding = 0.0
        self._last: np.ndarray | None = None
        self._runs, self._note = 0, ""

    def add(self, x: np.ndarray, y: np.ndarray, moved: np.ndarray | None = None) -> None:
        self._runs += 1
        self._largest = max(self._largest, largest(x))
        self._apart = _furthest(self._apart, largest_difference(x, y))
        if x.shape != y.shape and not self._note:
            self._note = f"shapes {x.shape} and {y.shape} in run {self._runs}"
        if self._last is not None:
            self._effect = _furthest(self._effect, largest_difference(x, self._last))
        apart = math.nan if moved is None else largest_difference(x, moved)
        self._rounding = _furthest(self._rounding, apart)
        self._last = x

    def difference(self, graph: Graph, name: str) -> Difference:
        return Difference(
            graph=graph.title,
            name=name,
            shape=self._last.shape,
            largest_output=self._largest,
            max_difference=self._apart,
            input_effect=self._effect if graph.inputs and self._runs > 1 else math.nan,
            rounding_effect=self._rounding,
            note=self._note,
        )


def _furthest(a: float, b: float) -> float:
    return float(np.maximum(a, b))  # NaN if one of them is
