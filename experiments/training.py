"""How the networks of all experiments are trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import keras

FOLDER = Path("build/experiments")


def fit(model: keras.Model, batches, epochs: int, rate: float, callbacks=(), verbose=2) -> None:
    """Adam, its rate falling to zero along a cosine; the last weights are the result.

    Args:
      model: built; it is compiled here.
      batches: what `Data.train` returns.
      epochs: at least 1.
      rate: the learning rate at the first step.
      callbacks: Keras callbacks.
      verbose: as in `keras.Model.fit`.
    """
    decay = keras.optimizers.schedules.CosineDecay(rate, epochs * len(batches))
    model.compile(
        optimizer=keras.optimizers.Adam(decay),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,  # XLA on CPU is slow on depthwise convolutions
        steps_per_execution=12,
    )
    model.fit(batches, epochs=epochs, shuffle=False, callbacks=list(callbacks), verbose=verbose)


def accuracy(model: keras.Model, batches: Iterable) -> float:
    """Fraction of the images that the network classifies right."""
    right = count = 0
    for images, labels in batches:
        right += int((model.predict_on_batch(images).argmax(axis=1) == labels).sum())
        count += len(labels)
    return right / count


def pretrained(
    name: str, build: Callable[[], keras.Model], train: Callable[[keras.Model], None], seed: int
) -> keras.Model:
    """A network trained from weights that the seed sets; kept in a file, and read from it later.

    Args:
      name: of the file; must tell apart whatever differs in `build` and `train`.
      build: makes the untrained network.
      train: trains it in place.
      seed: of the initial weights.
    """
    path = FOLDER / f"{name}_seed{seed}.weights.h5"
    keras.utils.set_random_seed(seed)
    model = build()
    if path.exists():
        model.load_weights(path)
        return model
    train(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"part_{path.name}")
    model.save_weights(part)
    part.replace(path)
    return model
