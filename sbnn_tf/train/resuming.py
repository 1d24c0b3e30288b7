"""What of a callback is kept in its state file, and how a run goes on from it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from sbnn_tf.errors import SbnnError
from sbnn_tf.keras_model import keras_compat, optimizers
from sbnn_tf.train.masks import Mask
from sbnn_tf.train.rewind import Rewind
from sbnn_tf.train.state import StateFile, below, fingerprint


class Resumable:
    """The part of `Pruning` that writes states and goes on from them."""

    step: int
    score: Any
    _state_file: StateFile | None
    _pruned_model: Any
    _optimizer: Any
    _masks: list[Mask]
    _rewind: Rewind | None
    _target: float | None
    _shared_out: bool
    _waiting: bool

    def _forget(self) -> None:
        self._rate = math.nan  # what the optimizers' count grows by in a step, if known
        self._since = (0, 0)  # a count, and the step that it was of

    def save_state(self) -> None:
        """Writes the state of the run, in a loop of your own: whenever you save the model.

        `fit` does so at the end of each epoch. Without it a run can go on from the last change of
        the masks only.

        Raises:
          ValueError: there is no `state` to write to, or training has not begun.
        """
        if self._state_file is None or self._pruned_model is None:
            raise ValueError(
                "A state is written of a training that has begun, with Pruning(..., state=FILE)."
            )
        self._save(epoch_end=True)

    def _save(self, epoch_end: bool = False) -> None:
        if self._state_file is None or self._waiting:
            return
        state = self._state()  # on every worker: some of it is reduced over them when it is read
        if keras_compat.is_chief(self._pruned_model):
            self._state_file.save(self.step, state, epoch_end)

    def _resume(self) -> None:
        """Goes on from the state file, if there is one."""
        count, weights = self._count(), fingerprint(keras_compat.weights(self._pruned_model))
        if (state := self._state_file.load(count, weights)) is None:
            return
        if "rate" not in state and keras_compat.accumulated_steps(self._pruned_model) > 1:
            raise SbnnError(
                f"{self._state_file.path} was written by an older version, which counted the "
                "optimizer's updates and not the batches. Finish that run with that version, or "
                "delete the file to start over."
            )
        self._restore(state)
        self._rate = float(state.get("rate", 1.0))
        since = max(count - int(state["iterations"]), 0)
        self.step += round(since / self._rate) if self._rate > 0 else 0

    def _begin_count(self) -> None:
        """Remembers from where on to compare the optimizers' count with the steps."""
        if self._state_file is not None:
            self._since = self._count(), self.step

    def _learn_rate(self) -> None:
        """Keeps a state as soon as it is known what the optimizers count in a step."""
        if self._state_file is not None and math.isnan(self._rate):
            self._save()

    def _count(self) -> int:
        return optimizers.count(self._pruned_model, self._optimizer)

    def _state(self) -> dict[str, Any]:
        """All that a run needs to go on: arrays by name."""
        count, (count_before, step_before) = self._count(), self._since
        if self.step > step_before:
            self._rate = max(count - count_before, 0) / (self.step - step_before)
        state = {
            "config": self._config(),
            "iterations": count,
            "rate": self._rate,
            "weights": np.uint64(fingerprint(keras_compat.weights(self._pruned_model))),
            "step": self.step,
            "target": np.nan if self._target is None else self._target,
            "shared_out": self._shared_out,
        }
        parts = {f"mask/{i}": mask for i, mask in enumerate(self._masks)}
        if self._rewind is not None:
            parts["rewind"] = self._rewind
        for name, part in parts.items():
            state.update({f"{name}/{key}": value for key, value in part.state().items()})
        return state

    def _restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Raises ValueError where the state is not that of this model and callback."""
        path = self._state_file.path
        if _without_names(str(state["config"])) != _without_names(self._config()):
            raise ValueError(
                f"{path} is the state of another model or score. It has {state['config']}, and "
                f"here is {self._config()}."
            )
        try:
            for i, mask in enumerate(self._masks):
                mask.restore(below(state, f"mask/{i}"))
        except ValueError as error:
            raise ValueError(
                f"The model has changed since {path} was written: {error} Restore the weights that "
                "go with it."
            ) from None
        if self._rewind is not None:
            try:
                self._rewind.restore(below(state, "rewind"))
            except ValueError as error:
                raise SbnnError(f"{path} can't be used. {error}") from None
        self.step = int(state["step"])
        self._target = None if np.isnan(state["target"]) else float(state["target"])
        self._shared_out = bool(state["shared_out"])

    def _config(self) -> str:
        """What a state must agree about, with the seeds; the names of kernels are for people."""
        kernels_ = [[mask.name, list(mask.variable.shape)] for mask in self._masks]
        method, score = type(self).__name__, repr(self.score)
        return json.dumps({"method": method, "score": score, "kernels": kernels_})


def _without_names(config: str) -> tuple:
    """What is compared of a `_config`: Keras counts up in names, so that they are no identity."""
    known, end = json.JSONDecoder().raw_decode(config)
    shapes = [shape for _, shape in known.pop("kernels")]
    return known, shapes, config[end:]
