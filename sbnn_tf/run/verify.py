"""Compare two models, in stock TensorFlow Lite or the delegate, on the same random inputs."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
from collections.abc import Sequence
from typing import Any

from sbnn_tf.errors import SbnnError
from sbnn_tf.run import contents, runtime
from sbnn_tf.run.child import Child, Crash
from sbnn_tf.run.comparing import Difference, Pair, Unrunnable, compare, load, relative
from sbnn_tf.run.graph import Graph, Shapes, match, select, settle
from sbnn_tf.run.runtime import File, Model

TOLERANCE = 1e-4
# Where activations are rounded to 8 bits, a difference in the last digit may become a whole step,
# and more of them in each layer behind it.
ROUNDED_TOLERANCE = 0.05
# Of an inner graph alone: its random inputs may make a loop of it that never ends.
SECONDS_ALONE = 30


@dataclasses.dataclass(frozen=True)
class Verification:
    """What `verify` found; `str()` of it is a table."""

    outputs: tuple[Difference, ...]
    tolerance: float  # of `relative`
    remarks: tuple[str, ...]  # which tolerance and why, what was not compared

    @property
    def within(self) -> bool:
        """Whether all outputs are within the tolerance."""
        return all(one.relative <= self.tolerance for one in self.outputs)  # NaN is not

    def __str__(self) -> str:
        lines = [f"{'output':40} {'largest':>10} {'difference':>11} {'relative':>9}"]
        several = len({one.graph for one in self.outputs}) > 1
        for i, one in enumerate(self.outputs):
            if several and (i == 0 or one.graph != self.outputs[i - 1].graph):
                lines.append(one.graph)
            name = f"  {one.name}" if several else one.name
            lines.append(
                f"{name:40} {one.largest_output:10.4g} {one.max_difference:11.3g} "
                f"{one.relative:9.2g}"
            )
            if one.note:
                lines.append(f"  ({one.note})")
            elif one.input_effect <= 0.01 * one.largest_output:
                lines.append("  (hardly depends on the input: this comparison shows little)")
        good = "within" if self.within else "BEYOND"
        return "\n".join([*lines, *self.remarks, f"{good} the tolerance of {self.tolerance:g}"])


def verify(
    a: Model,
    b: Model,
    *,
    signature: str | None = None,
    shapes: Shapes | None = None,
    tolerance: float | None = None,
    delegate: bool = False,
    num_threads: int = 1,
    runs: int = 3,
    seed: int = 0,
    library: str | os.PathLike | None = None,
) -> Verification:
    """Run two models on the same inputs and compare their outputs.

    Compared are all signatures, the first graph if it has none, and each by itself the graphs that
    operators run, such as bodies of loops and branches, which random inputs may not reach.

    Args:
      a: path or bytes of the reference; runs in stock TensorFlow Lite.
      b: path or bytes of the other; runs in stock TensorFlow Lite, or through the delegate.
      signature: compare this one alone, and what operators run in it.
      shapes: of inputs, by name or position, for files that take any size.
      tolerance: largest difference allowed, relative to the largest output. None: 1e-4; where a
        file rounds activations to 8 bits as it runs ("dynamic range") 0.05, or twice what a change
        of its inputs by a millionth does to it. Of outputs of 8 bits one step is beyond 1e-4; how
        many numbers differ, and by how many steps, is said.
      delegate: whether `b` runs through the SparseByteNN delegate.
      num_threads: threads of each.
      runs: how many inputs; each is drawn from a standard normal distribution, integers from the
        whole range of quantized and 8-bit types, and from 0 and 1 of others; strings are words.
      seed: of the inputs.
      library: the delegate's library, as in `load_delegate`.

    Raises:
      FileNotFoundError, ValueError: a model cannot be read or run, or their signatures differ.
    """
    runtime.at_least(1, runs=runs, num_threads=num_threads)
    runtime.at_least(0, seed=seed)
    files = _named_apart(runtime.read_model(a), runtime.read_model(b))
    models = [contents.read(file) for file in files]
    remarks: list[str] = []
    pairs = _entries(files, models, signature, shapes, remarks)
    outer = [graph for graph, _ in pairs] if signature is not None else None
    inner = _inner(files, models, outer, remarks)
    rounds = tolerance is None and any(map(contents.rounds_activations, models))
    second = runtime.with_delegate(files[1]) if delegate else files[1]
    options = (delegate, num_threads, runs, seed, library, rounds)
    with _Loaded(files[0], second, *options) as loaded:
        try:
            outputs = [one for pair in pairs for one in loaded.compare(*pair)]
        except SbnnError as error:
            if len(pairs) == 1:
                raise
            raise SbnnError(f"{error}; --signature compares one signature alone") from None
    with _Loaded(files[0], second, *options) as loaded:  # anew: the others have run these already
        for pair in inner:
            outputs += loaded.compare_alone(*pair, remarks)
    if not outputs:
        raise SbnnError("; ".join([f"{files[0].name}: there is nothing to compare", *remarks]))
    if tolerance is None:
        tolerance = _fitting(outputs, remarks) if rounds else TOLERANCE
    for name in contents.draws_random_numbers(models[0]):
        remarks.append(f"{name} draws other numbers in each: what depends on them differs")
    return Verification(tuple(outputs), tolerance, tuple(remarks))


def _named_apart(a: File, b: File) -> tuple[File, File]:
    if a.name != b.name or a.content == b.content:
        return a, b
    return File(f"{a.name} (the first)", a.content), File(f"{b.name} (the second)", b.content)


def _fitting(outputs: Sequence[Difference], remarks: list[str]) -> float:
    """The tolerance of models that round activations to 8 bits."""
    effects = [relative(one.rounding_effect, one.largest_output) for one in outputs]
    effect = max((each for each in effects if math.isfinite(each)), default=0.0)
    remarks.append(
        "activations are rounded to 8 bits as it runs: changing its inputs by a millionth moves the "
        f"outputs by {effect:.2g}, so the tolerance is {max(ROUNDED_TOLERANCE, 2 * effect):.2g}"
    )
    return max(ROUNDED_TOLERANCE, 2 * effect)


def _entries(
    files: Sequence[File],
    models: Sequence[Any],
    signature: str | None,
    shapes: Shapes | None,
    remarks: list[str],
) -> list[Pair]:
    """The graphs of both models that programs run, with the sizes that their inputs get."""
    mine, others = (contents.entries(model) for model in models)
    if signature is not None:
        mine = [select(mine, signature, files[0].name)]
        others = [select(others, signature, files[1].name)]
    pairs = []
    for graph in mine:
        named = [other for other in others if other.signature == graph.signature]
        if not named and graph.subgraph == 0:  # one of the two has no signatures
            named = [other for other in others if other.subgraph == 0]
        if not named:
            raise _missing(graph, files[1])
        others.remove(named[0])
        if writer := contents.writes_files(models[0], graph):
            remarks.append(f"not compared: {graph.title}, which writes files ({writer})")
        else:
            pairs.append(match(graph, named[0]))
    if others:
        raise _missing(others[0], files[0])
    settled = settle([graph for graph, _ in pairs], shapes, files[0].name)
    return [(graph, other) for graph, (_, other) in zip(settled, pairs)]


def _missing(graph: Graph, file: File) -> SbnnError:
    return SbnnError(
        f"{file.name} has no {graph.title}, which the other model has; --signature compares one "
        "signature alone"
    )


def _inner(
    files: Sequence[File], models: Sequence[Any], outer: list[Graph] | None, remarks: list[str]
) -> list[Pair]:
    """The graphs that operators run, as far as they can be run by themselves.

    A graph comes before those that run it, which leave it in a state of theirs.
    """
    mine, others = (contents.inner(model) for model in models)
    pairs = []
    for graph in sorted(mine, key=lambda graph: len(contents.reached(models[0], [graph]))):
        if not graph.outputs or (outer and not contents.runs(models[0], outer, graph)):
            continue
        same = [other for other in others if other.subgraph == graph.subgraph]
        try:
            if not same:
                raise _missing(graph, files[1])
            graph, other = match(graph, same[0])
            pairs.append((*settle([graph], None, files[0].name), other))
        except SbnnError as error:
            remarks.append(f"not compared by itself: {graph.title} ({error})")
    return pairs


class _Loaded:
    """Two models in a process of their own, and in a new one after a crash."""

    def __init__(self, *arguments: Any):
        self._arguments = arguments
        self._ends = contextlib.ExitStack()
        self._child: Child | None = None

    def __enter__(self) -> _Loaded:
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()
        self._child = None

    def compare(self, mine: Graph, other: Graph, timeout: float | None = None) -> list[Difference]:
        """As `comparing.compare`; raises Crash too."""
        try:
            if self._child is None:
                self._child = self._ends.enter_context(Child())
                self._child.call(load, *self._arguments)
            return self._child.call(compare, mine, other, timeout=timeout)
        except Crash:
            self.__exit__()
            raise

    def compare_alone(self, mine: Graph, other: Graph, remarks: list[str]) -> list[Difference]:
        """Compare inner graphs, if random inputs are anything that the first model can run."""
        try:
            found = self.compare(mine, other, timeout=SECONDS_ALONE)
        except (Crash, Unrunnable) as error:
            first, second = (file.name for file in self._arguments[:2])
            if isinstance(error, Crash) and error.doing.endswith(second) and first != second:
                raise
            remarks.append(f"not compared by itself: {mine.title} ({error})")
            return []
        # A counter that random inputs don't move says nothing about the model.
        return [dataclasses.replace(one, input_effect=math.nan) for one in found]
