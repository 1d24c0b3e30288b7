"""Gradients of kernels, from inside the traced train step. A callback sees none of them.

Every optimizer of both Keras ends in one method that gets a gradient (reduced over replicas,
unscaled in mixed precision, clipped) and the variable to update. For the duration of a train
function's call that method is replaced on the optimizer by one that looks at the two first.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from sbnn_tf.models import keras_compat, optimizers
from sbnn_tf.train import functions

# A tap gets the weights and their gradient, and returns the gradient to go on with.
Tap = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


class Gatherer:
    """Sums over train steps, shaped as a kernel. Make it in the scope of the model's strategy."""

    def __init__(self, gather: Callable, shape: tuple[int, ...], name: str):
        self._gather = gather
        self._name = name
        self._sum = tf.Variable(tf.zeros(shape), trainable=False)
        self._steps = tf.Variable(0, trainable=False, dtype=tf.int64)

    def __call__(self, weights: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
        """A tap: adds up, and leaves the gradient as it is."""
        added = self._gather(tf.cast(weights, tf.float32), tf.cast(gradient, tf.float32))
        self._sum.assign_add(added)
        self._steps.assign_add(1)
        return gradient

    def value(self) -> np.ndarray:
        """The mean over the steps.

        Raises:
          ValueError: there was no step.
        """
        steps = int(self._steps.numpy())
        if not steps:
            raise ValueError(
                f"No gradients of '{self._name}' have been seen yet, and its score needs them: let "
                "the schedule begin at step 1 or later, and train with the model's own optimizer."
            )
        return self._sum.numpy() / steps

    def forget(self) -> None:
        self._sum.assign(tf.zeros_like(self._sum))
        self._steps.assign(0)

    def state(self) -> dict[str, np.ndarray]:
        return {"sum": self._sum.numpy(), "steps": self._steps.numpy()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        self._sum.assign(state["sum"])
        self._steps.assign(state["steps"])


@contextlib.contextmanager
def tapped(trained_by: list, taps: list[tuple[Any, Tap]]) -> Iterator[None]:
    """While it lasts, updates of these variables go through their taps.

    Args:
      trained_by: the optimizers that may make them.
      taps: pairs of a variable and a tap; those of one variable are called in this order.
    """
    if not taps:
        yield
        return
    by_variable: dict[int, list[Tap]] = {}
    for variable, tap in taps:
        for part in keras_compat.components(variable):
            by_variable.setdefault(id(part), []).append(tap)
    with contextlib.ExitStack() as stack:
        for optimizer in optimizers.innermost(trained_by):
            stack.enter_context(_tapped(optimizer, by_variable))
        yield


def _tapped(
    optimizer: Any, by_variable: Mapping[int, list[Tap]]
) -> contextlib.AbstractContextManager:
    legacy = not hasattr(optimizer, "update_step")  # tf_keras.optimizers.legacy
    method = "_resource_apply_dense" if legacy else "update_step"
    update = getattr(optimizer, method)

    def look_first(gradient: Any, variable: Any, *args: Any, **kwargs: Any) -> Any:
        functions.check()
        for tap in by_variable.get(id(keras_compat.components(variable)[0]), ()):
            gradient = tap(tf.convert_to_tensor(variable), tf.convert_to_tensor(gradient))
        return update(gradient, variable, *args, **kwargs)

    return keras_compat.replaced(optimizer, method, look_first)
