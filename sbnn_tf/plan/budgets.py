"""How a sparsity for the whole network is shared among its layers. Plain numpy.

A budget gets the layers once, with the scores of the first pruning, and the sparsity at which the
schedule ends; it returns a sparsity for each layer. On the way there each layer follows the course
of the schedule, stretched to its own end, so that masks stay nested whatever the budget.
"""

from __future__ import annotations

import abc
import dataclasses
import math
import os
import warnings
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from sbnn_tf.naming import resolve
from sbnn_tf.patterns import Pattern
from sbnn_tf.plan.cost_table import CostTable
from sbnn_tf.plan.importance import FLOOR

MOST = 0.98  # of a layer: a layer of nothing is none
_GRID = (*np.linspace(0.0, 0.9, 19), 0.925, 0.95, 0.965, MOST)  # where kept scores are looked at


@dataclasses.dataclass(frozen=True)
class Layer:
    """What a budget knows about a kernel.

    scores: importance of each weight, >= 0, (*window, inputs, outputs); squares add up.
    positions: how often each weight is used for one input; None where that is not known.
    """

    name: str
    operator: str
    scores: np.ndarray
    pattern: Pattern
    positions: int | None = None

    @property
    def size(self) -> int:
        return self.scores.size

    @property
    def shape(self) -> tuple[int, ...]:
        return self.scores.shape

    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """At the sparsities of the grid: the score that is kept, and the sparsity it really has.

        The score is the sum of squares of what the pattern keeps.
        """
        masks = (self.pattern.mask(self.scores, s) for s in _GRID)
        rows = [(np.square(self.scores[keep]).sum(), 1.0 - keep.mean()) for keep in masks]
        kept, sparsity = np.array(rows).T
        return kept, sparsity


class Budget(abc.ABC):
    """Shares a network's sparsity among its layers.

    Attributes:
      target: "fp32" or "int8", where it knows what the network will compute in; else None.
    """

    target: str | None = None

    @abc.abstractmethod
    def allocate(self, layers: Sequence[Layer], sparsity: float) -> list[float]:
        """The final sparsity of each layer, in [0, 1).

        Args:
          layers: all that the policy prunes, and gives no sparsity of their own.
          sparsity: the fraction of all their weights to prune, in [0, 1).

        Raises:
          ValueError: that can't be met.
        """


class Uniform(Budget):
    """Every layer gets the same sparsity."""

    def allocate(self, layers, sparsity):
        return [sparsity] * len(layers)


class ERK(Budget):
    """Erdos-Renyi kernel: a layer's density is proportional to (the sum of its dimensions) /
    (their product), so that small layers stay denser.

    (Evci et al., "Rigging the Lottery: Making All Tickets Winners", 2020, section 3.) Layers that
    this would give more than all their weights stay dense, and the others make up for it.
    """

    def allocate(self, layers, sparsity):
        raw = np.array([sum(layer.shape) / math.prod(layer.shape) for layer in layers])
        sizes = np.array([layer.size for layer in layers], float)
        dense = np.zeros(len(layers), bool)
        while True:
            left = (1.0 - sparsity) * sizes.sum() - sizes[dense].sum()
            if left < 0 or dense.all():
                break
            scale = left / (sizes * raw)[~dense].sum()
            density = np.where(dense, 1.0, scale * raw)
            if (density <= 1.0).all():
                return list(np.clip(1.0 - density, 0.0, None))
            dense |= density > 1.0
        raise ValueError(_unmet(f"sparsity {sparsity}", layers))


class Present(Budget):
    """Each layer stays as sparse as it is: for a model that has its zeros already.

    As one that `sbnn_tf.topology` has connected. The sparsity asked for must be the one found, to
    within 0.02: it is there to say what to expect.
    """

    def allocate(self, layers, sparsity):
        found = [_free(layer) for layer in layers]
        total = np.average(found, weights=[layer.size for layer in layers])
        if abs(total - sparsity) > 0.02:
            raise ValueError(
                f"The model's zeros make a sparsity of {total:.3f} in their patterns "
                f"({', '.join(sorted({layer.pattern.name for layer in layers}))}), and "
                f"{sparsity:.3f} was asked for: ask for what it has, or take another budget."
            )
        return found


