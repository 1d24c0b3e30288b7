"""Which weights live and die together. Plain numpy: knows arrays, never a layer.

A kernel is any array whose last axis is the output channel, as Keras stores Dense (in, out) and
Conv2D (height, width, in, out) kernels. All other axes together are the *columns*: one column is
one kept (input channel, tap) of an output channel.
"""

from __future__ import annotations

import abc
import re
from collections.abc import Sequence

import numpy as np


class Pattern(abc.ABC):
    """Turns an array of scores into a mask of the weights to keep."""

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """The short name, which `get` understands: "group4", "unstructured"."""

    @abc.abstractmethod
    def fit(self, shape: Sequence[int]) -> Pattern:
        """The nearest pattern that a kernel of this shape can have (itself, where it fits)."""

    @abc.abstractmethod
    def mask(self, scores: np.ndarray, sparsity: float) -> np.ndarray:
        """Chooses what to keep.

        Args:
          scores: importance of each weight, >= 0, shaped as the kernel.
          sparsity: fraction of the weights to prune, in [0, 1).

        Returns:
          Boolean array of the same shape, True where the weight is kept. The fraction of False is
          `sparsity` to within half a group; at least one group is always kept. Equal scores are
          pruned first come first; with the same scores, the mask of a higher sparsity is a subset
          of the mask of a lower one.

        Raises:
          ValueError: sparsity outside [0, 1), or the pattern does not fit the shape.
        """

    @abc.abstractmethod
    def explains(self, zeros: np.ndarray) -> bool:
        """Whether the True of `zeros` (shaped as the kernel) can come from this pattern."""

    def cost(self, mask: np.ndarray) -> int:
        """Multiply-adds that a kernel of this pattern spends per output position."""
        return int(np.count_nonzero(mask))

    def get_config(self) -> dict:
        return {}

    @classmethod
    def from_config(cls, config: dict) -> Pattern:
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash((type(self), tuple(sorted(self.get_config().items()))))

    def __repr__(self) -> str:
        arguments = ", ".join(f"{k}={v!r}" for k, v in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


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


def get(pattern: Pattern | str | dict) -> Pattern:
    """The pattern meant by an object, a name ("group4", "unstructured") or a serialized config.

    Raises:
      ValueError: no such name.
      TypeError: none of these.
    """
    if isinstance(pattern, Pattern):
        return pattern
    if isinstance(pattern, dict):
        kinds = {cls.__name__: cls for cls in (Group, Unstructured)}
        if pattern.get("class_name") not in kinds:
            raise ValueError(
                f"Unknown pattern class {pattern.get('class_name')!r}; known: {', '.join(kinds)}."
            )
        return kinds[pattern["class_name"]].from_config(pattern.get("config", {}))
    if isinstance(pattern, str):
        if pattern.lower() == "unstructured":
            return Unstructured()
        if match := re.fullmatch(r"group_?(\d+)", pattern.lower()):
            return Group(int(match[1]))
        raise ValueError(
            f"Unknown pattern {pattern!r}; expected 'group4' (or another size) or 'unstructured'."
        )
    raise TypeError(f"Expected a pattern such as Group(4), or its name 'group4', not {pattern!r}.")


def serialize(pattern: Pattern) -> dict:
    """The config that `get` turns back into the pattern."""
    return {"class_name": type(pattern).__name__, "config": pattern.get_config()}


def check_sparsity(value: float, name: str = "sparsity") -> float:
    """The value as a float, if it lies in [0, 1); else ValueError."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} must be a number in [0, 1), not {value!r}.")
    if not 0.0 <= value < 1.0:
        raise ValueError(
            f"{name} must be in [0, 1), not {value}: it is the fraction of weights to prune, "
            "0.5 for half of them."
        )
    return float(value)
