"""Averages of weights: what is validated, saved and put in their place is as sparse as they are."""

import numpy as np
import pytest
import tensorflow as tf

from sbnn_tf.keras_model import kernels, optimizers
from sbnn_tf.patterns import Group
from sbnn_tf.plan.policy import Policy
from sbnn_tf.plan.schedules import ConstantSparsity, PolynomialDecay
from sbnn_tf.train.admm import ADMM
from sbnn_tf.train.callback import Pruning
from sbnn_tf.train.rewiring import RigL

HALF = ConstantSparsity(0.5, begin_step=0)
RISING = PolynomialDecay(0.0, 0.5, 2, 12, frequency=5)
PRUNED = ("pw", "hidden")


def _averages(model, *others):
    """{kernel: fraction of zeros in its average}"""
    found = {}
    for optimizer in optimizers.of(model, *others):
        for kernel in kernels.find(model):
            for average in optimizers.averages(optimizer, kernel.variable):
                found[kernel.name] = float(np.mean(average.numpy() == 0))
    return found


def _ema(K, **options):
    return K.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.8, **options)


def _swap(K):
    """Validates the averages, and saves them: Keras 3's callback, and the same for tf_keras."""
    if K.__name__ == "keras":
        return K.callbacks.SwapEMAWeights(swap_on_epoch=True)

    class Swap(K.callbacks.Callback):
        swapped = False

        def swap(self, to):
            optimizer = self.model.optimizer
            for variable in self.model.trainable_variables if to != self.swapped else ():
                (average,) = optimizers.averages(optimizer, variable)
                value = tf.identity(variable)
                variable.assign(average)
                average.assign(value)
            self.swapped = to

        def on_test_begin(self, logs=None):
            self.swap(True)

        def on_test_end(self, logs=None):
            self.swap(False)

        def on_epoch_begin(self, epoch, logs=None):
            self.swap(False)

        def on_epoch_end(self, epoch, logs=None):
            self.swap(True)

    return Swap()


