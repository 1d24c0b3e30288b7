"""Models and layers that get their weights when training begins, and models without a `call`."""

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf.keras_model import kernels
from sbnn_tf.plan.policy import Policy
from sbnn_tf.plan.schedules import ConstantSparsity, OneShot

DATA = np.random.default_rng(0).normal(size=(32, 8)).astype("float32")


def _zeros(model):
    return {kernel.name: float(np.mean(kernel.value() == 0)) for kernel in kernels.find(model)}


def _late(K):
    """A model of which nothing is built before it is called."""

    class Late(K.Model):
        def __init__(self):
            super().__init__()
            self.steps = [K.layers.Dense(8, name=name) for name in ("first", "middle", "last")]

        def call(self, x):
            for step in self.steps:
                x = step(x)
            return x

    model = Late()
    model.compile("sgd", "mse", jit_compile=False)
    return model


def _encoder(K, name, built):
    inputs = [K.Input((8,))] if built else []
    dense = [K.layers.Dense(8, name=f"{name}_{i}") for i in (1, 2)]
    return K.Sequential([*inputs, *dense], name=name)


def _without_call(K, built):
    """An autoencoder whose `train_step` calls its parts."""

    class Auto(K.Model):
        def __init__(self):
            super().__init__()
            self.encoder = _encoder(K, "encoder", built)
            self.decoder = _encoder(K, "decoder", built)

        def train_step(self, data):
            import tensorflow as tf

            x = data[0] if isinstance(data, tuple) else data
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((self.decoder(self.encoder(x)) - x) ** 2)
            variables = self.encoder.trainable_variables + self.decoder.trainable_variables
            self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
            return {"loss": loss}

    model = Auto()
    model.compile("sgd", jit_compile=False)
    return model


METHODS = {
    "pruning": lambda: sbnn.Pruning("group4", ConstantSparsity(0.5, 0)),
    "one shot": lambda: sbnn.Pruning("group4", OneShot(0.5, 3), budget="erk"),
    "admm": lambda: sbnn.ADMM("group4", 0.5, prune_step=5, frequency=2),
    "rigl": lambda: sbnn.RigL("group4", 0.5, update_every=2, end_step=4),
}


@pytest.mark.parametrize("method", METHODS)
def test_a_model_that_the_first_step_builds(K, method):
    model, callback = _late(K), METHODS[method]()
    history = model.fit(DATA, DATA, 4, verbose=0, callbacks=[callback])
    assert _zeros(model) == {"first": 0, "middle": 0.5, "last": 0}
    assert callback.step == 8 and callback.sparsity == history.history["sparsity"][0] == 0.5


def test_its_state_is_kept(K, tmp_path):
    path, weights = tmp_path / "state.npz", None
    for steps in (8, 16):
        model = _late(K)
        if weights is not None:
            model(DATA[:1])
            model.set_weights(weights)
            model.optimizer.build(model.trainable_variables)
            model.optimizer.iterations.assign(8)
        callback = sbnn.Pruning("group4", ConstantSparsity(0.5, 0), state=path)
        model.fit(DATA, DATA, 4, verbose=0, callbacks=[callback])
        assert callback.step == steps and _zeros(model)["middle"] == 0.5
        weights = model.get_weights()


@pytest.mark.parametrize("built", [True, False])
def test_a_model_without_call(K, built):
    model = _without_call(K, built)
    callback = sbnn.Pruning("group4", ConstantSparsity(0.5, 0))
    for _ in range(2):
        model.fit(DATA, batch_size=4, verbose=0, callbacks=[callback])
        zeros = {"encoder/encoder_1": 0, "encoder/encoder_2": 0.5}
        assert _zeros(model) == {**zeros, "decoder/decoder_1": 0.5, "decoder/decoder_2": 0}
        assert callback.sparsity == 0.5
    lines = []
    sbnn.summary(model, print_fn=lines.append)
    assert lines[2].startswith("encoder/encoder_1")


def test_a_layer_that_only_training_calls(K):
    class Helped(K.Model):
        def __init__(self):
            super().__init__()
            self.body = [K.layers.Dense(8, name=name) for name in ("first", "middle")]
            self.helper = K.layers.Dense(8, name="helper")
            self.head = K.layers.Dense(8, name="head")

        def call(self, x, training=False):
            for layer in self.body:
                x = layer(x)
            if training:
                x = x + self.helper(x)
            return self.head(x)

    model = Helped()
    model(DATA[:1])
    model.compile("sgd", "mse", jit_compile=False)
    assert kernels.survey(model).unbuilt == ["helper"]
    model.fit(DATA, DATA, 4, verbose=0, callbacks=[METHODS["pruning"]()])
    assert _zeros(model) == {"first": 0, "middle": 0.5, "helper": 0.5, "head": 0}


def test_mistakes_are_told_after_the_first_step(K):
    model = _late(K)
    with pytest.raises(ValueError, match="never been built"):
        kernels.find(model)
    callback = sbnn.Pruning("group4", ConstantSparsity(0.5, 0), Policy(include="midle"))
    with pytest.raises(ValueError, match="No layer matches 'midle'"):
        model.fit(DATA, DATA, 4, verbose=0, callbacks=[callback])
