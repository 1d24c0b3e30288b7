"""Frozen layers, thawed in mid-training, with every method; and gradients that are accumulated."""

import numpy as np
import pytest
import tensorflow as tf

from sbnn_tf.plan.policy import Policy
from sbnn_tf.plan.schedules import IterativeMagnitude, PolynomialDecay
from sbnn_tf.train.admm import ADMM
from sbnn_tf.train.callback import Pruning
from sbnn_tf.train.gradients import Gatherer, NoGradients
from sbnn_tf.train.rewiring import SET, HebbianRewiring, RigL
from tests.python.train import dense

pytestmark = [
    pytest.mark.filterwarnings("ignore:Training stopped at step"),
    pytest.mark.filterwarnings("ignore:The zeros in the model"),  # of weights without a gradient
]

REWIRED = {
    "SET": lambda **o: SET("group4", 0.5, update_every=2, end_step=34, **o),
    "RigL": lambda **o: RigL("group4", 0.5, update_every=2, end_step=34, **o),
    "HebbianRewiring": lambda **o: HebbianRewiring("group4", 0.5, update_every=2, end_step=34, **o),
}
PRUNED = {
    "magnitude": lambda **o: Pruning("group4", PolynomialDecay(0.0, 0.5, 0, 30, frequency=2), **o),
    "rewinding": lambda **o: Pruning("group4", IterativeMagnitude(0.5, 6, 30, 6), **o),
    "ADMM": lambda **o: ADMM("group4", 0.5, 20, frequency=2, **o),
}
GATHERING = {
    name: lambda name=name, begin=4, **o: Pruning(
        "group4", PolynomialDecay(0.0, 0.5, begin, 30, frequency=2), score=name, **o
    )
    for name in ("taylor", "movement")
}


@pytest.mark.parametrize("kind", REWIRED)
def test_rewiring_leaves_the_mask_of_a_frozen_layer_until_it_is_thawed(K, kind):
    model, callback = dense.make(K, frozen="b"), REWIRED[kind]()
    before = dense.kernel(model)
    dense.fit(model, callback)
    frozen = dense.kernel(model)
    assert (frozen == 0).mean() == 0.5 == callback.sparsity  # it was worn away to 64 % once
    np.testing.assert_array_equal(frozen[frozen != 0], before[frozen != 0])
    assert (dense.kernel(model, "c") != 0).any()
    dense.compiled(K, model)
    dense.fit(model, callback, epochs=2)
    thawed = dense.kernel(model)
    assert ((thawed != 0) != (frozen != 0)).any()
    assert callback.step == 36 and (thawed == 0).mean() == pytest.approx(0.5, abs=0.1)


def test_layers_that_only_an_optimizer_of_ones_own_leaves_out_keep_theirs(K):
    class Partly(K.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(self(x, training=True) - y))
            variables = self.get_layer("c").trainable_variables
            self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
            return {"loss": loss}

    for kind in ("SET", "RigL"):
        model, callback = dense.make(K, cls=Partly), REWIRED[kind]()
        dense.fit(model, callback, epochs=2)
        assert (dense.kernel(model) == 0).mean() == 0.5


@pytest.mark.parametrize("kind", PRUNED)
def test_other_methods_go_on_when_a_layer_is_thawed(K, kind):
    model, callback = dense.make(K, frozen="b"), PRUNED[kind]()
    dense.fit(model, callback)
    assert (dense.kernel(model) == 0).mean() == callback.sparsity
    if kind == "ADMM":
        assert not any(np.any(dual._u) for dual in callback._duals if dual.mask.name == "b")
    dense.compiled(K, model)
    dense.fit(model, callback, epochs=2)
    for name in "bc":
        assert (dense.kernel(model, name) == 0).mean() == 0.5 == callback.sparsity


@pytest.mark.parametrize("kind", GATHERING)
def test_scores_from_gradients_name_the_layer_and_what_to_do(K, kind):
    with pytest.raises(ValueError, match="no gradients of 'b'. The layer is frozen: .*'b'"):
        dense.fit(dense.make(K, frozen="b"), GATHERING[kind]())
    # the remedies
    model = dense.make(K, frozen="b")
    dense.fit(model, GATHERING[kind](policy=Policy(exclude=["b"])), epochs=3)
    assert (dense.kernel(model, "c") == 0).mean() == 0.5
    model, callback = dense.make(K, frozen="b"), GATHERING[kind](begin=13)
    dense.fit(model, callback)
    dense.fit(dense.compiled(K, model), callback, epochs=2)
    assert (dense.kernel(model) == 0).mean() == 0.5 == callback.sparsity


