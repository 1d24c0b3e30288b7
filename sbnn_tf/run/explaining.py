"""What the delegate would compute of a model, and why it leaves the rest."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

from sbnn_tf.run import runtime
from sbnn_tf.run.child import in_child
from sbnn_tf.run.graph import Graph, Shapes, settle
from sbnn_tf.run.reports import Record
from sbnn_tf.run.running import Running
from sbnn_tf.run.runtime import File, Model


@dataclasses.dataclass(frozen=True)
class Explanation:
    """The delegate's report on a model; `str()` gives it as text, one line a node.

    Attributes:
      records: as `delegate/report/README.md` documents them, in the delegate's order.
      subgraphs: what each is, such as "signature 'serving_default'", by its number.
    """

    records: tuple[Record, ...]
    subgraphs: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [record["text"] for record in self.records if "text" in record]
        if len(self.subgraphs) > 1:
            lines += [f"subgraph {i} is {what}" for i, what in enumerate(self.subgraphs)]
        return "\n".join(lines)

    def of_kind(self, kind: str) -> list[Record]:
        """The records of a kind, such as "node"."""
        return [record for record in self.records if record["record"] == kind]

    @property
    def nodes(self) -> list[Record]:
        """The nodes of all subgraphs: "subgraph", "node", "op", "claimed", "reason" ..."""
        return self.of_kind("node")

    @property
    def claimed(self) -> list[Record]:
        """The nodes that the delegate computes."""
        return [node for node in self.nodes if node["claimed"]]


def explain(
    model: Model,
    *,
    shapes: Shapes | None = None,
    num_threads: int = 1,
    library: str | os.PathLike | None = None,
    claim: str = "faster",
) -> Explanation:
    """Say what the delegate would compute of a model, and why it leaves the rest.

    Args:
      model: path or bytes of a `.tflite` file.
      shapes: of inputs, by name or position, for files that take any size.
      num_threads: of the delegate.
      library: the delegate's library, as in `load_delegate`.
      claim: what the delegate takes, as in `load_delegate`: "faster" or "all".

    Raises:
      FileNotFoundError, ValueError: the model or the library cannot be used.
    """
    from sbnn_tf.run import contents

    file = runtime.read_model(model)
    content = contents.read(file)
    graphs = settle(contents.entries(content), shapes, file.name)
    sized = [(graph, [port.shape for port in graph.inputs]) for graph in graphs]
    found = in_child(_explain, file, sized, num_threads, library, claim)
    everything = [*graphs, *contents.inner(content)]
    return dataclasses.replace(found, subgraphs=_what_they_are(everything))


def _explain(*arguments: Any) -> Explanation:
    return explained(*arguments)[1]


def _what_they_are(graphs: Sequence[Graph]) -> tuple[str, ...]:
    what: dict[int, list[str]] = {}
    for graph in graphs:
        signed = graph.signature is not None
        named = f"signature {graph.signature!r}" if signed else repr(graph.name)
        what.setdefault(graph.subgraph, []).append(named)
    return tuple(" and ".join(what[number]) for number in sorted(what))


def explained(
    file: File,
    graphs: Sequence[tuple[Graph, Sequence[Sequence[int]]]],
    num_threads: int,
    library: Any,
    claim: str,
) -> tuple[list[Running], Explanation]:
    """Graphs with inputs of given shapes in the delegate, and what that reported."""
    file = runtime.with_delegate(file)
    records: list[Record] = []
    delegate = runtime.load_delegate(
        num_threads=num_threads, report=records.append, library=library, claim=claim
    )
    made = runtime.construct(file, num_threads=num_threads, delegate=delegate)
    running = [Running.start(made, graph, file.name, shapes) for graph, shapes in graphs]
    return running, Explanation(tuple(records))
