"""Tap patterns for K x K kernels, from a small library a layer."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from sbnn_tf.patterns.base import Pattern, check_sparsity, check_whole, energies
from sbnn_tf.patterns.group import Group

_WINDOW = (3, 3)  # what `taps` counts in
_CELLS = math.prod(_WINDOW)


class KernelPattern(Pattern):
    """Kernels that keep the taps of one pattern out of a small library; whole kernels go too.

    A *kernel* is the window of one input channel for a group of output channels. This is our
    reading of "sparse convolution patterns" and "connectivity pruning" (Ma et al., "PCONV: The
    Missing but Desirable Sparsity in DNN Weight Pruning for Real-Time Execution on Mobile
    Devices", AAAI 2020, abstract).

    - Each kernel takes the pattern of the library that keeps most of its score.
    - A sparsity above 1 - taps/9 is reached by pruning whole kernels, the same number in every
      group of output channels, so that the groups cost the same. It is met to within half a
      kernel a group; one kernel a group always stays.
    - Below it, only the least important of the weights outside the patterns are pruned.

    Args:
      taps: taps that a 3x3 kernel keeps, 1 to 9, the one at the centre always among them. A window
        of another size keeps the same share, rounded up: 12 of 25 for 4 of 9. A 1x1 kernel has one
        tap, and only whole kernels go.
      library: how many tap patterns a layer may use, at least 1: the patterns that are the best for
        most of its kernels. Or the patterns themselves: arrays of one window's shape (3x3, say),
        nonzero where a tap is kept; other windows then choose as many from their weights. (The
        abstract does not say which ones the paper uses; whoever has it passes them here.)
      group: output channels that share a kernel's pattern, at least 1. Where it does not divide
        the output channels, `fit` takes a power of two, as for `Group`.

    Scores add up as squares (L2). Dense kernels (inputs, outputs) count as 1x1.

    Raises:
      TypeError, ValueError: arguments that are none of this, or a library larger than the patterns
        that exist.
    """

    def __init__(self, taps: int = 4, library: int | Sequence = 8, group: int = 4):
        self.taps = check_whole(taps, "taps")
        if self.taps > _CELLS:
            raise ValueError(f"taps must be 1 to {_CELLS}, not {self.taps}.")
        self.group = check_whole(group, "group")
        self.library: int | tuple = (
            check_whole(library, "library")
            if isinstance(library, (int, np.integer, bool))
            else _given(library, self.taps)
        )
        if isinstance(self.library, int) and self.library > (most := _existing(_CELLS, self.taps)):
            raise ValueError(
                f"library must be at most {most}, not {self.library}: there are no more 3x3 "
                f"patterns of {self.taps} taps with the centre."
            )

    @property
    def outputs(self) -> int:
        return self.group

    @classmethod
    def parse(cls, name: str) -> KernelPattern | None:
        match = re.fullmatch(r"kernel_?(\d+)x(\d+)(?:group(\d+))?", name)
        return match and cls(*(int(number) for number in match.groups() if number))

    @property
    def name(self) -> str:
        count = self.library if isinstance(self.library, int) else len(self.library)
        group = "" if self.group == 4 else f"group{self.group}"
        return f"kernel{self.taps}x{count}{group}"

    def fit(self, shape: Sequence[int]) -> KernelPattern:
        size = Group(self.group).fit(shape).size
        library = self.library
        if not isinstance(library, int) and tuple(shape[:-2]) != np.shape(library)[1:]:
            library = min(len(library), _existing(_CELLS, self.taps))
        return KernelPattern(self.taps, library, size)

    def bind(self, scores: np.ndarray) -> KernelPattern:
        """With the library chosen from these scores, once and for all."""
        if not isinstance(self.library, int) or scores.ndim < 3:
            return self
        return KernelPattern(self.taps, self.patterns(scores), self.group)

    def patterns(self, scores: np.ndarray) -> np.ndarray:
        """The library for a kernel of these scores: bool, (patterns, *window).

        Raises:
          ValueError: the pattern does not fit the shape.
        """
        window = scores.shape[:-2]
        return self._library(self._energy(scores), window).reshape(-1, *window)

    def mask(self, scores: np.ndarray, sparsity: float) -> np.ndarray:
        check_sparsity(sparsity)
        energy = self._energy(scores)
        groups, inputs, taps = energy.shape
        library = self._library(energy, scores.shape[:-2])
        # A tap that scores 0 is pruned already: patterns that have no such tap come first, so that
        # none comes back when other weights have grown.
        dead = (energy == 0) @ library.T.astype(np.int64)
        value = energy @ library.T - dead * (energy.sum(axis=-1, keepdims=True) + 1.0)
        keep = library[np.argmax(value, axis=-1)]
        kept = int(library[0].sum())

        target = sparsity * energy.size
        pruned = int(np.floor(target + 0.5))
        outside = energy.size - groups * inputs * kept
        if pruned < outside:
            order = np.argsort(np.where(keep, np.inf, energy), axis=None, kind="stable")
            keep = np.ones_like(keep)
            keep.reshape(-1)[order[:pruned]] = False
        else:
            whole = int(np.floor(max(target - outside, 0.0) / (groups * kept) + 0.5))
            order = np.argsort((energy * keep).sum(axis=-1), axis=1, kind="stable")
            # At least one kernel a group stays.
            np.put_along_axis(keep, order[:, : min(whole, inputs - 1), None], False, axis=1)
        # (groups, inputs, taps) -> (taps, inputs, outputs)
        return np.repeat(keep.transpose(2, 1, 0), self.group, axis=-1).reshape(scores.shape)

    def explains(self, zeros: np.ndarray) -> bool:
        if not Group(self.group).explains(zeros):
            return False
        keep = self._energy(~zeros) > 0
        taps = keep.sum(axis=-1)
        kept = self._kept(keep.shape[-1])
        whole = (taps == 0).sum(axis=1)
        if not (whole == whole[0]).all():
            return False
        keep = keep[taps > 0]
        if not keep[:, _centre(zeros.shape[:-2])].all() or (taps[taps > 0] < kept).any():
            return False
        if (taps > kept).any():  # not all taps outside the patterns are pruned yet
            return not whole.any()
        used = np.unique(keep, axis=0)
        if isinstance(self.library, int):
            return len(used) <= self.library
        given = self._library(None, zeros.shape[:-2])
        return bool((used[:, None] == given).all(axis=-1).any(axis=1).all())

    def get_config(self) -> dict:
        return {"taps": self.taps, "library": self.library, "group": self.group}

    def _energy(self, scores: np.ndarray) -> np.ndarray:
        """Squared scores, summed over each group: (groups, inputs, taps)."""
        energy = energies(scores, self.group, self)
        return energy.reshape(-1, scores.shape[-2], energy.shape[-1]).transpose(2, 1, 0)

    def _library(self, energy: np.ndarray | None, window: tuple[int, ...]) -> np.ndarray:
        """The patterns, (patterns, taps): those given, or the ones best for most kernels.

        Of patterns that are best equally often, those that keep more score come first.
        """
        if not isinstance(self.library, int):
            if window != np.shape(self.library)[1:]:
                raise ValueError(
                    f"{self.name} has patterns of {np.shape(self.library)[1:]} and does not fit a "
                    f"window of {window}; use {self.name}.fit(shape)."
                )
            return np.array(self.library, bool).reshape(len(self.library), -1)
        taps = energy.shape[-1]
        ranked = energy.reshape(-1, taps).copy()
        ranked[:, _centre(window)] = np.inf
        best = np.argsort(-ranked, axis=-1, kind="stable")[:, : self._kept(taps)]
        found, which, count = np.unique(
            np.sort(best, axis=-1), axis=0, return_inverse=True, return_counts=True
        )
        patterns = np.zeros((len(found), taps), bool)
        np.put_along_axis(patterns, found, True, axis=-1)
        own = (energy.reshape(-1, taps) * patterns[which.reshape(-1)]).sum(axis=-1)
        score = np.bincount(which.reshape(-1), weights=own)
        return patterns[np.lexsort((-score, -count))[: self.library]]

    def _kept(self, taps: int) -> int:
        """Of a window of so many taps."""
        return _share(self.taps, taps)


def _given(library: Sequence, taps: int) -> tuple:
    """Patterns that the user gives, as nested tuples of 0 and 1."""
    try:
        arrays = [np.asarray(pattern) != 0 for pattern in library]
    except TypeError as error:
        raise TypeError(f"library must be a number or patterns, not {library!r}.") from error
    if not arrays:
        raise ValueError("library must have at least one pattern, and has none.")
    window = arrays[0].shape
    kept = _share(taps, math.prod(window))
    for array in arrays:
        bad = not window or array.shape != window or array.sum() != kept
        if bad or not array.flat[_centre(window)]:
            raise ValueError(
                f"library: expected patterns of {taps} of {_CELLS} taps in one window, the centre "
                f"among them, found {array.astype(int).tolist()}."
            )
    if len({array.tobytes() for array in arrays}) < len(arrays):
        raise ValueError("library has the same pattern more than once.")
    return tuple(_nested(array.astype(int).tolist()) for array in arrays)


def _nested(lists: list | int) -> tuple | int:
    return tuple(map(_nested, lists)) if isinstance(lists, list) else lists


def _share(taps: int, window: int) -> int:
    """Of a window of so many taps, as many as `taps` of 9, rounded up."""
    return -(-taps * window // _CELLS)


def _existing(cells: int, taps: int) -> int:
    return math.comb(cells - 1, taps - 1)


def _centre(window: tuple[int, ...]) -> int:
    """Where the centre of a window is among its taps; of an even size, the one before it."""
    index = 0
    for size in window:
        index = index * size + (size - 1) // 2
    return index
