"""Which layer feeds which: known for functional and Sequential models, not for subclassed ones."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from sbnn_tf.keras_model import keras_compat, kinds


@dataclasses.dataclass(eq=False)
class Leaf:
    """A layer (or plain operation) that is no model of known wiring, and its neighbours.

    A layer with layers inside is a leaf like these, and stands behind them.

    chain: the models and layers that it is nested in, outermost first, and at the end the layer,
      each with its label: its name, or where several beside each other have one name, "name#1",
      "name#2", ...
    wired: whether its consumers are known; if not, `inputs` and `outputs` are merely the order in
      which the layers were created.
    escapes: whether its output also goes where the graph does not show.
    shapes: for every call, the shapes of the first input and of the first output.
    """

    chain: tuple[tuple[str, Any], ...]
    wired: bool
    escapes: bool = False
    inputs: set[Leaf] = dataclasses.field(default_factory=set)
    outputs: set[Leaf] = dataclasses.field(default_factory=set)
    shapes: list[tuple[tuple, tuple]] = dataclasses.field(default_factory=list)

    def __hash__(self) -> int:
        return id(self)

    @property
    def layer(self) -> Any:
        return self.chain[-1][1]

    @property
    def path(self) -> str:
        """The labels: "backbone/conv1". No two leaves of a model have the same."""
        return "/".join(label for label, _ in self.chain)

    def names(self) -> set[str]:
        """What the layer may be called: its name and path, and those of what it is nested in."""
        return {name for part in range(len(self.chain)) for name in self._names_of(part)}

    def own_names(self) -> set[str]:
        """What the layer may be called if nothing else is meant: as `names`, without models.

        The sublayers of a layer are meant with it: `model.summary()` does not show them.
        """
        parts = [i for i, (_, layer) in enumerate(self.chain) if not is_model(layer)]
        return {name for part in parts for name in self._names_of(part)}

    def is_first(self) -> bool:
        """Whether the layer is a product with a kernel and no layer before it is."""
        return kinds.is_product(self.layer) and not _reaches_product(self, "inputs")

    def is_last(self) -> bool:
        """Whether the layer is a product with a kernel and no layer behind it is."""
        return kinds.is_product(self.layer) and not _reaches_product(self, "outputs")

    def _names_of(self, part: int) -> tuple[str, str, str]:
        until = self.chain[: part + 1]
        labels, plain = zip(*((label, layer.name) for label, layer in until))
        return plain[-1], "/".join(labels), "/".join(plain)


def leaves(model: Any) -> list[Leaf]:
    """All leaves of a model, in the order of computation where that is known."""
    found: dict[int, Leaf] = {}
    if keras_compat.graph(model) is not None:
        _walk_graph(model, (), None, found)
    else:
        _walk_inside(model, (), [None], found)
    return list(found.values())


def is_model(layer: Any) -> bool:
    """Whether a layer is a model in its own right."""
    return hasattr(layer, "train_step")


def _walk_graph(model: Any, chain: tuple, feeds: list | None, found: dict) -> list[Leaf | None]:
    """Adds a functional model's leaves; returns the leaves that make its outputs.

    feeds: the leaf behind each input, None where there is none; as a whole None at the top.
    """
    graph = keras_compat.graph(model)
    inputs = list(graph.inputs)
    made = dict(zip(map(id, inputs), feeds or [None] * len(inputs)))
    for layer, tensors_in, tensors_out in keras_compat.calls(graph):
        if not tensors_in:  # an InputLayer: its output is one of `inputs`
            continue
        sources = [made.get(id(tensor)) for tensor in tensors_in]
        inner = (*chain, (layer.name, layer))
        if is_model(layer) and keras_compat.graph(layer) is not None:
            sinks = _walk_graph(layer, inner, sources, found)
        else:
            leaf = _add(inner, True, sources, found)
            leaf.shapes.append((tuple(tensors_in[0].shape), tuple(tensors_out[0].shape)))
            sinks = [leaf] * len(tensors_out)
        made.update(zip(map(id, tensors_out), sinks))
    results = [made.get(id(tensor)) for tensor in graph.outputs]
    if feeds is None:
        _escape(results)
    return results


def _walk_inside(layer: Any, chain: tuple, sources: list, found: dict) -> list[Leaf | None]:
    """Adds the leaves inside a layer; returns those at the end.

    One behind the other in the order of creation, but an attention's projections side by side.
    """
    children = list(_labelled(keras_compat.sublayers(layer)))
    attention = not kinds.kinds(layer).isdisjoint(kinds.ATTENTION)
    beside, behind = (children[:-1], children[-1:]) if attention else ([], children)
    ends = [leaf for child in beside for leaf in _walk_child(child, chain, sources, found)]
    ends = ends or sources
    for child in behind:
        ends = _walk_child(child, chain, ends, found) or ends
    return ends


def _walk_child(
    child: tuple[str, Any], chain: tuple, sources: list, found: dict
) -> list[Leaf | None]:
    """Adds a layer whose consumers are not known, and what is inside it; returns its end."""
    layer, inner = child[1], (*chain, child)
    if is_model(layer) and keras_compat.graph(layer) is not None:
        feeds = sources[:1] * len(keras_compat.graph(layer).inputs)
        results = _walk_graph(layer, inner, feeds, found)
        _escape(results)
        return [leaf for leaf in results if leaf is not None][:1]
    return [_add(inner, False, sources, found)]


def _add(chain: tuple, wired: bool, sources: Sequence[Leaf | None], found: dict) -> Leaf:
    """The leaf of a layer, behind its sources. Layers inside it come between them."""
    layer = chain[-1][1]
    leaf = found.get(id(layer))
    if leaf is None:
        leaf = Leaf(chain, wired)
        if kinds.quantized(layer) is None:
            sources = [*sources, *_walk_inside(layer, chain, list(sources) or [None], found)]
        found[id(layer)] = leaf
    for source in sources:
        if source is not None and source is not leaf:
            source.outputs.add(leaf)
            leaf.inputs.add(source)
    return leaf


def _labelled(layers: list) -> Iterator[tuple[str, Any]]:
    """Layers beside each other with their names, numbered where these are the same."""
    times = collections.Counter(layer.name for layer in layers)
    seen: collections.Counter[str] = collections.Counter()
    for layer in layers:
        seen[layer.name] += 1
        number = f"#{seen[layer.name]}" if times[layer.name] > 1 else ""
        yield f"{layer.name}{number}", layer


def _escape(results: list[Leaf | None]) -> None:
    for leaf in results:
        if leaf is not None:
            leaf.escapes = True


def _reaches_product(leaf: Leaf, direction: str) -> bool:
    seen, todo = {leaf}, list(getattr(leaf, direction))
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        if kinds.is_product(at.layer):
            return True
        seen.add(at)
        todo.extend(getattr(at, direction))
    return False
