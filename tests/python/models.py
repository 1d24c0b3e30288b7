"""Networks for tests whose outputs depend on their inputs, and stock interpreters to run them.

A `tf.keras.applications` network with random weights and untouched batch norms is dead: its
logits hardly change with its input, and comparing outputs shows nothing.
"""

from __future__ import annotations

import numpy as np


def live_model(name: str, input_shape: tuple[int, int, int], seed: int = 0, **options):
    """A Keras application with random weights and batch norms set for them, without softmax.

    Args:
      name: a class of `tf.keras.applications`, such as "MobileNet".
      input_shape: (height, width, channels).
      seed: of weights and data.
      **options: for the class, such as `alpha`.

    Returns:
      The model; it was checked that two inputs give clearly different logits.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    model = getattr(tf.keras.applications, name)(
        weights=None, input_shape=input_shape, classifier_activation=None, **options
    )
    bring_to_life(model, seed)
    return model


def bring_to_life(model, seed: int = 0) -> None:
    """Set the batch norms by one training-mode pass over noise, and check that it worked."""
    rng = np.random.default_rng(seed)
    batch = rng.uniform(-1, 1, (8, *model.input_shape[1:])).astype(np.float32)
    norms = [layer for layer in model.layers if hasattr(layer, "momentum")]
    momenta = [layer.momentum for layer in norms]
    for layer in norms:
        # gamma and beta too: at 1 and 0 an error in their folding would not show.
        layer.gamma.assign(rng.uniform(0.5, 1.5, layer.gamma.shape))
        layer.beta.assign(rng.uniform(-0.3, 0.5, layer.beta.shape))
        layer.momentum = 0.0
    model(batch, training=True)
    for layer, momentum in zip(norms, momenta):
        layer.momentum = momentum
    first, second = np.asarray(model(batch[:2], training=False)).reshape(2, -1)
    assert np.isfinite(first).all()
    spread = np.abs(first - second).max() / np.abs(first).max()
    assert spread > 0.05, f"two inputs give nearly the same outputs ({spread:.1e})"
