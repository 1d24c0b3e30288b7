"""A vision transformer and an MLP-Mixer of Keras' own layers, as a user would write them.

Tokens are patches of 16 x 16 pixels. The transformer has the width and the heads of DeiT-Ti (Touvron
et al., "Training data-efficient image transformers", ICML 2021, table 1), the mixer the arrangement
of Tolstikhin et al., "MLP-Mixer: An all-MLP Architecture for Vision" (NeurIPS 2021, figure 1); both
have half of the blocks, or fewer.
"""

from __future__ import annotations

PATCH, BLOCKS, CLASSES = 16, 6, 1000
WIDTH, HEADS, EXPANSION = 192, 3, 4  # of the transformer
MIXER_WIDTH, MIXER_TOKENS, MIXER_CHANNELS = 256, 128, 1024  # the latter are of hidden layers


def vit(input_shape: tuple[int, int, int]):
    """A Keras model with random weights; its outputs are logits, (batch, 1000)."""
    import keras
    from keras import layers

    class ClassToken(layers.Layer):
        """Puts a token of its own before the others, and adds where each of them is."""

        def build(self, shape):
            self.token = self.add_weight(shape=(1, 1, shape[2]), name="token")
            self.places = self.add_weight(shape=(1, shape[1] + 1, shape[2]), name="places")

        def call(self, x):
            token = keras.ops.broadcast_to(self.token, (keras.ops.shape(x)[0], 1, x.shape[2]))
            return keras.ops.concatenate([token, x], 1) + self.places

    image, x = _patches(input_shape, WIDTH)
    x = ClassToken()(x)
    for _ in range(BLOCKS):
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        x = layers.Add()([x, layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(y, y)])
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        x = layers.Add()([x, _mlp(y, EXPANSION * WIDTH)])
    x = layers.LayerNormalization(epsilon=1e-6)(x)
    return keras.Model(image, layers.Dense(CLASSES)(x[:, 0]))


def mlp_mixer(input_shape: tuple[int, int, int]):
    """A Keras model with random weights; its outputs are logits, (batch, 1000)."""
    import keras
    from keras import layers

    image, x = _patches(input_shape, MIXER_WIDTH)
    for _ in range(BLOCKS):
        y = layers.Permute((2, 1))(layers.LayerNormalization(epsilon=1e-6)(x))
        x = layers.Add()([x, layers.Permute((2, 1))(_mlp(y, MIXER_TOKENS))])
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        x = layers.Add()([x, _mlp(y, MIXER_CHANNELS)])
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization(epsilon=1e-6)(x))
    return keras.Model(image, layers.Dense(CLASSES)(x))


def _patches(input_shape: tuple[int, int, int], width: int):
    import keras
    from keras import layers

    image = keras.Input(input_shape)
    x = layers.Conv2D(width, PATCH, strides=PATCH)(image)
    return image, layers.Reshape((x.shape[1] * x.shape[2], width))(x)


def _mlp(x, hidden: int):
    from keras import layers

    return layers.Dense(x.shape[-1])(layers.Dense(hidden, activation="gelu")(x))
