"""Where a pruning run is, in a file: to go on with it after an interruption, bit by bit."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping

import numpy as np

from sbnn_tf.errors import SbnnError
from sbnn_tf.files import check_target, is_stream, read_file, write_file

State = Mapping[str, np.ndarray]


class StateFile:
    """An `.npz` with the states of the last steps that a model may come back to.

    A model is saved by something else (`BackupAndRestore`, `ModelCheckpoint`), a moment before or
    after the state is. So the file keeps the states since the epoch before the last, by the count
    of the optimizer, and the model's own count says which of them it goes with. The file is
    replaced as a whole: killed while it writes, the last good one is there.

    Args:
      path: of the file; its folder must exist.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = check_target(path)
        self._states: dict[int, dict[str, np.ndarray]] = {}  # by the optimizer's count
        self._epochs: list[int] = []

    def save(self, iterations: int, state: State, epoch_end: bool = False) -> None:
        """Adds a state, and writes the file."""
        self._states = {i: s for i, s in self._states.items() if i < iterations}
        self._states[iterations] = {key: np.asarray(value) for key, value in state.items()}
        if epoch_end:
            self._epochs = [i for i in self._epochs if i < iterations][-1:] + [iterations]
            self._states = {i: s for i, s in self._states.items() if i >= self._epochs[0]}
        arrays = {f"{i}/{k}": v for i, s in self._states.items() for k, v in s.items()}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, epochs=np.array(self._epochs, np.int64), **arrays)
        write_file(self.path, buffer.getvalue())

    def load(self, iterations: int) -> dict[str, np.ndarray] | None:
        """The state that goes with a model whose optimizer has made so many steps.

        Returns:
          None where there is no file yet, or a model that has its first step before it.

        Raises:
          ValueError: the file is damaged, or has no state for that count.
        """
        if not os.path.exists(self.path) or is_stream(self.path):
            return None
        try:
            with np.load(io.BytesIO(read_file(self.path)), allow_pickle=False) as file:
                arrays = dict(file)
            self._epochs = arrays.pop("epochs").tolist()
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise SbnnError(f"{self.path} holds no state of a pruning run: {error}") from error
        self._states = {}
        for key, value in arrays.items():
            count, name = key.split("/", 1)
            self._states.setdefault(int(count), {})[name] = value
        earlier = [count for count in self._states if count <= iterations]
        if not earlier:
            raise SbnnError(
                f"{self.path} has states of optimizer steps {sorted(self._states)}, the model's "
                f"optimizer is at {iterations}: restore the model as well, with its optimizer, or "
                "delete the file to start over."
            )
        return self._states[max(earlier)]


def below(state: State, name: str) -> dict[str, np.ndarray]:
    """The part of a state whose keys begin with `name/`, without that."""
    start = f"{name}/"
    return {key[len(start) :]: v for key, v in state.items() if key.startswith(start)}
