"""Knowledge distillation: a pruned model learns from its dense self as well."""

from __future__ import annotations

import contextlib
import copy
import inspect
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from sbnn_tf.keras_model import keras_compat, optimizers

_UNUSED = (
    "The teacher had no part in the first step: the model's train_step takes no gradient through "
    "what the model returns when it is called. Call the model itself there, inside of the tape, "
    "y_pred = self(x, training=True), or have the loss computed by "
    "self.compute_loss(x=x, y=y, y_pred=y_pred)."
)


class Distillation:
    """Mixes the loss with a distance to a teacher's outputs on the same batch.

        loss = (1 - weight) * loss + weight * distance(teacher(x), model(x))

    By default the distance is `temperature ** 2` times the Kullback-Leibler divergence from the
    model's to the teacher's class probabilities at that temperature, averaged over the batch
    (Hinton et al., "Distilling the Knowledge in a Neural Network", 2015, section 2). It is no part
    of the loss in validation. A `train_step` of one's own may use any loss: see `teaching`.

    Args:
      teacher: a trained Keras model with one output (batch, ..., classes): logits, or the
        probabilities of a last layer with a softmax. Of either Keras; it is not trained.
      weight: of the teacher, in [0, 1].
      temperature: above 0; what logits are divided by.
      distance: takes the teacher's and the model's output and returns a scalar; in place of the
        divergence, for instance for a model that is no classifier.

    Raises:
      TypeError: the teacher is no Keras model.
      ValueError: a weight or temperature out of its range.
    """

    def __init__(
        self,
        teacher: Any,
        weight: float = 0.5,
        temperature: float = 4.0,
        distance: Callable | None = None,
    ):
        keras_compat.api(teacher)
        if not 0.0 <= weight <= 1.0:
            raise ValueError(f"weight must be in [0, 1], not {weight!r}.")
        if not temperature > 0.0:
            raise ValueError(f"temperature must be above 0, not {temperature!r}.")
        self.teacher = teacher
        self.weight = weight
        self.temperature = temperature
        self.distance = distance or self._divergence
        self._taught: weakref.WeakSet = weakref.WeakSet()  # models that have learnt from it

    def __deepcopy__(self, memo: dict) -> Distillation:
        return copy.copy(self)  # the teacher is never changed: one is enough

    def __getstate__(self) -> dict[str, Any]:
        state = dict(vars(self))
        del state["_taught"]  # weak references can't be pickled
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _taught=weakref.WeakSet())

    @classmethod
    def of(cls, teacher: Any) -> Distillation:
        """A teacher as a Distillation; a Distillation as it is."""
        return teacher if isinstance(teacher, cls) else cls(teacher)

    def mixed(self, loss: tf.Tensor, x: Any, y_pred: Any) -> tf.Tensor:
        """The loss with the teacher in it, for a training loop of one's own.

        Args:
          loss: a scalar; under a distribution strategy the replica's part of it.
          x: what the model was called with.
          y_pred: what it returned.
        """
        return (1.0 - self.weight) * loss + tf.cast(self.pull(x, y_pred), loss.dtype)

    @contextlib.contextmanager
    def teaching(self, model: Any) -> Iterator[None]:
        """While it lasts, the model's train step learns from the teacher.

        The teacher is in what `compute_loss` returns. Where a train step computes its loss by other
        means, the loss's gradient with respect to the model's outputs is mixed with the distance's:
        the weights learn the same, but what the loss has besides the outputs (regularizers) keeps
        its full weight. The loss that is reported has the teacher in it with Keras 3 and
        `compute_loss`.

        Raises:
          ValueError: the teacher is the model itself; or, at the end, it had no part in any
            gradient.
        """
        if self.teacher is model:
            raise ValueError(
                "The teacher is the model that is pruned. Clone it first: keras.models.clone_model, "
                "then set_weights."
            )
        if self._by_class and _gives_probabilities(model) != _gives_probabilities(self.teacher):
            raise ValueError(
                "One of teacher and model ends in a softmax, and the other in logits: end both "
                "alike, or say how to compare them: Distillation(teacher, distance=...)."
            )
        lesson = _Lesson(self)
        with contextlib.ExitStack() as stack:
            for owner, method, wrap in lesson.hooks(model):
                wrapped = wrap(getattr(owner, method))
                stack.enter_context(keras_compat.replaced(owner, method, wrapped))
            yield
        if lesson.taught:
            self._taught.add(model)
        elif model not in self._taught:  # or it was, in a call that was traced
            raise ValueError(_UNUSED)

    def pull(self, x: Any, y_pred: Any) -> tf.Tensor:
        """The teacher's term of the loss."""
        taught = tf.nest.map_structure(tf.stop_gradient, self.teacher(x, training=False))
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        return self.weight * tf.convert_to_tensor(self.distance(taught, y_pred)) / replicas

    @property
    def _by_class(self) -> bool:
        return self.distance == self._divergence

    def _divergence(self, teacher: Any, student: Any) -> tf.Tensor:
        outputs = [tf.nest.flatten(output) for output in (teacher, student)]
        shapes = [[tuple(part.shape) for part in output] for output in outputs]
        if any(len(shape) != 1 or shape[0][-1] in (1, None) for shape in shapes) or (
            shapes[0][0][1:] != shapes[1][0][1:]
        ):
            raise ValueError(
                "Teacher and model are compared by the probabilities of their classes: expected "
                f"one output each, of the same two or more classes, found the shapes {shapes[0]} "
                f"and {shapes[1]}. Say how to compare them: Distillation(teacher, distance=...)."
            )
        teacher, student = (self._logits(tf.cast(output[0], tf.float32)) for output in outputs)
        target = tf.nn.log_softmax(teacher / self.temperature)
        found = tf.nn.log_softmax(student / self.temperature)
        divergence = tf.reduce_sum(tf.exp(target) * (target - found), axis=-1)
        return self.temperature**2 * tf.reduce_mean(divergence)

    def _logits(self, outputs: tf.Tensor) -> tf.Tensor:
        """Logits of outputs: the logarithm, where the models end in a softmax."""
        if _gives_probabilities(self.teacher):
            return tf.math.log(tf.maximum(outputs, 1e-12))
        return outputs


