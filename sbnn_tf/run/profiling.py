"""Measure what a network's layers cost in the engine, at each sparsity, on this machine."""

from __future__ import annotations

import collections
import dataclasses
import glob
import math
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sbnn_tf import patterns
from sbnn_tf.convert import convert, densify, flatbuffer
from sbnn_tf.convert.graph import CONV, DEPTHWISE, FULLY_CONNECTED, find_weights, op_name
from sbnn_tf.convert.sources import load
from sbnn_tf.errors import SbnnError
from sbnn_tf.patterns import Pattern
from sbnn_tf.plan.cost_table import CostTable, Key
from sbnn_tf.run import contents, runtime
from sbnn_tf.run.benchmark import benchmark, cpu_name
from sbnn_tf.run.child import Child, in_child
from sbnn_tf.run.graph import Graph, Shapes, settle
from sbnn_tf.run.reports import Record
from sbnn_tf.run.running import Running
from sbnn_tf.run.runtime import File

SPARSITIES = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
Node = tuple[int, int]  # subgraph, node

_OPERATORS = {CONV: "conv", DEPTHWISE: "depthwise", FULLY_CONNECTED: "dense"}


def profile(
    source: Any,
    pattern: Pattern | str = "auto",
    *,
    sparsities: Sequence[float] = SPARSITIES,
    signature: str | None = None,
    shapes: Shapes | None = None,
    num_threads: int = 1,
    rounds: int = 30,
    library: str | os.PathLike | None = None,
) -> CostTable:
    """Time each layer of a network in the delegate, pruned by magnitude to each sparsity.

    Of an int8 file too: its table then says what the layers of the Keras model cost once they are
    quantized, and `Latency` budgets of it prune for that.

    The accuracy is lost on the way, the times are real: layers are timed inside of the network,
    with the caches as the layers before have left them, and the least time of all rounds counts.

    Args:
      source: what `convert` takes: a Keras model, or a `.keras` or `.tflite` file.
      pattern: which weights are pruned together, wherever it fits; "auto" goes by the file.
      sparsities: in [0, 1); 0 is always measured.
      signature: the one to time. None: the first graph, which `invoke` runs.
      shapes: of inputs, by name or position, for networks that take any size.
      num_threads: of the delegate.
      rounds: inferences at each sparsity.
      library: the delegate's library, as in `load_delegate`.

    Raises:
      FileNotFoundError, ValueError: the model, the pattern or the library cannot be used.
    """
    runtime.at_least(1, num_threads=num_threads, rounds=rounds)
    fixed, graph = _fixed(source, signature, shapes)
    dense = densify(fixed)
    target = _target(dense)
    pattern = patterns.get(pattern).aimed(target)
    names = [glob.escape(name) for name in _fitting(dense, pattern)]
    if not names:
        raise SbnnError(f"{pattern.name} fits no layer of this network")
    layers: dict[Key, dict[float, float]] = collections.defaultdict(dict)
    todo = sorted({0.0, *map(float, sparsities)})
    with Child() as child:
        for i, sparsity in enumerate(todo):
            pruned = convert(dense, prune=sparsity, pattern=pattern, layers=names)
            file = File(f"the model with {sparsity:.0%} zeros", pruned)
            nodes = child.call(_timed_nodes, file, graph, num_threads, rounds, library)
            for key, ms in _timed_layers(pruned, graph, nodes).items():
                layers[key][sparsity] = ms
            if sys.stderr.isatty():
                end = "\n" if i + 1 == len(todo) else ""
                print(f"\rsparsity {i + 1} of {len(todo)}", end=end, file=sys.stderr, flush=True)
    options = {
        "signature": signature,
        "num_threads": num_threads,
        "rounds": rounds,
        "library": library,
    }
    compared = benchmark(dense, dense, claim="all", **options)
    return CostTable(
        cpu=cpu_name(),
        num_threads=num_threads,
        pattern=pattern.name,
        baseline_ms=compared.baseline.median_ms,
        dense_ms=compared.delegate.median_ms,
        layers={key: ms for key, ms in layers.items() if len(ms) == len(todo)},
        target=target,
    )


@dataclasses.dataclass(frozen=True)
class LatencyReport:
    """Milliseconds an inference: as the cost table has it, and as measured in the delegate."""

    predicted_ms: float
    measured_ms: float
    baseline_ms: float  # the same network, stored densely, in stock TensorFlow Lite

    def __str__(self) -> str:
        return (
            f"predicted {self.predicted_ms:.3f} ms, measured {self.measured_ms:.3f} ms "
            f"({self.baseline_ms / self.measured_ms:.2f}x of dense in TensorFlow Lite)"
        )


