"""Layers that compute with another kernel than the one that is pruned: said before training."""

import warnings

import numpy as np
import pytest
import tensorflow as tf

import sbnn_tf as sbnn
from sbnn_tf.keras_model import kernels
from sbnn_tf.plan.schedules import OneShot


def _layer(K, way):
    """A convolution of one's own: name of what it does with its kernel."""

    class Own(K.layers.Conv2D):
        def call(self, x):
            kernel = tf.convert_to_tensor(self.kernel)
            if way == "standardized":
                mean, variance = tf.nn.moments(kernel, [0, 1, 2], keepdims=True)
                kernel = (kernel - mean) / tf.sqrt(variance + 1e-5)
            if way == "normalized":
                kernel = tf.math.l2_normalize(kernel, axis=[0, 1, 2])
            made = tf.nn.conv2d(x, kernel, 1, "SAME")
            return made + x if way == "residual" else made

    return Own(8, 3, padding="same", use_bias=False, name="own")


def _model(K, way):
    L = K.layers
    x = inputs = K.Input((6, 6, 8))
    x = _layer(K, way)(L.Conv2D(8, 1, name="first")(x))
    model = K.Model(inputs, L.Conv2D(4, 1, name="last")(x))
    model.compile("sgd", "mse", jit_compile=False)
    return model


def _fit(model):
    data = np.ones((4, 6, 6, 8), "float32"), np.ones((4, 6, 6, 4), "float32")
    model.fit(*data, verbose=0, callbacks=[sbnn.Pruning("group4", OneShot(0.5))])


def _notes(model):
    lines = []
    sbnn.summary(model, print_fn=lines.append)
    return [line for line in lines if "zeros do not stay zeros" in line]


def test_a_standardized_kernel(K):
    model = _model(K, "standardized")
    before = [weight.numpy() for weight in model.weights]
    assert _notes(model)[0].endswith(": own.")
    for weight, value in zip(model.weights, before):
        np.testing.assert_array_equal(weight.numpy(), value)
    with pytest.warns(UserWarning, match="make another kernel .* 'own'"):
        _fit(model)
    assert np.mean(kernels.find(model)[1].value() == 0) == 0.5


@pytest.mark.parametrize("way", ["plain", "normalized", "residual"])
def test_kernels_whose_zeros_stay(K, way):
    model = _model(K, way)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        _fit(model)
    assert not _notes(model)
