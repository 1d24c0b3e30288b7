"""Knowledge distillation: a pruned model learns from its dense self as well."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from sbnn_tf.models import keras_compat


class Distillation:
    """Mixes the loss with a distance to a teacher's outputs on the same batch.

        loss = (1 - weight) * loss + weight * distance(teacher(x), model(x))

    By default the distance is `temperature ** 2` times the Kullback-Leibler divergence from the
    model's to the teacher's class probabilities at that temperature, averaged over the batch
    (Hinton et al., "Distilling the Knowledge in a Neural Network", 2015, section 2). It is no part
    of the loss in validation.

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

    def __deepcopy__(self, memo: dict) -> Distillation:
        return copy.copy(self)  # the teacher is never changed: one is enough

    @classmethod
    def of(cls, teacher: Any) -> Distillation:
        """A teacher as a Distillation; a Distillation as it is."""
        return teacher if isinstance(teacher, cls) else cls(teacher)

    def teaching(self, model: Any) -> contextlib.AbstractContextManager:
        """While it lasts, the model's `compute_loss` has the teacher in it.

        Raises:
          ValueError: the teacher is the model itself.
        """
        if self.teacher is model:
            raise ValueError(
                "The teacher is the model that is pruned. Clone it first: keras.models.clone_model, "
                "then set_weights."
            )
        compute = model.compute_loss

        def compute_loss(
            x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, **kwargs
        ) -> Any:
            own = compute(x, y, y_pred, sample_weight, **kwargs)
            taught = self.distance(tf.stop_gradient(self.teacher(x, training=False)), y_pred)
            replicas = tf.distribute.get_strategy().num_replicas_in_sync
            taught = tf.cast(taught, own.dtype) / replicas
            return (1.0 - self.weight) * own + self.weight * taught

        return keras_compat.replaced(model, "compute_loss", compute_loss)

    def _divergence(self, teacher: tf.Tensor, student: tf.Tensor) -> tf.Tensor:
        teacher, student = (self._logits(tf.cast(x, tf.float32)) for x in (teacher, student))
        target = tf.nn.log_softmax(teacher / self.temperature)
        found = tf.nn.log_softmax(student / self.temperature)
        divergence = tf.reduce_sum(tf.exp(target) * (target - found), axis=-1)
        return self.temperature**2 * tf.reduce_mean(divergence)

    def _logits(self, outputs: tf.Tensor) -> tf.Tensor:
        """Logits of outputs: the logarithm, where the teacher ends in a softmax."""
        activation = getattr(self.teacher.layers[-1], "activation", None)
        if getattr(activation, "__name__", "") == "softmax":
            return tf.math.log(tf.maximum(outputs, 1e-12))
        return outputs
