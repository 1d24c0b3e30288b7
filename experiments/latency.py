"""How long trained networks take on this machine, and what is as fast as what."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import sbnn_tf as sbnn
from sbnn_tf.run.benchmark import cpu_name

ROUNDS = 100


def machine() -> dict[str, str]:
    return {"cpu": cpu_name(), "date": datetime.date.today().isoformat()}


def measure(model: Path | bytes, rounds: int = ROUNDS) -> dict[str, Any]:
    """Median milliseconds of an image, on one thread, in interleaved runs.

    Returns:
      `delegate_ms`: the file in the delegate; `dense_tflite_ms`: the same weights stored densely in
      stock TensorFlow Lite; `cpu` and `date`.
    """
    result = sbnn.benchmark(model, num_threads=1, rounds=rounds)
    return {
        "delegate_ms": result.delegate.median_ms,
        "dense_tflite_ms": result.baseline.median_ms,
        **machine(),
    }


def sparse_ms(model: bytes) -> float:
    """Of a sparse network: in the delegate."""
    return measure(model)["delegate_ms"]


def as_slow(target_ms: float, candidates: Sequence[float], cost: Callable[[float], float]) -> dict:
    """The fastest candidate that is not faster than something else.

    Args:
      target_ms: of that something.
      candidates: from fast to slow; the last one if all are faster.
      cost: milliseconds of a candidate; asked for as few as a bisection needs.

    Returns:
      `chosen`, `target_ms`, and the `tried` ones with their milliseconds.
    """
    tried = {}
    low, high = 0, len(candidates) - 1
    while low < high:
        middle = (low + high) // 2
        tried[candidates[middle]] = cost(candidates[middle])
        if tried[candidates[middle]] < target_ms:
            low = middle + 1
        else:
            high = middle
    return {"chosen": candidates[low], "target_ms": target_ms, "tried": tried}
