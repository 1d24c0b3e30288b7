"""ADMM: weights are drawn to their pattern, then pruned to it."""

import numpy as np
import pytest
import tensorflow as tf

from sbnn_tf.patterns import Group
from sbnn_tf.train.admm import ADMM


class TestADMM:
    def model(self, K, **options):
        model = K.Sequential([K.Input((6,)), *[K.layers.Dense(8) for _ in range(3)]])
        model.compile(K.optimizers.SGD(0.05), "mse", jit_compile=False, **options)
        x = np.random.default_rng(1).normal(size=(96, 6)).astype("float32")
        return model, x, np.tile(x, 2)[:, :8]

    def test_weights_come_nearer_to_their_pattern_and_are_then_pruned(self, K):
        model, x, y = self.model(K, steps_per_execution=2)
        admm = ADMM("group4", 0.5, prune_step=48, rho=5.0, frequency=4)
        distances = []

        class Watch(K.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                distances.append((admm.distance, logs["sparsity"]))

        model.fit(x, y, batch_size=16, epochs=10, verbose=0, callbacks=[admm, Watch()])
        apart = [distance for distance, sparsity in distances if sparsity == 0]
        assert len(apart) == 7 and apart[-1] < 0.4 * apart[0]  # the term works ...
        assert [sparsity for _, sparsity in distances[7:]] == [0.5, 0.5, 0.5]
        kernel = model.layers[1].get_weights()[0]
        assert Group(4).explains(kernel == 0) and (kernel == 0).mean() == 0.5
        assert "update_step" not in vars(model.optimizer)

    def test_the_gradient_has_the_term(self, K):
        model, x, y = self.model(K)
        model.optimizer.learning_rate = 0.1
        admm = ADMM("group4", 0.5, prune_step=99, rho=2.0, frequency=99)
        admm.set_model(model)
        before = model.layers[1].get_weights()[0]
        z = np.where(Group(4).mask(np.abs(before), 0.5), before, 0.0)
        twin, _, _ = self.model(K)
        twin.set_weights(model.get_weights())
        twin.optimizer.learning_rate = 0.1
        twin.fit(x, y, batch_size=96, verbose=0)
        with pytest.warns(UserWarning, match="stopped at step 1"):
            model.fit(x, y, batch_size=96, verbose=0, callbacks=[admm])
        difference = twin.layers[1].get_weights()[0] - model.layers[1].get_weights()[0]
        np.testing.assert_allclose(difference, 0.1 * 2.0 * (before - z), atol=1e-5)

    def own(self, K, known):
        """A model that is trained by another optimizer than the one that compile knows."""
        optimizer = K.optimizers.SGD(0.1)

        class Stepping(K.Sequential):
            def train_step(self, data):
                x, y = data
                with tf.GradientTape() as tape:
                    loss = tf.reduce_mean(tf.square(self(x, training=True) - y))
                gradients = tape.gradient(loss, self.trainable_variables)
                optimizer.apply_gradients(zip(gradients, self.trainable_variables))
                return {"loss": loss}

        K.utils.set_random_seed(0)
        model = Stepping([K.Input((6,)), *[K.layers.Dense(8) for _ in range(3)]])
        optimizer.build(model.trainable_variables)
        model.compile(jit_compile=False)
        if known:
            model.optimizer_of_mine = optimizer
        x = np.ones((64, 6), "float32")
        return lambda admm: model.fit(x, x[:, :1], batch_size=8, verbose=0, callbacks=[admm])

    @pytest.mark.filterwarnings("ignore:.*stopped at step 8")
    def test_an_optimizer_that_is_an_attribute(self, K):
        distances = []
        for rho in (1e-9, 2.0):
            admm = ADMM("group4", 0.5, 99, rho=rho, frequency=99)
            self.own(K, known=True)(admm)
            distances.append(admm.distance)
        assert distances[1] < 0.5 * distances[0]

    @pytest.mark.parametrize("prune_step", [4, 99])
    def test_an_optimizer_that_the_model_does_not_know(self, K, prune_step):
        """Its steps would be without the term: that is told."""
        with pytest.raises(ValueError, match="not drawn to their pattern.*an attribute of the"):
            self.own(K, known=False)(ADMM("group4", 0.5, prune_step, frequency=6))

    def test_mistakes(self):
        with pytest.raises(ValueError, match="rho must be above 0"):
            ADMM("group4", 0.5, 10, rho=0.0)
        with pytest.raises(ValueError, match="frequency"):
            ADMM("group4", 0.5, 10, frequency=0)

    def test_a_loop_of_ones_own_would_be_without_the_term(self, functional):
        with pytest.raises(ValueError, match="inside of fit's step"):
            ADMM("group4", 0.5, 10).after_step(functional())
