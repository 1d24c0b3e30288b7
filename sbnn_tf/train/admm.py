"""ADMM-regularised training: weights are drawn to a pattern before they are pruned to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from sbnn_tf.keras_model import keras_compat
from sbnn_tf.patterns import Pattern
from sbnn_tf.plan import steps
from sbnn_tf.plan.policy import Policy
from sbnn_tf.plan.schedules import OneShot
from sbnn_tf.train.callback import Pruning
from sbnn_tf.train.gradients import NoGradients, Tap
from sbnn_tf.train.masks import Mask
from sbnn_tf.train.state import below


class ADMM(Pruning):
    """Trains with ADMM first, then prunes at once, and goes on training with the masks.

        admm = ADMM("kernel4x8", 0.6, prune_step=4000)
        model.fit(data, epochs=10, callbacks=[admm])

    Until `prune_step` the loss of every pruned kernel W has a term rho / 2 * |W - Z + U|^2. Z is W +
    U with all but the pattern's best weights zero, U sums up W - Z; both are computed anew every
    `frequency` steps (Zhang et al., "A Systematic DNN Weight Pruning Framework using Alternating
    Direction Method of Multipliers", 2018, section 3; our reading of how PCONV, Ma et al. 2020, and
    PatDNN, Niu et al. 2020, train patterns). The term's gradient is added inside the optimizer's
    step; the reported loss is without it.

    Args:
      pattern: which weights are pruned together: a `KernelPattern` or `Group`, say.
      sparsity: fraction of the weights to prune, in [0, 1).
      prune_step: the step at which the masks become hard.
      rho: the weight of the term, above 0.
      frequency: steps from one update of Z and U to the next.
      policy, initial_step: as for `Pruning`.
      **options: `budget`, `teacher`, `state` and `log_dir` of `Pruning`.

    Raises:
      ValueError, TypeError: as `Pruning`; while it trains, an optimizer that is no attribute of the
        model, so that the term is not in its steps.
    """

    def __init__(
        self,
        pattern: Pattern | str,
        sparsity: float,
        prune_step: int,
        rho: float = 1e-2,
        frequency: int = 100,
        policy: Policy | None = None,
        initial_step: int = 0,
        **options: Any,
    ):
        schedule = OneShot(sparsity, steps.whole(prune_step, "prune_step"))
        super().__init__(pattern, schedule, policy, initial_step, **options)
        if not rho > 0:
            raise ValueError(f"rho must be above 0, not {rho!r}.")
        self.rho = float(rho)
        self.frequency = steps.whole(frequency, "frequency", least=1)

    def _forget(self) -> None:
        super()._forget()
        self._duals: list[_Dual] = []

    @property
    def distance(self) -> float:
        """How far the weights are from their pattern: |W - Z| / |W|, over all pruned kernels."""
        apart = sum(dual.apart() for dual in self._duals)
        norm = sum(float(np.square(dual.mask.weights()).sum()) for dual in self._duals)
        return (apart / norm) ** 0.5 if norm else 0.0

    def after_step(
        self, model: Any, gradients: Sequence | None = None, optimizer: Any = None
    ) -> None:
        """Not for ADMM: its term has to be in the gradients before a step is made.

        Raises:
          ValueError: always.
        """
        raise ValueError(
            "ADMM's term is added to the gradients inside of fit's step: in a loop of your own the "
            "weights would not be drawn to their pattern. Train with fit; the model may have a "
            "train_step of its own."
        )

    def _start(self) -> None:
        if [dual.mask for dual in self._duals] != self._masks:
            with keras_compat.strategy(self._pruned_model).scope():
                self._duals = [_Dual(mask, self.rho) for mask in self._masks]
        super()._start()
        if self.step < self.schedule.begin_step and not any(d.started for d in self._duals):
            self._update_duals()

    def _taps(self) -> list[tuple[Any, Tap]]:
        return [*super()._taps(), *((dual.mask.variable, dual) for dual in self._duals)]

    def _advance(self, count: int) -> None:
        before, prune_step = self.step, self.schedule.begin_step
        due = before // self.frequency != (before + count) // self.frequency
        ends = before < prune_step <= before + count
        if ends or (due and before < prune_step):
            self._check_drawn()
        super()._advance(count)
        if ends:
            for dual in self._duals:
                dual.stop()
        elif due and self.step < prune_step:
            self._update_duals()

    def _check_drawn(self) -> None:
        """Raises ValueError where weights were trained without the term."""
        try:
            for dual in self._duals:
                dual.check_drawn()
        except NoGradients as error:
            raise ValueError(
                f"Step {self.step}: the weights are not drawn to their pattern. "
                f"{self._reason(error)}"
            ) from None

    def _update_duals(self) -> None:
        self._share_out(self.schedule.target_sparsity)
        for dual in self._duals:
            dual.update(self.schedule.target_sparsity)

    def _state(self) -> dict[str, np.ndarray]:
        state = super()._state()
        for i, dual in enumerate(self._duals):
            state.update({f"dual/{i}/{key}": value for key, value in dual.state().items()})
        return state

    def _restore(self, state: Mapping[str, np.ndarray]) -> None:
        super()._restore(state)
        for i, dual in enumerate(self._duals):
            dual.restore(below(state, f"dual/{i}"))


class _Dual:
    """Z and U of one kernel. A tap: adds rho * (W - Z + U) to the gradient while it is on."""

    def __init__(self, mask: Mask, rho: float):
        self.mask = mask
        self._rho = rho
        shape = mask.variable.shape
        self._target = tf.Variable(tf.zeros(shape), trainable=False)  # Z - U
        self._z = np.zeros(mask.weights().shape, np.float32)
        self._u = np.zeros_like(self._z)
        self._on = tf.Variable(0.0, trainable=False)
        self._drawn = False  # whether the term is in the trace of an update

    @property
    def started(self) -> bool:
        return bool(self._z.any())

    def __call__(self, weights: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
        self._drawn = True
        pull = tf.cast(weights, tf.float32) - self._target
        return gradient + tf.cast(self._on * self._rho * pull, gradient.dtype)

    def update(self, sparsity: float) -> None:
        """U += W - Z, then Z = the pattern's projection of W + U.

        Not where nothing has trained W since the last time (it is frozen, or gradients are still
        accumulated): U would grow without end.
        """
        if self.started and not self.mask.trained:
            return
        self.mask.mark()
        weights = self.mask.weights().astype(np.float32)
        if self.started:
            self._u = self._u + weights - self._z
        self._z = np.where(self.mask.projection(weights + self._u, sparsity), weights + self._u, 0)
        self._z = self._z.astype(np.float32)
        self._assign()

    def check_drawn(self) -> None:
        """Raises NoGradients where W was trained by an optimizer that the term is not in."""
        if self.started and not self._drawn and self.mask.trained:
            raise NoGradients(self.mask.name, self.mask.variable)

    def stop(self) -> None:
        self._on.assign(0.0)

    def apart(self) -> float:
        return float(np.square(self.mask.weights() - self._z).sum())

    def state(self) -> dict[str, np.ndarray]:
        return {"z": self._z, "u": self._u, "on": self._on.numpy()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        self._z, self._u = np.array(state["z"]), np.array(state["u"])
        self._assign()
        self._on.assign(state["on"])

    def _assign(self) -> None:
        self._target.assign(self.mask.choice.kernel.stored(self._z - self._u))
        self._on.assign(1.0)
