"""Keeps a model inside its masks during `model.fit`, in Keras 3 and in tf_keras.

How a mask holds inside the train step: both Keras apply a variable's constraint at the end of every
optimizer step, inside the compiled function. While the train function runs, and only then, each
pruned kernel has a constraint that selects the kept weights. So nothing is left on the variables
between two calls, whatever exception ends the fit. The train function has to be traced anew for
that; the one with masks recognizes a fit that is not ours, and then steps aside for a plain one.
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from sbnn_tf import importance, keras_compat, kernels, patterns
from sbnn_tf.patterns import Pattern
from sbnn_tf.policy import Choice, Policy
from sbnn_tf.schedules import ScheduleReader

_RESTORED = (
    "At the end of training a callback (EarlyStopping with restore_best_weights?) restored weights "
    "that were less sparse. The masks have been applied to them again: the model is not the one "
    "that was evaluated. Let such a callback begin only when the schedule has ended "
    "(start_from_epoch)."
)


class Pruning(keras.callbacks.Callback):
    """Prunes a model gradually while it trains, in `keras.Model.fit` and `tf_keras.Model.fit`.

        pruning = Pruning(Group(4), PolynomialDecay(0.0, 0.5, begin_step=0, end_step=2000))
        model.fit(data, epochs=4, callbacks=[pruning])

    After every optimizer step each pruned weight is exactly 0.0. Weights are chosen by their
    magnitude, with the batch norm behind them folded in, layer by layer. The key 'sparsity' in the
    logs is the fraction of pruned weights in all layers that the policy names.

    Steps are optimizer steps, counted from the first fit with this object: 0 is the state before
    the first one, whatever training the model has seen. A second fit of the same model with the
    same object goes on counting.

    A pruned weight is 0, hence the least important, and so stays pruned as long as the schedule
    does not fall. Weights that are zero at the start are the first to be pruned.

    Args:
      pattern: which weights are pruned together; a `Pattern` or a name such as "group4".
      schedule: when and how much: `PolynomialDecay`, `ConstantSparsity`, or any object with the
        interface of tfmot's PruningSchedule.
      policy: which layers, and how far each; default `Policy()`.
      initial_step: where to start counting; for a run that was interrupted and is resumed in a new
        process.

    Raises:
      ValueError, TypeError: a bad argument; and when training begins: a model that was never built,
        nothing to prune, names that match nothing.
    """

    def __init__(
        self,
        pattern: Pattern | str,
        schedule: Callable,
        policy: Policy | None = None,
        initial_step: int = 0,
    ):
        super().__init__()
        self.pattern = patterns.get(pattern)
        self.schedule = schedule
        self._reader = ScheduleReader(schedule)
        if policy is not None and not isinstance(policy, Policy):
            raise TypeError(f"policy must be a Policy, not {policy!r}.")
        self.policy = policy or Policy()
        if initial_step < 0:
            raise ValueError(f"initial_step must be 0 or more, not {initial_step}.")
        self.initial_step = initial_step
        self.step = initial_step
        self._pruned_model: Any = None
        self._target: float | None = None
        self._masks: list[_Mask] = []
        self._train_step: _MaskedTrainStep | None = None

    @property
    def sparsity(self) -> float:
        """The fraction of pruned weights in the layers that the policy names, at the moment."""
        total = sum(mask.size for mask in self._masks)
        return 1.0 - sum(mask.kept for mask in self._masks) / total if total else 0.0

    # What Keras calls. Masks are updated in the train function itself, right behind the step: the
    # batch-end hooks may run later in another thread, and after the other callbacks.

    def on_train_begin(self, logs: dict | None = None) -> None:
        model = self.model
        layers = keras_compat.api(model).layers
        choices = self.policy.choose(model, self.pattern)
        stretch = self._stretch(choices)
        self._masks = [
            _Mask(choice, kernels.folded_batch_norm(choice.kernel, layers), factor)
            for choice, factor in zip(choices, stretch)
        ]
        if self._pruned_model is not model:
            self._pruned_model = model
            self.step, self._target = self.initial_step, None
        self._train_step = None
        if isinstance(model.train_function, _MaskedTrainStep):  # of a fit that was interrupted
            model.train_function.dismantle()

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        # The first masks wait until here: the on_train_begin of another callback may load weights.
        if self._train_step is None or self.model.train_function is not self._train_step:
            if isinstance(self.model.train_function, _MaskedTrainStep):
                raise ValueError(
                    "Two Pruning callbacks in one fit: give one callback a Policy with a pattern "
                    "and a sparsity by layer instead."
                )
            self._train_step = _MaskedTrainStep(self, self.model)
            sparsity = self._reader.at(self.step)
            self._prune_to(self._target if sparsity is None else sparsity)
        self._train_step.armed = True

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if self._train_step is None:  # no batch at all
            return
        self._train_step.count()  # tf_keras: steps of a last call that ran out of data
        if self._apply_masks():
            warnings.warn(
                "Pruned weights were changed by something else than a Keras optimizer's step "
                "(a train_step that assigns weights, or that is a tf.function traced before?). "
                "They are zero again now, but the last validation ran without the masks.",
                stacklevel=2,
            )
        if logs is not None:
            logs["sparsity"] = self.sparsity

    def on_train_end(self, logs: dict | None = None) -> None:
        if self._train_step is None:
            return
        # An optimizer with use_ema=True has just assigned its averages.
        if self._apply_masks() and not keras_compat.averages_weights(self.model):
            warnings.warn(_RESTORED, stacklevel=2)
        self._prune_to(self._reader.at(self.step))
        self._train_step.dismantle()
        self._train_step = None
        self._warn_if_short()
        # Callbacks behind this one may still restore weights of an epoch that was less sparse
        # (EarlyStopping). Keras' own History comes last and lives for one fit.
        history = getattr(self.model, "history", None)
        if history is not None:
            history.on_train_end = functools.partial(self._after_other_callbacks, history)

    def _implements_train_batch_hooks(self) -> bool:  # asked by tf_keras
        return True

    def _implements_test_batch_hooks(self) -> bool:
        return False

    def _implements_predict_batch_hooks(self) -> bool:
        return False

    # The work.

    def _stretch(self, choices: list[Choice]) -> list[float]:
        """By what to multiply the schedule's sparsity for each choice."""
        final = self._reader.final_sparsity
        if any(choice.sparsity is not None for choice in choices) and not final:
            raise ValueError(
                "The policy gives layers a sparsity of their own, but the schedule has no "
                "final_sparsity or target_sparsity above 0 to relate it to."
            )
        return [1.0 if c.sparsity is None else c.sparsity / final for c in choices]

    def _advance(self, steps: int) -> None:
        """Applies the pruning that is due after this many more steps."""
        if steps:
            due = self._reader.due(self.step + 1, self.step + steps)
            self.step += steps
            self._prune_to(due)

    def _prune_to(self, sparsity: float | None) -> None:
        if sparsity is not None:
            self._target = sparsity
            for mask in self._masks:
                mask.update(sparsity)

    def _apply_masks(self) -> bool:
        """Zeroes what is pruned; whether any of it was not zero."""
        return any([mask.apply() for mask in self._masks])

    def _after_other_callbacks(self, history: Any, logs: dict | None = None) -> None:
        del history.on_train_end
        if self._apply_masks():
            warnings.warn(_RESTORED, stacklevel=2)
        history.on_train_end(logs)

    def _warn_if_short(self) -> None:
        begin, end = self._reader.begin_step, self._reader.end_step
        target = begin if end is None else end
        if target is None or self.step >= target:
            return
        if self._reader.at(self.step) != self._reader.at(target):
            warnings.warn(
                f"Training stopped at step {self.step}, but the schedule "
                f"{'begins' if end is None else 'ends'} at step {target}: sparsity "
                f"{self.sparsity:.3f} was reached. Fit again with the same callback to go on.",
                stacklevel=2,
            )


