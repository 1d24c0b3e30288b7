"""An order of channels in which those that agree about their inputs stand together.

SparseByteNN (Xu et al., 2023, abstract) rearranges the weights of a whole network so that groups
lose less; how is our own: as balanced k-means does, groups get their mask, channels go to the group
whose mask keeps most of their score, and so on in turn.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from sbnn_tf.patterns import Pattern

_ROUNDS = 12


@dataclasses.dataclass
class Producer:
    """A kernel that makes some channels, and how it is pruned.

    energy: squared scores, (*window, inputs, outputs), of sum 1.
    start: of the channels among its outputs.
    """

    energy: np.ndarray
    pattern: Pattern
    sparsity: float
    start: int

    def mask(self) -> np.ndarray:
        """What the pattern keeps, (columns, outputs)."""
        keep = self.pattern.mask(np.sqrt(self.energy), self.sparsity)
        return keep.reshape(-1, keep.shape[-1])

    def kept(self) -> float:
        """The share of the score that the pattern keeps."""
        return float(self.energy.reshape(-1, self.energy.shape[-1])[self.mask()].sum())

    def reorder(self, order: np.ndarray) -> Producer:
        """The same with the channels in another order."""
        index = np.arange(self.energy.shape[-1])
        index[self.start : self.start + len(order)] = self.start + order
        return dataclasses.replace(self, energy=self.energy[..., index])


def best_order(producers: list[Producer], size: int) -> np.ndarray:
    """The order that keeps most score over all producers of some channels.

    Args:
      producers: kernels with the channels among their outputs, in their present order.
      size: number of channels.

    Returns:
      Indices: channel order[i] goes to place i. The present order, if none is found that is better.
    """
    group = max(producer.pattern.outputs for producer in producers)
    unit = np.arange(size)
    if group == 1 or size % group or any(p.start % group for p in producers) or size == group:
        return unit
    starts = (unit, _similar(producers, size, group))
    best, most = unit, _kept(producers, unit) * (1.0 + 1e-12)
    for order in starts:
        for _ in range(_ROUNDS):
            order = order[_reassigned([p.reorder(order) for p in producers], size, group)]
            kept = _kept(producers, order)
            if kept <= most:
                break
            best, most = order, kept
    return best


def _kept(producers: list[Producer], order: np.ndarray) -> float:
    return sum(producer.reorder(order).kept() for producer in producers)


def _columns(producer: Producer, size: int) -> np.ndarray:
    """The channels' part of a producer's energy, (columns, channels)."""
    energy = producer.energy[..., producer.start : producer.start + size]
    return energy.reshape(-1, size)


def _similar(producers: list[Producer], size: int, group: int) -> np.ndarray:
    """An order that puts every channel beside those that keep the same columns, greedily."""
    vectors = []
    for producer in producers:
        energy = _columns(producer, size)
        threshold = np.quantile(energy, producer.sparsity)
        vectors.append(np.where(energy > threshold, energy, 0.0))
    vectors = np.concatenate(vectors)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=0), 1e-300)
    alike = vectors.T @ vectors
    np.fill_diagonal(alike, -np.inf)
    order: list[int] = []
    left = np.ones(size, bool)
    for seed in np.argsort(-alike.max(axis=1), kind="stable"):
        if not left[seed]:
            continue
        members, near = [int(seed)], alike[seed].copy()
        left[seed] = False
        while len(members) < group:
            nearest = int(np.argmax(np.where(left, near, -np.inf)))
            left[nearest] = False
            members.append(nearest)
            near += alike[nearest]
        order += members
    return np.array(order)


def _reassigned(producers: list[Producer], size: int, group: int) -> np.ndarray:
    """One round: masks for the groups as they are, then channels to groups by exchange."""
    benefit = np.zeros((size, size // group))
    for producer in producers:
        mask = producer.mask()[:, producer.start : producer.start + size : group]
        benefit += _columns(producer, size).T @ mask
    return _exchange(benefit, group)


def _exchange(benefit: np.ndarray, group: int) -> np.ndarray:
    """Pairs of channels change places wherever both together gain; (channels, groups) -> order.

    As many disjoint pairs as possible at once, the best first, until no pair gains.
    """
    size = len(benefit)
    order = np.arange(size)  # the channel at each place
    of_place = np.arange(size) // group
    for _ in range(2 * size):
        at = benefit[order][:, of_place]  # the channel of place i at place j
        own = np.diagonal(at)
        gain = at + at.T - own[:, None] - own[None, :]
        partner = gain.argmax(axis=1)
        gains = gain[np.arange(size), partner]
        free = np.ones(size, bool)
        moved = False
        for i in np.argsort(-gains, kind="stable"):
            j = partner[i]
            if gains[i] <= 1e-15:
                break
            if free[i] and free[j]:
                order[[i, j]] = order[[j, i]]
                free[[i, j]] = False
                moved = True
        if not moved:
            break
    return order
