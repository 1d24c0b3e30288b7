"""Which weights live and die together. Plain numpy: knows arrays, never a layer.

A kernel is any array whose last axis is the output channel, as Keras stores Dense (in, out) and
Conv2D (height, width, in, out) kernels. All other axes together are the *columns*: one column is
one kept (input channel, tap) of an output channel.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence

import numpy as np


class Pattern(abc.ABC):
    """Turns an array of scores into a mask of the weights to keep."""

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """The short name, which `get` understands: "group4", "kernel4x8"."""

    @property
    def outputs(self) -> int:
        """How many consecutive output channels share their fate."""
        return 1

    @property
    def inputs(self) -> int:
        """How many consecutive input channels share their fate."""
        return 1

    @classmethod
    def parse(cls, name: str) -> Pattern | None:
        """The pattern of this class that a short name (in lower case) means; None if it is none."""
        return None

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

    def unfit(self, operator: str, shape: Sequence[int]) -> str:
        """Why no kernel of this operator and shape can have the pattern; empty if it can.

        Args:
          operator: "dense", "conv" or "depthwise".
          shape: (*window, inputs, outputs); of a depthwise kernel (*window, 1, outputs).
        """
        if operator == "depthwise":
            return "in a depthwise kernel every output channel has an input of its own"
        return ""

    def aimed(self, target: str | None) -> Pattern:
        """The pattern for a network that will compute in "fp32" or "int8"; None: not known."""
        return self

    def bind(self, scores: np.ndarray) -> Pattern:
        """The pattern to go on with after these scores, those of the dense weights.

        Whatever a pattern chooses once for a layer (a library of taps) is fixed from here on.
        """
        return self

    def get_config(self) -> dict:
        """The arguments that make an equal pattern; they can be written as JSON."""
        return {}

    @classmethod
    def from_config(cls, config: dict) -> Pattern:
        """The pattern that `get_config` describes."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash((type(self), tuple(sorted(self.get_config().items()))))

    def __repr__(self) -> str:
        arguments = ", ".join(f"{k}={v!r}" for k, v in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


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


def check_whole(value: int, name: str) -> int:
    """The value as an int, if it is a whole number of 1 or more; else TypeError, ValueError."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number, not {value!r}.")
    if value < 1:
        raise ValueError(f"{name} must be 1 or more, not {value}.")
    return int(value)


def grouped(array: np.ndarray, size: int, pattern: Pattern) -> np.ndarray:
    """The array as (columns, groups, size); consecutive output channels are one group.

    Raises:
      ValueError: the size does not divide the outputs; the message names the pattern.
    """
    outputs = array.shape[-1]
    if outputs % size:
        raise ValueError(
            f"{pattern.name} does not fit {outputs} output channels; use "
            f"{pattern.name}.fit(shape), here {pattern.fit(array.shape).name}."
        )
    return array.reshape(-1, outputs // size, size)


def energies(scores: np.ndarray, size: int, pattern: Pattern) -> np.ndarray:
    """Sums of squared scores over each group: (columns, groups). Errors as of `grouped`."""
    squares = grouped(np.square(scores), size, pattern)
    return squares @ np.ones(size, squares.dtype) if size > 1 else squares[..., 0]  # a fast sum


def lowest(energy: np.ndarray, count: int) -> np.ndarray:
    """True for so many of the lowest values; of equal ones, first come first."""
    flat = energy.reshape(-1)
    found = flat == flat.min()  # what is pruned already: many
    if (left := count - np.count_nonzero(found)) > 0:
        # To part them is much faster than to sort them, but for many that are equal.
        edge = np.partition(flat[~found], left - 1)[left - 1]
        found = flat < edge
        left = count - np.count_nonzero(found)
        found[np.flatnonzero(flat == edge)[:left]] = True
    elif left < 0:
        found[np.flatnonzero(found)[count:]] = False
    return found.reshape(energy.shape)