def latency(
    source: Any,
    table: CostTable | str | os.PathLike,
    *,
    signature: str | None = None,
    shapes: Shapes | None = None,
    rounds: int = 30,
    library: str | os.PathLike | None = None,
) -> LatencyReport:
    """Predict a pruned network's latency from a cost table, and measure it on this machine.

    Args:
      source: what `convert` takes: a Keras model after `Pruning`, say.
      table: of the dense network, or the path of one.
      signature, shapes: as they were profiled, see `profile`.
      rounds: inferences to time.
      library: the delegate's library, as in `load_delegate`.

    Raises:
      FileNotFoundError, ValueError: the model, the table or the library cannot be used.
    """
    if not isinstance(table, CostTable):
        table = CostTable.load(table)
    content, graph = _fixed(source, signature, shapes)
    predicted = table.dense_ms
    for key, values in _weights(flatbuffer.read(densify(content)), graph):
        if key in table.layers:
            zeros = 1.0 - np.count_nonzero(values) / values.size
            predicted += table.cost(*key, zeros) - table.cost(*key, 0.0)
    options = {"signature": signature, "num_threads": table.num_threads, "rounds": rounds}
    measured = benchmark(convert(content), library=library, **options)
    return LatencyReport(predicted, measured.delegate.median_ms, measured.baseline.median_ms)


def _fixed(source: Any, signature: str | None, shapes: Shapes | None) -> tuple[bytes, Graph]:
    """A model whose tensors all have the sizes that they have in a run, and the graph that ran."""
    named = isinstance(source, (str, os.PathLike))
    file = File(os.fspath(source) if named else "the model", load(source))
    model = contents.read(file)
    (graph,) = settle([contents.entry(model, signature, file.name)], shapes, file.name)
    sizes = in_child(_sizes, file, graph)
    contents.fix_sizes(model, {i: sizes[i] for i in contents.reached(model, [graph])})
    return flatbuffer.write(model), graph


def _sizes(file: File, graph: Graph) -> list[dict[int, tuple[int, ...]]]:
    """The shapes of tensors after a run, by number, by subgraph."""
    made = runtime.construct(file, xnnpack=False)
    running = Running.start(made, graph, file.name)
    running.run(running.draw(np.random.default_rng(0)))
    return running.sizes()


def _target(content: bytes) -> str:
    """What a network computes in, by its filters."""
    weights = find_weights(flatbuffer.read(content))
    return "int8" if any(weight.values.dtype == np.int8 for weight in weights) else "fp32"


def _fitting(content: bytes, pattern: Pattern) -> list[str]:
    """Names of the filters that can have the pattern."""
    model = flatbuffer.read(content)
    return [
        weight.names[0]
        for weight in find_weights(model)
        if weight.kind in _OPERATORS and not pattern.unfit(weight.operator, weight.kernel_shape)
    ]


def _weights(model: Any, graph: Graph) -> Iterator[tuple[Key, np.ndarray]]:
    reached = contents.reached(model, [graph])
    for weight in find_weights(model):
        for node in weight.nodes if weight.subgraph in reached else ():
            key = _key(model, weight.subgraph, node)
            if key is not None:
                yield key, weight.values


def _timed_layers(content: bytes, graph: Graph, nodes: dict[Node, float]) -> dict[Key, float]:
    """Milliseconds of each kind of layer, where the delegate takes all of that kind: their mean."""
    model = flatbuffer.read(content)
    times: dict[Key, list[float | None]] = collections.defaultdict(list)
    for subgraph in contents.reached(model, [graph]):
        for node in range(len(model.subgraphs[subgraph].operators)):
            if (key := _key(model, subgraph, node)) is not None:
                times[key].append(nodes.get((subgraph, node)))
    return {key: float(np.mean(ms)) for key, ms in times.items() if None not in ms}


def _timed_nodes(
    file: File, graph: Graph, num_threads: int, rounds: int, library: Any
) -> dict[Node, float]:
    """Milliseconds an inference of each node that the delegate takes, by the least of its runs."""
    file = runtime.with_delegate(file)
    records: list[Record] = []
    delegate = runtime.load_delegate(
        num_threads=num_threads,
        library=library,
        claim="all",  # also what is slower than stock while dense
        profile=True,
        report=records.append,
    )
    made = runtime.construct(file, num_threads=num_threads, delegate=delegate)
    running = Running.start(made, graph, file.name)
    running.run(running.draw(np.random.default_rng(0)))
    for _ in range(rounds):
        running.invoke()
    del made, running  # the delegate then reports
    times: dict[Node, float] = collections.defaultdict(float)
    for step in records:
        if step["record"] == "step_profile":
            an_inference = step["runs"] / (rounds + 1)  # in a loop more than one
            for node in step["nodes"]:
                times[step["subgraph"], node] += an_inference * step["least_seconds"] * 1e3
    return dict(times)


def _key(model: Any, subgraph: int, node: int) -> Key | None:
    """What a node is in a cost table; None for one without a filter."""
    op = model.subgraphs[subgraph].operators[node]
    kind = op_name(model, op)
    if kind not in _OPERATORS:
        return None
    tensors = model.subgraphs[subgraph].tensors
    outputs = tensors[op.outputs[0]].shape
    positions = math.prod(outputs[1:3]) if kind != FULLY_CONNECTED else 1
    return _OPERATORS[kind], _view(kind, tensors[op.inputs[1]].shape), int(positions)


def _view(kind: str, shape: Sequence[int]) -> tuple[int, ...]:
    """A filter's shape as patterns and Keras have it: (*window, inputs, outputs)."""
    shape = tuple(int(n) for n in shape)
    if kind == DEPTHWISE:  # 1HWC
        return (*shape[1:3], 1, shape[3])
    return (*shape[1:], shape[0])
