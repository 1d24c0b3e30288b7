"""Which ensembles feed which. Plain numpy."""

from __future__ import annotations

import dataclasses

import numpy as np

from sbnn_tf.patterns.base import check_whole


@dataclasses.dataclass(frozen=True, eq=False)
class Graph:
    """Edges from the ensembles of a layer's inputs to those of its outputs.

    Attributes:
      edges: bool (sources, targets).

    Raises:
      ValueError: not a matrix, or a target that nothing feeds.
    """

    edges: np.ndarray

    def __post_init__(self):
        edges = np.array(self.edges, bool)
        if edges.ndim != 2:
            raise ValueError(f"edges must be (sources, targets), not of shape {edges.shape}.")
        edges.setflags(write=False)
        object.__setattr__(self, "edges", edges)
        if lonely := np.flatnonzero(~edges.any(axis=0)).tolist():
            raise ValueError(f"Ensembles without a connection: nothing feeds targets {lonely}.")

    @property
    def sources(self) -> int:
        return self.edges.shape[0]

    @property
    def targets(self) -> int:
        return self.edges.shape[1]

    @property
    def density(self) -> float:
        """The fraction of all possible edges that there are."""
        return float(self.edges.mean())

    @property
    def in_degree(self) -> np.ndarray:
        """How many sources feed each target: (targets,)."""
        return self.edges.sum(axis=0)

    @property
    def out_degree(self) -> np.ndarray:
        """How many targets each source feeds: (sources,)."""
        return self.edges.sum(axis=1)

    def modularity(self, communities: int = 4) -> float:
        """How much more edges stay inside of communities than by chance, in [-1, 1].

        That of a bipartite graph (Barber, "Modularity and community detection in bipartite
        networks", 2007, eq. 15): the mean over the edges of 1 inside a community, less what is
        expected of a random graph of the same degrees.

        Args:
          communities: into how many parts both sides are split, in their order; at most the
            ensembles of either side.

        Raises:
          ValueError: more communities than ensembles.
        """
        check_whole(communities, "communities")
        sides = [split(size, communities) for size in self.edges.shape]
        inside = sides[0][:, None] == sides[1][None, :]
        count = self.edges.sum()
        expected = np.outer(self.out_degree, self.in_degree) / count
        return float((self.edges - expected)[inside].sum() / count)


def split(units: int, ensembles: int, group: int = 1) -> np.ndarray:
    """The ensemble of each unit: consecutive units, by whole groups, as even as that allows.

    Args:
      units: whole number of groups.

    Returns:
      int array (units,), rising from 0 to ensembles - 1.

    Raises:
      ValueError: more ensembles than groups of units.
    """
    groups = units // group
    if ensembles > groups:
        what = f"groups of {group} among {units} units" if group > 1 else "units"
        raise ValueError(f"{ensembles} ensembles are more than there are {what}: {groups}.")
    return np.arange(units) // group * ensembles // groups


def random(
    sources: int, targets: int, density: float, *, self_connections: bool = True, seed: int = 0
) -> Graph:
    """Each target is fed by random sources; in- and out-degrees are as even as can be.

    Args:
      sources, targets: numbers of ensembles, at least 1.
      density: fraction of all edges, in (0, 1]; met to the nearest edge.
      self_connections: whether a target may be fed by the source at its own place (of another
        number of ensembles, at the same fraction of the way).
      seed: of all that is random.

    Raises:
      TypeError, ValueError: numbers out of range, or a density that leaves a target without an
        edge, or asks for more than there are.
    """
    rng, degrees, allowed = _start(sources, targets, density, self_connections, seed)
    edges = np.zeros((sources, targets), bool)
    for target in rng.permutation(targets):
        # Those that feed least so far come first.
        order = np.lexsort((rng.random(sources), edges.sum(axis=1), ~allowed[:, target]))
        edges[order[: degrees[target]], target] = True
    return Graph(edges)


def nearest(
    sources: int, targets: int, density: float, *, self_connections: bool = True, seed: int = 0
) -> Graph:
    """Each target is fed by the sources nearest to its place, on a ring.

    Arguments and errors as of `random`; the seed decides between equal distances.
    """
    rng, degrees, allowed = _start(sources, targets, density, self_connections, seed)
    places = [(np.arange(size) + 0.5) / size for size in (sources, targets)]
    apart = np.abs(places[0][:, None] - places[1][None, :])
    apart = np.round(np.minimum(apart, 1.0 - apart), 9)  # equal, if they differ by rounding
    edges = np.zeros((sources, targets), bool)
    for target in range(targets):
        order = np.lexsort((rng.random(sources), apart[:, target], ~allowed[:, target]))
        edges[order[: degrees[target]], target] = True
    return Graph(edges)


def small_world(
    sources: int,
    targets: int,
    density: float,
    rewired: float = 0.1,
    *,
    self_connections: bool = True,
    seed: int = 0,
) -> Graph:
    """The nearest sources, of which some are replaced by random ones.

    (Watts and Strogatz, "Collective dynamics of 'small-world' networks", 1998, from one layer to
    the next.) In-degrees are those of `nearest`.

    Args:
      rewired: the probability of each edge to be replaced, in [0, 1].
      others: as of `random`.
    """
    if not 0.0 <= rewired <= 1.0:
        raise ValueError(f"rewired must be in [0, 1], not {rewired!r}.")
    near = nearest(
        sources, targets, density, self_connections=self_connections, seed=seed
    ).edges.copy()
    rng, _, allowed = _start(sources, targets, density, self_connections, seed)
    for source, target in np.argwhere(near):
        free = np.flatnonzero(allowed[:, target] & ~near[:, target])
        if len(free) and rng.random() < rewired:
            near[source, target] = False
            near[rng.choice(free), target] = True
    return Graph(near)


def _start(
    sources: int, targets: int, density: float, self_connections: bool, seed: int
) -> tuple[np.random.Generator, np.ndarray, np.ndarray]:
    """A random generator, the in-degree of each target, and which edges may be."""
    check_whole(sources, "sources")
    check_whole(targets, "targets")
    if not 0.0 < density <= 1.0:
        raise ValueError(f"density must be in (0, 1], not {density!r}.")
    allowed = np.ones((sources, targets), bool)
    if not self_connections:
        own = (2 * np.arange(targets) + 1) * sources // (2 * targets)
        allowed[own, np.arange(targets)] = False
    edges = round(density * sources * targets)
    if edges < targets:
        raise ValueError(
            f"Density {density} leaves ensembles without a connection: {edges} edges for {targets} "
            f"targets. It must be {1 / sources:.4g} at least."
        )
    if edges > allowed.sum():
        raise ValueError(f"Density {density} is more than {allowed.mean():.4g}, all that may be.")
    rng = np.random.default_rng(seed)
    degrees = np.full(targets, edges // targets)
    degrees[rng.permutation(targets)[: edges % targets]] += 1
    return rng, degrees, allowed
