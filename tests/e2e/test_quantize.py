"""Prune and quantize whole networks: exact zeros, and the delegate's bits are TensorFlow Lite's."""

from __future__ import annotations

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf.convert import densify, flatbuffer
from sbnn_tf.convert.kept_zeros import filters_of
from tests.python.convert.flat import ops


def data(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


def assert_exact(floats: bytes, quantized: bytes) -> None:
    """All zeros of the filters stay, all is int8, and the delegate gives the bits of stock."""
    before, after = (filters_of(flatbuffer.read(densify(m))) for m in (floats, quantized))
    assert [f.values.shape for f in before] == [f.values.shape for f in after]
    assert {f.values.dtype for f in after} == {np.dtype(np.int8)}
    for a, b in zip(before, after):
        assert not b.values[a.values == 0].any(), a.name
        if np.mean(a.values == 0) > 0.2:  # it was pruned: few others are rounded to zero
            assert np.sum((a.values != 0) & (b.values == 0)) <= 2 + 0.02 * a.values.size, a.name
    found = sbnn.verify(quantized, quantized, delegate=True, tolerance=0, runs=2)
    assert found.within, found


@pytest.mark.parametrize("name", ["MobileNet", "MobileNetV2", "MobileNetV3Small", "EfficientNetB0"])
def test_applications(application, name):
    network = application(name)
    size = 64 if name == "MobileNet" else 32
    # MobileNet-v3 and EfficientNet scale pixels themselves.
    images = data(8, size, size, 3) * (1 if name in ("MobileNet", "MobileNetV2") else 255)
    floats = sbnn.convert(network, prune=0.5)
    quantized = sbnn.convert(floats, quantize="int8", representative_dataset=images, verbose=0)
    assert_exact(floats, quantized)
    assert "DENSIFY" in ops(quantized)
    assert len(quantized) < 0.6 * len(floats)


def residual(keras):
    """Convolutions of every kind around a sum, layers inside of an own layer, two inputs."""

    class Block(keras.layers.Layer):
        def __init__(self, channels: int, **options):
            super().__init__(**options)
            self.wide = keras.layers.Conv2D(channels, 3, padding="same", activation="relu")
            self.deep = keras.layers.DepthwiseConv2D(5, padding="same")
            self.point = keras.layers.Conv2D(channels, 1)

        def build(self, shape):
            for layer in (self.wide, self.deep, self.point):
                layer.build(shape)
            self.built = True

        def call(self, x):
            return keras.ops.relu(x + self.point(self.deep(self.wide(x))))

    keras.utils.set_random_seed(0)
    layers = keras.layers
    image, age = keras.Input((12, 12, 3), name="image"), keras.Input((4,), name="age")
    x = layers.Conv2D(32, 3, strides=2, padding="same")(image)
    x = Block(32, name="block")(x)
    x = layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Concatenate()([x, layers.Dense(16, activation="relu")(age)])
    x = layers.Dense(32, activation="relu", name="hidden")(x)
    return keras.Model([image, age], layers.Dense(5)(x))


def test_own_layers_and_two_inputs():
    keras = pytest.importorskip("keras")
    model = residual(keras)
    pruning = sbnn.Pruning("auto", sbnn.OneShot(0.5))
    pruning.after_step(model)
    samples = {"image": data(8, 12, 12, 3), "age": data(8, 4)}
    floats = sbnn.convert(model)
    quantized = sbnn.convert(model, quantize="int8", representative_dataset=samples, verbose=0)
    assert_exact(floats, quantized)
    pruned = [
        f for f in filters_of(flatbuffer.read(densify(quantized))) if np.mean(f.values == 0) > 0.4
    ]
    assert len(pruned) >= 3