def _free(layer: Layer) -> float:
    """The highest sparsity at which a layer's pattern prunes nothing but zeros."""
    alive = layer.scores > FLOOR
    keep = lambda pruned: layer.pattern.mask(layer.scores, pruned / layer.size)
    low, high = 0, int(np.count_nonzero(~alive))
    while low < high:
        middle = (low + high + 1) // 2
        if np.any(alive & ~keep(middle)):
            high = middle - 1
        else:
            low = middle
    return float(1.0 - keep(low).mean())


class Global(Budget):
    """One ranking for all layers: what keeps least score goes first, whatever layer it is in.

    Scores of different layers must be comparable: with a batch norm behind them they are, and so
    are `Taylor` ones. (Molchanov et al., 2019, rank globally by the latter.) Ranked once, by the
    scores at the first pruning.

    Args:
      normalize: whether to divide each layer's score by its sum first.
    """

    def __init__(self, normalize: bool = False):
        self.normalize = normalize

    def allocate(self, layers, sparsity):
        values, prices = [], []
        for layer in layers:
            kept, reached = layer.curve()
            values.append(kept / kept[0] if self.normalize and kept[0] else kept)
            prices.append(layer.size * (1.0 - reached))
        most = (1.0 - sparsity) * sum(layer.size for layer in layers)
        return _best(values, prices, most, f"sparsity {sparsity}", layers)


class Sensitive(Budget):
    """Layers that accuracy depends on less are pruned further: equal loss for all, by measurement.

    Args:
      losses: for each layer's name, what `sensitivity` measured: {sparsity: accuracy}. The sum of
        the accuracies that the layers lose, each pruned alone, is made as small as possible.
    """

    def __init__(self, losses: Mapping[str, Mapping[float, float]]):
        self.losses = losses

    def allocate(self, layers, sparsity):
        values, prices = [], []
        for layer in layers:
            if layer.name not in self.losses:
                raise ValueError(
                    f"The sensitivity of '{layer.name}' was not measured, only that of "
                    f"{', '.join(self.losses)}. Keras gives layers that you do not name another "
                    "name in each new model: name them, or measure this model."
                )
            curve = sorted((float(s), float(a)) for s, a in self.losses[layer.name].items())
            at, accuracy = np.array(curve).T
            if at[0] > 0.0:
                raise ValueError(f"The sensitivity of '{layer.name}' lacks sparsity 0.")
            accuracy = np.minimum.accumulate(accuracy)  # pruning more is no help, noise apart
            _, reached = layer.curve()
            values.append(np.interp(reached, at, accuracy))
            values[-1][reached > at[-1] + 0.01] = -np.inf  # beyond what was measured
            prices.append(layer.size * (1.0 - reached))
        most = (1.0 - sparsity) * sum(layer.size for layer in layers)
        return _best(values, prices, most, f"sparsity {sparsity}", layers)


