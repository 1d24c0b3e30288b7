"""Groups of output channels that share their kept columns."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from sbnn_tf.patterns.base import Pattern, check_sparsity, check_whole, energies, grouped, lowest


class Group(Pattern):
    """Groups of consecutive output channels that share their kept columns.

    Args:
      size: output channels in a group, >= 1. A kernel whose output channels it does not divide
        takes the largest power of two up to `size` that divides them (see `fit`).

    A group's score is the L2 norm of its weights' scores.
    """

    def __init__(self, size: int):
        self.size = check_whole(size, "Group size")

    @property
    def name(self) -> str:
        return f"group{self.size}" if self.size > 1 else "unstructured"

    @property
    def outputs(self) -> int:
        return self.size

    @classmethod
    def parse(cls, name: str) -> Group | None:
        match = re.fullmatch(r"group_?(\d+)", name)
        return match and Group(int(match[1]))

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
        squares = energies(scores, self.size, self)
        count = squares.size
        pruned = min(int(np.floor(sparsity * count + 0.5)), count - 1)
        return np.repeat(~lowest(squares, pruned), self.size).reshape(scores.shape)

    def explains(self, zeros: np.ndarray) -> bool:
        if zeros.shape[-1] % self.size:
            return False
        groups = grouped(zeros, self.size, self)
        return bool((groups.all(axis=-1) == groups.any(axis=-1)).all())

    def get_config(self) -> dict:
        return {"size": self.size}


class Unstructured(Group):
    """Every weight for itself: `Group(1)`."""

    def __init__(self):
        super().__init__(1)

    def get_config(self) -> dict:
        return {}

    @classmethod
    def parse(cls, name: str) -> Unstructured | None:
        return cls() if name == "unstructured" else None
