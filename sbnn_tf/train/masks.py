"""One kernel's mask: chosen by a pattern from scores, and kept up inside the train step."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from sbnn_tf import patterns
from sbnn_tf.keras_model import keras_compat
from sbnn_tf.patterns import Pattern
from sbnn_tf.plan import importance
from sbnn_tf.plan.budgets import Layer
from sbnn_tf.plan.policy import Choice
from sbnn_tf.train import functions, gradients
from sbnn_tf.train.state import fingerprint


@dataclasses.dataclass(frozen=True)
class MaskUpdate:
    """A mask that was chosen, and is not in force yet."""

    pattern: Pattern
    keep: np.ndarray
    churn: float
    kept_score: float


class Mask:
    """One kernel's mask. Make it in the scope of the model's distribution strategy.

    Args:
      choice: the kernel and its pattern.
      score: how much a weight matters.
      batch_norm: the BatchNormalization that the kernel's scores are folded with, or None.
    """

    def __init__(self, choice: Choice, score: importance.Score, batch_norm: Any | None):
        self.choice = choice
        self.name = choice.kernel.name
        self.number = choice.kernel.number
        self.pattern = choice.pattern
        self.share = 1.0  # what to multiply the schedule's sparsity by
        self.churn = 0.0  # fraction of the weights whose fate the last update changed
        self.kept_score = 1.0  # fraction of the score that the last update kept
        self._marked = 0  # the kernel's fingerprint
        self._kernel = choice.kernel
        self._score = score
        self._batch_norm = batch_norm
        self.size = int(np.prod(self._kernel.shape))
        self.kept = self.size
        # A variable, so that a new mask needs no new trace. No attribute of the model: not saved.
        self._keep = tf.Variable(tf.ones(self._kernel.shape, tf.bool), trainable=False)
        self._gatherer = (
            gradients.Gatherer(score.gather, self._kernel.variable, self.name)
            if score.gathers
            else None
        )

    @property
    def sparsity(self) -> float:
        return 1.0 - self.kept / self.size

    @property
    def variable(self) -> Any:
        """The kernel's Keras variable."""
        return self._kernel.variable

    def weights(self) -> np.ndarray:
        """The kernel, in the shape that patterns see."""
        return self._kernel.weights()

    def mark(self) -> None:
        """Remembers the weights as they are now, for `trained`."""
        self._marked = fingerprint([self.variable])

    @property
    def trained(self) -> bool:
        """Whether the weights have changed since `mark`, or there was none.

        Those of a frozen layer do not, nor do any while gradients are still accumulated.
        """
        return fingerprint([self.variable]) != self._marked

    def layer(self) -> Layer:
        """What a budget needs to know."""
        kernel = self._kernel
        return Layer(self.name, kernel.operator, self.scores(), self.pattern, kernel.positions())

    def projection(self, weights: np.ndarray, sparsity: float) -> np.ndarray:
        """The mask that these weights would have by their magnitude at a sparsity."""
        scale = importance.fold(weights.shape[-1], self._batch_norm)
        return self.pattern.mask(np.abs(weights) * scale, sparsity * self.share)

    @property
    def keep(self) -> np.ndarray:
        """True where a weight is kept, in the shape that patterns see."""
        return self._kernel.viewed(self._keep.numpy())

    def scores(self) -> np.ndarray:
        """The scores of the weights as they are, in the shape that patterns see.

        A pruned weight scores 0 and any other one more: what is pruned stays the least important.

        Raises:
          ValueError: a score is NaN or infinite, or one needs gradients and there were none.
        """
        weights = self._kernel.weights()
        keep = self.keep
        scores = np.where(keep, self._scores(weights), 0.0)
        if not np.isfinite(scores.max()):  # NaN, if one of them is
            raise ValueError(f"The scores of '{self.name}' are NaN or infinite.")
        np.copyto(scores, 0.0, where=weights == 0)  # zeros of an earlier training go first
        return np.maximum(scores, np.where(keep, importance.FLOOR, 0.0), out=scores)

    def metrics(self) -> dict[str, float]:
        """What there is to log: fractions in [0, 1]."""
        return {"sparsity": self.sparsity, "churn": self.churn, "kept_score": self.kept_score}

    def choose(self, sparsity: float, scores: np.ndarray | None = None) -> MaskUpdate | None:
        """What the mask would be at this sparsity of the schedule; None: as it is.

        Args:
          sparsity: in [0, 1).
          scores: by which to choose; default `scores()`.

        Raises:
          ValueError: as `scores`.
        """
        if sparsity == 0.0 and self.kept == self.size:
            return None
        scores = self.scores() if scores is None else scores
        pattern = self.pattern.bind(scores) if self.kept == self.size else self.pattern
        keep = pattern.mask(scores, sparsity * self.share)
        energy = np.square(scores)
        return MaskUpdate(
            pattern,
            keep,
            churn=float(np.mean(keep != self.keep)),
            kept_score=float(energy[keep].sum() / max(energy.sum(), importance.FLOOR)),
        )

    def update(self, update: MaskUpdate | None) -> None:
        """Takes over a mask that was chosen, and applies it at once."""
        if update is None:
            return
        self.pattern = update.pattern
        self.churn, self.kept_score = update.churn, update.kept_score
        self._set(update.keep)
        if self._gatherer and self._score.forgets:
            self._gatherer.forget()

    def apply(self) -> bool:
        """Zeroes what is pruned; whether any of it was not zero."""
        weights, keep = self._kernel.value(), self._keep.numpy()
        if not np.any(weights[~keep] != 0):
            return False
        self._kernel.variable.assign(np.where(keep, weights, np.zeros_like(weights)))
        return True

    def enforce(self, variable: Any = None) -> None:
        """Zeroes what is pruned, without a look at it.

        Args:
          variable: of the kernel's shape, such as an average of it; default the kernel's own.
        """
        variable = self._kernel.variable if variable is None else variable
        variable.assign(self._select(variable))

    @contextlib.contextmanager
    def constrained(self) -> Iterator[None]:
        """While it lasts, the optimizer puts 0.0 wherever the mask is False."""
        own = self._kernel.variable.constraint

        def constraint(weights: Any) -> tf.Tensor:
            functions.check()
            # The user's constraint sees the masked kernel (a norm counts only what is kept).
            masked = self._select(weights)
            return masked if own is None else self._select(own(masked))

        with keras_compat.constrained(self._kernel.variable, constraint):
            yield

    def zeros(self) -> float:
        """The fraction of weights that are 0, without those that may have just grown."""
        return float(np.mean(self.weights() == 0))

    def check_trained(self, model: Any) -> None:
        """Raises NoGradients where the score needs them, and the layer is frozen and has none."""
        frozen = not keras_compat.is_trainable(model, self.variable)
        if self._gatherer and self._gatherer.empty and frozen:
            raise gradients.NoGradients(self.name, self.variable)

    def taps(self) -> list[tuple[Any, gradients.Tap]]:
        """What is to look at the kernel's gradients in the train step."""
        return [(self._kernel.variable, self._gatherer)] if self._gatherer else []

    def state(self) -> dict[str, np.ndarray]:
        """All that a run which is resumed needs to know."""
        gathered = self._gatherer.state() if self._gatherer else {}
        keep = np.packbits(self.keep)
        pattern = json.dumps(patterns.serialize(self.pattern))
        marked = np.uint64(self._marked)
        return {"keep": keep, "share": self.share, "pattern": pattern, "marked": marked, **gathered}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Goes on from what `state` returned.

        Raises:
          ValueError: a weight that was pruned is not zero.
        """
        keep = np.unpackbits(state["keep"], count=self.size).astype(bool)
        keep = keep.reshape(self._kernel.view)
        if np.any(self.weights()[~keep] != 0):
            raise ValueError(f"'{self.name}' has weights where it was pruned.")
        self.share = float(state["share"])
        self.pattern = patterns.get(json.loads(str(state["pattern"])))
        self._set(keep)
        self._marked = int(state.get("marked", self._marked))  # older states have none
        if self._gatherer:
            self._gatherer.restore(state)

    def _scores(self, weights: np.ndarray, dtype: type = np.float64) -> np.ndarray:
        """What the score says, which knows of no mask."""
        scale = importance.fold(weights.shape[-1], self._batch_norm).astype(dtype)
        gathered = self._gatherer and self._kernel.viewed(self._gatherer.value())
        return self._score(weights, scale, gathered, self.number)

    def _select(self, weights: Any) -> tf.Tensor:
        """The weights where they are kept, else 0.0."""
        # Not plainly multiplied: NaN * 0 is NaN, and -1 * 0 is -0.0. As fast, unlike tf.where.
        weights = tf.convert_to_tensor(weights)
        return tf.math.multiply_no_nan(weights, tf.cast(self._keep, weights.dtype))

    def _set(self, keep: np.ndarray) -> None:
        self.kept = int(np.count_nonzero(keep))
        self._keep.assign(self._kernel.stored(keep))
        self.enforce()
