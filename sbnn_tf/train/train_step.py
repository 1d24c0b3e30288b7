"""A model's train function with something of ours around it, in Keras 3 and in tf_keras."""

from __future__ import annotations

import contextlib
import enum
import functools
from collections.abc import Callable, Hashable
from typing import Any

import tensorflow as tf

from sbnn_tf.keras_model import keras_compat
from sbnn_tf.train import functions


class Phase(enum.Enum):
    """Where a train step is, between the two hooks of a callback that are around each."""

    IDLE = 0  # no batch has begun
    ARMED = 1  # one has, and the train function was not called yet
    RAN = 2  # it was


class TrainStep:
    """A model's train function, traced and run inside of contexts, which then reports its steps.

    A step is one call of the model's `train_step`: one batch, however many of them an execution
    has, and whatever the optimizer makes of them.

    It stays with the model when an exception ends the fit, for Keras then calls no callback. So it
    runs only if its `phase` was set to `ARMED`, just before each call, in the fit it was made for
    (Keras makes a new History for each). Otherwise it is a leftover, and makes way for a plain
    train function.

    Args:
      model: a compiled Keras model; this becomes its train function.
      contexts: returns the context managers to enter around each call: what changes the model,
        and changes it back.
      trace: says, before each call, which trace it needs: one for each set of contexts that trace
        differently. So what only some steps do costs the others nothing.
      advance: called with the number of steps made, after each call.
      logs: what to add to the logs of each call.
    """

    def __init__(
        self,
        model: Any,
        contexts: Callable[[], list[contextlib.AbstractContextManager]],
        trace: Callable[[], Hashable],
        advance: Callable[[int], Any],
        logs: Callable[[], dict[str, float]],
    ):
        self._model = model
        self._contexts = contexts
        self._trace = trace
        self._advance = advance
        self._logs = logs
        self._traces: dict[Hashable, Callable] = {}
        self._functions = functions.Functions(model)
        self._trained = _trained(model)
        with keras_compat.strategy(model).scope():
            self._steps = tf.Variable(
                0,
                trainable=False,
                dtype=tf.int64,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            )
        self._reported = 0
        self._plain: Callable | None = None  # what it has left behind
        self._begin()

    def again(self) -> bool:
        """Becomes the model's train function once more, in another fit, with the traces it has.

        Returns:
          Whether it does: not where Keras itself would trace anew, as after `compile`.
        """
        same = self._model.train_function is self._plain and self._trained == _trained(self._model)
        if same:
            self._begin()
        return same

    def __call__(self, iterator: Any) -> Any:
        if (
            self.phase is not Phase.ARMED
            or getattr(self._model, "history", None) is not self._history
        ):
            self.dismantle()
            return self._model.train_function(iterator)
        self.phase = Phase.RAN
        with contextlib.ExitStack() as stack:
            for context in (*self._contexts(), self._functions.fresh(), self._counted()):
                stack.enter_context(context)
            logs = self._traced()(iterator)
        if not self.count():  # a train function of one's own, that has no use for `train_step`
            self._advance(keras_compat.steps_per_execution(self._model))
        if not isinstance(logs, dict):
            return logs
        self._taken = frozenset(logs)
        return {**logs, **self.logs()}

    def logs(self) -> dict[str, float]:
        """What to add to the logs of a call or an epoch; the model's own metrics keep their names."""
        logs = self._logs()
        return {f"pruning_{k}" if k in self._taken else k: value for k, value in logs.items()}

    def count(self) -> int:
        """Reports how many steps were made since the last time."""
        now = int(self._steps.numpy())
        count, self._reported = now - self._reported, now
        self._advance(count)
        return count

    def dismantle(self) -> None:
        """Gives the model a train function without any of it."""
        self._plain = keras_compat.new_train_function(self._model)

    def _begin(self) -> None:
        self._history = getattr(self._model, "history", None)
        self._taken: frozenset[str] = frozenset()
        self.phase = Phase.IDLE
        self._model.train_function = self

    def _traced(self) -> Callable:
        key = self._trace()
        if key not in self._traces:
            self._traces[key] = keras_compat.new_train_function(self._model)
            self._model.train_function = self
        return self._traces[key]

    @contextlib.contextmanager
    def _counted(self) -> Any:
        """While it lasts, the model's `train_step` counts its calls."""
        own = self._model.train_step

        @functools.wraps(own)
        def train_step(data: Any) -> Any:
            functions.mark()
            # The data first: an execution may find that there are none.
            with tf.control_dependencies([t for t in tf.nest.flatten(data) if tf.is_tensor(t)]):
                self._steps.assign_add(1)
            return own(data)

        with keras_compat.replaced(self._model, "train_step", train_step):
            yield


def _trained(model: Any) -> list[int]:
    try:
        return [id(variable) for variable in model.trainable_variables]
    except ValueError:  # tf_keras, of a model with a part that is not built yet
        return []