@pytest.fixture
def watch(K, zeros):
    """A callback that looks at the weights while they are validated."""

    class Watch(K.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.seen = []

        def on_test_batch_end(self, batch, logs=None):
            self.seen.append((zeros(self.model)["pw"], _variable(self.model).numpy()))

    return Watch()


def _variable(model, name="pw"):
    return next(k.variable for k in kernels.find(model) if k.name == name)


class TestSwapped:
    """The averages take the place of the weights for validation and checkpoints."""

    @pytest.mark.parametrize("order", ["prune first", "prune last"])
    def test_validated_and_saved_as_sparse(
        self, K, functional, data, tmp_path, assert_pruned, watch, order
    ):
        model = functional(_ema(K))
        path = str(tmp_path / "{epoch}.keras")
        others = [watch, _swap(K), K.callbacks.ModelCheckpoint(path)]
        pruning = Pruning(Group(4), HALF)
        callbacks = [pruning, *others] if order == "prune first" else [*others, pruning]
        model.fit(*data, epochs=2, validation_data=data, verbose=0, callbacks=callbacks)
        assert {share for share, _ in watch.seen} == {0.5}
        assert_pruned(model, 0.5)
        for epoch in (1, 2):
            loaded = K.models.load_model(str(tmp_path / f"{epoch}.keras"))
            assert_pruned(loaded, 0.5)
            assert _averages(loaded)["pw"] == 0.5

    def test_the_averages_are_those_of_the_kept_weights(self, K, functional, data, watch):
        """The masks change nothing else: weights that are kept have the averages they had."""
        model = functional(K.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.5))
        history = []

        class Record(K.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                history.append(_variable(self.model).numpy())

        callbacks = [watch, _swap(K), Record(), Pruning(Group(4), HALF)]
        model.fit(*data, validation_data=data, verbose=0, callbacks=callbacks)
        average = history[0]  # after 8 steps little of the beginning is left
        for weights in history[1:]:
            average = 0.5 * average + 0.5 * weights
        np.testing.assert_allclose(watch.seen[-1][1], average, atol=5e-3)

    def test_a_checkpoint_in_the_middle_of_an_epoch(self, K, functional, data, tmp_path):
        model = functional(_ema(K))
        path = str(tmp_path / "{epoch}-{batch}.keras")
        checkpoint = K.callbacks.ModelCheckpoint(path, save_freq=3)
        model.fit(*data, verbose=0, callbacks=[checkpoint, Pruning(Group(4), HALF)])
        saved = sorted(tmp_path.iterdir())
        assert len(saved) == 2
        for path in saved:
            loaded = K.models.load_model(str(path))
            assert {_averages(loaded)[name] for name in PRUNED} == {0.5}


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize(
    "method",
    [
        lambda only: Pruning(Group(4), RISING, only),
        lambda only: ADMM(Group(4), 0.5, prune_step=5, frequency=2, policy=only),
        lambda only: RigL(Group(4), 0.5, update_every=6, end_step=100, policy=only),
    ],
    ids=["Pruning", "ADMM", "RigL"],
)
def test_every_method(K, functional, data, assert_pruned, method, steps):
    """Masks that grow and move take the averages with them, and so the end of the fit."""
    model = functional(_ema(K, ema_overwrite_frequency=7), steps_per_execution=steps)
    seen = []

    class Look(K.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            (average,) = optimizers.averages(self.model.optimizer, _variable(self.model))
            seen.append(np.any(average.numpy()[_variable(self.model).numpy() == 0]))

    only = Policy(include="pw")  # so that no weight that grows is without a gradient
    model.fit(*data, epochs=2, verbose=0, callbacks=[Look(), method(only)])
    assert not any(seen)
    assert_pruned(model, 0.5, only=["pw"])
    assert _averages(model) == {"stem": 0.0, "pw": 0.5, "hidden": 0.0, "logits": 0.0}


class TestKeptBy:
    """Optimizers of other kinds than the model's plain one."""

    def test_an_optimizer_with_a_loss_scale(self, K, functional, data, set_policy):
        set_policy(K, "mixed_float16")
        model = functional(_ema(K))
        assert "LossScale" in type(model.optimizer).__name__
        model.fit(*data, verbose=0, callbacks=[Pruning(Group(4), HALF)])
        assert _averages(model)["pw"] == 0.5

    def test_several_optimizers_in_one(self, K, functional, data):
        if K.__name__ == "tf_keras":
            pytest.skip("Keras 3 alone has MultiOptimizer")
        choices = K.optimizers.OptimizerMap(_ema(K), {"pw/.*": _ema(K), "hidden/.*": _ema(K)})
        model = functional(K.optimizers.MultiOptimizer(choices))
        model.fit(*data, verbose=0, callbacks=[Pruning(Group(4), HALF)])
        averages = _averages(model)
        assert len(averages) == 4 and {averages[name] for name in PRUNED} == {0.5}

    def test_optimizers_that_are_attributes_of_the_model(self, K, functional, data):
        """A GAN's, say: compile has none of them, or only one."""

        class Alternating(K.Model):
            def train_step(self, data):
                x, y = data
                for optimizer, first in zip(self.pair, (True, False)):
                    with tf.GradientTape() as tape:
                        y_pred = self(x, training=True)
                        loss = self.compute_loss(x, y, y_pred)
                    names = [layer for layer in self.layers if (layer.name == "pw") == first]
                    variables = [v for layer in names for v in layer.trainable_variables]
                    gradients = tape.gradient(loss, variables)
                    optimizer.apply_gradients(zip(gradients, variables))
                return self.compute_metrics(x, y, y_pred, None)

        model = functional(cls=Alternating)
        model.pair = [_ema(K), _ema(K)]
        model.fit(*data, verbose=0, callbacks=[Pruning(Group(4), HALF)])
        averages = _averages(model)
        assert len(averages) == 4 and {averages[name] for name in PRUNED} == {0.5}

    def test_a_wrapper_that_averages_in_slots(self, K, functional, data):
        """As the MovingAverage of tensorflow_addons."""
        if K.__name__ == "keras":
            pytest.skip("Keras 3 has no slots by name")

        class MovingAverage(K.optimizers.legacy.Optimizer):
            def __init__(self, optimizer, name="MovingAverage"):
                super().__init__(name)
                self._optimizer = optimizer

            def _create_slots(self, var_list):
                self._optimizer._create_slots(var_list)
                for variable in var_list:
                    self.add_slot(variable, "average", initializer=variable.read_value())

            def _prepare(self, var_list):
                self._optimizer._create_hypers()
                return self._optimizer._prepare(var_list)

            def _resource_apply_dense(self, gradient, variable, apply_state=None):
                update = self._optimizer._resource_apply_dense(gradient, variable, apply_state)
                with tf.control_dependencies([update]):
                    average = self.get_slot(variable, "average")
                    return average.assign_add(0.2 * (variable.read_value() - average))

            def get_config(self):
                return {}

        optimizer = MovingAverage(K.optimizers.legacy.SGD(0.05, momentum=0.9))
        model = functional(optimizer)
        model.fit(*data, verbose=0, callbacks=[Pruning(Group(4), HALF)])
        average = optimizer.get_slot(_variable(model), "average")
        assert np.mean(average.numpy() == 0) == 0.5

    def test_a_loop_of_ones_own(self, K, functional, data, assert_pruned):
        """The optimizer is nobody's attribute; at the end it assigns its averages."""
        model, optimizer = functional(), _ema(K)
        pruning = Pruning(Group(4), HALF)
        for i in range(4):
            x, y = (part[32 * i : 32 * i + 32] for part in data)
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(model.loss(y, model(x, training=True)))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables))
            pruning.after_step(model, optimizer=optimizer)
            assert _averages(model, optimizer)["pw"] == 0.5
        optimizer.finalize_variable_values(model.trainable_variables)
        assert_pruned(model, 0.5)
        model.fit(*data, verbose=0)


@pytest.mark.parametrize("steps", [1, 4])
def test_an_optimizer_that_writes_behind_its_update(K, functional, data, zeros, steps):
    """As Lookahead does: slow weights, which follow, take the place of the fast ones at times."""

    class Lookahead(K.optimizers.SGD):
        def apply_gradients(self, grads_and_vars, *args, **kwargs):
            pairs = list(grads_and_vars)
            result = super().apply_gradients(pairs, *args, **kwargs)
            with tf.init_scope():
                if not hasattr(self, "behind"):
                    self.behind = {id(v): tf.Variable(tf.ones(v.shape)) for _, v in pairs}
            for _, variable in pairs:
                slow = self.behind[id(variable)]
                slow.assign_add(0.5 * (tf.convert_to_tensor(variable) - slow))
                synchronize = tf.cast(self.iterations % 2 == 0, tf.float32)
                variable.assign_add(synchronize * (slow - variable))
            return result

    seen = []

    class Look(K.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(zeros(self.model)["pw"])

    model = functional(Lookahead(0.05), steps_per_execution=steps)
    model.fit(*data, verbose=0, callbacks=[Pruning(Group(4), HALF), Look()])
    assert seen == [0.5] * (8 // steps)
    model.fit(*data, verbose=0)
    assert zeros(model)["pw"] == 0.0  # it does write there
