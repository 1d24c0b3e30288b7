"""Group-to-group connectivity between single units, as G2GNet has it. Plain numpy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sbnn_tf.patterns.base import check_whole
from sbnn_tf.topology.graphs import Graph, split

GROUPINGS = ("index", "random", "mixer")


def group_to_group(
    layers: Sequence[int],
    groups: int = 8,
    p_intra: float = 1.0,
    p_inter: float = 0.15,
    grouping: str = "index",
    *,
    outputs: int = 1,
    seed: int = 0,
) -> list[Graph]:
    """Units of one group are connected with p_intra, units of different groups with p_inter.

    The arrangement of G2GNet (Konstantaropoulos et al., "Neuro-inspired Ensemble-to-Ensemble
    Communication Primitives for Sparse and Efficient ANNs", 2025), with its numbers as defaults:
    a density of 1/8 + 7/8 * 0.15 = 0.256.

        graphs = group_to_group([784, 1024, 1024, 1024])
        topology.connect(model, dict(zip(["hidden_1", "hidden_2", "hidden_3"], graphs)))

    Args:
      layers: the units (of convolutions: the channels) of each layer in turn, the input's first.
      groups: into which both sides of a connection are split, as even as can be.
      p_intra, p_inter: probabilities of an edge, each drawn for itself.
      grouping: how. "index": by consecutive units. "random": by permutations, drawn anew for both
        sides of every connection. "mixer": by consecutive units and interleaved (every so many-th)
        by turns, so that what a group has computed goes to all groups of the next connection.
      outputs: a target is this many consecutive units, which are fed by the same sources: 4 makes
        what "group4" skips. It must divide every layer but the input.
      seed: of all that is random.

    Returns:
      For each layer but the input the Graph of its connections: sources are the units of the layer
      before, targets its own units, or whole `outputs` of them.

    Raises:
      TypeError, ValueError: numbers out of range; more groups than units; probabilities so low that
        a target is left without an edge.
    """
    for number, name in ((groups, "groups"), (outputs, "outputs")):
        check_whole(number, name)
    for units in layers:
        check_whole(units, "layers")
    if len(layers) < 2:
        raise ValueError(f"expected the units of two layers at least, found {list(layers)}.")
    for p, name in ((p_intra, "p_intra"), (p_inter, "p_inter")):
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"{name} must be in [0, 1], not {p!r}.")
    if grouping not in GROUPINGS:
        raise ValueError(f"grouping must be one of {', '.join(GROUPINGS)}, not {grouping!r}.")
    rng = np.random.default_rng(seed)
    graphs = []
    for place, (inputs, units) in enumerate(zip(layers, layers[1:])):
        if units % outputs:
            raise ValueError(f"{units} outputs are no whole number of groups of {outputs}.")
        sides = [split(size, groups) for size in (inputs, units // outputs)]
        if grouping == "random":
            sides = [rng.permutation(side) for side in sides]
        elif grouping == "mixer" and place % 2:
            sides = [np.arange(len(side)) % groups for side in sides]
        own = sides[0][:, None] == sides[1][None, :]
        graphs.append(Graph(rng.random(own.shape) < np.where(own, p_intra, p_inter)))
    return graphs
