"""Small and full-size networks of the papers: MobileNet v1 and v2, and a ResNet of 3x3 kernels; and
a small one of no paper.

Small is for images of 28 to 32 pixels and a million multiply-adds (the ResNet: three), so that a
core trains an epoch of Fashion-MNIST in ten to twenty seconds; most of its work is in wide 1x1 or
3x3 layers, as in the full one. Full is the published one.

What may be pruned is named `block_*`: the 1x1 kernels of the MobileNets, the 3x3 kernels of the
ResNet, both of the last one. The first and the last layer, depthwise kernels and shortcuts have other names.
"""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import layers

PRUNED = "block_*"

# Width 1 has so many channels behind the first layer; blocks are (channels, stride).
V1_SMALL = (24, ((48, 2), (96, 2), (192, 1), (192, 1)))
V1_FULL = (
    32,
    ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *5 * ((512, 1),), (1024, 2))
    + ((1024, 1),),
)
# (expansion, channels, stride); the last number is the channels of the last 1x1 layer.
V2_SMALL = (20, ((1, 32, 2), (3, 64, 2), (4, 64, 1)), 256)
V2_FULL = (
    32,
    ((1, 16, 1), (6, 24, 2), (6, 24, 1), (6, 32, 2), *2 * ((6, 32, 1),))
    + ((6, 64, 2), *3 * ((6, 64, 1),), *3 * ((6, 96, 1),))
    + ((6, 160, 2), *2 * ((6, 160, 1),), (6, 320, 1)),
    1280,
)
# Three million multiply-adds: a network with more weights than it needs, as the paper's have.
RESNET_SMALL = (32, ((40, 2), (64, 2), (96, 2)))
RESNET_FULL = (64, tuple((64 * 2**i, 1 + (i > 0 and not j)) for i in range(4) for j in range(2)))
# (channels, window, stride), behind patches of 7x7 pixels.
PATCHES_SMALL = (32, ((64, 1, 1), (96, 3, 2), (128, 1, 1), (192, 1, 1)))


class BatchNormalization(layers.BatchNormalization):
    """The same function as Keras 3's; in training it is one fused kernel, which takes 0.4 of the time."""

    def call(self, inputs, training=None, mask=None):
        if not training:
            return super().call(inputs, training=False, mask=mask)
        outputs, mean, variance, *_ = tf.compat.v1.nn.fused_batch_norm(
            inputs, self.gamma, self.beta, epsilon=self.epsilon
        )
        for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + new * (1.0 - self.momentum))
        return outputs


def plain(layer: layers.Layer) -> layers.Layer:
    """The same layer, of Keras's own class: `sbnn.rearrange` leaves alone what it does not know."""
    kind = layers.BatchNormalization if isinstance(layer, BatchNormalization) else type(layer)
    return kind.from_config(layer.get_config())


def mobilenet_v1(shape, classes: int, width: float, full: bool) -> keras.Model:
    """MobileNet (Howard et al. 2017): images `[n, *shape]` in [0, 1] to logits `[n, classes]`.

    Args:
      shape: (height, width, channels) of an image.
      classes: of the labels.
      width: factor of all numbers of channels.
      full: the published network, not the small one.

    The small one has a bias in place of the depthwise batch norms, which would take half of the
    time to train.
    """
    stem, blocks = V1_FULL if full else V1_SMALL
    inputs = keras.Input(shape, name="image")
    x = _stem(inputs, _scaled(stem, width))
    for i, (channels, stride) in enumerate(blocks, 1):
        x = _depthwise(x, stride, f"depthwise_{i}", full)
        x = _pointwise(x, _scaled(channels, width), f"block_{i}")
        x = layers.ReLU(6.0, name=f"relu_{i}")(x)
    return _classifier(inputs, x, classes, "mobilenet_v1")


