"""Groups of output channels that share their kept columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sbnn_tf.patterns.base import Pattern, check_sparsity


class Group(Pattern):
    """Groups of consecutive output channels that share their kept columns.

    Args:
      size: output channels in a group, >= 1. A kernel whose output channels it does not divide
        takes the largest power of two up to `size` that divides them (see `fit`).

    A group's score is the L2 norm of its weights' scores.
    """

    def __init__(self, size: int):
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)):
            raise TypeError(f"Group size must be a whole number, not {size!r}.")
        if size < 1:
            raise ValueError(f"Group size must be 1 or more, not {size}.")
        self.size = int(size)

    @property
    def name(self) -> str:
        return f"group{self.size}" if self.size > 1 else "unstructured"

    def fit(self, shape: Sequence[int]) -> Group:
        channels = int(shape[-1])
        if channels % self.size == 0:
            return self
        size = 1 << (self.size.bit_length() - 1)
        while channels % size:
            size //= 2
        return Group(size)

    def mask(self, scores: np.ndarray, sparsity: float) -> np.ndarray:
        check_sparsity(sparsity)
        squares = np.square(self._grouped(scores).astype(np.float64)).sum(axis=-1)
        count = squares.size
        pruned = min(int(np.floor(sparsity * count + 0.5)), count - 1)
        keep = np.ones(count, dtype=bool)
        keep[np.argsort(squares, axis=None, kind="stable")[:pruned]] = False
        return np.repeat(keep, self.size).reshape(scores.shape)

    def explains(self, zeros: np.ndarray) -> bool:
        if zeros.shape[-1] % self.size:
            return False
        grouped = self._grouped(zeros)
        return bool((grouped.all(axis=-1) == grouped.any(axis=-1)).all())

    def get_config(self) -> dict:
        return {"size": self.size}

    def _grouped(self, array: np.ndarray) -> np.ndarray:
        """The array as (columns, groups, group size); consecutive channels are one group."""
        channels = array.shape[-1]
        if channels % self.size:
            raise ValueError(
                f"{self.name} does not fit {channels} output channels; use "
                f"{self.name}.fit(shape), here {self.fit(array.shape).name}."
            )
        return array.reshape(-1, channels // self.size, self.size)


class Unstructured(Group):
    """Every weight for itself: `Group(1)`."""

    def __init__(self):
        super().__init__(1)

    def get_config(self) -> dict:
        return {}
