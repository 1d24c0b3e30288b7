"""Blocks of inputs and outputs."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from sbnn_tf.patterns.base import Pattern, check_sparsity, check_whole, lowest
from sbnn_tf.patterns.group import Group


class Block(Pattern):
    """Blocks of consecutive inputs x consecutive outputs, at one tap, that are kept as a whole.

    For int8, whose dot products take 4 inputs at once (8 on ARM's matrix units, SMMLA): in
    convolutions and fully connected layers.

    Args:
      rows: inputs of a block, at least 1.
      cols: outputs of a block, at least 1. What does not divide the layer's number is replaced by
        the largest power of two up to it that does (see `fit`).

    A block's score is the L2 norm of its weights' scores.
    """

    def __init__(self, rows: int = 4, cols: int = 4):
        self.rows, self.cols = check_whole(rows, "rows"), check_whole(cols, "cols")

    @property
    def name(self) -> str:
        return f"block{self.rows}x{self.cols}"

    @property
    def outputs(self) -> int:
        return self.cols

    @property
    def inputs(self) -> int:
        return self.rows

    @classmethod
    def parse(cls, name: str) -> Block | None:
        match = re.fullmatch(r"block_?(\d+)x(\d+)", name)
        return match and cls(int(match[1]), int(match[2]))

    @property
    def size(self) -> int:
        """Weights of a block."""
        return self.rows * self.cols

    def fit(self, shape: Sequence[int]) -> Block:
        return Block(*(Group(n).fit((size,)).size for n, size in zip(self._cell, shape[-2:])))

    def mask(self, scores: np.ndarray, sparsity: float) -> np.ndarray:
        check_sparsity(sparsity)
        energy = self._blocks(np.square(scores.astype(np.float64))).sum(axis=(2, 4))
        pruned = min(int(np.floor(sparsity * energy.size + 0.5)), energy.size - 1)
        keep = ~lowest(energy, pruned)
        return keep.repeat(self.rows, axis=1).repeat(self.cols, axis=2).reshape(scores.shape)

    def explains(self, zeros: np.ndarray) -> bool:
        if any(size % n for size, n in zip(zeros.shape[-2:], self._cell)):
            return False
        blocks = self._blocks(zeros)
        return bool((blocks.all(axis=(2, 4)) == blocks.any(axis=(2, 4))).all())

    def get_config(self) -> dict:
        return {"rows": self.rows, "cols": self.cols}

    @property
    def _cell(self) -> tuple[int, int]:
        return self.rows, self.cols

    def _blocks(self, array: np.ndarray) -> np.ndarray:
        """As (taps, row blocks, rows, column blocks, columns)."""
        inputs, outputs = array.shape[-2:]
        if inputs % self.rows or outputs % self.cols:
            raise ValueError(
                f"{self.name} does not fit {inputs} inputs and {outputs} outputs; use "
                f"{self.name}.fit(shape), here {self.fit(array.shape).name}."
            )
        return array.reshape(-1, inputs // self.rows, self.rows, outputs // self.cols, self.cols)