class Latency(Budget):
    """As fast as asked for: the sparsities that keep most score for that time.

    The schedule then says when to prune; how far, this does. Layers that the table does not have
    stay dense, with a warning: transposed convolutions, or what is inside a layer of one's own.

    Args:
      table: a `CostTable` of the network, or the path of one that `sbnn profile` wrote; one of an int8
        file, where the network is to be quantized after training.
      speedup: over the dense network in stock TensorFlow Lite; above 0.
      milliseconds: an inference; above 0. One of the two.

    Attributes:
      predicted_ms: of the sparsities chosen; None before.
    """

    def __init__(
        self,
        table: CostTable | str | os.PathLike,
        *,
        speedup: float | None = None,
        milliseconds: float | None = None,
    ):
        if (speedup is None) == (milliseconds is None):
            raise ValueError("Expected speedup or milliseconds, one of the two.")
        if not (milliseconds if speedup is None else speedup) > 0:
            raise ValueError("speedup and milliseconds must be above 0.")
        self.table = table if isinstance(table, CostTable) else CostTable.load(table)
        self.target = self.table.target
        self.milliseconds = milliseconds or self.table.baseline_ms / speedup
        self.predicted_ms: float | None = None

    def allocate(self, layers, sparsity):
        cost = self._cost(layers)
        rest = self.table.dense_ms - sum(cost(layer, 0) for layer in layers)
        values, prices = [], []
        for layer in layers:
            kept, reached = layer.curve()
            values.append(kept / kept[0] if kept[0] else kept)
            prices.append(np.minimum.accumulate([cost(layer, s) for s in reached]))
        what = f"{self.milliseconds:.3g} ms, where {rest:.3g} ms are for other operators,"
        chosen = _best(values, prices, self.milliseconds - rest, what, layers)
        self.predicted_ms = rest + sum(cost(layer, s) for layer, s in zip(layers, chosen))
        return chosen

    def _cost(self, layers: Sequence[Layer]) -> Callable[[Layer, float], float]:
        """Milliseconds of a layer at a sparsity; always 0 for those that the table lacks."""
        keys = {layer.name: (layer.operator, layer.shape, layer.positions) for layer in layers}
        missing = [name for name, key in keys.items() if key not in self.table.layers]
        if 0 < len(missing) < len(keys):
            warnings.warn(
                f"Not in the cost table, and so left dense: {', '.join(missing)}.", stacklevel=2
            )
            for name in missing:
                del keys[name]
        return lambda layer, sparsity: (
            self.table.cost(*keys[layer.name], sparsity) if layer.name in keys else 0.0
        )


def _best(
    values: list[np.ndarray],
    prices: list[np.ndarray],
    most: float,
    what: str,
    layers: Sequence[Layer],
) -> list[float]:
    """The sparsity of each layer that keeps most value for a price of `most` in all.

    Both are given at the sparsities of the grid. Starts dense and walks down each layer's concave
    hull, always where a unit of price costs least value: optimal for the hulls (Lagrange). The last
    step is taken in part, so that the price is met.
    """
    steps = []  # (loss a unit of price, layer, from, to, price)
    for i, (value, price) in enumerate(zip(values, prices)):
        at = 0
        while True:
            gain = price[at] - price[at + 1 :]
            usable = np.flatnonzero((gain > 0) & np.isfinite(value[at + 1 :]))
            if not usable.size:
                break
            loss = (value[at] - value[at + 1 :][usable]) / gain[usable]
            to = at + 1 + int(usable[np.flatnonzero(loss == loss.min())[-1]])
            steps.append((float(loss.min()), i, at, to, float(price[at] - price[to])))
            at = to
    sparsity = [0.0] * len(values)
    left = sum(float(price[0]) for price in prices) - most
    for _, i, at, to, price in sorted(steps):
        if left <= 1e-12:
            break
        part = min(left / price, 1.0)
        sparsity[i] = float(_GRID[at] + part * (_GRID[to] - _GRID[at]))
        left -= part * price
    if left > 1e-9 * max(most, 1.0):
        raise ValueError(_unmet(what, layers))
    return sparsity


def _unmet(what: str, layers: Sequence[Layer]) -> str:
    names = ", ".join(layer.name for layer in layers)
    return f"The budget can't be met: {what} is more than can be pruned of {names}."


_NAMED: dict[str, Callable[[], Budget]] = {
    "uniform": Uniform,
    "erk": ERK,
    "global": Global,
    "present": Present,
}


def get(budget: Budget | str) -> Budget:
    """The budget meant by an object or a name: "uniform", "erk", "global", "present".

    Raises:
      ValueError: no such name.
      TypeError: neither of these.
    """
    return resolve(budget, "budget", Budget, _NAMED, "ERK(), or its name 'erk'")
