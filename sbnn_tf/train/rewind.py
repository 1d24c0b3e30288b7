"""Weights that go back to what they were at an earlier step."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from sbnn_tf.errors import SbnnError
from sbnn_tf.keras_model import keras_compat, optimizers


class Rewind:
    """Keeps a model's weights, and what optimizers keep for each of them, as of one step.

    Each by the weight that it belongs to: between that step and the way back the model may get
    another optimizer, or layers may be thawed. What did not exist then becomes what a fresh
    optimizer has. The optimizers' steps, learning rates and loss scales go on.

    Args:
      model: a built Keras model.
      step: the first step at or after this one is kept.
    """

    def __init__(self, model: Any, step: int):
        self._model = model
        self._step = step
        self._kept: dict[str, np.ndarray] = {}

    def keep(self, step: int, optimizer: Any = None) -> None:
        """Keeps the weights, if this is the step and none are kept yet.

        Args:
          optimizer: one that the model knows nothing of, or None.
        """
        if self._kept or step < self._step:
            return
        for i, weight in enumerate(keras_compat.weights(self._model)):
            self._kept[f"weight/{i}"] = np.array(weight.numpy())
            for part, where in self._optimizers(optimizer):
                for name, slot in optimizers.kept(part, weight):
                    self._kept[f"{where}/{name}/{i}"] = np.array(slot.numpy())

    def back(self, optimizer: Any = None) -> None:
        """Assigns what was kept."""
        weights = keras_compat.weights(self._model)
        for i, weight in enumerate(weights):
            weight.assign(self._kept[f"weight/{i}"])
        for part, where in self._optimizers(optimizer):
            new = []
            for i, weight in enumerate(weights):
                for name, slot in optimizers.kept(part, weight):
                    value = self._kept.get(f"{where}/{name}/{i}")
                    if value is None and optimizers.is_average(name):
                        value = self._kept[f"weight/{i}"]
                    if value is None or value.shape != tuple(slot.shape):
                        new.append((weight, name, slot))
                    else:
                        slot.assign(value)
            if new:
                self._renew(part, new)

    def state(self) -> dict[str, np.ndarray]:
        return dict(self._kept)

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Goes on from what `state` returned.

        Raises:
          ValueError: it is of a version that kept weights by their place in a list.
        """
        if any(key.isdigit() for key in state):
            raise SbnnError(
                "It was written by an older version, whose weights to go back to can't be told "
                "apart. Finish that run with that version, or delete the file to start over."
            )
        self._kept = dict(state)

    def _optimizers(self, other: Any) -> Iterator[tuple[Any, str]]:
        """The optimizers, and what to call each."""
        parts = optimizers.nested(optimizers.of(self._model, other))
        for i, part in enumerate(parts):
            yield part, f"optimizer {i}/{type(part).__name__}"

    def _renew(self, optimizer: Any, slots: list[tuple[Any, str, Any]]) -> None:
        """Gives what an optimizer keeps the values of a fresh one: (weight, name, slot) each."""
        weights = list({id(weight): weight for weight, _, _ in slots}.values())
        try:
            with keras_compat.strategy(self._model).scope():
                fresh = optimizers.fresh(optimizer, weights)
        except Exception as error:  # of a class that someone else has written
            warnings.warn(
                f"What a fresh {type(optimizer).__name__} keeps for each weight is taken for 0: "
                f"none can be made from its get_config ({error}).",
                stacklevel=2,
            )
            fresh = None
        for weight, name, slot in slots:
            first = {} if fresh is None else dict(optimizers.kept(fresh, weight))
            slot.assign(first[name].numpy() if name in first else np.zeros(slot.shape))
