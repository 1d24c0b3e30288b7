"""Pictures of ensembles and their edges. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sbnn_tf.topology.graphs import Graph

MOST_DOTS = 64  # of a side: more are a matrix, in which an edge is a dot


def plot(graphs: Mapping[str, Graph] | Graph) -> Any:
    """Draws ensembles as dots, a layer a column, and the edges from each to the next.

    Where there are many, as in graphs of single units, it draws the matrix of the edges instead.

    Args:
      graphs: by the names of layers, in their order, as for `connect`; or one graph.

    Returns:
      A matplotlib Figure: `figure.savefig(path)`, or what a notebook shows. Each layer has axes of
      its own, with its density, degrees and modularity.

    Raises:
      ImportError: no matplotlib: `pip install 'sbnn-tf[plot]'`.
    """
    from matplotlib.figure import Figure

    graphs = {"": graphs} if isinstance(graphs, Graph) else graphs
    figure = Figure(figsize=(3.2 * len(graphs), 4.2), layout="constrained")
    for axes, (name, graph) in zip(
        figure.subplots(1, len(graphs), squeeze=False)[0], graphs.items()
    ):
        if max(graph.edges.shape) > MOST_DOTS:
            _draw_matrix(axes, graph)
        else:
            _draw_lines(axes, graph)
        low, high = graph.in_degree.min(), graph.in_degree.max()
        fed = f"{low}" if low == high else f"{low} to {high}"
        parts = min(4, *graph.edges.shape)
        axes.set(
            title=f"{name}\n{graph.density:.0%} of edges, {fed} into each,\n"
            f"modularity {graph.modularity(parts):.2f}",
        )
    return figure


def _draw_lines(axes: Any, graph: Graph) -> None:
    from matplotlib.collections import LineCollection

    heights = [[(i + 0.5) / n for i in range(n)] for n in graph.edges.shape]
    own = [[], []]  # edges to another place, and to the own one
    for source, target in zip(*graph.edges.nonzero()):
        ends = heights[0][source], heights[1][target]
        own[ends[0] == ends[1]].append([(0, ends[0]), (1, ends[1])])
    for lines, color in zip(own, ("tab:blue", "tab:orange")):
        axes.add_collection(LineCollection(lines, colors=color, linewidths=0.8, alpha=0.6))
    for x, places in enumerate(heights):
        axes.plot([x] * len(places), places, "o", color="black", markersize=4)
    axes.set(xticks=[0, 1], xticklabels=[f"{graph.sources} in", f"{graph.targets} out"], yticks=[])
    axes.invert_yaxis()
    axes.spines[:].set_visible(False)


def _draw_matrix(axes: Any, graph: Graph) -> None:
    axes.imshow(graph.edges, cmap="Blues", aspect="auto", interpolation="antialiased")
    axes.set(xlabel=f"{graph.targets} out", ylabel=f"{graph.sources} in")
