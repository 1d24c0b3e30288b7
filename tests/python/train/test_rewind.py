"""Rewinding goes by the variable, whatever became of optimizers and layers since."""

import numpy as np
import pytest
import tensorflow as tf

from sbnn_tf.keras_model import keras_compat, optimizers
from sbnn_tf.plan.schedules import IterativeMagnitude
from sbnn_tf.train.callback import Pruning
from sbnn_tf.train.rewind import Rewind
from tests.python.train import dense

pytestmark = pytest.mark.filterwarnings("ignore:Training stopped at step")


def _slots(optimizer, model):
    """{(weight's place, name): value} of all that an optimizer keeps for the weights."""
    return {
        (i, name): np.array(slot.numpy())
        for i, weight in enumerate(keras_compat.weights(model))
        for part in optimizers.nested([optimizer])
        for name, slot in optimizers.kept(part, weight)
    }


def _train(K, model, optimizer, variables=None):
    """A step of its own, with every gradient 1."""
    variables = model.trainable_variables if variables is None else variables
    ones = [tf.ones(v.shape) for v in variables]
    optimizer.apply_gradients(zip(ones, variables))


@pytest.mark.parametrize(
    "change", ["same", "other optimizer", "built later", "thawed", "frozen", "recompiled"]
)
def test_weights_and_averages_go_back_by_what_they_belong_to(K, change):
    frozen = "b" if change == "thawed" else ()
    model = dense.make(K, frozen=frozen, optimizer=K.optimizers.Adam(0.01))
    rewind = Rewind(model, step=3)
    rewind.keep(2)
    if change != "built later":
        _train(K, model, model.optimizer)
    before = {name: w.get_weights() for name, w in ((l.name, l) for l in model.layers)}
    slots = _slots(model.optimizer, model)
    assert bool(slots) == (change != "built later")
    rewind.keep(5)
    if change == "other optimizer":
        dense.compiled(
            K, model, optimizer=K.optimizers.Adagrad(0.01, initial_accumulator_value=0.3)
        )
    elif change in ("thawed", "frozen", "recompiled"):
        frozen = "c" if change == "frozen" else ()
        dense.compiled(K, model, frozen=frozen, optimizer=K.optimizers.Adam(0.02))
    for _ in range(2):
        _train(K, model, model.optimizer)
    rewind.keep(7)  # it has them
    count = optimizers.count(model)
    rewind.back()
    for layer in model.layers:
        for old, new in zip(before[layer.name], layer.get_weights()):
            np.testing.assert_array_equal(old, new, err_msg=layer.name)
    found = _slots(model.optimizer, model)
    assert len(found) == (8 if change == "other optimizer" else 12 if change == "frozen" else 16)
    for key, value in found.items():
        fresh = 0.3 if change == "other optimizer" else 0.0
        np.testing.assert_array_equal(value, slots.get(key, np.full_like(value, fresh)), str(key))
    if change == "thawed":
        assert not any(found[key].any() for key in found if key not in slots)
        assert any(slots[key].any() for key in slots)
    assert optimizers.count(model) == count  # the step goes on


@pytest.mark.parametrize(
    "name", ["SGD", "RMSprop", "Adagrad", "Ftrl", "Adafactor", "EMA", "float16"]
)
def test_what_did_not_exist_becomes_what_a_fresh_optimizer_has(K, name):
    make = {
        "EMA": lambda: K.optimizers.SGD(0.01, use_ema=True),
        "float16": lambda: K.mixed_precision.LossScaleOptimizer(K.optimizers.Adagrad(0.01)),
        "SGD": lambda: K.optimizers.SGD(0.01, momentum=0.9),
        "Ftrl": lambda: K.optimizers.Ftrl(0.01, initial_accumulator_value=0.2),
    }.get(name) or (lambda: getattr(K.optimizers, name)(0.01))
    model = dense.make(K, optimizer=make())
    rewind = Rewind(model, 0)
    rewind.keep(0)
    weights = {i: np.array(w.numpy()) for i, w in enumerate(keras_compat.weights(model))}
    unused = make()
    unused.build(model.trainable_variables)
    expected = _slots(unused, model)
    _train(K, model, model.optimizer)
    rewind.back()
    found = _slots(model.optimizer, model)
    assert found.keys() == expected.keys() and found
    for key, value in found.items():
        average = optimizers.is_average(key[1])
        np.testing.assert_array_equal(
            value, weights[key[0]] if average else expected[key], str(key)
        )


def test_a_legacy_optimizer():
    import tf_keras as K

    model = dense.make(
        K, optimizer=K.optimizers.legacy.Adagrad(0.01, initial_accumulator_value=0.2)
    )
    rewind = Rewind(model, 0)
    rewind.keep(0)
    _train(K, model, model.optimizer)
    rewind.back()
    found = _slots(model.optimizer, model)
    assert len(found) == 8 and all((value == np.float32(0.2)).all() for value in found.values())


def test_an_optimizer_that_cannot_be_made_anew_is_said(K):
    class Odd(K.optimizers.SGD):
        def __init__(self, must, **options):
            super().__init__(0.01, momentum=0.9, **options)

    class Schedule(K.optimizers.schedules.LearningRateSchedule):  # has no config, and needs none
        def __call__(self, step):
            return 0.01

    for optimizer, said in ((Odd(3), True), (K.optimizers.SGD(Schedule(), momentum=0.9), False)):
        model = dense.make(K, optimizer=optimizer)
        rewind = Rewind(model, 0)
        rewind.keep(0)
        _train(K, model, model.optimizer)
        with (
            pytest.warns(UserWarning, match="fresh Odd .*taken for 0")
            if said
            else pytest.MonkeyPatch.context()
        ):
            rewind.back()
        assert not any(value.any() for value in _slots(model.optimizer, model).values())


@pytest.mark.parametrize("change", ["thawed", "other optimizer"])
def test_in_training(K, change):
    """Two fits; the rounds are in the second one."""
    model = dense.make(
        K, frozen="b" if change == "thawed" else (), optimizer=K.optimizers.SGD(0.05, 0.9)
    )
    before = {layer.name: layer.get_weights() for layer in model.layers}
    schedule = IterativeMagnitude(0.75, dense.BATCHES + 4, dense.BATCHES + 8, frequency=4)
    pruning = Pruning("group4", schedule)
    dense.fit(model, pruning)
    dense.compiled(K, model, optimizer=K.optimizers.Adam(0.01) if change != "thawed" else None)

    class Stop(K.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 7

    dense.fit(model, pruning, Stop())
    assert pruning.step == dense.BATCHES + 8 and pruning.sparsity == pytest.approx(0.75, abs=0.02)
    for layer in model.layers:
        for old, new in zip(before[layer.name], layer.get_weights()):
            pruned = (new == 0) & (old != 0)
            assert pruned.mean() == (0.75 if layer.name in "bc" and old.ndim == 2 else 0.0)
            np.testing.assert_array_equal(new[~pruned], old[~pruned], err_msg=layer.name)
    dense.fit(model, pruning)  # and the next one trains on
    assert all(
        (old[0] != layer.get_weights()[0]).any()
        for layer in model.layers[1:]
        for old in [before[layer.name]]
    )
