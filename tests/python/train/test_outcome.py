"""The end of a fit: the zeros that are reported are there, or a warning says where not, once."""

import warnings

import numpy as np
import pytest
import tensorflow as tf

from sbnn_tf.patterns import Group
from sbnn_tf.plan.policy import Policy
from sbnn_tf.plan.schedules import ConstantSparsity, PolynomialDecay
from sbnn_tf.train.admm import ADMM
from sbnn_tf.train.callback import Pruning
from sbnn_tf.train.rewiring import SET, HebbianRewiring, RigL

HALF = ConstantSparsity(0.5, begin_step=0)
RISING = PolynomialDecay(0.0, 0.75, 0, 24, frequency=1)
PW = Policy(include="pw")  # with channels that no layer reads, new weights would have no gradient


@pytest.fixture
def told():
    """told(function) -> the warnings about sparsity that it gives."""

    def call(function):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            function()
        texts = [str(w.message) for w in caught if issubclass(w.category, UserWarning)]
        return [t for t in texts if "zero" in t or "runed" in t or "masks" in t]

    return call


@pytest.mark.parametrize(
    "method",
    [
        lambda: Pruning(Group(4), RISING),
        lambda: Pruning(Group(4), ConstantSparsity(0.5, 1), score="taylor"),
        lambda: ADMM(Group(4), 0.5, prune_step=12, frequency=4),
        lambda: SET(Group(4), 0.5, update_every=4, policy=PW),
        lambda: RigL(Group(4), 0.5, update_every=4, policy=PW),
        lambda: HebbianRewiring(Group(4), 0.5, update_every=4, window=2, policy=PW),
    ],
    ids=["Pruning", "taylor", "ADMM", "SET", "RigL", "Hebbian"],
)
def test_silent_where_all_is_as_reported(functional, data, zeros, told, method):
    model = functional()
    pruning = method()
    fit = lambda: model.fit(*data, epochs=3, verbose=0, callbacks=[pruning])
    assert told(fit) == []
    for mask in pruning._masks:
        assert zeros(model)[mask.name] == pytest.approx(mask.sparsity, abs=0.02)


class TestRestoredWeights:
    @pytest.mark.parametrize("stops", [True, False])
    @pytest.mark.parametrize("order", ["prune first", "prune last", "history first"])
    def test_told_once_by_layer(self, K, functional, data, assert_pruned, told, stops, order):
        stop = K.callbacks.EarlyStopping(
            "sparsity", mode="min", patience=2 if stops else 9, restore_best_weights=True
        )
        callbacks = {
            "prune first": [Pruning(Group(4), RISING), stop],
            "prune last": [stop, Pruning(Group(4), RISING)],
            "history first": [K.callbacks.History(), stop, Pruning(Group(4), RISING)],
        }[order]
        model = functional()
        fit = lambda: model.fit(*data, epochs=4, verbose=0, callbacks=callbacks)
        texts = [text for text in told(fit) if "zero" not in text or "restored" in text]
        assert len(texts) == 1 and "restored weights that were less sparse" in texts[0]
        assert "'pw', 'hidden'" in texts[0]
        assert_pruned(model, 0.75)

    @pytest.mark.parametrize("order", ["prune first", "prune last"])
    def test_averages_are_no_restored_weights(
        self, K, functional, data, assert_pruned, told, order
    ):
        others = [K.callbacks.EarlyStopping("loss", patience=0, restore_best_weights=True)]
        if K.__name__ == "keras":
            others.insert(0, K.callbacks.SwapEMAWeights(swap_on_epoch=True))
        pruning = Pruning(Group(4), HALF)
        callbacks = [pruning, *others] if order == "prune first" else [*others, pruning]
        model = functional(K.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9))
        options = dict(epochs=3, validation_data=data, verbose=0, callbacks=callbacks)
        assert told(lambda: model.fit(*data, **options)) == []
        assert_pruned(model, 0.5)


