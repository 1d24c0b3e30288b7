"""Steps that are no whole numbers, as `0.5 * epochs * len(dataset)`: one rule for all who take one."""

import dataclasses
import warnings

import numpy as np
import pytest
import tensorflow as tf

from sbnn_tf.plan import steps
from sbnn_tf.plan.schedules import (
    ConstantSparsity,
    CosineDecay,
    ExponentialDecay,
    IterativeMagnitude,
    OneShot,
    PolynomialDecay,
    ScheduleReader,
)
from sbnn_tf.train.admm import ADMM
from sbnn_tf.train.callback import Pruning
from sbnn_tf.train.rewiring import SET, HebbianRewiring, RigL

HALF = ConstantSparsity(0.5, 0)

# What takes a step: a function of it that returns the step that is taken.
TAKERS = {
    "begin_step": [
        lambda s: ConstantSparsity(0.5, s).begin_step,
        lambda s: OneShot(0.5, s).end_step,
        lambda s: PolynomialDecay(0.0, 0.5, s, 99).begin_step,
        lambda s: CosineDecay(0.0, 0.5, s, 99).begin_step,
        lambda s: ExponentialDecay(0.0, 0.5, s, 99).begin_step,
        lambda s: IterativeMagnitude(0.5, s, 99, 1).begin_step,
    ],
    "end_step": [
        lambda s: ConstantSparsity(0.5, 0, s).end_step,
        lambda s: PolynomialDecay(0.0, 0.5, 0, s).end_step,
        lambda s: CosineDecay(0.0, 0.5, 0, s).end_step,
        lambda s: ExponentialDecay(0.0, 0.5, 0, s).end_step,
        lambda s: IterativeMagnitude(0.5, 0, s, 1).end_step,
        lambda s: SET("group4", 0.5, end_step=s).end_step,
    ],
    "frequency": [
        lambda s: ConstantSparsity(0.5, 0, frequency=s).frequency,
        lambda s: CosineDecay(0.0, 0.5, 0, 99, s).frequency,
        lambda s: ADMM("group4", 0.5, 99, frequency=s).frequency,
    ],
    "rewind_step": [lambda s: IterativeMagnitude(0.5, 99, 99, rewind_step=s).rewind_step],
    "prune_step": [lambda s: ADMM("group4", 0.5, s).schedule.begin_step],
    "initial_step": [
        lambda s: Pruning("group4", HALF, initial_step=s).step,
        lambda s: SET("group4", 0.5, initial_step=s).step,
    ],
    "update_every": [lambda s: RigL("group4", 0.5, update_every=s).update_every],
    "window": [lambda s: HebbianRewiring("group4", 0.5, window=s).window],
}
ALL = [
    pytest.param(name, take, id=f"{name}{i}")
    for name in TAKERS
    for i, take in enumerate(TAKERS[name])
]


@pytest.mark.parametrize("name, take", ALL)
@pytest.mark.parametrize(
    "given, taken", [(37.5, 38), (12.5, 13), (12.4, 12), (np.float32(6.75), 7)]
)
def test_are_rounded_to_the_nearest_and_that_is_said_once(name, take, given, taken):
    with pytest.warns(UserWarning, match=f"^{name}={given:g} .*taken as {taken}") as said:
        found = take(given)
    assert len(said) == 1 and found == taken and type(found) is int


@pytest.mark.parametrize("name, take", ALL)
def test_a_fraction_of_the_training_is_refused(name, take):
    with pytest.raises(ValueError, match=rf"{name} is counted in .*round\(0\.25 \* epochs \*"):
        take(0.25)


@pytest.mark.parametrize("name, take", ALL)
@pytest.mark.parametrize("given", [8, 8.0, np.int32(8), np.float64(8), tf.constant(8, tf.int64)])
def test_whole_numbers_of_any_type_are_taken_silently(name, take, given):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert take(given) == 8


@pytest.mark.parametrize("given", ["8", None, True, [8, 9], 1j])
def test_no_number(given):
    with pytest.raises(TypeError, match="begin_step must be a number of training batches"):
        steps.whole(given, "begin_step")


@pytest.mark.parametrize("given", [-0.5, -1, float("nan"), float("inf")])
def test_no_step(given):
    with pytest.raises(ValueError, match="begin_step must be 0 or more"):
        steps.whole(given, "begin_step")
    with pytest.raises(ValueError, match="window must be 1 or more, not 0"):
        steps.whole(0, "window", least=1)


@dataclasses.dataclass
class _Foreign:
    """A schedule with the toolkit's interface that asks for its steps as they are."""

    begin_step: float
    end_step: float
    final_sparsity: float = 0.5

    def __call__(self, step):
        rising = min(max((int(step) - self.begin_step) / (self.end_step - self.begin_step), 0), 1)
        return int(step) == self.end_step, self.final_sparsity * rising


def test_a_foreign_schedule_is_asked_as_a_copy_with_whole_steps():
    given = _Foreign(2.5, 12.5)
    with pytest.warns(UserWarning, match="step=") as said:
        reader = ScheduleReader(given)
    assert len(said) == 2 and given == _Foreign(2.5, 12.5)
    assert (reader.begin_step, reader.end_step) == (3, 13)
    assert reader.due(1, 12) is None and reader.due(1, 13) == 0.5
    with pytest.raises(ValueError, match="round\\(0.5"):
        ScheduleReader(_Foreign(0.5, 12.5))


def test_a_foreign_schedule_whose_steps_cannot_be_set():
    class Fixed:
        end_step = property(lambda self: 12.5)

        def __call__(self, step):
            return True, 0.5

    with pytest.warns(UserWarning), pytest.raises(ValueError, match="end_step is 12.5: make it"):
        ScheduleReader(Fixed())


@pytest.mark.filterwarnings("ignore:.*is no whole step")
@pytest.mark.parametrize(
    "K, make, logs",
    [
        ("keras", lambda: Pruning("group4", PolynomialDecay(0.0, 0.5, 0, 11.5)), [0.0, 0.5, 0.5]),
        ("tf_keras", lambda: Pruning("group4", OneShot(0.5, 12.5)), [0.0, 0.5, 0.5]),
        ("keras", lambda: Pruning("group4", _Foreign(0.0, 12.5)), [0.0, 0.5, 0.5]),
        ("tf_keras", lambda: ADMM("group4", 0.5, prune_step=7.6), [0.5, 0.5, 0.5]),
        (
            "keras",
            lambda: Pruning("group4", IterativeMagnitude(0.75, 7.6, 15.6, 8.4)),
            [0.5, 0.75, 0.75],
        ),
    ],
    indirect=["K"],
)
def test_come_in_training(functional, data, make, logs):
    history = functional().fit(*data, epochs=3, verbose=0, callbacks=[make()])  # of 8 steps
    assert history.history["sparsity"] == pytest.approx(logs, abs=0.02)
