"""The experiment's network: MobileNet's building block at Fashion-MNIST's size."""

from __future__ import annotations

import keras
from keras import layers

STEM = 32  # output channels of the first convolution
BLOCKS = ((96, 2), (96, 1), (256, 2), (256, 1))  # pointwise output channels, depthwise stride


def build() -> keras.Model:
    """Return the untrained network: images `[n, 28, 28, 1]` in [0, 1] to logits `[n, 10]`.

    A 3x3 stem, then depthwise-separable blocks (MobileNets, Howard et al. 2017, section 3.1), a
    global average and a dense layer: 2.2 M multiply-adds and 0.1 M weights, nearly all of both in
    the 1x1 convolutions. Unlike MobileNet the depthwise half has a bias in place of a
    batch norm: batch norms would be half of the training time on a CPU.
    """
    inputs = keras.Input((28, 28, 1), name="image")
    x = layers.Conv2D(STEM, 3, strides=2, padding="same", use_bias=False, name="stem")(inputs)
    x = _norm_relu(x, "stem")
    for i, (channels, stride) in enumerate(BLOCKS, 1):
        x = layers.DepthwiseConv2D(3, strides=stride, padding="same", name=f"depthwise_{i}")(x)
        x = layers.ReLU(6.0, name=f"depthwise_{i}_relu")(x)
        x = layers.Conv2D(channels, 1, use_bias=False, name=f"pointwise_{i}")(x)
        x = _norm_relu(x, f"pointwise_{i}")
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(inputs, layers.Dense(10, name="logits")(x), name="fashion")


def _norm_relu(x, name: str):
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)
