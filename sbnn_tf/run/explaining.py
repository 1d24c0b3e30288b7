"""What the delegate would compute of a model, and why it leaves the rest."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from sbnn_tf.run import runtime
from sbnn_tf.run.child import doing, in_child
from sbnn_tf.run.reports import Record
from sbnn_tf.run.runtime import File, Model


@dataclasses.dataclass(frozen=True)
class Explanation:
    """The delegate's report on a model; `str()` gives it as text, one line a node.

    Attributes:
      records: as `delegate/report/README.md` documents them, in the delegate's order.
    """

    records: tuple[Record, ...]

    def __str__(self) -> str:
        return "\n".join(record["text"] for record in self.records if "text" in record)

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
    num_threads: int = 1,
    library: str | os.PathLike | None = None,
    claim: str = "faster",
) -> Explanation:
    """Say what the delegate would compute of a model, and why it leaves the rest.

    Args:
      model: path or bytes of a `.tflite` file.
      num_threads: of the delegate.
      library: the delegate's library, as in `load_delegate`.
      claim: what the delegate takes, as in `load_delegate`: "faster" or "all".

    Raises:
      FileNotFoundError, ValueError: the model or the library cannot be used.
    """
    return in_child(_explain, runtime.read_model(model), num_threads, library, claim)


def _explain(*arguments: Any) -> Explanation:
    return explained(*arguments)[1]


def explained(file: File, threads: int, library: Any, claim: str) -> tuple[Any, Explanation]:
    """An interpreter with the delegate, and what that reported."""
    doing(f"loading {file.name} with the delegate")
    records: list[Record] = []
    delegate = runtime.load_delegate(
        num_threads=threads, report=records.append, library=library, claim=claim
    )
    made = runtime.interpreter(file, num_threads=threads, delegate=delegate)
    return made, Explanation(tuple(records))
