"""Sparse from the first step on: how the networks of `rigl` are trained."""

from __future__ import annotations

from collections.abc import Callable

import keras

import sbnn_tf as sbnn
from experiments import training

LAYERS = "block_*"  # what is sparse
UNITS = (160, 160)
EPOCHS, RATE, BATCH = 4, 2e-3, 256
UPDATE_EVERY = 48  # steps: four executions of the train function
STOPS = 0.75  # of the steps: no connection moves any more, no more is pruned


def trained(setting, seed: int, callback: Callable | None = None) -> keras.Model:
    """A multilayer perceptron trained from scratch; the seed sets weights and batches.

    Args:
      setting: `experiments.setting.Setting`.
      callback: takes the steps of all training, returns a Keras callback. Optional.
    """
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    inputs = keras.Input(setting.data.shape)
    x = keras.layers.Flatten()(inputs)
    for i, units in enumerate(UNITS, 1):
        x = keras.layers.Dense(units, activation="relu", name=f"block_{i}")(x)
    model = keras.Model(inputs, keras.layers.Dense(setting.data.classes, name="logits")(x))
    batches = setting.data.train(BATCH, seed)
    callbacks = [callback(EPOCHS * len(batches))] if callback else []
    training.fit(model, batches, EPOCHS, RATE, callbacks)
    return model


def rewiring(kind: Callable, pattern: str, sparsity: float, budget: str, seed: int, **options):
    """`callback` of `trained`: one of sbnn.SET, RigL, HebbianRewiring."""
    return lambda steps: kind(
        pattern,
        sparsity,
        update_every=UPDATE_EVERY,
        end_step=round(STOPS * steps),
        seed=seed,
        policy=sbnn.Policy(LAYERS, first_and_last=True),
        budget=budget,
        rescale=False,  # as it was when the records were made
        **options,
    )
