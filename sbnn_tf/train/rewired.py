"""One kernel's mask in dynamic sparse training: some of its weights go, as many others come."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from sbnn_tf.keras_model import optimizers
from sbnn_tf.plan.importance import Score
from sbnn_tf.plan.policy import Choice
from sbnn_tf.train.activations import Correlations, unrecordable
from sbnn_tf.train.gradients import Gatherer, Tap
from sbnn_tf.train.masks import Mask, MaskUpdate
from sbnn_tf.train.state import below

STATISTICS = ("gradient", "correlation")
_LEAST = 1e-18  # of the highest score: the lowest of a weight that is not pruned
_STAYS = 1e3  # of the highest score, for each weight of a kernel: what is not up for choice


@dataclasses.dataclass(frozen=True)
class LayerState:
    """What a rule may look at: one kernel at one update.

    Arrays have the shape (*window, inputs, outputs), of a depthwise kernel (*window, 1, outputs).

    Attributes:
      name: the kernel's.
      step: the training batches so far.
      weights: the kernel; what is pruned is 0.
      keep: True where a weight is not pruned.
      rng: a random generator that is the same for the same seed, kernel and step.
    """

    name: str
    step: int
    weights: np.ndarray
    keep: np.ndarray
    rng: np.random.Generator
    _mask: RewiredMask = dataclasses.field(repr=False)

    @functools.cached_property
    def gradient(self) -> np.ndarray:
        """The dense gradient of the loss, pruned weights' too; the mean over the steps gathered.

        Raises:
          ValueError: the rule does not say that it needs gradients, or there were none.
        """
        return self._mask.statistic("gradient")

    @functools.cached_property
    def correlation(self) -> np.ndarray:
        """Correlation coefficients of each weight's two ends: see `activations.Correlations`.

        Raises:
          ValueError: the rule does not say that it needs correlations, or there are none.
        """
        return self._mask.statistic("correlation")


# A rule gets the state of a layer and returns a score for each weight, >= 0; squares add up over
# what lives and dies together, and the highest are chosen.
Rule = Callable[[LayerState], np.ndarray]


class RewiredMask(Mask):
    """A mask whose number of kept weights is constant from its first update on.

    Args:
      choice, score, batch_norm: as of `Mask`.
      gathers: which of `STATISTICS` to have when it is rewired.
      rescale: whether the first mask makes what it keeps larger, see `Rewiring`.

    Raises:
      ValueError: its activations can't be recorded, and are to be.
    """

    def __init__(
        self,
        choice: Choice,
        score: Score,
        batch_norm: Any | None,
        gathers: Collection[str],
        rescale: bool,
    ):
        super().__init__(choice, score, batch_norm)
        self._rescale = rescale
        self.survival = 1.0  # of what the update before regrew, the fraction that is left
        self._born = np.zeros(self._kernel.view, bool)
        self._statistics: dict[str, Any] = {}
        if "gradient" in gathers:
            gather = lambda weights, gradient: gradient
            self._statistics["gradient"] = Gatherer(gather, self._kernel.variable, self.name)
        if "correlation" in gathers:
            if reason := unrecordable(self._kernel):
                raise ValueError(
                    f"The activations of '{self.name}' can't be recorded: {reason}. "
                    "Policy(exclude=...) leaves it out."
                )
            self._statistics["correlation"] = Correlations(self._kernel)

    @property
    def moves(self) -> bool:
        """Whether there is anything to rewire: a layer that stays dense has none."""
        return self.kept < self.size

    def metrics(self) -> dict[str, float]:
        return {"density": 1.0 - self.sparsity, "churn": self.churn, "survival": self.survival}

    def statistic(self, name: str) -> np.ndarray:
        """What was gathered, in the shape that patterns see."""
        if name not in self._statistics:
            raise ValueError(
                f"The rule looks at the {name} of '{self.name}', which is not gathered: "
                f"Rewiring(..., gathers=['{name}'])."
            )
        return self._kernel.viewed(self._statistics[name].value())

    def gather_taps(self) -> list[tuple[Any, Tap]]:
        """What is to look at gradients, in the steps that gather."""
        gradients = self._statistics.get("gradient") if self.moves else None
        return [(self.variable, gradients)] if gradients is not None else []

    def recordings(self) -> list:
        """Contexts that record activations, in the steps that gather."""
        correlations = self._statistics.get("correlation") if self.moves else None
        return [correlations.recording()] if correlations is not None else []

    def begin(self, sparsity: float, seed: int) -> MaskUpdate:
        """The first mask: chosen at random from what is not zero.

        Raises:
          ValueError: that leaves the layer without a connection.
        """
        weights = self.weights()
        random = 1.0 - self._rng(seed, 0).random(weights.shape)
        update = self.choose(sparsity, np.where(weights != 0, random, 0.0))
        asked = (1.0 - sparsity * self.share) * self.size
        least = np.count_nonzero(update.pattern.mask(random, np.nextafter(1.0, 0.0)))
        if asked < least / 2:
            raise ValueError(
                f"Sparsity {sparsity * self.share:.4g} leaves '{self.name}' without a connection: "
                f"{self.pattern.name} keeps {least} of its {self.size} weights, sparsity "
                f"{1 - least / self.size:.4g}, at least."
            )
        return update

    def rewire(
        self, step: int, fraction: float, regrow: Rule, drop: Rule | None, seed: int
    ) -> MaskUpdate | None:
        """The mask in which some of the kept weights are replaced; None: as it is.

        Weights that nothing has trained since the last time keep their mask: it would take away
        weights that matter, and put none in their place. A frozen layer has such, and any other
        while gradients are still accumulated.

        Args:
          step: of the update.
          fraction: of the kept weights to replace, in [0, 1).
          regrow: scores what comes in their place; they may be the same again.
          drop: scores what is kept; the lowest go. None: by the mask's own score.
          seed: of the rules' random numbers.

        Raises:
          ValueError: scores that are NaN, negative or of another shape.
        """
        if not self.moves or not fraction or not self.trained:
            return None
        before, weights = self.keep, self.weights()
        layer = LayerState(self.name, step, weights, before, self._rng(seed, step), self)
        kept = self._scores(weights, np.float32) if drop is None else drop(layer)
        kept = self._checked(kept, "drop") * before
        stay = self.pattern.mask(kept, 1.0 - (1.0 - self.sparsity) * (1.0 - fraction))
        wanted = self._checked(regrow(layer), "regrowth")
        np.copyto(wanted, _STAYS * self.size, where=stay)
        keep = self.pattern.mask(wanted, self.sparsity)
        churn = np.count_nonzero(keep != before) / self.size
        return MaskUpdate(self.pattern, keep, churn, kept_score=1.0)

    def replace(self, update: MaskUpdate | None, trained_by: list) -> None:
        """Takes over what `rewire` has chosen. What comes is 0, and as new to the optimizers."""
        for statistic in self._statistics.values():
            statistic.forget()
        if update is None:
            return
        born = update.keep & ~self.keep
        self.survival = float(np.mean(update.keep[self._born])) if self._born.any() else 1.0
        self.update(update)  # a pruned weight is 0, and so is what was one until now
        self._born = born
        old = tf.constant(self._kernel.stored(~born))
        for optimizer in trained_by:
            for _, slot in optimizers.slots(optimizer, self.variable):
                value = tf.convert_to_tensor(slot)
                slot.assign(tf.math.multiply_no_nan(value, tf.cast(old, value.dtype)))

    def update(self, update: MaskUpdate | None) -> None:
        before = self.weights() if update is not None and self.kept == self.size else None
        super().update(update)
        if before is not None and self._rescale:
            outputs = (-1, before.shape[-1])
            had, has = (
                np.count_nonzero(w.reshape(outputs), axis=0) for w in (before, self.weights())
            )
            factor = np.sqrt(had / np.maximum(has, 1)).astype(before.dtype)
            self.variable.assign(self._kernel.stored(self.weights() * factor))
            self.mark()

    def apply(self) -> bool:
        """Zeroes what is pruned; whether any of it was not zero.

        Weights of another time, which have as many zeros, bring their mask with them.
        """
        weights = self.weights()
        if self.moves and np.any(weights[~self.keep] != 0):
            keep = self.pattern.mask(np.abs(weights), self.sparsity)
            if not np.any(weights[~keep] != 0):
                self._set(keep)
                self._born[:] = False
                return False
        return super().apply()

    def zeros(self) -> float:
        # A connection that is 0 has just grown, maybe in the epoch whose weights were restored.
        return float(np.mean((self.weights() == 0) & ~self.keep))

    def state(self) -> dict[str, np.ndarray]:
        gathered = {
            f"{name}/{key}": value
            for name, statistic in self._statistics.items()
            for key, value in statistic.state().items()
        }
        return {**super().state(), "born": np.packbits(self._born), **gathered}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        super().restore(state)
        born = np.unpackbits(state["born"], count=self.size).astype(bool)
        self._born = born.reshape(self._kernel.view)
        for name, statistic in self._statistics.items():
            statistic.restore(below(state, name))

    def _set(self, keep: np.ndarray) -> None:
        super()._set(keep)
        self.mark()

    def _rng(self, seed: int, step: int) -> np.random.Generator:
        return np.random.default_rng([seed, step, self.number])

    def _checked(self, scores: Any, what: str) -> np.ndarray:
        """What a rule gave, as float32 in (0, 1]: an update must not take longer than a step."""
        scores = np.asarray(scores)
        if scores.shape != self._kernel.view:
            raise ValueError(
                f"The {what} rule gave scores of shape {scores.shape} for '{self.name}', whose "
                f"weights have {self._kernel.view}."
            )
        highest = scores.max()
        if not (scores.min() >= 0 and highest < np.inf):  # NaN is neither
            raise ValueError(f"The {what} scores of '{self.name}' are NaN, infinite or negative.")
        scores = (scores / (highest or 1.0)).astype(np.float32, copy=False)
        return np.maximum(scores, _LEAST, out=scores)
