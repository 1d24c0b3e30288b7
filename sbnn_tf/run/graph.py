"""Graphs of a `.tflite` file: their inputs and outputs, and the sizes that inputs get."""

from __future__ import annotations

import dataclasses
import itertools
import operator
from collections.abc import Mapping, Sequence

from sbnn_tf.errors import SbnnError

Shapes = Mapping[str | int, Sequence[int]]

OPEN = -1


@dataclasses.dataclass(frozen=True)
class Port:
    """An input or output of a graph.

    Attributes:
      name: in the signature, else that of the tensor.
      tensor: the tensor's name.
      index: of the tensor in its subgraph.
      type: in the schema's words: `FLOAT32`.
      shape: -1 where the file leaves the size open.
    """

    name: str
    tensor: str
    index: int
    type: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name!r} {self.type.lower()} {sizes(self.shape)}"


@dataclasses.dataclass(frozen=True)
class Graph:
    """A subgraph with the names that a signature gives to its inputs and outputs, if one does."""

    subgraph: int
    name: str
    signature: str | None
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    @property
    def title(self) -> str:
        if self.signature is not None:
            return f"signature {self.signature!r}"
        return f"subgraph {self.subgraph} {self.name!r}" if self.subgraph else "the graph"


def sizes(shape: Sequence[int]) -> str:
    """A shape as users see it, such as 1x?x?x3."""
    return "x".join("?" if n == OPEN else str(n) for n in shape) or "scalar"


def select(graphs: Sequence[Graph], signature: str, file: str) -> Graph:
    """The graph of a signature.

    Raises:
      SbnnError: the file has no such signature.
    """
    for graph in graphs:
        if graph.signature == signature:
            return graph
    there = [repr(graph.signature) for graph in graphs if graph.signature is not None]
    raise SbnnError(
        f"{file} has no signature {signature!r}: expected one of {', '.join(there)}"
        if there
        else f"{file} has no signatures, and none can be named"
    )


def match(a: Graph, b: Graph) -> tuple[Graph, Graph]:
    """Two graphs that take the same inputs and give the same outputs, in the order of the first.

    What belongs together is told by names where both have the same signature, else by the order. A
    size that the first leaves open, and the second doesn't, is the second's.

    Raises:
      SbnnError: they differ in number, names or types, or in the sizes of inputs.
    """
    inputs, outputs = _pairs(a, b, "inputs"), _pairs(a, b, "outputs")
    merged = (
        dataclasses.replace(mine, shape=tuple(map(max, mine.shape, other.shape)))
        for mine, other in inputs
    )
    return (
        dataclasses.replace(a, inputs=tuple(merged)),
        dataclasses.replace(
            b, inputs=tuple(o for _, o in inputs), outputs=tuple(o for _, o in outputs)
        ),
    )


def _pairs(a: Graph, b: Graph, kind: str) -> list[tuple[Port, Port]]:
    mine, others = getattr(a, kind), getattr(b, kind)
    if a.signature is not None and a.signature == b.signature:
        named = {port.name: port for port in others}
        pairs = [(port, named.get(port.name)) for port in mine]
    else:
        pairs = list(itertools.zip_longest(mine, others))
    sized = kind == "inputs"  # sizes of outputs show when they run
    if len(mine) != len(others) or not all(_fits(*pair, sized) for pair in pairs):
        lists = ("; ".join(map(str, ports)) or "none" for ports in (mine, others))
        raise SbnnError(f"the models' {kind} differ ({a.title}): {' against '.join(lists)}")
    return pairs


def _fits(mine: Port | None, other: Port | None, sized: bool) -> bool:
    if mine is None or other is None or mine.type != other.type:
        return False
    return not sized or (
        len(mine.shape) == len(other.shape)
        and all(n == m or OPEN in (n, m) for n, m in zip(mine.shape, other.shape))
    )


def settle(graphs: Sequence[Graph], shapes: Shapes | None, file: str) -> list[Graph]:
    """The graphs with sizes for all their inputs: the asked ones, the file's, and 1 for a batch.

    Args:
      shapes: by the input's name, in the signature or of the tensor, or by its position.
      file: its name.

    Raises:
      SbnnError: open sizes other than the batch, and no word which; a shape that fits no input.
    """
    shapes = {} if shapes is None else shapes
    if not isinstance(shapes, Mapping) or not all(isinstance(key, (str, int)) for key in shapes):
        raise SbnnError(
            "shapes: expected a shape by the name or position of its input, such as "
            f"{{'input': (1, 128, 128, 3)}}, found {shapes!r}"
        )
    asked = {key: _whole(key, shape) for key, shape in shapes.items()}
    for key, shape in asked.items():
        places = [_place(graph, key) for graph in graphs]
        if all(place is None for place in places):
            there = ", ".join(str(port) for graph in graphs for port in graph.inputs)
            raise SbnnError(f"{file} has no input {key!r}: expected one of {there or 'none'}")
        graphs = [
            graph if place is None else _resized(graph, place, shape, file)
            for graph, place in zip(graphs, places)
        ]
    return [_closed(graph, file) for graph in graphs]


def _place(graph: Graph, key: str | int) -> int | None:
    for position, port in enumerate(graph.inputs):
        if key in (port.name, port.tensor):
            return position
    position = int(key) if isinstance(key, int) or key.isdecimal() else -1
    return position if 0 <= position < len(graph.inputs) else None


def _whole(key: str | int, shape: Sequence[int]) -> tuple[int, ...]:
    try:
        whole = tuple(operator.index(n) for n in shape)
    except TypeError:
        whole = (OPEN,)
    if not all(0 <= n < 2**31 for n in whole):
        raise SbnnError(
            f"the shape of input {key!r}: expected whole numbers such as (1, 128, 128, 3), "
            f"found {shape!r}"
        )
    return whole


def _resized(graph: Graph, place: int, shape: tuple[int, ...], file: str) -> Graph:
    port = graph.inputs[place]
    if port.shape and len(shape) != len(port.shape):
        raise SbnnError(
            f"input {port} of {file} has {len(port.shape)} dimension(s), and the shape "
            f"{sizes(shape)} has {len(shape)}"
        )
    inputs = list(graph.inputs)
    inputs[place] = dataclasses.replace(port, shape=shape)
    return dataclasses.replace(graph, inputs=tuple(inputs))


def _closed(graph: Graph, file: str) -> Graph:
    for port in graph.inputs:
        if OPEN in port.shape[1:]:
            example = tuple(
                (1 if i == 0 else 128) if n == OPEN else n for i, n in enumerate(port.shape)
            )
            raise SbnnError(
                f"{file} takes inputs of any size ({', '.join(map(str, graph.inputs))}): say "
                f"which, such as --shape {port.name}={','.join(map(str, example))}, "
                f"in Python shapes={{{port.name!r}: {example}}}"
            )
    inputs = (
        dataclasses.replace(port, shape=tuple(1 if n == OPEN else n for n in port.shape))
        for port in graph.inputs
    )
    return dataclasses.replace(graph, inputs=tuple(inputs))
