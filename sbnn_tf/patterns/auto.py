"""By operator, what the engine runs best."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sbnn_tf.patterns.base import Pattern
from sbnn_tf.patterns.group import Group
from sbnn_tf.patterns.kernel import KernelPattern


class Auto(Pattern):
    """The pattern that the engine runs best: `Group(4)` for 1x1 convolutions and dense layers,
    `KernelPattern(4, 8, 4)` for larger windows; depthwise kernels stay dense.

    `fit` returns the pattern for a shape; no layer keeps this one.
    """

    @property
    def name(self) -> str:
        return "auto"

    @classmethod
    def parse(cls, name: str) -> Auto | None:
        return cls() if name == "auto" else None

    def fit(self, shape: Sequence[int]) -> Pattern:
        windowed = math.prod(shape[:-2]) > 1
        return (KernelPattern() if windowed else Group(4)).fit(shape)

    def mask(self, scores: np.ndarray, sparsity: float) -> np.ndarray:
        return self.fit(scores.shape).mask(scores, sparsity)

    def explains(self, zeros: np.ndarray) -> bool:
        return self.fit(zeros.shape).explains(zeros)
