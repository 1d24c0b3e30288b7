"""From graphs of ensembles to the weights of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sbnn_tf import patterns
from sbnn_tf.keras_model import kernels
from sbnn_tf.patterns import Pattern
from sbnn_tf.topology.graphs import Graph, split


def mask(graph: Graph, shape: Sequence[int], pattern: Pattern | str = "unstructured") -> np.ndarray:
    """The mask of a kernel whose ensembles are connected like this.

    Args:
      graph: from ensembles of inputs to ensembles of outputs.
      shape: (inputs, outputs) of a Dense kernel, (*window, inputs, outputs) of a convolution's. An
        edge connects all units of its ensembles, at all taps.
      pattern: which output channels belong together: output ensembles are whole groups of
        `pattern.outputs`, and input ensembles too where their number allows it, so that one layer's
        output ensembles are the next one's input ensembles.

    Returns:
      bool array of that shape, True where there is a weight.

    Raises:
      ValueError: more ensembles than units, or outputs that are no whole number of groups.
    """
    group = patterns.get(pattern).outputs
    *window, inputs, outputs = shape
    if outputs % group:
        raise ValueError(f"{outputs} outputs are no whole number of groups of {group}.")
    aligned = inputs % group == 0 and inputs // group >= graph.sources
    rows = split(inputs, graph.sources, group if aligned else 1)
    columns = split(outputs, graph.targets, group)
    return np.broadcast_to(graph.edges[np.ix_(rows, columns)], shape).copy()


def connect(
    model: Any, graphs: Mapping[str, Graph], pattern: Pattern | str = "unstructured"
) -> None:
    """Zeroes the weights of a new model between ensembles that no edge connects.

    The weights that are left are divided by the square root of the fraction of inputs that their
    output channel has left: its variance is again what the initializer meant it to be.

    Args:
      model: a built Keras model that has not been trained.
      graphs: by the names of Dense layers and convolutions, as in `model.summary()`.
      pattern: as of `mask`: "group4" makes zeros that the engine skips.

    Raises:
      ValueError: a name that is no such layer's; and as `mask`, with the layer's name. The model is
        then as it was.
    """
    found = {kernel.name: kernel for kernel in kernels.find(model)}
    able = [
        name
        for name, kernel in found.items()
        if kernel.operator in ("dense", "conv") and kernel.groups == 1 and not kernel.reason
    ]
    keeps = {}
    for name, graph in graphs.items():
        if name not in able:
            raise ValueError(
                f"'{name}' has no ensembles to connect: expected Dense layers or convolutions, "
                f"here {', '.join(able)}."
            )
        try:
            keeps[name] = mask(graph, found[name].shape, pattern)
        except ValueError as error:
            raise ValueError(f"'{name}': {error}") from None
    for name, keep in keeps.items():
        outputs = keep.reshape(-1, keep.shape[-1])
        weights = found[name].value() / np.sqrt(outputs.mean(axis=0))
        found[name].variable.assign(np.where(keep, weights, 0.0).astype(np.float32))
