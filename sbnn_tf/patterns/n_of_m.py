"""N of M consecutive inputs."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from sbnn_tf.patterns.base import Pattern, check_sparsity, check_whole, lowest


class NofM(Pattern):
    """Of every m consecutive input channels, n are pruned: for each output channel and tap.

    As `sparsity_m_by_n=(n, m)` of the TensorFlow Model Optimization toolkit has it. While a
    schedule rises fewer are pruned, and never more than n.

    Args:
      n: pruned input channels of a block, at least 1 and below m.
      m: input channels of a block; must divide the layer's.
    """

    def __init__(self, n: int = 2, m: int = 4):
        self.n, self.m = check_whole(n, "n"), check_whole(m, "m")
        if self.n >= self.m:
            raise ValueError(f"n must be below m, not {n} of {m}: something must be left.")

    @property
    def name(self) -> str:
        return f"{self.n}of{self.m}"

    @classmethod
    def parse(cls, name: str) -> NofM | None:
        match = re.fullmatch(r"(\d+)_?of_?(\d+)", name)
        return match and cls(int(match[1]), int(match[2]))

    def fit(self, shape: Sequence[int]) -> NofM:
        return self

    def unfit(self, operator: str, shape: Sequence[int]) -> str:
        if reason := super().unfit(operator, shape):
            return reason
        return f"{self.m} does not divide its {shape[-2]} inputs" if shape[-2] % self.m else ""

    def mask(self, scores: np.ndarray, sparsity: float) -> np.ndarray:
        check_sparsity(sparsity)
        blocks = self._blocks(scores.astype(np.float64))
        # Equal scores: the later one goes, as in the toolkit, which keeps the first of the best.
        rank = np.argsort(np.argsort(-blocks, axis=1, kind="stable"), axis=1)
        spare = rank >= self.m - self.n
        pruned = min(int(np.floor(sparsity * scores.size + 0.5)), int(spare.sum()))
        return ~lowest(np.where(spare, blocks, np.inf), pruned).reshape(scores.shape)

    def explains(self, zeros: np.ndarray) -> bool:
        if zeros.ndim < 2 or zeros.shape[-2] % self.m:
            return False
        return bool((self._blocks(zeros).sum(axis=1) <= self.n).all())

    def get_config(self) -> dict:
        return {"n": self.n, "m": self.m}

    def _blocks(self, array: np.ndarray) -> np.ndarray:
        """As (taps and blocks, m, outputs)."""
        if array.shape[-2] % self.m:
            raise ValueError(f"{self.name} does not fit {array.shape[-2]} input channels.")
        return array.reshape(-1, self.m, array.shape[-1])
