"""Weights that go back to what they were at an earlier step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sbnn_tf.models import keras_compat


class Rewind:
    """Keeps a model's weights, and its optimizer's averages of gradients, as of one step.

    Args:
      model: a built Keras model.
      step: the first step at or after this one is kept.
    """

    def __init__(self, model: Any, step: int):
        self._model = model
        self._step = step
        self._kept: list[np.ndarray] | None = None

    def keep(self, step: int) -> None:
        """Keeps the weights, if this is the step and none are kept yet."""
        if self._kept is None and step >= self._step:
            self._kept = [np.array(v.numpy()) for v in self._variables()]

    def back(self) -> None:
        """Assigns what was kept. Averages that did not exist then become 0, as at their start."""
        variables = self._variables()
        for i, variable in enumerate(variables):
            kept = self._kept[i] if i < len(self._kept) else np.zeros(variable.shape)
            variable.assign(kept)

    def state(self) -> dict[str, np.ndarray]:
        return {str(i): kept for i, kept in enumerate(self._kept or [])}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        self._kept = [state[str(i)] for i in range(len(state))] or None

    def _variables(self) -> list:
        # Scalars of an optimizer are its step, learning rate and loss scale: they go on.
        averages = [v for v in keras_compat.optimizer_variables(self._model) if len(v.shape)]
        return [*self._model.weights, *averages]
