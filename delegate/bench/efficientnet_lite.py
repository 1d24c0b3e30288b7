"""EfficientNet-Lite0: EfficientNet-B0's blocks without squeeze-and-excitation, with ReLU6.

After the description of its authors (Liu, "Higher accuracy on vision models with EfficientNet-Lite",
TensorFlow blog, 2020): squeeze-and-excitation is left out, swish becomes ReLU6, and the stem and the
head keep their width at every scale. The block table is that of EfficientNet-B0 (Tan and Le,
"EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019, table 1).
"""

from __future__ import annotations

# kernel, stride, expansion, outputs, repeats
BLOCKS = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
STEM, HEAD, CLASSES = 32, 1280, 1000


def efficientnet_lite0(input_shape: tuple[int, int, int]):
    """A Keras model of it with random weights; its outputs are logits, (batch, 1000)."""
    import keras
    from keras import layers

    def convolution(x, outputs: int, kernel: int, stride: int, act: bool = True):
        x = layers.Conv2D(outputs, kernel, stride, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        return layers.ReLU(6.0)(x) if act else x

    def block(x, kernel: int, stride: int, expansion: int, outputs: int):
        inputs = x.shape[-1]
        y = convolution(x, inputs * expansion, 1, 1) if expansion > 1 else x
        y = layers.DepthwiseConv2D(kernel, stride, padding="same", use_bias=False)(y)
        y = layers.ReLU(6.0)(layers.BatchNormalization()(y))
        y = convolution(y, outputs, 1, 1, act=False)
        return layers.Add()([x, y]) if stride == 1 and inputs == outputs else y

    image = keras.Input(input_shape)
    x = convolution(image, STEM, 3, 2)
    for kernel, stride, expansion, outputs, repeats in BLOCKS:
        for i in range(repeats):
            x = block(x, kernel, stride if i == 0 else 1, expansion, outputs)
    x = convolution(x, HEAD, 1, 1)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(CLASSES)(x), name="efficientnet_lite0")
