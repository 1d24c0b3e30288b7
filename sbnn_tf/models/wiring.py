"""Which layer feeds which: known for functional and Sequential models, not for subclassed ones."""

from __future__ import annotations

import dataclasses
from typing import Any

from sbnn_tf.models import keras_compat


@dataclasses.dataclass(eq=False)
class Leaf:
    """A layer (or plain operation) without layers of its own, and its neighbours.

    path: the layer's name, behind the names of the models it is nested in: "backbone/conv1".
    wired: whether its consumers are known; if not, `inputs` and `outputs` are merely the order in
      which the layers were created.
    escapes: whether its output also goes where the graph does not show.
    shapes: for every call, the shapes of the first input and of the first output.
    """

    path: str
    layer: Any
    wired: bool
    escapes: bool = False
    inputs: set[Leaf] = dataclasses.field(default_factory=set)
    outputs: set[Leaf] = dataclasses.field(default_factory=set)
    shapes: list[tuple[tuple, tuple]] = dataclasses.field(default_factory=list)

    def __hash__(self) -> int:
        return id(self)

    @property
    def has_kernel(self) -> bool:
        return any(len(v.shape) >= 2 for v in keras_compat.own_variables(self.layer))

    def is_first(self) -> bool:
        """Whether the layer holds a kernel and no layer before it does."""
        return self.has_kernel and not _reaches_kernel(self, "inputs")

    def is_last(self) -> bool:
        """Whether the layer holds a kernel and no layer behind it does."""
        return self.has_kernel and not _reaches_kernel(self, "outputs")


def leaves(model: Any) -> list[Leaf]:
    """All leaves of a model, in the order of computation where that is known."""
    found: dict[int, Leaf] = {}
    if keras_compat.graph(model) is not None:
        _walk_graph(model, (), None, found)
    else:
        _walk_unknown(model, (), None, found)
    return list(found.values())


def _walk_graph(model: Any, path: tuple, feeds: list | None, found: dict) -> list[Leaf | None]:
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
        if _is_model(layer) and keras_compat.graph(layer) is not None:
            sinks = _walk_graph(layer, (*path, layer.name), sources, found)
        else:
            leaf = _add(layer, path, True, sources, found)
            leaf.shapes.append((tuple(tensors_in[0].shape), tuple(tensors_out[0].shape)))
            sinks = [leaf] * len(tensors_out)
        made.update(zip(map(id, tensors_out), sinks))
    results = [made.get(id(tensor)) for tensor in graph.outputs]
    if feeds is None:
        _escape(results)
    return results


def _walk_unknown(layer: Any, path: tuple, source: Leaf | None, found: dict) -> Leaf | None:
    """Adds the leaves inside a layer in the order of creation; returns the last one."""
    for child in keras_compat.sublayers(layer):
        if _is_model(child) and keras_compat.graph(child) is not None:
            feeds = [source] * len(keras_compat.graph(child).inputs)
            results = _walk_graph(child, (*path, child.name), feeds, found)
            _escape(results)
            source = next((leaf for leaf in results if leaf is not None), source)
        else:
            source = _add(child, path, False, [source], found)
    return source


def _add(layer: Any, path: tuple, wired: bool, sources: list, found: dict) -> Leaf:
    """The leaf of a layer, behind its sources. Layers inside it come between them."""
    leaf = found.get(id(layer))
    if leaf is None:
        leaf = Leaf("/".join((*path, layer.name)), layer, wired)
        if hasattr(layer, "_flatten_layers") and not leaf.has_kernel:
            for source in sources or [None]:
                inner = _walk_unknown(layer, (*path, layer.name), source, found)
                sources = [*sources, inner]
        found[id(layer)] = leaf
    for source in sources:
        if source is not None and source is not leaf:
            source.outputs.add(leaf)
            leaf.inputs.add(source)
    return leaf


def _escape(results: list[Leaf | None]) -> None:
    for leaf in results:
        if leaf is not None:
            leaf.escapes = True


def _is_model(layer: Any) -> bool:
    return hasattr(layer, "train_step")


def _reaches_kernel(leaf: Leaf, direction: str) -> bool:
    seen, todo = {leaf}, list(getattr(leaf, direction))
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        if at.has_kernel:
            return True
        seen.add(at)
        todo.extend(getattr(at, direction))
    return False