def mobilenet_v2(shape, classes: int, width: float, full: bool) -> keras.Model:
    """MobileNetV2 (Sandler et al. 2018); arguments and result as of `mobilenet_v1`."""
    stem, blocks, head = V2_FULL if full else V2_SMALL
    inputs = keras.Input(shape, name="image")
    x = _stem(inputs, _scaled(stem, width))
    for i, (expansion, channels, stride) in enumerate(blocks, 1):
        start, channels = x, _scaled(channels, width)
        if expansion > 1:
            x = _pointwise(x, expansion * x.shape[-1], f"block_{i}_expand")
            x = layers.ReLU(6.0, name=f"relu_{i}")(x)
        x = _depthwise(x, stride, f"depthwise_{i}", full)
        x = _pointwise(x, channels, f"block_{i}_project")
        if stride == 1 and start.shape[-1] == channels:
            x = layers.Add(name=f"add_{i}")([start, x])
    x = _pointwise(x, _scaled(head, max(width, 1.0) if full else width), "block_head")
    x = layers.ReLU(6.0, name="head_relu")(x)
    return _classifier(inputs, x, classes, "mobilenet_v2")


def resnet(shape, classes: int, width: float, full: bool) -> keras.Model:
    """ResNet of basic blocks (He et al. 2015; full: ResNet-18); otherwise as `mobilenet_v1`."""
    stem, blocks = RESNET_FULL if full else RESNET_SMALL
    inputs = keras.Input(shape, name="image")
    x = _stem(inputs, _scaled(stem, width), 7 if full else 3)
    if full:
        x = layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(x)
    for i, (channels, stride) in enumerate(blocks, 1):
        channels, start = _scaled(channels, width), x
        x = _normed(x, channels, 3, f"block_{i}_1", stride)
        x = layers.ReLU(name=f"relu_{i}")(x)
        x = _normed(x, channels, 3, f"block_{i}_2")
        if stride > 1 or start.shape[-1] != channels:
            start = _normed(start, channels, 1, f"shortcut_{i}", stride)
        x = layers.ReLU(name=f"add_{i}_relu")(layers.Add(name=f"add_{i}")([start, x]))
    return _classifier(inputs, x, classes, "resnet")


def patches(shape, classes: int, width: float, full: bool) -> keras.Model:
    """Convolutions of 1x1 and 3x3 behind a stem of patches; arguments and result as of `mobilenet_v1`.

    0.4 million multiply-adds. Without depthwise kernels, which take most of the time to train.

    Raises:
      SystemExit: `full`: nobody has published it.
    """
    if full:
        raise SystemExit("patches: there is no full-size network of this name")
    stem, blocks = PATCHES_SMALL
    inputs = keras.Input(shape, name="image")
    x = _stem(inputs, _scaled(stem, width), 7, 7)
    for i, (channels, window, stride) in enumerate(blocks, 1):
        x = _normed(x, _scaled(channels, width), window, f"block_{i}", stride)
        x = layers.ReLU(6.0, name=f"relu_{i}")(x)
    return _classifier(inputs, x, classes, "patches")


NETWORKS = {
    "mobilenet_v1": mobilenet_v1,
    "mobilenet_v2": mobilenet_v2,
    "resnet": resnet,
    "patches": patches,
}


def _scaled(channels: int, width: float) -> int:
    return max(round(channels * width), 1)


def _stem(x, channels: int, size: int = 3, stride: int = 2):
    return layers.ReLU(6.0, name="stem_relu")(_normed(x, channels, size, "stem", stride))


def _normed(x, channels: int, size: int, name: str, stride: int = 1):
    x = layers.Conv2D(channels, size, stride, padding="same", use_bias=False, name=name)(x)
    return BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)


def _pointwise(x, channels: int, name: str):
    return _normed(x, channels, 1, name)


def _depthwise(x, stride: int, name: str, norm: bool):
    x = layers.DepthwiseConv2D(3, stride, padding="same", use_bias=not norm, name=name)(x)
    if norm:
        x = BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)


def _classifier(inputs, x, classes: int, name: str) -> keras.Model:
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(inputs, layers.Dense(classes, name="logits")(x), name=name)
