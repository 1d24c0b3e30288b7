"""Rewiring: what is refused, and how it is said."""

import numpy as np
import pytest
import tensorflow as tf

import sbnn_tf as sbnn
from sbnn_tf.train.rewiring import SET, HebbianRewiring, Rewiring, RigL

ALL = sbnn.Policy(first_and_last=True)
# What does not depend on the Keras is tested with one of them.
KERAS = pytest.mark.parametrize("K", ["keras"], indirect=True)
TF_KERAS = pytest.mark.parametrize("K", ["tf_keras"], indirect=True)
KINDS = {"set": SET, "rigl": RigL, "hebbian": HebbianRewiring}


class TestMistakes:
    def fit(self, model, images, callback):
        model.fit(*images, batch_size=16, verbose=0, callbacks=[callback])

    @KERAS
    def test_no_connection_left(self, K, network, images):
        with pytest.raises(
            ValueError,
            match="Sparsity 0.9999 leaves 'conv' without a connection: group4 keeps 4 of its 1152",
        ):
            self.fit(network(), images, SET("group4", 0.9999))
        with pytest.raises(ValueError, match="leaves 'dw' without.*sparsity 0.5556, at least"):
            policy = sbnn.Policy("dw", pattern={"dw": "taps4group4"})
            self.fit(network(), images, SET("group4", 0.9, policy=policy))

    @TF_KERAS
    def test_no_pattern_fits(self, K, network, images):
        policy = sbnn.Policy(["conv", "dw"])
        with pytest.raises(ValueError, match="group4 does not fit 'dw'.*patterns that fit: taps4"):
            self.fit(network(), images, RigL("group4", 0.5, policy=policy))

    @TF_KERAS
    def test_activations_that_no_one_sees(self, K, images):
        L = K.layers
        layers = [L.Conv2D(8, 3), L.SeparableConv2D(8, 3, name="sep"), L.Flatten(), L.Dense(5)]
        model = K.Sequential([K.Input((6, 6, 3)), *layers])
        loss = K.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("sgd", loss, jit_compile=False)
        with pytest.raises(
            ValueError, match="'sep/pointwise' can't be recorded: a SeparableConv2D"
        ):
            self.fit(model, images, HebbianRewiring("group4", 0.5))

    @KERAS
    def test_a_layer_that_is_never_called(self, K, images):
        class Around(K.Model):
            """Uses a layer's kernel, and not the layer."""

            def __init__(self):
                super().__init__()
                self.inner = K.layers.Dense(8, name="inner")
                self.inner.build((None, 108))
                self.outer = K.layers.Dense(5)

            def call(self, x):
                return self.outer(
                    tf.reshape(x, (-1, 108)) @ tf.convert_to_tensor(self.inner.kernel)
                )

        model = Around()
        model(images[0][:1])
        loss = K.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("sgd", loss, jit_compile=False)
        callback = HebbianRewiring(
            "group4", 0.5, update_every=2, end_step=9, policy=sbnn.Policy("inner")
        )
        with pytest.raises(ValueError, match="Step 2: cannot rewire. No activations of 'inner'"):
            self.fit(model, images, callback)

    @pytest.mark.parametrize(
        "K, kind, what",
        [
            ("keras", "hebbian", "correlations of 'conv' are NaN"),
            ("tf_keras", "rigl", "scores of 'conv' are NaN"),
        ],
        indirect=["K"],
    )
    def test_nan(self, K, kind, what):
        layers = [K.layers.Dense(8, name=name) for name in ("stem", "conv", "logits")]
        model = K.Sequential([K.Input((6,)), *layers])
        model.compile("sgd", "mse", jit_compile=False)
        x = np.ones((64, 6), "float32")
        x[40] = np.nan  # the third batch
        callback = KINDS[kind]("group4", 0.5, update_every=3, end_step=99)
        with pytest.raises(ValueError, match=f"Step 3: cannot rewire. .*{what}.*masks stay"):
            model.fit(
                x, np.zeros((64, 8)), batch_size=16, shuffle=False, verbose=0, callbacks=[callback]
            )
        assert callback.sparsity == pytest.approx(0.5, abs=0.01)

    @KERAS
    @pytest.mark.parametrize(
        "rule, what",
        [
            (lambda layer: np.ones(3), r"regrowth rule gave scores of shape \(3,\) for 'conv'"),
            (lambda layer: -np.ones(layer.weights.shape), "regrowth scores of 'conv' are NaN"),
            (
                lambda layer: layer.gradient,
                "looks at the gradient of 'conv', which is not gathered",
            ),
        ],
    )
    def test_a_bad_rule(self, K, network, images, rule, what):
        callback = Rewiring("group4", 0.5, rule, update_every=2, end_step=9)
        with pytest.raises(ValueError, match=what):
            self.fit(network(), images, callback)

    def test_bad_arguments(self):
        for options, error, what in (
            ({"sparsity": 0.0}, ValueError, "sparsity must be above 0"),
            ({"sparsity": 1.0}, ValueError, r"sparsity must be in \[0, 1\)"),
            ({"update_every": 0}, ValueError, "update_every must be 1 or more"),
            ({"fraction": 1.5}, ValueError, r"fraction must be in \[0, 1\)"),
            ({"window": "all"}, TypeError, "window must be a number of training batches"),
            ({"gathers": ["hessian"]}, ValueError, "gathers: expected some of"),
            ({"regrow": "random"}, TypeError, "regrow must be a function of a LayerState"),
        ):
            options = {"pattern": "group4", "sparsity": 0.5, "regrow": np.abs, **options}
            with pytest.raises(error, match=what):
                Rewiring(**options)


@TF_KERAS
def test_state_of_another_seed(K, network, images, tmp_path):
    path = tmp_path / "state.npz"
    model = network()
    model.fit(*images, verbose=0, callbacks=[SET("group4", 0.5, state=path)])
    with pytest.raises(ValueError, match="another model or score.*seed 0.*seed 1"):
        model.fit(*images, verbose=0, callbacks=[SET("group4", 0.5, state=path, seed=1)])
