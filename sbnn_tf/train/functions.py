"""The `tf.function`s inside of a train step: traced anew while we train, or refused.

A train step is Python that a `tf.function` traces. Where parts of it are decorated themselves (the
user's `train_step`, a helper that applies gradients, tf_keras' compiled optimizers), such a function
keeps its trace: one from before knows nothing of the masks, and one that is traced with them keeps
them for ever. So those that hang on the model are other ones for a while, and what has slipped
through is refused by `check`.
"""

from __future__ import annotations

import contextlib
import functools
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from sbnn_tf.keras_model import keras_compat, optimizers

_KIND = type(tf.function(lambda: None))  # functions of a loaded SavedModel are of another one
_COMPILED = ("train_function", "train_tf_function", "test_function", "predict_function")  # by Keras
_OURS: weakref.WeakSet = weakref.WeakSet()  # graphs that go with the train function


class Functions:
    """The `tf.function`s that are attributes of a model, its layers or its optimizers.

    Args:
      model: a compiled Keras model.
    """

    def __init__(self, model: Any):
        owners = {}
        trained_by = optimizers.nested(optimizers.of(model))
        for part in (*keras_compat.all_layers(model), *trained_by):
            owners |= {id(owner): owner for owner in (part, *type(part).__mro__)}
        self._found = [
            (owner, name, value)
            for owner in owners.values()
            for name, value in vars(owner).items()
            if type(value) is _KIND and name not in _COMPILED
        ]
        self._copies: dict[tuple[int, int], Callable] = {}

    @contextlib.contextmanager
    def fresh(self) -> Iterator[None]:
        """While it lasts, each is a copy of its own that keeps its trace as long as this object."""
        with contextlib.ExitStack() as stack:
            for owner, name, function in self._found:
                if isinstance(owner, type):
                    stack.enter_context(_set(owner, name, self._method(function)))
                else:
                    copy = self._copy(function, None)
                    stack.enter_context(keras_compat.replaced(owner, name, copy))
            yield

    def _method(self, function: Any) -> Callable:
        @functools.wraps(function.python_function)
        @tf.autograph.experimental.do_not_convert
        def method(owner: Any, *args: Any, **kwargs: Any) -> Any:
            return self._copy(function, owner)(*args, **kwargs)

        return method

    def _copy(self, function: Any, owner: Any | None) -> Callable:
        key = id(function), id(owner)
        if key not in self._copies:
            target = function.python_function
            if owner is not None:
                target = types.MethodType(target, owner)

            def ours(*args: Any, **kwargs: Any) -> Any:
                mark()
                return decorated.__wrapped__(*args, **kwargs)  # what AutoGraph has put there

            decorated = tf.__internal__.decorator.make_decorator(target, ours)
            self._copies[key] = function._clone(decorated)
        return self._copies[key]


def mark() -> None:
    """Says that what is traced at the moment goes with the train function."""
    if not tf.executing_eagerly():
        _OURS.add(_graph())


def check() -> None:
    """To be called in what is put into a train step.

    Raises:
      ValueError: a `tf.function` that stays behind is being traced.
    """
    if not tf.executing_eagerly() and (graph := _graph()) not in _OURS:
        raise ValueError(
            f"The train step calls a tf.function, '{graph.name}', that is no attribute of the "
            "model: it would keep what pruning puts into the step after the fit. Take the "
            "decorator @tf.function off: fit compiles the whole step anyway."
        )


def _graph() -> Any:
    """The graph of the innermost function that is traced, around its branches and loops."""
    graph = tf.compat.v1.get_default_graph()
    while type(graph).__name__ != "FuncGraph" and hasattr(graph, "outer_graph"):
        graph = graph.outer_graph
    return graph


@contextlib.contextmanager
def _set(owner: type, name: str, value: Any) -> Iterator[None]:
    before = vars(owner)[name]
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)
