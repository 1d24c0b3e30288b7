"""A `tf.function` inside of a train step neither goes without the masks nor keeps them."""

import gc
import warnings

import numpy as np
import pytest
import tensorflow as tf

from sbnn_tf.plan.schedules import ConstantSparsity, OneShot
from sbnn_tf.train.callback import Pruning
from sbnn_tf.train.rewiring import HebbianRewiring
from tests.python.train import dense


def _step(model, data):
    x, y = data
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
        if loss < 0:  # AutoGraph has to see it
            loss = 2.0 * loss
    variables = model.trainable_variables
    model.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return {"loss": loss}


def _decorated(K):
    class TrainStep(K.Model):
        train_step = tf.function(_step)

    class Helper(K.Model):
        helper = tf.function(_step)

        def train_step(self, data):
            return self.helper(data)

    class Inherited(TrainStep):
        def train_step(self, data):
            return super().train_step(data)

    class Attribute(K.Model):
        def train_step(self, data):
            return self.fast(data)

        def compile(self, *args, **kwargs):
            super().compile(*args, **kwargs)
            self.fast = tf.function(lambda data: _step(self, data))

    return {c.__name__: c for c in (TrainStep, Helper, Inherited, Attribute)}


def _fit(model, *callbacks):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # weights changed behind the masks' back
        dense.fit(model, *callbacks, batches=4)


@pytest.mark.parametrize(
    "kind, eager",
    [
        ("TrainStep", True),
        *((kind, False) for kind in ("TrainStep", "Helper", "Inherited", "Attribute")),
    ],
)
def test_masks_are_in_it_for_the_fit_and_no_longer(K, kind, eager):
    model = dense.make(K, cls=_decorated(K)[kind], run_eagerly=eager)
    decorated = {name: value for c in type(model).__mro__ for name, value in vars(c).items()}
    for _ in range(2):  # the second time the function was traced before
        pruning = Pruning("group4", ConstantSparsity(0.5, 0))
        _fit(model, pruning)
        assert pruning.step == 4 and dense.zeros(model) == 0.5
        del pruning
        gc.collect()  # and the masks' variables with it
        _fit(model)
        assert dense.zeros(model) == 0.0
    again = {name: value for c in type(model).__mro__ for name, value in vars(c).items()}
    assert all(again[name] is value for name, value in decorated.items())


def test_one_that_does_not_hang_on_the_model_is_refused(K):
    free = tf.function(_step)

    class Free(K.Model):
        def train_step(self, data):
            return free(self, data)

    with pytest.raises(ValueError, match="calls a tf.function, '_step', .*Take the decorator"):
        _fit(dense.make(K, cls=Free), Pruning("group4", ConstantSparsity(0.5, 0)))


def test_compiled_updates_of_tf_keras_optimizers():
    """Their functions live as long as the optimizer."""
    import tf_keras as K

    model = dense.make(K, optimizer=K.optimizers.SGD(0.05, jit_compile=True))
    pruning = Pruning("group4", OneShot(0.5, 4), score="taylor")
    _fit(model)
    _fit(model, pruning)
    assert dense.zeros(model) == 0.5
    gathered = pruning._masks[0]._gatherer
    before = gathered.state()
    _fit(model)
    for name, value in gathered.state().items():
        np.testing.assert_array_equal(value, before[name])


def test_activations_of_a_decorated_call(K):
    class Net(K.Model):
        def __init__(self):
            super().__init__()
            self.parts = [K.layers.Dense(8, name=name) for name in "abc"]

        @tf.function
        def call(self, x, training=None):
            for part in self.parts:
                x = part(x)
            return x

        def get_layer(self, name):
            return self.parts["abc".index(name)]

    model = Net()
    model(np.zeros((1, 6), "float32"))
    model.compile(K.optimizers.SGD(0.05), "mse", jit_compile=False)
    _fit(model)
    rewiring = HebbianRewiring("group4", 0.5, update_every=2, end_step=4, window=2)
    _fit(model, rewiring)
    assert rewiring.step == 4 and dense.zeros(model) == 0.5
    before = rewiring._masks[0]._statistics["correlation"].state()
    _fit(model)
    for name, value in rewiring._masks[0]._statistics["correlation"].state().items():
        np.testing.assert_array_equal(value, before[name])