class _Mask:
    """One kernel's mask."""

    def __init__(self, choice: Choice, batch_norm: Any | None, factor: float):
        self._kernel = choice.kernel
        self._pattern = choice.pattern
        self._batch_norm = batch_norm
        self._factor = factor
        self.size = int(np.prod(self._kernel.shape))
        self.kept = self.size
        # A variable, so that a new mask needs no new trace. No attribute of the model: not saved.
        self._keep = tf.Variable(tf.ones(self._kernel.shape, tf.bool), trainable=False)

    def update(self, sparsity: float) -> None:
        """Chooses the mask anew from the weights as they are, and applies it at once."""
        weights = self._kernel.value()
        scores = importance.scores(weights, self._batch_norm)
        keep = self._pattern.mask(scores, sparsity * self._factor)
        self.kept = int(np.count_nonzero(keep))
        self._keep.assign(keep)
        self._kernel.variable.assign(np.where(keep, weights, np.zeros_like(weights)))

    def apply(self) -> bool:
        """Zeroes what is pruned; whether any of it was not zero."""
        weights, keep = self._kernel.value(), self._keep.numpy()
        if not np.any(weights[~keep] != 0):
            return False
        self._kernel.variable.assign(np.where(keep, weights, np.zeros_like(weights)))
        return True

    def constrained(self) -> contextlib.AbstractContextManager:
        """While it lasts, the optimizer puts 0.0 wherever the mask is False."""
        own = self._kernel.variable.constraint

        def select(weights: Any) -> tf.Tensor:
            # Selected, not multiplied: NaN * 0 is NaN, and -1 * 0 is -0.0.
            weights = tf.convert_to_tensor(weights)
            return tf.where(self._keep, weights, tf.zeros_like(weights))

        def constraint(weights: Any) -> tf.Tensor:
            # The user's constraint sees the masked kernel (a norm counts only what is kept).
            return select(weights) if own is None else select(own(select(weights)))

        return keras_compat.constrained(self._kernel.variable, constraint)


class _MaskedTrainStep:
    """A model's train function, traced and run with the masks as constraints.

    It stays with the model when an exception ends the fit, for Keras then calls no callback. So it
    runs only if `armed`, just before each call, in the fit it was made for (Keras makes a new
    History for each). Otherwise it is a leftover, and makes way for a plain train function.
    """

    def __init__(self, pruning: Pruning, model: Any):
        self._pruning = pruning
        self._model = model
        self._history = getattr(model, "history", None)
        self._inner = keras_compat.new_train_function(model)
        self._iterations = keras_compat.iterations(model)
        self.armed = False
        model.train_function = self

    def __call__(self, iterator: Any) -> Any:
        if not self.armed or getattr(self._model, "history", None) is not self._history:
            self.dismantle()
            return self._model.train_function(iterator)
        self.armed = False
        with contextlib.ExitStack() as stack:
            for mask in self._pruning._masks:
                stack.enter_context(mask.constrained())
            logs = self._inner(iterator)
        # Another optimizer than the model's own (a GAN's) leaves the model's count where it is.
        if not self.count():
            self._pruning._advance(keras_compat.steps_per_execution(self._model))
        return {**logs, "sparsity": self._pruning.sparsity} if isinstance(logs, dict) else logs

    def count(self) -> int:
        """Tells the pruning how many steps the optimizer has made since the last time."""
        now = keras_compat.iterations(self._model)
        steps, self._iterations = now - self._iterations, now
        self._pruning._advance(steps)
        return steps

    def dismantle(self) -> None:
        """Gives the model a train function without masks."""
        keras_compat.new_train_function(self._model)
