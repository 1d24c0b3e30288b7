"""An order of channels in which those that agree about what is kept stand together.

SparseByteNN (Xu et al., 2023, abstract) rearranges the weights of a whole network so that groups
lose less; how is our own: as balanced k-means does, groups get their mask, channels go to the group
whose mask keeps most of their score, and so on in turn. Channels may be a kernel's outputs or, for
blocks, its inputs; what keeps step has one order, the best for all of its kernels together.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from sbnn_tf.patterns import Pattern

OUTPUTS, INPUTS = -1, -2  # axes of a kernel
_ROUNDS = 12


@dataclasses.dataclass
class Kernel:
    """A kernel with some channels among its outputs or inputs, and how it is pruned.

    energy: squared scores, (*window, inputs, outputs), of sum 1.
    places: where the channels are: (axis, start), once or more.
    """

    energy: np.ndarray
    pattern: Pattern
    sparsity: float
    places: tuple[tuple[int, int], ...] = ()

    def mask(self) -> np.ndarray:
        """What the pattern keeps, shaped as the energy."""
        return self.pattern.mask(np.sqrt(self.energy), self.sparsity)

    def kept(self) -> float:
        """The share of the score that the pattern keeps."""
        return float(self.energy[self.mask()].sum())

    def group(self, axis: int) -> int:
        """How many consecutive channels of an axis share their fate."""
        return self.pattern.outputs if axis == OUTPUTS else self.pattern.inputs

    def reorder(self, order: np.ndarray) -> Kernel:
        """The same with the channels in another order."""
        energy = self.energy
        for axis, start in self.places:
            index = np.arange(energy.shape[axis])
            index[start : start + len(order)] = start + order
            energy = np.take(energy, index, axis=axis)
        return dataclasses.replace(self, energy=energy)

    def seen(self, array: np.ndarray, axis: int, start: int, size: int) -> np.ndarray:
        """A kernel's array as these channels see it: (columns, what shares its fate, channels)."""
        array = np.moveaxis(array, axis, -1)[..., start : start + size]
        return array.reshape(-1, self.group(INPUTS if axis == OUTPUTS else OUTPUTS), size)

    def columns(self, size: int) -> list[np.ndarray]:
        """The channels' energy, (columns, channels), at each of their places."""
        return [self.seen(self.energy, *place, size).sum(axis=1) for place in self.places]


def best_order(kernels: list[Kernel], size: int) -> np.ndarray:
    """The order that keeps most score over all kernels that have some channels.

    Args:
      kernels: in the channels' present order.
      size: number of channels.

    Returns:
      Indices: channel order[i] goes to place i. The present order, if none is found that is better.
    """
    places = [(kernel.group(axis), start) for kernel in kernels for axis, start in kernel.places]
    group = max(own for own, _ in places)
    unit = np.arange(size)
    if group in (1, size) or size % group or any(start % own for own, start in places):
        return unit
    best, most = unit, _kept(kernels, unit) * (1.0 + 1e-12)
    for order in (unit, _similar(kernels, size, group)):
        for _ in range(_ROUNDS):
            order = order[_reassigned([k.reorder(order) for k in kernels], size, group)]
            kept = _kept(kernels, order)
            if kept <= most:
                break
            best, most = order, kept
    return best


def _kept(kernels: list[Kernel], order: np.ndarray) -> float:
    return sum(kernel.reorder(order).kept() for kernel in kernels)


def _similar(kernels: list[Kernel], size: int, group: int) -> np.ndarray:
    """An order that puts every channel beside those that keep the same columns, greedily."""
    vectors = []
    for kernel in kernels:
        for energy in kernel.columns(size):
            threshold = np.quantile(energy, kernel.sparsity)
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


def _reassigned(kernels: list[Kernel], size: int, group: int) -> np.ndarray:
    """One round: masks for the groups as they are, then channels to groups by exchange."""
    benefit = np.zeros((size, size // group))
    for kernel in kernels:
        mask = kernel.mask()
        for place, energy in zip(kernel.places, kernel.columns(size)):
            keep = kernel.seen(mask, *place, size)[:, 0].reshape(len(energy), -1, group)
            benefit += energy.T @ keep.mean(axis=-1)
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
