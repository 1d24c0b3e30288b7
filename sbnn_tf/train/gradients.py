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

from sbnn_tf.keras_model import keras_compat, optimizers
from sbnn_tf.train import functions

# A tap gets the weights and their gradient, and returns the gradient to go on with.
Tap = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


class NoGradients(ValueError):
    """There are none of a variable that are needed; `why` says what may be the matter."""

    def __init__(self, name: str, variable: Any):
        super().__init__(f"There are no gradients of '{name}'.")
        self.name = name
        self.variable = variable


class Gatherer:
    """Sums over the updates of a variable. Make it in the scope of the model's strategy.

    Args:
      gather: takes weights and gradient, returns what to add up.
      variable: the Keras variable.
      name: its kernel's.
    """

    def __init__(self, gather: Callable, variable: Any, name: str):
        self._gather = gather
        self._variable = variable
        self._name = name
        self._sum = tf.Variable(tf.zeros(variable.shape), trainable=False)
        # Below 0: so many updates are in the sum, and it is to begin anew with the next one.
        self._updates = tf.Variable(0, trainable=False, dtype=tf.int64)

    def __call__(self, weights: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
        """A tap: adds up, and leaves the gradient as it is."""
        added = self._gather(tf.cast(weights, tf.float32), tf.cast(gradient, tf.float32))
        updates = tf.convert_to_tensor(self._updates)
        self._sum.assign(tf.where(updates > 0, self._sum + added, added))
        self._updates.assign(tf.maximum(updates, 0) + 1)
        return gradient

    @property
    def empty(self) -> bool:
        """Whether there was no update yet."""
        return not self._updates.numpy()

    def value(self) -> np.ndarray:
        """The mean over the updates since `forget`, or before it where there are none yet.

        Raises:
          NoGradients: there was no update.
        """
        if self.empty:
            raise NoGradients(self._name, self._variable)
        return self._sum.numpy() / abs(int(self._updates.numpy()))

    def forget(self) -> None:
        """Has the next update begin a new sum; until then there is the old one."""
        self._updates.assign(-abs(self._updates.numpy()))

    def state(self) -> dict[str, np.ndarray]:
        return {"sum": self._sum.numpy(), "steps": self._updates.numpy()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        self._sum.assign(state["sum"])
        self._updates.assign(state["steps"])


def why(missing: NoGradients, model: Any, first_step: int, step: int) -> str:
    """What keeps the gradients of a variable away, and what to do about it.

    Args:
      missing: whose gradients.
      model: that is trained.
      first_step: the number of steps before the first one that was looked at.
      step: the number of steps made.
    """
    accumulated = keras_compat.accumulated_steps(model)
    leave_out = f"leave it out with Policy(exclude=['{missing.name}'])"
    if not keras_compat.is_trainable(model, missing.variable):
        return (
            f"{missing} The layer is frozen: make it trainable and compile again, {leave_out}, or "
            "take what needs no gradients (score='l2', SET)."
        )
    if step < first_step + accumulated:
        reason = (
            "No step has been made yet"
            if accumulated == 1
            else f"The optimizer accumulates those of {accumulated} batches"
        )
        return f"{missing} {reason}: begin at step {first_step + accumulated} or later."
    return (
        f"{missing} No optimizer of the model has updated it in a step that was looked at: make "
        "the one that does an attribute of the model, in a loop of your own give after_step the "
        f"gradients, or {leave_out}."
    )


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
