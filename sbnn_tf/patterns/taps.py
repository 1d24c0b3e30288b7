"""Depthwise kernels whose channels share their kept taps."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from sbnn_tf.patterns.base import Pattern, check_sparsity, check_whole, energies, grouped, lowest
from sbnn_tf.patterns.group import Group


class DepthwiseTaps(Pattern):
    """Depthwise kernels: a group of consecutive channels shares its kept taps.

    Every group has its own taps, and at least `taps` of them, whatever the sparsity asked for: a
    depthwise convolution without a channel's kernel would be without that channel.

    Args:
      taps: the fewest taps that a group keeps, at least 1; a smaller window keeps all it has.
      group: channels in a group, at least 1; `fit` as for `Group`.
    """

    def __init__(self, taps: int = 4, group: int = 4):
        self.taps = check_whole(taps, "taps")
        self.group = check_whole(group, "group")

    @property
    def name(self) -> str:
        return f"taps{self.taps}group{self.group}"

    @property
    def outputs(self) -> int:
        return self.group

    @classmethod
    def parse(cls, name: str) -> DepthwiseTaps | None:
        match = re.fullmatch(r"taps_?(\d+)(?:group(\d+))?", name)
        return match and cls(*(int(number) for number in match.groups() if number))

    def fit(self, shape: Sequence[int]) -> DepthwiseTaps:
        return DepthwiseTaps(self.taps, Group(self.group).fit(shape).size)

    def unfit(self, operator: str, shape: Sequence[int]) -> str:
        if operator != "depthwise":
            return "it is for depthwise kernels"
        taps = math.prod(shape[:-2])
        return "" if taps > self.taps else f"a window of {taps} has no taps to spare"

    def mask(self, scores: np.ndarray, sparsity: float) -> np.ndarray:
        check_sparsity(sparsity)
        energy = energies(scores, self.group, self)
        taps, groups = energy.shape
        spare = max(taps - self.taps, 0)
        # In every group the best taps stay; among the others the lowest go.
        rank = np.argsort(np.argsort(energy, axis=0, kind="stable"), axis=0)
        pruned = min(int(np.floor(sparsity * energy.size + 0.5)), spare * groups)
        keep = ~lowest(np.where(rank < spare, energy, np.inf), pruned)
        return np.repeat(keep, self.group, axis=-1).reshape(scores.shape)

    def explains(self, zeros: np.ndarray) -> bool:
        if not Group(self.group).explains(zeros):
            return False
        kept = (~grouped(zeros, self.group, self)[..., 0]).sum(axis=0)
        return bool((kept >= min(self.taps, math.prod(zeros.shape[:-1]))).all())

    def get_config(self) -> dict:
        return {"taps": self.taps, "group": self.group}
