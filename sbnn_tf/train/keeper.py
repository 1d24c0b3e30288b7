"""Keeps pruned weights at 0 where no constraint does: in averages of them, and behind other code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from sbnn_tf.keras_model import optimizers
from sbnn_tf.train.masks import Mask


class Keeper:
    """Zeroes what is pruned in the averages that optimizers keep of weights, and in the weights.

    Args:
      masks: of a model's kernels.
      model: it knows its optimizers.
    """

    def __init__(self, masks: Sequence[Mask], model: Any):
        self._masks = masks
        self._model = model
        self._averages: list[tuple[Mask, Any]] | None = None  # None: to be looked for
        self._held: list[tuple[Mask, Any]] = []
        self._function = lambda: None

    def look_again(self) -> None:
        """Optimizers may keep averages that they did not: they make them in their first step."""
        self._averages = None

    def look_until_found(self) -> None:
        """As `look_again`, where there were none the last time."""
        self._averages = self._averages or None

    def hold(self, weights: bool, optimizer: Any = None) -> None:
        """Zeroes all of it, in one call of TensorFlow.

        Args:
          weights: whether to zero in the weights as well.
          optimizer: one that the model knows nothing of, or None.
        """
        if self._averages is None:
            self._averages = [
                (mask, average)
                for trained_by in optimizers.of(self._model, optimizer)
                if optimizers.keeps_averages(trained_by)
                for mask in self._masks
                for average in optimizers.averages(trained_by, mask.variable)
            ]
        held = [*self._averages, *((mask, mask.variable) for mask in self._masks if weights)]
        if not held:
            return
        if [id(variable) for _, variable in held] != [id(variable) for _, variable in self._held]:
            self._held = held
            self._function = tf.function(lambda: [mask.enforce(v) for mask, v in held] and None)
        self._function()
