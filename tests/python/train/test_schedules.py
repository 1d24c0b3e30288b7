import subprocess
import sys
import textwrap

import pytest

from sbnn_tf.plan.schedules import (
    ConstantSparsity,
    CosineDecay,
    ExponentialDecay,
    IterativeMagnitude,
    OneShot,
    PolynomialDecay,
    ScheduleReader,
)


def test_numbers_and_turns_are_those_of_tfmot():
    """In a process of its own: importing tfmot turns tf.keras into Keras 2."""
    code = """
        import math, random
        import tensorflow_model_optimization as tfmot
        from sbnn_tf.plan import schedules as ours
        theirs = tfmot.sparsity.keras
        random.seed(0)
        for _ in range(60):
            begin = random.randrange(50)
            end = begin + random.randrange(1, 80)
            frequency = random.choice([1, 3, 10, 100])
            power = random.choice([1, 2, 3])
            a, b = random.random(), random.random()
            for one, other in (
                [m.PolynomialDecay(a, b, begin, end, power, frequency) for m in (theirs, ours)],
                [m.ConstantSparsity(a, begin, end, frequency) for m in (theirs, ours)],
                [m.ConstantSparsity(a, begin) for m in (theirs, ours)],
            ):
                assert one.get_config()["config"] == other.get_config()
                for step in random.sample(range(150), 20) + [begin, end]:
                    (p, s), (q, t) = one(step), other(step)
                    assert bool(p) == q, (step, one.get_config())
                    assert math.isclose(float(s), t, abs_tol=1e-6), (step, float(s), t)
        assert (theirs.PolynomialDecay(0.1, 0.5, 2, 9).get_config()["config"]
                == ours.PolynomialDecay(0.1, 0.5, 2, 9).get_config())
        print("same")
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True
    )
    assert result.stdout.strip().endswith("same"), result.stderr


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: PolynomialDecay(0.0, 0.5, 10, 5), "ends before it begins"),
        (lambda: ConstantSparsity(0.5, 10, 5), "ends before it begins"),
        (lambda: PolynomialDecay(0.0, 1.0, 0, 5), r"final_sparsity must be in \[0, 1\)"),
        (lambda: PolynomialDecay(-0.1, 0.5, 0, 5), "initial_sparsity"),
        (lambda: ConstantSparsity(50, 0), "target_sparsity.*0.5 for half"),
        (lambda: PolynomialDecay(0.0, 0.5, 0, -1), "needs an end_step"),
        (lambda: ConstantSparsity(0.5, -1), "begin_step"),
        (lambda: ConstantSparsity(0.5, 0, -2), "end_step"),
        (lambda: ConstantSparsity(0.5, 0, frequency=0), "frequency"),
        (lambda: CosineDecay(0.0, 0.5, 0, -1), "CosineDecay needs an end_step"),
        (lambda: ExponentialDecay(0.0, 1.0, 0, 9), "final_sparsity"),
        (lambda: OneShot(1.0), "target_sparsity"),
        (lambda: IterativeMagnitude(0.5, 0, -1), "needs an end_step"),
        (lambda: IterativeMagnitude(0.5, 0, 150, 100), "no whole number of rounds"),
        (lambda: IterativeMagnitude(0.5, 10, 110, 100, rewind_step=11), "rewind_step"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_configs():
    for schedule in (
        PolynomialDecay(0.1, 0.5, 2, 9, 2, 7),
        ConstantSparsity(0.5, 3, 9, 2),
        OneShot(0.5, 3),
        CosineDecay(0.1, 0.5, 2, 9, 7),
        ExponentialDecay(0.1, 0.5, 2, 9, 7),
        IterativeMagnitude(0.5, 2, 8, 3, rewind_step=1),
    ):
        again = type(schedule).from_config(schedule.get_config())
        assert [again(s) for s in range(12)] == [schedule(s) for s in range(12)]
        assert again.get_config() == schedule.get_config()


@pytest.mark.parametrize("kind", [PolynomialDecay, CosineDecay, ExponentialDecay])
def test_rises_from_begin_to_end(kind):
    schedule = kind(0.1, 0.8, 10, 50, frequency=1)
    course = [schedule.sparsity(step) for step in range(10, 51)]
    assert course[0] == 0.1 and course[-1] == 0.8 and course == sorted(course)
    assert schedule.sparsity(0) == 0.1 and schedule.sparsity(99) == 0.8


def test_courses():
    assert CosineDecay(0.0, 0.8, 0, 40).sparsity(20) == pytest.approx(0.4)
    assert CosineDecay(0.0, 0.8, 0, 40).sparsity(4) < 0.02  # slow at the beginning
    kept = [1 - ExponentialDecay(0.0, 0.84, 0, 40).sparsity(step) for step in (0, 20, 40)]
    assert kept == pytest.approx([1.0, 0.4, 0.16])  # each half leaves 40 % of what it finds


def test_one_shot_prunes_once():
    turns = [step for step in range(99) if OneShot(0.5, 7)(step)[0]]
    assert turns == [7]
    assert ScheduleReader(OneShot(0.5, 7)).at(8) == 0.5


def test_iterative_rounds():
    schedule = IterativeMagnitude(0.488, 10, 30, frequency=10)
    assert [step for step in range(99) if schedule(step)[0]] == [10, 20, 30]
    sparsities = [schedule.sparsity(step) for step in (9, 10, 19, 20, 30, 99)]
    assert sparsities == pytest.approx([0, 0.2, 0.2, 0.36, 0.488, 0.488])


def test_a_schedule_that_begins_where_it_ends_is_a_step():
    schedule = PolynomialDecay(0.2, 0.5, 7, 7)
    assert schedule(6) == (False, 0.2)
    assert schedule(7) == (True, 0.5)


class TestReader:
    def test_no_turn_is_missed_between_two_questions(self):
        reader = ScheduleReader(ConstantSparsity(0.5, 10, frequency=100))
        assert reader.due(1, 9) is None
        assert reader.due(1, 16) == 0.5
        assert reader.due(11, 109) is None
        assert reader.due(97, 112) == 0.5

    def test_the_latest_turn_counts(self):
        schedule = PolynomialDecay(0.0, 0.8, 0, 40, frequency=10)
        assert ScheduleReader(schedule).due(1, 35) == schedule.sparsity(30)

    def test_the_end_is_always_due(self):
        reader = ScheduleReader(PolynomialDecay(0.0, 0.8, 0, 50, frequency=100))
        assert reader.due(1, 49) is None
        assert reader.due(48, 63) == 0.8
        assert reader.due(51, 200) is None

    def test_in_force(self):
        reader = ScheduleReader(PolynomialDecay(0.1, 0.8, 10, 50))
        assert [reader.at(s) for s in (9, 10, 50, 99)] == [None, 0.1, 0.8, 0.8]

    def test_an_object_that_only_has_the_interface(self):
        class EverySeven:
            def __call__(self, step):
                import tensorflow as tf

                assert step.dtype == tf.int64  # as the toolkit's own
                return tf.equal(step % 7, 0), tf.constant(0.25)

        reader = ScheduleReader(EverySeven())
        assert reader.due(1, 6) is None
        assert reader.due(1, 7) == 0.25
        assert reader.at(8) is None
        assert reader.final_sparsity is None

    def test_bad_schedules(self):
        with pytest.raises(TypeError, match="Expected a schedule"):
            ScheduleReader(0.5)
        with pytest.raises(ValueError, match=r"the schedule's sparsity must be in \[0, 1\)"):
            ScheduleReader(lambda step: (True, 1.0)).due(1, 1)

        class Backwards:
            begin_step, end_step = 10, 5

            def __call__(self, step):
                return True, 0.5

        with pytest.raises(ValueError, match="ends before it begins"):
            ScheduleReader(Backwards())
