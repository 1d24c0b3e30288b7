"""Rearrangement around layers that mind the order of channels, or have more to permute than a kernel."""

import numpy as np
import pytest

from sbnn_tf.plan.policy import Policy
from sbnn_tf.rearrange import rearrange

POLICY = Policy(first_and_last=True)


def _moved(K, middle, shape=(16,), policy=POLICY):
    """Names of the layers whose outputs a rearrangement moves; those of the network stay in place."""
    L = K.layers
    inputs = K.Input(shape)
    x = L.Dense(16, name="a")(L.Dense(16, name="first")(inputs))
    for layer in middle:
        x = layer(x)
    x = L.Dense(4, name="last")(L.Dense(16, name="b")(x))
    model = K.Model(inputs, x)
    rng = np.random.default_rng(0)
    for weight in model.weights:  # no zeros and no ones, which would hide a mistake
        if "int" not in str(weight.dtype):
            weight.assign(rng.uniform(0.1, 1.0, weight.shape) * rng.choice([-1, 1], weight.shape))
    copy = rearrange(model, "group4", sparsity=0.5, policy=policy, print_fn=None)
    data = rng.normal(size=(3, *shape)).astype("float32")
    before, after = np.asarray(model(data)), np.asarray(copy(data))
    assert np.abs(before - after).max() < 1e-4 * np.abs(before).max()
    biases = {x.name: x.get_weights()[-1] for x in model.layers if isinstance(x, L.Dense)}
    return {
        n for n, b in biases.items() if not np.array_equal(b, copy.get_layer(n).get_weights()[-1])
    }


def test_plain_layers_move(K):
    assert _moved(K, [K.layers.Dense(16, activation="relu", name="c")]) == {"first", "a", "b", "c"}


def test_an_activation_of_ones_own(K):
    scaled = K.utils.register_keras_serializable("test")(_scaled)
    found = _moved(K, [K.layers.Dense(16, activation=scaled, name="c")])
    assert found == {"first", "b"}  # what it reads and makes stays in its order


def _scaled(x):
    return x * np.arange(1.0, 17.0, dtype="float32")


@pytest.mark.parametrize("K", ["tf_keras"], indirect=True)  # Keras 3 does not count its weights
def test_an_activation_with_weights(K):
    activation = K.layers.PReLU(alpha_initializer="random_normal")
    found = _moved(K, [K.layers.Dense(16, activation=activation, name="c")])
    assert found == {"first", "b"}


def test_a_class_that_is_called_like_one_of_keras(K):
    @K.utils.register_keras_serializable("test")
    class Dense(K.layers.Layer):
        def build(self, shape):
            self.weight = self.add_weight(shape=(shape[-1], 16), name="weight")

        def call(self, x):
            return x @ self.weight

    assert _moved(K, [Dense(name="c")]) == {"first", "b"}


@pytest.mark.parametrize("way", ["lora", "int8"])
@pytest.mark.parametrize("K", ["keras"], indirect=True)
def test_a_kernel_that_is_computed(K, way):
    """Its scales, or the matrices that it is split into, are not known to be permuted with it."""

    class Split:
        def __init__(self):
            self.layer = K.layers.Dense(16, name="c")

        def __call__(self, x):
            made = self.layer(x)
            self.layer.enable_lora(2) if way == "lora" else self.layer.quantize("int8")
            return K.layers.Add()([made, x])  # other layers' channels keep step with its own

    assert _moved(K, [Split()]) == {"first", "b"}


def test_attention(K):
    L = K.layers
    attention = L.MultiHeadAttention(2, 4, name="attention")
    policy = Policy(exclude="attention", first_and_last=True)
    found = _moved(K, [lambda x: attention(x, x)], shape=(5, 16), policy=policy)
    assert found == {"first", "b"}


def test_transposed_convolutions_gain(K):
    """Their outputs are the last but one of the axes."""
    L = K.layers
    rng = np.random.default_rng(0)
    model = K.Sequential(
        [
            K.Input((4, 4, 8)),
            L.Conv2DTranspose(32, 3, strides=2, padding="same", name="up"),
            L.Conv2DTranspose(4, 3, padding="same", name="out"),
        ]
    )
    kernel = rng.normal(size=(3, 3, 8, 8)).astype("float32") ** 3
    kernel = np.repeat(kernel, 4, axis=2)[:, :, rng.permutation(32)]  # groups that were hidden
    model.get_layer("up").kernel.assign(kernel + 0.01 * rng.normal(size=kernel.shape))
    lines = []
    copy = rearrange(model, "group4", policy=POLICY, print_fn=lines.append)
    before, after = (float(cell.rstrip("%")) for cell in lines[1].split()[1:3])
    assert lines[1].startswith("up") and before < 95 < 99 < after
    data = rng.normal(size=(2, 4, 4, 8)).astype("float32")
    np.testing.assert_allclose(model(data), copy(data), rtol=1e-3, atol=1e-4)
