"""Dynamic sparse training: sparse from the first step on, while connections die and are born.

All of it is `Pruning` at a constant sparsity: the same patterns, budgets, policies, states and
logs. Every so often a fraction of each layer's weights, those that matter least, is given up, and
a rule says where as many new ones grow.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from sbnn_tf.keras_model import keras_compat, optimizers
from sbnn_tf.patterns import Pattern
from sbnn_tf.patterns.base import check_sparsity
from sbnn_tf.plan import steps
from sbnn_tf.plan.budgets import Budget
from sbnn_tf.plan.importance import Score
from sbnn_tf.plan.policy import Choice, Policy
from sbnn_tf.plan.schedules import ConstantSparsity
from sbnn_tf.train.callback import Pruning
from sbnn_tf.train.masks import MaskUpdate
from sbnn_tf.train.rewired import STATISTICS, LayerState, RewiredMask, Rule


class Rewiring(Pruning):
    """Sparse training in which a rule of your own says where weights grow.

        def regrow(layer):                       # a LayerState
            return np.abs(layer.gradient)        # shaped as layer.weights, >= 0; the highest grow

        Rewiring("group4", 0.9, regrow, gathers=["gradient"])

    Every `update_every` steps, before `end_step`, each layer gives up this fraction of the weights
    that it keeps, by whole groups of its pattern, the least important ones,

        fraction / 2 * (1 + cos(pi * step / end_step))

    (Evci et al., "Rigging the Lottery: Making All Tickets Winners", 2020, section 3, with the
    paper's names alpha, T_end and delta T), and grows as many groups where the rule's score is
    highest. What was given up just now may be chosen again, and then has lost nothing. A weight
    that is new starts at 0.0, and so do the optimizer's averages for it. The number of kept weights
    of a layer never changes.

    Weights that are 0 when training begins are the first to be left out; the others are chosen at
    random. So a model that `sbnn_tf.topology` has connected starts from its own connections:
    `budget="present"`. With `fraction=0` nothing moves: static sparse training.

    The first mask multiplies what it keeps by the square root of how many inputs an output had over
    how many it has: a sum's variance is again what the initializer meant it to be. On
    Fashion-MNIST this was worth 0.2 to 1.1 points (experiments/g2gnet). Of a model that is trained
    already, turn it off: `rescale=False`. Connections that are there from the start, such as those of
    `topology.connect`, stay as they are, and so do those of a frozen layer.

    A layer that nothing has trained since the last update keeps its mask: one that is frozen, until
    it is no longer, and each while gradients are accumulated for longer than `update_every`.

    Statistics are gathered in the `window` steps before an update only, and in a trace of its own:
    the other steps are those of `Pruning`. With `steps_per_execution` above 1 all steps of an
    execution that has such a step gather, and at most one update is made after it. A gradient costs
    a sum, in memory a float32 for each weight. Correlations cost about what a gradient does; for
    memory see `activations.Correlations`. Of the optimizer's state nothing is kept beyond what
    Keras keeps. The update itself takes some 10 to 20 ns for each weight of the layers that move,
    on one core: less than a step of a convolutional network, and about one of dense layers.

    The logs have 'sparsity', 'churn' (the fraction of weights that the last update turned on or
    off) and 'survival' (the fraction of the weights born in the update before it that outlived it);
    `log_dir` has density, churn and survival of each layer.

    Args:
      pattern: which weights live and die together; a `Pattern` or a name such as "group4".
      sparsity: fraction of weights that are 0, in (0, 1), of all layers that the policy names.
      regrow: takes a `LayerState`, returns scores shaped as its `weights`, >= 0. Squares add up
        over what the pattern keeps together.
      gathers: which of "gradient" and "correlation" the rules look at.
      drop: as `regrow`, for what is kept; the lowest go. Default: by `score`.
      update_every: steps from one update to the next.
      fraction: of the kept weights, replaced in the first update; in [0, 1).
      end_step: no update from here on, and the cosine's end. Default: three quarters of the steps
        of the first fit.
      window: steps before an update that gather, the update's own among them.
      rescale: whether the first mask makes up for the inputs that it takes away.
      seed: of the first masks, and of the rules' random numbers.
      policy, initial_step, score, budget, teacher, state, log_dir: as for `Pruning`. Budgets that
        compare scores ("global") see random ones.

    Raises:
      ValueError, TypeError: as `Pruning`; a sparsity that leaves a layer without a connection;
        activations that are to be recorded and can't be; rules whose scores are NaN or of a wrong
        shape, or gradients or correlations that are: the masks then stay as they are.
    """

    def __init__(
        self,
        pattern: Pattern | str,
        sparsity: float,
        regrow: Rule,
        *,
        gathers: Iterable[str] = (),
        drop: Rule | None = None,
        update_every: int = 100,
        fraction: float = 0.3,
        end_step: int | None = None,
        window: int = 1,
        rescale: bool = True,
        seed: int = 0,
        policy: Policy | None = None,
        initial_step: int = 0,
        score: Score | str = "l2",
        budget: Budget | str = "uniform",
        teacher: Any = None,
        state: str | os.PathLike | None = None,
        log_dir: str | os.PathLike | None = None,
    ):
        if not check_sparsity(sparsity):
            raise ValueError("sparsity must be above 0: at 0 there is nothing to rewire.")
        for name, rule in (("regrow", regrow), ("drop", drop)):
            if not callable(rule) and (name, rule) != ("drop", None):
                raise TypeError(f"{name} must be a function of a LayerState, not {rule!r}.")
        super().__init__(
            pattern,
            ConstantSparsity(sparsity, begin_step=0),
            policy,
            initial_step,
            score=score,
            budget=budget,
            teacher=teacher,
            state=state,
            log_dir=log_dir,
        )
        self.gathers = tuple(gathers)
        if unknown := set(self.gathers) - set(STATISTICS):
            raise ValueError(f"gathers: expected some of {STATISTICS}, found {sorted(unknown)}.")
        self.regrow, self.drop = regrow, drop
        self.update_every = steps.whole(update_every, "update_every", least=1)
        self.fraction = check_sparsity(fraction, "fraction")
        self.end_step = None if end_step is None else steps.whole(end_step, "end_step", least=1)
        self.window = steps.whole(window, "window", least=1)
        self.rescale = bool(rescale)
        self.seed = int(seed)

    def _forget(self) -> None:
        super()._forget()
        self._end = 0

    # What `Pruning` leaves open.

    def _begin(self, model: Any) -> None:
        new = self._pruned_model is not model
        super()._begin(model)
        if new:
            self._end = self.end_step or self._default_end()

    def _mask(self, choice: Choice, batch_norm: Any | None) -> RewiredMask:
        trainable = keras_compat.is_trainable(self._pruned_model, choice.kernel.variable)
        rescale = self.rescale and trainable
        return RewiredMask(choice, self.score, batch_norm, self.gathers, rescale)

    def _choose(self, mask: RewiredMask, sparsity: float) -> MaskUpdate:
        return mask.begin(sparsity, self.seed)

    def _contexts(self) -> list:
        recordings = [context for mask in self._masks for context in mask.recordings()]
        return super()._contexts() + (recordings if self._gathering() else [])

    def _trace(self) -> bool:
        return self._gathering()

    def _taps(self) -> list:
        gathering = [tap for mask in self._masks for tap in mask.gather_taps()]
        return super()._taps() + (gathering if self._gathering() else [])

    def _logs(self) -> dict[str, float]:
        moving = [mask for mask in self._masks if mask.moves]
        sizes = [mask.size for mask in moving]
        mean = lambda values: float(np.average(values, weights=sizes)) if moving else 0.0
        return {
            **super()._logs(),
            "churn": mean([mask.churn for mask in moving]),
            "survival": mean([mask.survival for mask in moving]),
        }

    def _advance(self, count: int) -> None:
        super()._advance(count)
        due = self.step // self.update_every * self.update_every
        if self.step - count < due < self._end:
            self._rewire(due)

    def _state(self) -> dict[str, Any]:
        return {**super()._state(), "end": self._end}

    def _restore(self, state: Mapping[str, np.ndarray]) -> None:
        super()._restore(state)
        self._end = int(state["end"])

    def _config(self) -> str:
        return f"{super()._config()} seed {self.seed}"

    # The work.

    def _end_step(self) -> int:
        return self._end

    def _default_end(self) -> int:
        params = self.params or {}
        epochs, batches = params.get("epochs"), params.get("steps")
        if not epochs or not batches:
            raise ValueError(
                f"{type(self).__name__} needs an end_step: how many steps there will be is not "
                "known."
            )
        return self.initial_step + math.ceil(0.75 * epochs * batches)

    def _gathering(self) -> bool:
        """Whether the next call of the train function has a step that gathers."""
        if not self.gathers or not self.fraction:
            return False
        model = self._pruned_model
        # With gradients that are accumulated, only every so many steps the optimizer sees one.
        accumulated = keras_compat.accumulated_steps(model)
        last = self.step + keras_compat.steps_per_execution(model)
        due = (self.step // self.update_every + 1) * self.update_every
        return due < self._end and last > due - max(self.window, accumulated)

    def _rewire(self, step: int) -> None:
        fraction = self.fraction / 2 * (1 + math.cos(math.pi * step / self._end))
        try:  # all are chosen before the first is changed
            updates = [
                mask.rewire(step, fraction, self.regrow, self.drop, self.seed)
                if keras_compat.is_trainable(self._pruned_model, mask.variable)
                else None
                for mask in self._masks
            ]
        except ValueError as error:
            raise ValueError(
                f"Step {step}: cannot rewire. {self._reason(error)} The masks stay as they are."
            ) from error
        trained_by = optimizers.of(self._pruned_model, self._optimizer)
        for mask, update in zip(self._masks, updates):
            mask.replace(update, trained_by)
        self._record()


class SET(Rewiring):
    """Sparse evolutionary training: the smallest weights go, others grow at random.

        SET("group4", 0.9, update_every=100)

    (Mocanu et al., "Scalable training of artificial neural networks with adaptive sparse
    connectivity inspired by network science", Nature Communications 2018, where an update is made
    after each epoch, with a constant fraction.) All else: see `Rewiring`.

    Args:
      pattern, sparsity, **options: of `Rewiring`, but for its rules.

    Raises:
      ValueError, TypeError: as `Rewiring`.
    """

    def __init__(self, pattern: Pattern | str, sparsity: float, **options: Any):
        super().__init__(pattern, sparsity, _anywhere, **options)


class RigL(Rewiring):
    """The smallest weights go, others grow where the loss has the largest dense gradient.

        RigL("group4", 0.9, update_every=100)

    (Evci et al., "Rigging the Lottery: Making All Tickets Winners", 2020, algorithm 1.) A group
    counts by the L2 norm of its gradients. The gradient is that of the update's own step, or with a
    longer `window` the mean. All else: see `Rewiring`.

    Args:
      pattern, sparsity, **options: of `Rewiring`, but for its rules.

    Raises:
      ValueError, TypeError: as `Rewiring`.
    """

    def __init__(self, pattern: Pattern | str, sparsity: float, **options: Any):
        super().__init__(pattern, sparsity, _steepest, gathers=["gradient"], **options)


class HebbianRewiring(Rewiring):
    """What fires together wires together: weights grow where both ends correlate most.

        HebbianRewiring("group4", 0.75, update_every=100)

    Our reading of the rule of G2GNet (Konstantaropoulos et al., "Neuro-inspired
    Ensemble-to-Ensemble Communication Primitives for Sparse and Efficient ANNs", 2025, abstract).
    The correlation is Pearson's, of what the layer gets and what it returns, over all examples and
    positions of the last `window` batches; its sign does not count. Given up is what has least of
    both: |weight| and |correlation|, each over its mean among the kept weights, added. All else:
    see `Rewiring`.

    Dense, Conv1D, Conv2D, Conv3D and DepthwiseConv2D layers, with the channels last and without
    groups; others have to be excluded by the policy.

    Args:
      pattern, sparsity, **options: of `Rewiring`, but for its rules; `window` is 8 by default.

    Raises:
      ValueError, TypeError: as `Rewiring`.
    """

    def __init__(self, pattern: Pattern | str, sparsity: float, **options: Any):
        options = {"window": 8, **options}
        rules = {"regrow": _together, "drop": _weakest, "gathers": ["correlation"]}
        super().__init__(pattern, sparsity, **rules, **options)


def _optimizer(model: Any) -> Any | None:
    return getattr(model, "optimizer", None)  # Keras 3 has none before it is compiled


def _anywhere(layer: LayerState) -> np.ndarray:
    return layer.rng.random(layer.weights.shape)


def _steepest(layer: LayerState) -> np.ndarray:
    return np.abs(layer.gradient)


def _together(layer: LayerState) -> np.ndarray:
    return np.abs(layer.correlation)


def _weakest(layer: LayerState) -> np.ndarray:
    scores = np.zeros(layer.weights.shape, np.float32)
    for part in (np.abs(layer.weights), np.abs(layer.correlation)):
        if total := np.vdot(part, layer.keep.astype(part.dtype)):
            part *= np.count_nonzero(layer.keep) / total
            scores += part
    return scores
