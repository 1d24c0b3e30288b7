"""What layers cost in milliseconds at each sparsity, as measured with the engine on some machine."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence

import numpy as np

from sbnn_tf.errors import SbnnError
from sbnn_tf.files import read_file, write_file

_FORMAT = 2
Key = tuple[str, tuple[int, ...], int]


@dataclasses.dataclass(frozen=True)
class CostTable:
    """Costs of a network's layers. `sbnn profile` writes one.

    Attributes:
      cpu: the processor's name.
      num_threads: of the delegate.
      pattern: name of the pattern that was measured.
      baseline_ms: the dense network in stock TensorFlow Lite, milliseconds an inference.
      dense_ms: the dense network in the delegate, which takes all that it can, milliseconds an
        inference.
      layers: (operator, shape of the kernel, output positions) -> {sparsity: milliseconds an
        inference}, of a layer in a loop all its runs.
        Operators are "dense", "conv" and "depthwise"; shapes (*window, inputs, outputs), of a
        depthwise kernel (*window, 1, outputs).
      target: what the network computes in, "fp32" or "int8".
    """

    cpu: str
    num_threads: int
    pattern: str
    baseline_ms: float
    dense_ms: float
    layers: dict[Key, dict[float, float]]
    target: str = "fp32"

    def cost(
        self, operator: str, shape: Sequence[int], positions: int | None, sparsity: float
    ) -> float:
        """Milliseconds of a layer at a sparsity in [0, 1), between measurements by interpolation.

        Raises:
          ValueError: no such layer was measured.
        """
        key = (operator, tuple(shape), positions)
        if key not in self.layers:
            raise SbnnError(
                f"The cost table has no {operator} of shape {tuple(shape)} with {positions} output "
                "positions: profile this network."
            )
        at, ms = np.array(sorted(self.layers[key].items())).T
        return float(np.interp(sparsity, at, ms))

    def save(self, path: str | os.PathLike) -> None:
        """Writes the table as JSON; errors are those of `files.write_file`."""
        fields = dataclasses.asdict(self)
        fields["layers"] = [
            {"operator": operator, "shape": shape, "positions": positions, "ms": ms}
            for (operator, shape, positions), ms in self.layers.items()
        ]
        write_file(path, (json.dumps({"format": _FORMAT, **fields}, indent=1) + "\n").encode())

    @classmethod
    def load(cls, path: str | os.PathLike) -> CostTable:
        """Reads what `save` wrote.

        Raises:
          FileNotFoundError: no such file.
          ValueError: it is no cost table.
        """
        try:
            fields = json.loads(read_file(path))
            if fields.pop("format") != _FORMAT:
                raise SbnnError(f"{path}: a cost table of another version; profile again")
            layers = {
                (row["operator"], tuple(row["shape"]), row["positions"]): {
                    float(s): float(ms) for s, ms in row["ms"].items()
                }
                for row in fields.pop("layers")
            }
            return cls(layers=layers, **fields)
        except (
            KeyError,
            TypeError,
            AttributeError,
            UnicodeDecodeError,
            json.JSONDecodeError,
        ) as error:
            raise SbnnError(f"{path} is no cost table: {error}") from error
