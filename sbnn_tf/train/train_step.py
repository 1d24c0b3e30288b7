"""A model's train function with something of ours around it, in Keras 3 and in tf_keras."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable
from typing import Any

from sbnn_tf.models import keras_compat


class TrainStep:
    """A model's train function, traced and run inside of contexts, which then report its steps.

    It stays with the model when an exception ends the fit, for Keras then calls no callback. So it
    runs only if `armed`, just before each call, in the fit it was made for (Keras makes a new
    History for each). Otherwise it is a leftover, and makes way for a plain train function.

    Args:
      model: a compiled Keras model; this becomes its train function.
      contexts: returns the context managers to enter around each call: what changes the model,
        and changes it back.
      trace: says, before each call, which trace it needs: one for each set of contexts that trace
        differently. So what only some steps do costs the others nothing.
      advance: called with the number of optimizer steps made, after each call.
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
        self._history = getattr(model, "history", None)
        self._traces: dict[Hashable, Callable] = {}
        self._iterations = keras_compat.iterations(model)
        self.armed = False
        model.train_function = self

    def __call__(self, iterator: Any) -> Any:
        if not self.armed or getattr(self._model, "history", None) is not self._history:
            self.dismantle()
            return self._model.train_function(iterator)
        self.armed = False
        with contextlib.ExitStack() as stack:
            for context in self._contexts():
                stack.enter_context(context)
            logs = self._traced()(iterator)
        # Another optimizer than the model's own (a GAN's) leaves the model's count where it is.
        if not self.count():
            self._advance(keras_compat.steps_per_execution(self._model))
        return {**logs, **self._logs()} if isinstance(logs, dict) else logs

    def _traced(self) -> Callable:
        key = self._trace()
        if key not in self._traces:
            self._traces[key] = keras_compat.new_train_function(self._model)
            self._model.train_function = self
        return self._traces[key]

    def count(self) -> int:
        """Reports how many steps the optimizer has made since the last time."""
        now = keras_compat.iterations(self._model)
        steps, self._iterations = now - self._iterations, now
        self._advance(steps)
        return steps

    def dismantle(self) -> None:
        """Gives the model a train function without any of it."""
        keras_compat.new_train_function(self._model)
