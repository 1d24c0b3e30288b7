"""Steps of training as people write them: `0.5 * epochs * len(dataset)` is no whole number."""

from __future__ import annotations

import math
import warnings
from typing import Any


def whole(value: Any, name: str, least: int = 0) -> int:
    """The step, or number of steps, that is meant: rounded to the nearest, with a warning.

    Args:
      value: a number, also one of numpy's or TensorFlow's.
      name: of the argument, for messages.
      least: the lowest that there may be.

    Raises:
      TypeError: no number.
      ValueError: below `least`, not finite, or strictly between 0 and 1: that is a fraction of the
        training, and not a step.
    """
    number = _number(value, name)
    if 0 < number < 1:
        raise ValueError(
            f"{name} is counted in training batches, not in fractions of the training: for "
            f"{number:g} of it, give round({number:g} * epochs * len(dataset)), not {number:g}."
        )
    if not number >= least or math.isinf(number):  # NaN is not
        raise ValueError(f"{name} must be {least} or more, not {number:g}.")
    step = math.floor(number + 0.5)
    if step != number:
        warnings.warn(f"{name}={number:g} is no whole step: it is taken as {step}.", stacklevel=3)
    return step


def _number(value: Any, name: str) -> int | float:
    if not isinstance(value, (bool, str, bytes)):
        try:
            number = float(value)
            return int(value) if number.is_integer() else number
        except (TypeError, ValueError):
            pass
    raise TypeError(f"{name} must be a number of training batches, not {value!r}.")
