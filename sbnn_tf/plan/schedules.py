"""When to prune, and how much.

A schedule is any object that, called with a step, returns `(should_prune, sparsity)`: the interface
of the TensorFlow Model Optimization toolkit's `PruningSchedule`, whose objects fit as they are.
`ConstantSparsity` and `PolynomialDecay` have the toolkit's names, arguments and numbers; the others
have its names of arguments. None needs TensorFlow.
"""

from __future__ import annotations

import copy
import math
import numbers
from collections.abc import Callable

from sbnn_tf.patterns import check_sparsity
from sbnn_tf.plan import steps


class Schedule:
    """Prunes at every `frequency`-th step from `begin_step` to `end_step` (-1: forever).

    A step is one training batch, so that `epochs * len(dataset)` is the end of the training. What
    is no whole step is rounded to the nearest one.
    """

    def __init__(self, begin_step: int, end_step: int, frequency: int):
        self.begin_step = steps.whole(begin_step, "begin_step")
        self.end_step = -1 if end_step == -1 else steps.whole(end_step, "end_step")
        self.frequency = steps.whole(frequency, "frequency", least=1)
        if self.end_step != -1 and self.end_step < self.begin_step:
            raise ValueError(
                f"The schedule ends before it begins: begin_step={begin_step}, "
                f"end_step={end_step}. Choose end_step >= begin_step."
            )

    def sparsity(self, step: int) -> float:
        """The sparsity at this step, in [0, 1)."""
        raise NotImplementedError

    def __call__(self, step: int) -> tuple[bool, float]:
        step = int(step)
        in_range = self.begin_step <= step and (self.end_step == -1 or step <= self.end_step)
        due = (step - self.begin_step) % self.frequency == 0
        return in_range and due, self.sparsity(step)

    def get_config(self) -> dict:
        """The arguments that make an equal schedule, as the toolkit has it."""
        return {
            "begin_step": self.begin_step,
            "end_step": self.end_step,
            "frequency": self.frequency,
        }

    @classmethod
    def from_config(cls, config: dict) -> Schedule:
        """The schedule that `get_config` describes."""
        return cls(**config)


class ConstantSparsity(Schedule):
    """The same sparsity from `begin_step` on.

    Args:
      target_sparsity: fraction of weights to prune, in [0, 1).
      begin_step, end_step, frequency: as in `Schedule`.

    Raises:
      ValueError: a sparsity outside [0, 1), or a range that ends before it begins.
    """

    def __init__(
        self, target_sparsity: float, begin_step: int, end_step: int = -1, frequency: int = 100
    ):
        super().__init__(begin_step, end_step, frequency)
        self.target_sparsity = check_sparsity(target_sparsity, "target_sparsity")

    def sparsity(self, step: int) -> float:
        return self.target_sparsity

    def get_config(self) -> dict:
        return {"target_sparsity": self.target_sparsity, **super().get_config()}


class OneShot(ConstantSparsity):
    """Prunes once, at `begin_step`.

    Args:
      target_sparsity: fraction of weights to prune, in [0, 1).
      begin_step: when; 0 is before training.
    """

    def __init__(self, target_sparsity: float, begin_step: int = 0):
        begin_step = steps.whole(begin_step, "begin_step")
        super().__init__(target_sparsity, begin_step, end_step=begin_step, frequency=1)

    def get_config(self) -> dict:
        return {"target_sparsity": self.target_sparsity, "begin_step": self.begin_step}


class _Rising(Schedule):
    """From `initial_sparsity` at `begin_step` to `final_sparsity` at `end_step`."""

    def __init__(
        self,
        initial_sparsity: float,
        final_sparsity: float,
        begin_step: int,
        end_step: int,
        frequency: int = 100,
    ):
        if end_step == -1:
            raise ValueError(
                f"{type(self).__name__} needs an end_step: it must know where to arrive."
            )
        super().__init__(begin_step, end_step, frequency)
        self.initial_sparsity = check_sparsity(initial_sparsity, "initial_sparsity")
        self.final_sparsity = check_sparsity(final_sparsity, "final_sparsity")

    def sparsity(self, step: int) -> float:
        if step >= self.end_step:
            return self.final_sparsity
        if step <= self.begin_step:
            return self.initial_sparsity
        return self._between((step - self.begin_step) / (self.end_step - self.begin_step))

    def _between(self, progress: float) -> float:
        """The sparsity after this part of the way, in (0, 1)."""
        raise NotImplementedError

    def get_config(self) -> dict:
        return {
            "initial_sparsity": self.initial_sparsity,
            "final_sparsity": self.final_sparsity,
            **super().get_config(),
        }


