"""How much a weight matters: scores that patterns turn into masks.

A score is an array shaped as the kernel, >= 0; patterns add up *squares* of it, so that the L2 norm
is the plain case. Scores that are computed from gradients say what to add up in every train step
(`gather`), and `sbnn_tf.train.gradients` does so inside the traced step.
"""

from __future__ import annotations

import abc
from typing import Any

import numpy as np

from sbnn_tf.naming import resolve

# The lowest score of a weight that is not pruned: its square is above 0, as a pruned one's is not.
FLOOR = 1e-150


class Score(abc.ABC):
    """Turns weights, and what was gathered about them, into scores."""

    gathers = False  # whether `gather` is called in every train step
    forgets = False  # whether to gather anew after every change of the masks

    @property
    def name(self) -> str:
        """The short name, which `get` understands."""
        return type(self).__name__.lower()

    def gather(self, weights: Any, gradient: Any) -> Any:
        """What to add up for each weight in a train step, before the weights change.

        Args:
          weights, gradient: tensors of the kernel's shape; the gradient is that of the loss,
            reduced over replicas.
        """
        raise NotImplementedError

    @abc.abstractmethod
    def __call__(
        self, weights: np.ndarray, scale: np.ndarray, gathered: np.ndarray | None, number: int
    ) -> np.ndarray:
        """The scores of one kernel.

        Args:
          weights: a kernel, output channel last.
          scale: the factor of the batch norm behind each output channel, from `fold`.
          gathered: the mean over the steps of what `gather` returned, shaped as the kernel.
          number: of the kernel among the model's, from 0: what tells kernels apart.

        Returns:
          float64 array shaped as the kernel, >= 0.
        """

    def get_config(self) -> dict:
        """The arguments that make an equal score; they can be written as JSON."""
        return {}

    def __repr__(self) -> str:
        arguments = ", ".join(f"{k}={v!r}" for k, v in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


class Magnitude(Score):
    """|w|: a group counts by the L2 norm of its weights, or with `order=1` by their L1 norm.

    A weight is taken times what the batch norm behind it does to its output channel (see `fold`).
    (Li et al., "Pruning Filters for Efficient ConvNets", 2017, compare norms of filters alike.)

    Args:
      order: 2 or 1.

    Raises:
      ValueError: another order.
    """

    def __init__(self, order: int = 2):
        if order not in (1, 2):
            raise ValueError(f"order must be 1 or 2, not {order!r}.")
        self.order = order

    @property
    def name(self) -> str:
        return f"l{self.order}"

    def __call__(self, weights, scale, gathered, number):
        magnitude = np.abs(weights) * scale
        return magnitude if self.order == 2 else np.sqrt(magnitude)

    def get_config(self) -> dict:
        return {"order": self.order}


class Taylor(Score):
    """(weight x gradient)^2, averaged over the steps since the masks last changed.

    The square of what the loss would change by to first order, if the weight went (Molchanov et
    al., "Importance Estimation for Neural Network Pruning", 2019, eq. 8); a group counts by the
    sum over its weights. The gradient has seen the batch norm.
    """

    gathers = forgets = True

    def gather(self, weights, gradient):
        product = weights * gradient
        return product * product

    def __call__(self, weights, scale, gathered, number):
        return np.sqrt(gathered.astype(np.float64))


class Movement(Score):
    """How far training moves a weight away from zero: the sum of -weight x gradient over all steps.

    (Sanh et al., "Movement Pruning: Adaptive Sparsity by Fine-Tuning", 2020, section 4.) Sums may
    be negative; the lowest of a kernel counts as 0. A pruned weight no longer moves: it stays out.
    """

    gathers = True

    def gather(self, weights, gradient):
        return -weights * gradient

    def __call__(self, weights, scale, gathered, number):
        alive = weights != 0  # the lowest of the weights that are left is 0, not that of the pruned
        lowest = gathered[alive].min() if alive.any() else 0.0
        return np.sqrt(np.maximum(gathered.astype(np.float64) - lowest, 0.0))


class Random(Score):
    """Uniform in (0, 1), the same for the same seed and kernel: what any score must beat.

    Args:
      seed: a whole number of 0 or more.
    """

    def __init__(self, seed: int = 0):
        self.seed = int(seed)

    def __call__(self, weights, scale, gathered, number):
        rng = np.random.default_rng([self.seed, number])
        return 1.0 - rng.random(weights.shape)

    def get_config(self) -> dict:
        return {"seed": self.seed}


_NAMED = {
    "l1": lambda: Magnitude(1),
    "l2": Magnitude,
    "taylor": Taylor,
    "movement": Movement,
    "random": Random,
}


def get(score: Score | str) -> Score:
    """The score meant by an object or a name: "l1", "l2", "taylor", "movement", "random".

    Raises:
      ValueError: no such name.
      TypeError: neither of these.
    """
    return resolve(score, "score", Score, _NAMED, "Taylor(), or its name 'taylor'")


def fold(outputs: int, batch_norm: Any | None) -> np.ndarray:
    """The factor that the batch norm behind a layer gives to each of its output channels.

    Args:
      outputs: number of output channels.
      batch_norm: the BatchNormalization that alone follows the layer, or None: at inference it
        multiplies channel c by gamma[c] / sqrt(moving_variance[c] + epsilon), just as when it is
        folded into the weights on conversion (Jacob et al., "Quantization and Training of Neural
        Networks for Efficient Integer-Arithmetic-Only Inference", 2018, section 3.2).

    Returns:
      float64 array (outputs,), > 0; ones where there is no such factor.
    """
    ones = np.ones(outputs)
    if batch_norm is None:
        return ones
    scale = 1.0 / np.sqrt(batch_norm.moving_variance.numpy() + float(batch_norm.epsilon))
    if batch_norm.gamma is not None:
        scale = np.abs(batch_norm.gamma.numpy()) * scale
    if scale.shape != (outputs,) or not np.isfinite(scale).all():
        return ones
    # A batch norm that starts at gamma = 0 (the end of a residual block) must not make every weight
    # equal to a pruned one.
    floor = 1e-6 * scale.max()
    return np.maximum(scale, floor) if floor > 0 else ones