class TestMoreZerosThanReported:
    def test_of_a_constraint(self, functional, data, told):
        model = functional(constraint=lambda w: tf.maximum(w, 0.0))
        fit = lambda: model.fit(*data, epochs=2, verbose=0, callbacks=[Pruning(Group(4), HALF)])
        (text,) = told(fit)
        share = np.mean(model.get_layer("pw").get_weights()[0] == 0)
        assert share > 0.52
        assert f"'pw': 50.0% reported, {share:.1%} of its weights are 0" in text
        assert "'hidden'" not in text

    def test_in_a_loop_of_ones_own_when_the_schedule_ends(self, functional, data, told):
        model = functional()
        pruning = Pruning(Group(4), PolynomialDecay(0.0, 0.5, 0, 3, frequency=1))

        def step():
            kernel = model.get_layer("pw").kernel
            kernel.assign(tf.maximum(tf.convert_to_tensor(kernel), 0.0))
            pruning.after_step(model)

        assert told(step) == told(step) == []
        (text,) = told(step)
        assert "'pw': 50.0% reported" in text
        assert told(step) == []


def test_layers_that_are_built_after_the_first_batch(K, data, told, zeros):
    """They were not there when training began: the next fit prunes them."""

    class Build(K.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.late.build((None, 8))

    class Late(K.Model):
        def __init__(self):
            super().__init__()
            self.parts = [K.layers.Conv2D(8, 1, name=name) for name in "abc"]
            self.pool = K.layers.GlobalAveragePooling2D()
            self.late = K.layers.Dense(8, name="late")
            self.logits = K.layers.Dense(5, name="logits")

        def call(self, x, training=None):
            for part in self.parts:
                x = part(x)
            x = self.pool(x)
            return self.logits(self.late(x) if self.late.built and training else x)

    model = Late()
    model(np.zeros((1, 4, 4, 3), "float32"))
    loss = K.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, jit_compile=False)
    pruning = Pruning(Group(4), HALF, Policy(first_and_last=True))
    fit = lambda *more: model.fit(*data, verbose=0, callbacks=[pruning, *more])
    (text,) = told(lambda: fit(Build()))
    assert "Not pruned are 'late'" in text and "Fit again" in text
    model.compile("sgd", loss, jit_compile=False)
    assert told(fit) == []
    assert zeros(model)["late"] == 0.5


def test_weights_that_get_others_added(K, functional, data, told):
    if K.__name__ == "tf_keras":
        pytest.skip("tf_keras has no LoRA")

    class Adapt(K.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.get_layer("hidden").enable_lora(2)

    callbacks = [Pruning(Group(4), HALF), Adapt()]
    (text,) = told(lambda: functional().fit(*data, verbose=0, callbacks=callbacks))
    assert "masks of 'hidden' are on weights that can't be pruned any more" in text


def test_a_kernel_that_two_layers_share(K, told, zeros):
    """It has one mask, so that their zeros do not add up."""

    class Tied(K.layers.Dense):
        def __init__(self, other):
            super().__init__(other.units, name="tied")
            self.other = other

        def build(self, shape):
            super().build(shape)
            name = "_kernel" if K.__name__ == "keras" else "kernel"
            object.__setattr__(self, name, getattr(self.other, name))

    middle = K.layers.Dense(12, name="middle")
    x = K.Input((12,))
    outputs = Tied(middle)(middle(K.layers.Dense(12)(x)))
    model = K.Model(x, K.layers.Dense(5)(outputs))
    model.compile("sgd", "mse", jit_compile=False)
    data = np.ones((32, 12), "float32"), np.zeros((32, 5), "float32")
    pruning = SET(Group(4), 0.5, update_every=2, fraction=0.0)
    assert told(lambda: model.fit(*data, batch_size=8, verbose=0, callbacks=[pruning])) == []
    assert pruning.sparsity == zeros(model)["middle"] == 0.5