def _gives_probabilities(model: Any) -> bool:
    """Whether a model's last layer is, or ends in, a softmax."""
    last = model
    while layers := getattr(last, "layers", None):
        last = layers[-1]
    activation = getattr(last, "activation", None)
    return "softmax" in (type(last).__name__.lower(), getattr(activation, "__name__", ""))


class _Lesson:
    """What is around the methods of a model, and of its optimizers, in one call of its train step.

    Args:
      distillation: whose teacher is to be learnt from.
    """

    def __init__(self, distillation: Distillation):
        self.taught = False
        self._distillation = distillation
        self._inputs: Any = None  # of the model's latest call
        self._in_loss = False  # a loss that has the teacher in it was differentiated
        self._scale: Callable = lambda loss: loss

    def hooks(self, model: Any) -> list[tuple[Any, str, Callable]]:
        """Triples of an owner, a method of it, and a function that wraps that method."""
        scales = [
            (optimizer, name, self._scaling)
            for optimizer in optimizers.of(model)
            for name in ("scale_loss", "get_scaled_loss")  # Keras 3, tf_keras
            if hasattr(optimizer, name)
        ]
        return [(model, "call", self._calling), (model, "compute_loss", self._computing), *scales]

    # Keras may compile these with AutoGraph, for what is in the methods; not what is added here.

    def _calling(self, call: Callable) -> Callable:
        def called(*args: Any, **kwargs: Any) -> Any:
            return self._joined(call(*args, **kwargs), args, kwargs)

        return called

    def _computing(self, compute_loss: Callable) -> Callable:
        signature = inspect.signature(compute_loss)

        def computed(*args: Any, **kwargs: Any) -> Any:
            return self._mixed(compute_loss(*args, **kwargs), signature.bind(*args, **kwargs))

        return computed

    def _scaling(self, scale: Callable) -> Callable:
        def scaled(loss: Any) -> Any:
            self._scale = scale  # so what comes from the loss is scaled, and the rest must be
            return scale(loss)

        return scaled

    @tf.autograph.experimental.do_not_convert
    def _joined(self, outputs: Any, args: tuple, kwargs: dict) -> Any:
        """The outputs, with the teacher's pull where a gradient comes back to them."""
        inputs = self._inputs = args[0] if args else next(iter(kwargs.values()), None)
        parts = tf.nest.flatten(outputs)
        floats = [
            i for i, part in enumerate(parts) if tf.is_tensor(part) and part.dtype.is_floating
        ]

        @tf.custom_gradient
        def join(*given: tf.Tensor) -> tuple[list[tf.Tensor], Callable]:
            def gradient(*upstream: tf.Tensor) -> list[tf.Tensor]:
                if self._in_loss:
                    return list(upstream)
                self.taught = True
                with tf.GradientTape() as tape:
                    tape.watch(given)
                    predicted = dict(zip(floats, given))
                    predicted = [predicted.get(i, part) for i, part in enumerate(parts)]
                    predicted = tf.nest.pack_sequence_as(outputs, predicted)
                    pull = self._scale(self._distillation.pull(inputs, predicted))
                pulls = tape.gradient(pull, given, unconnected_gradients="zero")
                own = 1.0 - self._distillation.weight
                return [own * u + tf.cast(p, u.dtype) for u, p in zip(upstream, pulls)]

            return [tf.identity(part) for part in given], gradient

        for i, part in zip(floats, join(*[parts[i] for i in floats]) if floats else ()):
            parts[i] = part
        return tf.nest.pack_sequence_as(outputs, parts)

    @tf.autograph.experimental.do_not_convert
    def _mixed(self, loss: Any, arguments: inspect.BoundArguments) -> Any:
        """The loss with the teacher in it, where it is known of what."""
        x, y_pred = (arguments.arguments.get(name) for name in ("x", "y_pred"))
        x = self._inputs if x is None else x
        if loss is None or x is None or y_pred is None:
            return loss

        @tf.custom_gradient
        def noted(loss: tf.Tensor) -> tuple[tf.Tensor, Callable]:
            def gradient(upstream: tf.Tensor) -> tf.Tensor:
                self._in_loss = self.taught = True
                return upstream

            return tf.identity(loss), gradient

        return noted(self._distillation.mixed(loss, x, y_pred))
