"""Keeps a model inside its masks during `model.fit`, in Keras 3 and in tf_keras.

How a mask holds inside the train step: both Keras apply a variable's constraint at the end of every
optimizer step, inside the compiled function. While the train function runs, and only then, each
pruned kernel has a constraint that selects the kept weights. So nothing is left on the variables
between two calls, whatever exception ends the fit. The train function has to be traced anew for
that; the one with masks recognizes a fit that is not ours, and then steps aside for a plain one.
Gradients that a score needs, and the loss of a teacher, get into the step in the same way.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import warnings
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import keras
import tensorflow as tf

from sbnn_tf import patterns
from sbnn_tf.keras_model import keras_compat, kernels, optimizers
from sbnn_tf.patterns import Pattern
from sbnn_tf.plan import budgets, importance, steps
from sbnn_tf.plan.budgets import Budget, Uniform
from sbnn_tf.plan.importance import Score
from sbnn_tf.plan.policy import Choice, Policy
from sbnn_tf.plan.schedules import ScheduleReader
from sbnn_tf.train import gradients, outcome
from sbnn_tf.train.distillation import Distillation
from sbnn_tf.train.keeper import Keeper
from sbnn_tf.train.mask_log import MaskLog
from sbnn_tf.train.masks import Mask, MaskUpdate
from sbnn_tf.train.resuming import Resumable
from sbnn_tf.train.rewind import Rewind
from sbnn_tf.train.state import StateFile
from sbnn_tf.train.train_step import Phase, TrainStep

_WORKERS = (
    "TF_CONFIG names {} workers, and fit of Keras 3 trains on one only: it fails, before it asks a "
    "callback, with 'Attempt to convert a value (PerReplica...'. Train with fit of tf_keras, or in "
    "a loop of your own with one call of after_step a step."
)


class Pruning(Resumable, keras.callbacks.Callback):
    """Prunes a model gradually while it trains, in `keras.Model.fit` and `tf_keras.Model.fit`.

        pruning = Pruning(Group(4), PolynomialDecay(0.0, 0.5, begin_step=0, end_step=2000))
        model.fit(data, epochs=4, callbacks=[pruning])

    After every step each pruned weight is exactly 0.0. The key 'sparsity' in the logs is the
    fraction of pruned weights in all layers that the policy names ('pruning_sparsity', where the
    model has a metric of that name).

    A step is one training batch (one call of the model's `train_step`), whatever
    `steps_per_execution`, gradient accumulation or an optimizer of one's own make of it: there are
    `epochs * len(dataset)` of them. They are counted from the first fit with this object: 0 is the
    state before the first one, whatever training the model has seen. A second fit of the same model
    with the same object goes on counting.

    What is pruned stays pruned as long as the schedule does not fall. Weights that are zero at the
    start are the first to be pruned.

    A copy (`copy.deepcopy`, `pickle`) has the arguments, and no training behind it.

    A training loop of your own calls `after_step` once a step instead of `fit`, or the hooks that
    `fit` calls: `set_model`, `on_train_begin`, `on_train_batch_begin` and so on. Under
    `MultiWorkerMirroredStrategy` that is the way for Keras 3, whose `fit` fails there; `fit` of
    tf_keras works.

    A `@tf.function` inside of a `train_step` is traced anew for the fit where it is an attribute of
    the model, and else refused: it would keep the masks.

    Args:
      pattern: which weights are pruned together; a `Pattern` or a name such as "group4".
      schedule: when and how much: `PolynomialDecay`, `ConstantSparsity`, or any object with the
        interface of tfmot's PruningSchedule.
      policy: which layers, and how far each; default `Policy()`.
      initial_step: where to start counting; for a run that was interrupted and is resumed in a new
        process.
      score: how much a weight matters: "l2", "l1" (magnitude), "taylor", "movement", "random", or a
        `Score`. Magnitudes have the batch norm behind the layer folded in.
      budget: how the sparsity is shared among the layers that the policy gives none of their own:
        "uniform", "erk", "global", or a `Budget`. Decided when the first weights are pruned.
      teacher: a trained Keras model to learn from as well (knowledge distillation), or a
        `Distillation` that says how.
      state: a file (.npz) to keep masks, step and all that was gathered in, so that a run that was
        interrupted goes on bit by bit: give the same path again, and restore the model with its
        optimizer (`BackupAndRestore`, or a saved model). Written after each change of the masks and
        at the end of each epoch; in a loop of your own by `save_state`, and read by `start`. The
        state that goes with a model is found by its weights. A model that was saved between two
        states goes on with the masks of the earlier one, if its optimizer is restored and hangs on
        it. It may have other names, but not other shapes.
      log_dir: a folder for TensorBoard: sparsity, churn (the fraction of weights whose fate
        changed) and kept score of each layer, whenever masks change.

    Raises:
      ValueError, TypeError: a bad argument; and when training begins: a model that was never built,
        nothing to prune, names that match nothing, a pattern that does not fit a layer named. While
        it trains: scores that are NaN, as when training has diverged; the masks are then the last
        good ones.
    """

    def __init__(
        self,
        pattern: Pattern | str,
        schedule: Callable,
        policy: Policy | None = None,
        initial_step: int = 0,
        *,
        score: Score | str = "l2",
        budget: Budget | str = "uniform",
        teacher: Any = None,
        state: str | os.PathLike | None = None,
        log_dir: str | os.PathLike | None = None,
    ):
        super().__init__()
        if (workers := keras_compat.workers()) > 1 and "tf_keras" not in sys.modules:
            warnings.warn(_WORKERS.format(workers), stacklevel=2)
        self.schedule = schedule
        self._reader = ScheduleReader(schedule)
        if policy is not None and not isinstance(policy, Policy):
            raise TypeError(f"policy must be a Policy, not {policy!r}.")
        self.policy = policy or Policy()
        self.initial_step = steps.whole(initial_step, "initial_step")
        self.score = importance.get(score)
        self.budget = budgets.get(budget)
        self.pattern = patterns.get(pattern).aimed(self.budget.target)
        self._state_file = None if state is None else StateFile(state)
        self._log = None if log_dir is None else MaskLog(log_dir)
        self.distillation = teacher if teacher is None else Distillation.of(teacher)
        self._forget()

    def _forget(self) -> None:
        """Sets all that a run changes to what it is before the first fit."""
        super()._forget()
        self.step = self.initial_step
        self._pruned_model: Any = None
        self._target: float | None = None
        self._shared_out = False
        self._masks: list[Mask] = []
        self._rewind: Rewind | None = None
        self._train_step: TrainStep | None = None
        self._waiting = False  # for layers that the first step builds
        self._started = False  # whether a fit has come to its first batch
        self._by_hand = False  # whether its steps are made between the hooks
        self._optimizer: Any = None  # in a loop of the user's own
        self._keeper: Keeper | None = None
        self._trained_by: list = []  # optimizers
        self._own_code = False
        self._changed: list[str] = []  # in this fit, behind an optimizer's back
        self._history_first = False

    def __getstate__(self) -> dict[str, Any]:
        # A copy, as KerasTuner and scikeras make them: with the arguments, and no run yet.
        copied = object.__new__(type(self))
        vars(copied).update(vars(self), params=None, _model=None)
        copied._forget()
        return vars(copied)

    @property
    def sparsity(self) -> float:
        """The fraction of pruned weights in the layers that the policy names, at the moment."""
        total = sum(mask.size for mask in self._masks)
        return 1.0 - sum(mask.kept for mask in self._masks) / total if total else 0.0

    def after_step(
        self, model: Any, gradients: Sequence | None = None, optimizer: Any = None
    ) -> None:
        """Prunes a model in a training loop of your own: call it after each batch.

            for x, y in data:
                grads = step(x, y)          # a tf.function that applies them, say
                pruning.after_step(model)

        Outside of `tf.function` and of a strategy's replicas. Pruned weights are 0.0 when it
        returns, and so are the optimizer's averages of them.

        Args:
          model: the model that the step has trained.
          gradients: of `model.trainable_variables`, in that order; only for a score that needs
            them.
          optimizer: the one that has made the step, if it is no attribute of the model: for the
            averages that it keeps of the weights (`use_ema`).

        Raises:
          ValueError: as in `fit`; or there is a teacher, or a score needs gradients and got none.
        """
        if self.distillation is not None:
            raise ValueError(
                "A teacher is learnt from in fit. In a loop of your own give the callback none, "
                "and apply the gradients of Distillation(teacher).mixed(loss, x, y_pred)."
            )
        if self._pruned_model is not model:
            self.start(model, optimizer)
        self._optimizer = optimizer
        if gradients is not None:
            self._look_at(model, gradients)
        self._made(1, by_hand=True)
        if self.step == self._end_step():
            self._conclude()

    def start(self, model: Any, optimizer: Any = None) -> None:
        """Begins in a training loop of your own, before its first step.

        Needed only where a run is to go on from its `state`, or to be pruned before its first step:
        `after_step` begins, too, but when a step has been made.

        Args:
          model, optimizer: as for `after_step`.

        Raises:
          ValueError: as in `fit`; or the state is not that of the model.
        """
        self._optimizer = optimizer
        self._begin(model)
        self._start()

    def write_mask_pictures(self) -> None:
        """Writes a picture of each mask, as it is, for TensorBoard.

        Raises:
          ValueError: there is no `log_dir`.
        """
        if self._log is None:
            raise ValueError("Pictures of masks need a log_dir: Pruning(..., log_dir=FOLDER).")
        self._log.pictures(self.step, self._masks)

    # What Keras calls. In `fit` masks are updated in the train function itself, right behind the
    # step, before other callbacks see the weights. Whoever calls these hooks in a loop of their own,
    # as tfmot's guide does, makes the step between two of them: then it is up to the hooks.

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._waiting = kernels.has_unbuilt(self.model)
        self._begin(self.model)
        self._started = self._by_hand = False
        self._changed = []
        if isinstance(self.model.train_function, TrainStep):  # of a fit that was interrupted
            self.model.train_function.dismantle()

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        self._enter()
        if self._train_step.phase is Phase.ARMED:  # nobody has called the train function
            self._stepped_by_hand()
        self._train_step.phase = Phase.ARMED

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._enter()
        if self._train_step.phase is not Phase.RAN:
            self._stepped_by_hand()
        self._train_step.phase = Phase.IDLE

    def on_epoch_end(
        self, epoch: int | None = None, logs: dict | None = None, batch: int | None = None
    ) -> None:  # tfmot's guide gives the batch
        if not self._started:  # no batch at all
            return
        if self._train_step.phase is Phase.ARMED:
            self._stepped_by_hand()
        self._train_step.phase = Phase.IDLE
        self._train_step.count()  # tf_keras: steps of a last call that ran out of data
        self._keeper.look_again()
        changed = self._apply_masks()
        outcome.warn_of_changed([name for name in changed if name not in self._changed])
        self._changed += changed
        history = getattr(self.model, "history", None)
        self._history_first = epoch in getattr(history, "epoch", ())  # it is not Keras' own
        self._save(epoch_end=True)
        if logs is not None:
            logs.update(self._train_step.logs())

    def on_train_end(self, logs: dict | None = None) -> None:
        if not self._started:
            return
        restored = self._apply_masks()
        self._prune_to(self._reader.at(self.step))
        self._train_step.dismantle()
        self._started = False
        self._warn_if_short()
        # Callbacks behind this one may still restore weights of an epoch that was less sparse
        # (EarlyStopping). Keras' own History comes last and lives for one fit.
        history = getattr(self.model, "history", None)
        if history is None or self._history_first or self._by_hand:
            self._conclude(restored)
        else:
            history.on_train_end = functools.partial(self._after_other_callbacks, restored, history)

    def _implements_train_batch_hooks(self) -> bool:  # asked by tf_keras
        return True

    def _implements_test_batch_hooks(self) -> bool:
        return False

    def _implements_predict_batch_hooks(self) -> bool:
        return False

    # The work.

    def _enter(self) -> None:
        """Puts masks into the train function, before the first batch of a fit.

        No earlier: the `on_train_begin` of another callback may load weights.
        """
        if self._started and self.model.train_function is self._train_step:
            return
        if isinstance(self.model.train_function, TrainStep):
            raise ValueError(
                "Two Pruning callbacks in one fit: give one callback a Policy with a pattern and a "
                "sparsity by layer instead."
            )
        if self._train_step is None or not self._train_step.again():
            self._train_step = TrainStep(
                self.model,
                self._contexts,
                lambda: (self._trace(), *map(id, self._masks)),
                self._made,
                self._logs,
            )
        self._start()
        self._started = True

    def _stepped_by_hand(self) -> None:
        self._by_hand = True
        self.after_step(self.model, optimizer=self._optimizer)

    def _begin(self, model: Any) -> None:
        """Makes the masks, or goes on with those of an earlier fit."""
        try:
            choices = self.policy.choose(model, self.pattern)
        except ValueError:
            if not self._waiting:
                raise
            choices = []
        shares = self._shares(choices)
        if self._pruned_model is not model:
            self._pruned_model = model
            self.step, self._target, self._masks = self.initial_step, None, []
            self._rewind = self._keeper = None
        variables = [choice.kernel.variable for choice in choices]
        masked = [id(mask.choice.kernel.variable) for mask in self._masks]
        if [id(v) for v in variables] != masked or self._keeper is None:
            layers = keras_compat.api(model).layers
            with keras_compat.strategy(model).scope():
                self._masks = [
                    self._mask(choice, kernels.folded_batch_norm(choice.kernel, layers))
                    for choice in choices
                ]
            for mask, share in zip(self._masks, shares):
                mask.share = share
            self._target, self._shared_out = None, False
            self._train_step = None  # its traces have the old masks
            self._keeper = Keeper(self._masks, model)
            outcome.warn_of_other_kernels(self._masks)

    def _mask(self, choice: Choice, batch_norm: Any | None) -> Mask:
        return Mask(choice, self.score, batch_norm)

    def _start(self) -> None:
        """What is due before the first step of a fit."""
        if self._rewind is None and self._reader.rewind_step is not None:
            self._rewind = Rewind(self._pruned_model, self._reader.rewind_step)
        if self._state_file is not None and self.step == self.initial_step and not self._waiting:
            self._resume()
        self._begin_count()
        self._check_trained()
        self._keep_for_later()
        self._prune_to(self._reader.at(self.step))
        self._apply_masks()
        self._hold()
        self._keeper.look_again()
        self._trained_by = optimizers.of(self._pruned_model, self._optimizer)
        trains = [self._pruned_model.train_step, *self._trained_by]
        self._own_code = not all(map(keras_compat.is_keras, trains))
        self._save(epoch_end=True)

    def _check_trained(self) -> None:
        """Refuses a frozen layer at the beginning of a fit that would fail because of it."""
        params = self.params or {}
        last = self.step + (params.get("epochs") or 0) * (params.get("steps") or 0)
        if self._reader.at(last):
            try:
                for mask in self._masks:
                    mask.check_trained(self._pruned_model)
            except gradients.NoGradients as error:
                raise ValueError(self._reason(error)) from None

    def _share_out(self, sparsity: float) -> None:
        """Has the budget decide, the first time that anything is pruned."""
        if self._shared_out or not sparsity or isinstance(self.budget, Uniform):
            return
        final = self._reader.final_sparsity
        if not final:
            raise ValueError(
                "A budget needs a schedule that says where it ends: a final_sparsity or "
                "target_sparsity above 0."
            )
        free = [mask for mask in self._masks if mask.choice.sparsity is None]
        if not free:
            return
        shares = self.budget.allocate([mask.layer() for mask in free], final)
        for mask, share in zip(free, shares):
            mask.share = share / final
        self._shared_out = True

    def _shares(self, choices: list) -> list[float]:
        """By what to multiply the schedule's sparsity for each choice."""
        final = self._reader.final_sparsity
        if any(choice.sparsity is not None for choice in choices) and not final:
            raise ValueError(
                "The policy gives layers a sparsity of their own, but the schedule has no "
                "final_sparsity or target_sparsity above 0 to relate it to."
            )
        return [1.0 if c.sparsity is None else c.sparsity / final for c in choices]

    def _contexts(self) -> list[contextlib.AbstractContextManager]:
        """What is around each call of the train function."""
        contexts = [mask.constrained() for mask in self._masks]
        contexts.append(gradients.tapped(self._trained_by, self._taps()))
        if self.distillation is not None:
            contexts.append(self.distillation.teaching(self.model))
        return contexts

    def _logs(self) -> dict[str, float]:
        """What the logs of each step and epoch have besides Keras' own."""
        return {"sparsity": self.sparsity}

    def _trace(self) -> Hashable:
        """Names the contexts of the next call, as far as they differ inside of the trace."""
        return None

    def _taps(self) -> list[tuple[Any, gradients.Tap]]:
        return [tap for mask in self._masks for tap in mask.taps()]

    def _look_at(self, model: Any, grads: Sequence) -> None:
        variables = list(model.trainable_variables)
        if len(grads) != len(variables):
            raise ValueError(
                f"gradients: expected {len(variables)}, one for each of model.trainable_variables, "
                f"found {len(grads)}."
            )
        known = {id(v): gradient for v, gradient in zip(variables, grads)}
        for variable, tap in self._taps():
            if known.get(id(variable)) is not None:
                tap(tf.convert_to_tensor(variable), tf.convert_to_tensor(known[id(variable)]))

    def _advance(self, count: int) -> None:
        """Applies the pruning that is due after this many more steps."""
        if not count:
            return
        if self._waiting:
            self._take_up()
        due = self._reader.due(self.step + 1, self.step + count)
        self.step += count
        self._keep_for_later()
        self._prune_to(due)

    def _made(self, count: int, by_hand: bool = False) -> None:
        """What is due after so many more steps."""
        if not count:
            return
        if by_hand:
            self._own_code = True
            self._keeper.look_until_found()
        self._hold()
        self._advance(count)
        self._learn_rate()

    def _hold(self) -> None:
        """Zeroes what is pruned in the optimizers' averages of weights, and in the weights."""
        # Constraints hold the masks where Keras' code alone writes weights.
        self._keeper.hold(self._own_code, self._optimizer)

    def _take_up(self) -> None:
        """Goes on with what the first step has built as well."""
        self._waiting = False
        masks, train_step = self._masks, self._train_step
        self._begin(self._pruned_model)
        self._train_step = train_step  # whose next trace has the new masks
        if self._masks != masks or self._state_file is not None:
            self._start()

    def _keep_for_later(self) -> None:
        if self._rewind is not None:
            self._rewind.keep(self.step, self._optimizer)

    def _prune_to(self, sparsity: float | None) -> None:
        # At the same sparsity the same weights are pruned: they have the lowest scores.
        if sparsity is None or sparsity == self._target:
            return
        try:  # all are chosen before the first is changed
            self._share_out(sparsity)
            updates = [self._choose(mask, sparsity) for mask in self._masks]
        except ValueError as error:
            raise ValueError(
                f"Step {self.step}: cannot prune to {sparsity:.3f}. {self._reason(error)} The "
                f"masks stay those of sparsity {self.sparsity:.3f}."
            ) from None
        for mask, update in zip(self._masks, updates):
            mask.update(update)
        self._target = sparsity
        if self._rewind is not None and any(update is not None for update in updates):
            self._rewind.back(self._optimizer)
            self._apply_masks()
        self._record()

    def _reason(self, error: ValueError) -> str:
        if not isinstance(error, gradients.NoGradients):
            return str(error)
        return gradients.why(error, self._pruned_model, self.initial_step, self.step)

    def _choose(self, mask: Mask, sparsity: float) -> MaskUpdate | None:
        return mask.choose(sparsity)

    def _record(self) -> None:
        """Masks have changed: keeps the state, and logs."""
        self._hold()
        self._save()
        if self._log is not None and keras_compat.is_chief(self._pruned_model):
            self._log.write(self.step, self._masks)

    def _apply_masks(self) -> list[str]:
        """Zeroes what is pruned; the names of the kernels where any of it was not zero."""
        return [mask.name for mask in self._masks if mask.apply()]

    def _after_other_callbacks(
        self, restored: list[str], history: Any, logs: dict | None = None
    ) -> None:
        del history.on_train_end
        self._conclude(restored + self._apply_masks())
        history.on_train_end(logs)

    def _conclude(self, restored: Sequence[str] = ()) -> None:
        """Says where the model that is left is not the one that was reported."""
        self._hold()
        outcome.warn_of_restored(list(dict.fromkeys(restored)))
        model = self._pruned_model
        choose = functools.partial(self.policy.choose, model, self.pattern)
        outcome.warn_of_differences(self._masks, model, choose)

    def _end_step(self) -> int | None:
        """The step from which on nothing changes, if there is one."""
        return self._reader.end_step

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