def test_scores_of_a_layer_that_is_frozen_later_are_those_it_had(K):
    model, callback = dense.make(K), GATHERING["taylor"]()
    dense.fit(model, callback)
    dense.fit(dense.compiled(K, model, frozen="b"), callback, epochs=2)
    assert (dense.kernel(model) == 0).mean() == 0.5


def test_an_optimizer_that_hangs_on_the_model_is_seen(K):
    class Own(K.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(self(x, training=True) - y))
            variables = self.trainable_variables
            self.find().apply_gradients(zip(tape.gradient(loss, variables), variables))
            return {"loss": loss}

    for kind in ("taylor", "RigL"):
        model, hidden = dense.make(K, cls=Own), K.optimizers.SGD(0.05)
        hidden.build(model.trainable_variables)
        model.find = lambda hidden=hidden: hidden
        with pytest.raises(ValueError, match="no gradients of 'b'. No optimizer of the model"):
            dense.fit(model, {**GATHERING, **REWIRED}[kind]())
        model.own = hidden  # the remedy
        callback = {**GATHERING, **REWIRED}[kind]()
        dense.fit(model, callback, epochs=3)
        assert callback.sparsity == 0.5


class TestAccumulation:
    """Gradients of 4 batches are added up, and masks are due more often."""

    def model(self, steps_per_execution=1):
        import keras

        optimizer = keras.optimizers.Adam(0.01, gradient_accumulation_steps=4)
        model = dense.make(keras, optimizer=optimizer)
        model.steps_per_execution = steps_per_execution
        return model

    @pytest.mark.parametrize("begin", [0, 2, 3])
    def test_the_first_gradient_is_waited_for(self, begin):
        rising = lambda begin: PolynomialDecay(0.1, 0.5, begin, 30, frequency=1)
        with pytest.raises(ValueError, match="no gradients of 'b'.*4 batches: begin at step 4"):
            dense.fit(self.model(), Pruning("group4", rising(begin), score="taylor"))
        dense.fit(self.model(), Pruning("group4", rising(4), score="taylor"))  # the remedy

    @pytest.mark.parametrize("executions", [1, 3])
    def test_taylor_keeps_its_sum_until_there_is_a_new_one(self, executions):
        model = self.model(executions)
        schedule = PolynomialDecay(0.1, 0.5, 4, 30, frequency=1)
        callback = Pruning("group4", schedule, score="taylor")
        dense.fit(model, callback, epochs=3)
        assert callback.step == 36 and (dense.kernel(model) == 0).mean() == 0.5

    @pytest.mark.parametrize("executions", [1, 3])
    @pytest.mark.parametrize("kind", REWIRED)
    def test_rewiring_waits_for_the_optimizer(self, kind, executions):
        model, callback = self.model(executions), REWIRED[kind]()
        seen = []
        rewire = callback._rewire

        def spy(step):
            before = callback._masks[0].keep
            rewire(step)
            if (callback._masks[0].keep != before).any():
                seen.append(callback.step)

        callback._rewire = spy
        dense.fit(model, callback, epochs=3)
        assert callback.step == 36 and callback.sparsity == 0.5
        assert seen and (executions > 1 or not any(step % 4 for step in seen))


def test_an_average_is_replaced_by_the_next_and_not_by_nothing():
    """Taylor's sum, update by update: what is forgotten is still there until more comes."""
    gatherer = Gatherer(lambda w, g: w * g, tf.Variable([1.0, 2.0]), "kernel")
    with pytest.raises(NoGradients, match="no gradients of 'kernel'"):
        gatherer.value()
    w = tf.constant([1.0, 2.0])
    add = tf.function(lambda g: gatherer(w, g))
    for g in (1.0, 3.0):
        add(tf.constant([g, g]))
    np.testing.assert_array_equal(gatherer.value(), [2, 4])
    for _ in range(2):
        gatherer.forget()
        np.testing.assert_array_equal(gatherer.value(), [2, 4])
    again = Gatherer(lambda w, g: w * g, tf.Variable([1.0, 2.0]), "kernel")
    again.restore(gatherer.state())
    gatherer = again
    np.testing.assert_array_equal(gatherer.value(), [2, 4])
    gatherer(w, tf.constant([7.0, 8.0]))
    np.testing.assert_array_equal(gatherer.value(), [7, 16])
