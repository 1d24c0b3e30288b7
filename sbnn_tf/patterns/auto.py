"""By operator and target, what the engine runs best."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sbnn_tf.patterns.base import Pattern
from sbnn_tf.patterns.block import Block
from sbnn_tf.patterns.group import Group
from sbnn_tf.patterns.kernel import KernelPattern

TARGETS = ("fp32", "int8")  # what the network will compute in


class Auto(Pattern):
    """The pattern that the engine runs best; depthwise kernels stay dense.

    For floats `Group(4)` for 1x1 convolutions and dense layers, and `KernelPattern(4, 8, 4)` for
    larger windows. For int8 `Block(4, 4)` for all of them: instructions that sum four products take
    four inputs at once. (A whole int8 MobileNet-v1 with AVX-512 VNNI was 9 to 15 % faster so than in
    groups of 4; with AVX2 alone, on a Zen 3, 1x1 and 3x3 layers at 75 % zeros 1.2 to 2.2 times as
    fast; on ARM's SDOT groups reach two thirds of the peak that blocks reach, by the model of a
    Neoverse-N1. Blocks cost more accuracy: experiments/prune_and_quantize.)

    Args:
      target: "fp32" or "int8". None: what those who know better say, which are a cost table
        (`Latency`), or the file that is pruned or profiled; else "fp32".

    Raises:
      ValueError: another target.
    """

    def __init__(self, target: str | None = None):
        if target not in (None, *TARGETS):
            raise ValueError(f"target must be one of {', '.join(TARGETS)}, not {target!r}.")
        self.target = target

    @property
    def name(self) -> str:
        return f"auto-{self.target}" if self.target else "auto"

    @classmethod
    def parse(cls, name: str) -> Auto | None:
        return next((auto for auto in map(cls, (None, *TARGETS)) if auto.name == name), None)

    def aimed(self, target: str | None) -> Auto:
        return self if self.target else Auto(target)

    def fit(self, shape: Sequence[int]) -> Pattern:
        if self.target == "int8":
            return Block(4, 4).fit(shape)
        windowed = math.prod(shape[:-2]) > 1
        return (KernelPattern() if windowed else Group(4)).fit(shape)

    def mask(self, scores: np.ndarray, sparsity: float) -> np.ndarray:
        return self.fit(scores.shape).mask(scores, sparsity)

    def explains(self, zeros: np.ndarray) -> bool:
        return self.fit(zeros.shape).explains(zeros)

    def get_config(self) -> dict:
        return {"target": self.target}
