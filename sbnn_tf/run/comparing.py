"""How far two models, and two arrays, are apart. Runs in the child of `verify`."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from sbnn_tf.errors import SbnnError
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
    note: str = ""  # where the two have different shapes, or quantized numbers

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


class Unrunnable(SbnnError):
    """The reference cannot run a graph; the message says why."""


class _Comparison:
    """Two models, loaded; the arguments are those of `verify`.

    Args:
      rounds: whether to see how far small changes go in the first model, which rounds them to steps.
    """

    def __init__(
        self,
        a: File,
        b: File,
        delegate: bool,
        num_threads: int,
        runs: int,
        seed: int,
        library: Any,
        rounds: bool,
    ):
        plugin = (
            runtime.load_delegate(num_threads=num_threads, library=library) if delegate else None
        )
        self._runs, self._seed = runs, seed
        self._sides = [(a, runtime.construct(a, num_threads=num_threads))]
        self._sides.append((b, runtime.construct(b, num_threads=num_threads, delegate=plugin)))
        if rounds:
            self._sides.append((a, runtime.construct(a, num_threads=num_threads)))

    def graph(self, mine: Graph, other: Graph) -> list[Difference]:
        shapes = [port.shape for port in mine.inputs]
        tallies = [_Tally() for _ in mine.outputs]
        try:
            running = [self._start(0, mine, shapes)]
        except SbnnError as error:
            raise Unrunnable(str(error)) from None
        running += [
            self._start(i, (other, mine)[i - 1], shapes) for i in range(1, len(self._sides))
        ]
        rng = np.random.default_rng(self._seed)
        for _ in range(self._runs):
            try:
                inputs = running[0].draw(rng)
                results = [running[0].run(inputs)]
            except SbnnError as error:
                raise Unrunnable(str(error)) from None
            given = inputs, _moved(inputs, self._seed)
            results += [each.run(values) for each, values in zip(running[1:], given)]
            for tally, *outputs in zip(tallies, *results):
                tally.add(*outputs)
        return [tally.difference(mine, port.name) for tally, port in zip(tallies, mine.outputs)]

    def _start(self, side: int, graph: Graph, shapes: list[tuple[int, ...]]) -> Running:
        file, made = self._sides[side]
        return Running.start(made, graph, file.name, shapes)


_comparison: _Comparison | None = None


def load(*arguments: Any) -> None:
    """Load two models into this process, to `compare` graphs of them."""
    global _comparison
    _comparison = _Comparison(*arguments)


def compare(mine: Graph, other: Graph) -> list[Difference]:
    """Run a graph of each loaded model, with inputs of the sizes that the first of them has.

    Raises:
      Unrunnable: the first cannot be run.
      SbnnError: the second cannot.
    """
    return _comparison.graph(mine, other)


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
        self._steps = self._numbers = 0  # of 8 bits: that differ, and all

    def add(self, x: np.ndarray, y: np.ndarray, moved: np.ndarray | None = None) -> None:
        self._runs += 1
        self._largest = max(self._largest, largest(x))
        self._apart = _furthest(self._apart, largest_difference(x, y))
        if x.shape != y.shape and not self._note:
            self._note = f"shapes {x.shape} and {y.shape} in run {self._runs}"
        elif x.dtype in (np.int8, np.uint8):
            self._steps += np.count_nonzero(x != y)
            self._numbers += x.size
        if self._last is not None:
            self._effect = _furthest(self._effect, largest_difference(x, self._last))
        apart = math.nan if moved is None else largest_difference(x, moved)
        self._rounding = _furthest(self._rounding, apart)
        self._last = x

    def difference(self, graph: Graph, name: str) -> Difference:
        if self._steps and not self._note:
            self._note = (
                f"{self._steps} of {self._numbers} numbers of 8 bits differ, by up to "
                f"{self._apart:g} step{'' if self._apart == 1 else 's'}"
            )
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