class PolynomialDecay(_Rising):
    """Rises from `initial_sparsity` to `final_sparsity`, fast at first, then ever slower.

        final + (initial - final) * (1 - (step - begin_step) / (end_step - begin_step)) ** power

    (Zhu and Gupta, "To prune, or not to prune", 2017, eq. 1, where power = 3.)

    Args:
      initial_sparsity, final_sparsity: fractions of weights to prune, in [0, 1).
      begin_step, end_step, frequency: as in `Schedule`; here there must be an end.
      power: how much faster the rise is at its beginning; 1 is linear.

    Raises:
      ValueError: a sparsity outside [0, 1), or a range that ends before it begins.
    """

    def __init__(
        self,
        initial_sparsity: float,
        final_sparsity: float,
        begin_step: int,
        end_step: int,
        power: float = 3,
        frequency: int = 100,
    ):
        super().__init__(initial_sparsity, final_sparsity, begin_step, end_step, frequency)
        self.power = power

    def _between(self, progress: float) -> float:
        rest = (1.0 - progress) ** self.power
        return self.final_sparsity + (self.initial_sparsity - self.final_sparsity) * rest

    def get_config(self) -> dict:
        return {**super().get_config(), "power": self.power}


class CosineDecay(_Rising):
    """Rises along half a cosine: slowly at both ends.

        final + (initial - final) * (1 + cos(pi * progress)) / 2

    Arguments and errors are those of `PolynomialDecay`, without `power`.
    """

    def _between(self, progress: float) -> float:
        rest = (1.0 + math.cos(math.pi * progress)) / 2.0
        return self.final_sparsity + (self.initial_sparsity - self.final_sparsity) * rest


class ExponentialDecay(_Rising):
    """The kept weights decay exponentially: every step prunes the same share of what is left.

        1 - (1 - initial) ** (1 - progress) * (1 - final) ** progress

    Arguments and errors are those of `PolynomialDecay`, without `power`.
    """

    def _between(self, progress: float) -> float:
        kept = (1.0 - self.initial_sparsity) ** (1.0 - progress)
        return 1.0 - kept * (1.0 - self.final_sparsity) ** progress


