"""Where a pruning run is, in a file: to go on with it after an interruption, bit by bit."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from sbnn_tf.errors import SbnnError
from sbnn_tf.files import check_target, is_stream, read_file, write_file

State = Mapping[str, np.ndarray]


class StateFile:
    """An `.npz` with the states of the last steps that a model may come back to.

    A model is saved by something else (`BackupAndRestore`, `ModelCheckpoint`), a moment before or
    after the state is. So the file keeps the states since the epoch before the last, and the model
    says which of them it goes with: by its weights, or, where it was saved between two states, by
    the count of its optimizers. The file is replaced as a whole: killed while it writes, the last
    good one is there.

    A state has, beside what else is in it: "step"; "weights", the `fingerprint` of the model's;
    "iterations", its optimizers' count; and "rate", what that grows by in a step (NaN: not known
    yet; 0: they are not seen).

    Args:
      path: of the file; its folder must exist.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = check_target(path)
        self._states: dict[int, dict[str, np.ndarray]] = {}  # by step
        self._epochs: list[int] = []

    def save(self, step: int, state: State, epoch_end: bool = False) -> None:
        """Adds the state of a step, and writes the file. Later ones are of a future that was not."""
        self._states = {i: s for i, s in self._states.items() if i < step}
        self._states[step] = {key: np.asarray(value) for key, value in state.items()}
        if epoch_end:
            self._epochs = [i for i in self._epochs if i < step][-1:] + [step]
            self._states = {i: s for i, s in self._states.items() if i >= self._epochs[0]}
        arrays = {f"{i}/{k}": v for i, s in self._states.items() for k, v in s.items()}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, epochs=np.array(self._epochs, np.int64), **arrays)
        write_file(self.path, buffer.getvalue())

    def load(self, count: int, weights: int) -> State | None:
        """The state that goes with a model: the last one up to it.

        Args:
          count: of its optimizers.
          weights: the fingerprint of its weights.

        Returns:
          None where there is no file yet.

        Raises:
          ValueError: the file is damaged, or has no state for that model.
        """
        if not os.path.exists(self.path) or is_stream(self.path):
            return None
        try:
            with np.load(io.BytesIO(read_file(self.path)), allow_pickle=False) as file:
                arrays = dict(file)
            self._epochs = arrays.pop("epochs").tolist()
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise SbnnError(f"{self.path} holds no state of a pruning run: {error}") from error
        states: dict[str, dict[str, np.ndarray]] = {}
        for key, value in arrays.items():
            filed, name = key.split("/", 1)  # older files: by the optimizer's count
            states.setdefault(filed, {})[name] = value
        self._epochs = [int(states[str(filed)]["step"]) for filed in self._epochs]
        self._states = {int(state["step"]): state for state in states.values()}
        return self._states[self._find(count, weights)]

    def _find(self, count: int, weights: int) -> int:
        """The step of the state that goes with a model."""
        same = {i for i, s in self._states.items() if int(s.get("weights", -1)) == weights}
        earlier = {i for i, s in self._states.items() if int(s["iterations"]) <= count}
        if any(s.get("rate", 1.0) == 0 for s in self._states.values()):
            earlier &= same  # the optimizers' count says nothing
        found = same & earlier or same or earlier
        if not found:
            raise SbnnError(
                f"{self.path} has states of steps {sorted(self._states)}, and none has the weights "
                f"of the model or was written before its optimizer's step {count}: restore the "
                "model as well, with its optimizer, or delete the file to start over."
            )
        return max(found)


def fingerprint(variables: Iterable[Any]) -> int:
    """The same number for variables of the same values, and most likely for no others."""
    values = [np.atleast_1d(variable.numpy()) for variable in variables]
    sums = [int(np.sum(v.view(f"u{v.itemsize}"), dtype=np.uint64)) for v in values]
    return sum(sums) % 2**64


def below(state: State, name: str) -> dict[str, np.ndarray]:
    """The part of a state whose keys begin with `name/`, without that."""
    start = f"{name}/"
    return {key[len(start) :]: v for key, v in state.items() if key.startswith(start)}