class IterativeMagnitude(Schedule):
    """Rounds that each prune the same share of what is left; then weights go back in time.

    After each round the weights that are left return to their values of `rewind_step`, and so do
    the optimizer's averages of gradients: the mask of a trained network, found on an early one
    (Frankle et al., "Linear Mode Connectivity and the Lottery Ticket Hypothesis", 2020, section 4).
    The optimizer's step and learning rate go on.

    Args:
      final_sparsity: fraction of weights pruned after the last round, in [0, 1).
      begin_step: the first round's; its weights have been trained until there.
      end_step: of the last round. The steps from `begin_step` to it are whole rounds.
      frequency: steps from one round to the next.
      rewind_step: whose weights to go back to, up to `begin_step`; None leaves them as they are.

    Raises:
      ValueError: a sparsity outside [0, 1), a range that ends before it begins or that is no whole
        number of rounds, or a `rewind_step` outside of 0..begin_step.
    """

    def __init__(
        self,
        final_sparsity: float,
        begin_step: int,
        end_step: int,
        frequency: int = 100,
        rewind_step: int | None = 0,
    ):
        if end_step == -1:
            raise ValueError("IterativeMagnitude needs an end_step: that of its last round.")
        super().__init__(begin_step, end_step, frequency)
        self.final_sparsity = check_sparsity(final_sparsity, "final_sparsity")
        rounds, left = divmod(self.end_step - self.begin_step, self.frequency)
        if left:
            raise ValueError(
                f"From begin_step={self.begin_step} to end_step={self.end_step} is no whole number "
                f"of rounds of frequency={self.frequency} steps."
            )
        self.rewind_step = rewind_step
        if rewind_step is not None:
            self.rewind_step = steps.whole(rewind_step, "rewind_step")
            if self.rewind_step > self.begin_step:
                raise ValueError(f"rewind_step must be in 0..begin_step, not {rewind_step}.")
        self.rounds = rounds + 1

    def sparsity(self, step: int) -> float:
        done = min(max((step - self.begin_step) // self.frequency + 1, 0), self.rounds)
        return 1.0 - (1.0 - self.final_sparsity) ** (done / self.rounds)

    def get_config(self) -> dict:
        return {
            "final_sparsity": self.final_sparsity,
            "rewind_step": self.rewind_step,
            **super().get_config(),
        }


class ScheduleReader:
    """Asks a schedule so that no step and no end is missed, however far apart the questions are.

    A schedule that keeps steps which are not whole, the toolkit's for instance, is asked as a copy
    with whole ones.
    """

    def __init__(self, schedule: Callable):
        if not callable(schedule):
            raise TypeError(
                "Expected a schedule such as PolynomialDecay(0.0, 0.5, begin_step=0, "
                f"end_step=2000), not {schedule!r}."
            )
        self.schedule = schedule = _in_whole_steps(schedule)
        self.begin_step: int | None = getattr(schedule, "begin_step", None)
        end_step = getattr(schedule, "end_step", None)
        self.end_step: int | None = end_step if end_step is not None and end_step >= 0 else None
        if None not in (self.begin_step, self.end_step) and self.end_step < self.begin_step:
            raise ValueError(
                f"The schedule ends before it begins: begin_step={self.begin_step}, "
                f"end_step={self.end_step}."
            )

    @property
    def rewind_step(self) -> int | None:
        """The step whose weights come back after each pruning, if the schedule asks for that."""
        return getattr(self.schedule, "rewind_step", None)

    @property
    def final_sparsity(self) -> float | None:
        """The sparsity that the schedule arrives at, if it says so."""
        for name in ("final_sparsity", "target_sparsity"):
            if (value := getattr(self.schedule, name, None)) is not None:
                return float(value)
        return None

    def at(self, step: int) -> float | None:
        """The sparsity in force at a step; None before the schedule begins.

        A schedule with a `begin_step` is believed from there on, whatever its frequency; another
        one only where it says that it prunes.
        """
        should_prune, sparsity = self._ask(step)
        begun = should_prune if self.begin_step is None else step >= self.begin_step
        return sparsity if begun else None

    def due(self, first: int, last: int) -> float | None:
        """The sparsity of the latest pruning due in steps first..last; None if there is none.

        The schedule's last step is always due, even where its frequency would skip it.
        """
        for step in range(last, first - 1, -1):
            should_prune, sparsity = self._ask(step)
            if should_prune or step == self.end_step:
                return sparsity
        return None

    def _ask(self, step: int) -> tuple[bool, float]:
        if isinstance(self.schedule, Schedule):
            should_prune, sparsity = self.schedule(step)
        else:
            # The toolkit's schedules compute with TensorFlow, and get their step as a tensor.
            import tensorflow as tf

            with tf.device("CPU:0"):
                should_prune, sparsity = self.schedule(tf.constant(step, tf.int64))
        return bool(should_prune), check_sparsity(float(sparsity), "the schedule's sparsity")


def _in_whole_steps(schedule: Callable) -> Callable:
    """The schedule; or a copy of it, where a step that it keeps is no whole number."""
    whole = {}
    for name, least in (("begin_step", 0), ("end_step", 0), ("frequency", 1), ("rewind_step", 0)):
        value = getattr(schedule, name, None)
        real = isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral)
        if real and value >= 0:
            whole[name] = steps.whole(value, name, least)
    if whole:
        schedule = copy.copy(schedule)
        for name, step in whole.items():
            try:
                setattr(schedule, name, step)
            except AttributeError:  # read only
                raise ValueError(
                    f"The schedule's {name} is {getattr(schedule, name)}: make it a whole number."
                ) from None
    return schedule
