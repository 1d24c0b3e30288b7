"""One data set with the numbers of training on it; trains and fine-tunes the networks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

import sbnn_tf as sbnn
from experiments import data, networks, training

OTHER_BATCHES = 1_000_000  # added to the seed: fine-tuning sees other batches than training
PRUNED_BY = 0.5  # of the fine-tuning steps: what is pruned gradually has all its zeros
MASKED_FROM = 1 / 3  # of the fine-tuning steps: what ADMM has drawn to the pattern is pruned to it


@dataclasses.dataclass(frozen=True)
class Numbers:
    """How long and how fast to train.

    Attributes:
      epochs: from scratch.
      fine_tune_epochs: after that, with or without pruning.
      pixels: height and width of the image that latency is measured with.
      batch: images of a training step.
      rate: Adam's, at the first step of either phase.
    """

    epochs: int
    fine_tune_epochs: int
    pixels: int
    batch: int = 128
    rate: float = 3e-3


NUMBERS = {
    "fashion_mnist": Numbers(6, 4, 112),
    "cifar10": Numbers(60, 40, 128),
    "cifar100": Numbers(60, 40, 128),
    "imagenet": Numbers(90, 45, 224, batch=256, rate=1e-3),
}


class Setting:
    """A data set, by name (`data.NAMES`), and what is done with it.

    Args:
      name: of the data set.
      folder: where its files are; None: the usual place.
      numbers: of training; None: those of the data set.

    Raises:
      SystemExit: the data is not there.
    """

    def __init__(self, name: str, folder: Path | None = None, numbers: Numbers | None = None):
        self.data = data.get(name, folder)
        self.numbers = numbers or NUMBERS[name]

    def build(self, network: str, width: float = 1.0, pixels: int | None = None) -> keras.Model:
        """An untrained network of `networks.NETWORKS`, the same at every number of pixels."""
        height, _, channels = self.data.shape
        shape = (pixels or height, pixels or height, channels)
        full = self.data.name == "imagenet"
        return networks.NETWORKS[network](shape, self.data.classes, width, full)

    def trained(self, network: str, seed: int, width: float = 1.0) -> keras.Model:
        """A dense network from scratch; kept on disk for the other variants of the seed."""
        n = self.numbers
        return training.pretrained(
            f"{self.data.name}_{network}_{width:g}_{n.epochs}",
            lambda: self.build(network, width),
            lambda model: training.fit(model, self.data.train(n.batch, seed), n.epochs, n.rate),
            seed,
        )

    def fine_tuned(
        self,
        model: keras.Model,
        seed: int,
        sparsity: float = 0.0,
        pattern: sbnn.Pattern | str = "group4",
        budget: sbnn.Budget | str = "uniform",
        how: str = "gradually",
        longer: float = 1.0,
    ) -> keras.Model:
        """Trains a network further, and prunes it meanwhile (sparsity 0: does not); returns it.

        Args:
          model: changed in place.
          seed: of the batches, with `OTHER_BATCHES`.
          sparsity, pattern, budget: as for `sbnn.Pruning`.
          how: "gradually", "at once" (before the first step) or by "ADMM".
          longer: factor of the epochs.
        """
        n = self.numbers
        batches = self.data.train(n.batch, seed + OTHER_BATCHES)
        epochs = round(longer * n.fine_tune_epochs)
        callbacks = []
        if sparsity:
            steps, policy = epochs * len(batches), sbnn.Policy(networks.PRUNED)
            if how == "ADMM":
                begin = round(MASKED_FROM * steps)
                pruning = sbnn.ADMM(pattern, sparsity, begin, policy=policy, budget=budget)
            else:
                end = round(PRUNED_BY * steps)
                gradual = sbnn.PolynomialDecay(0.0, sparsity, begin_step=0, end_step=end)
                schedule = {"gradually": gradual, "at once": sbnn.OneShot(sparsity)}[how]
                pruning = sbnn.Pruning(pattern, schedule, policy, budget=budget)
            callbacks.append(pruning)
        training.fit(model, batches, epochs, n.rate, callbacks)
        return model

    def rearranged(
        self,
        model: keras.Model,
        sparsity: float,
        pattern: sbnn.Pattern | str,
        budget: sbnn.Budget | str = "uniform",
        print_fn: Callable[[str], Any] | None = print,
    ) -> keras.Model:
        """The network with its channels in a better order; arguments as of `sbnn.rearrange`."""
        copy = keras.models.clone_model(model, clone_function=networks.plain)
        copy.set_weights(model.get_weights())
        policy = sbnn.Policy(networks.PRUNED)
        options = {"policy": policy, "budget": budget, "print_fn": print_fn}
        copy = sbnn.rearrange(copy, pattern, sparsity=sparsity, **options)
        model.set_weights(copy.get_weights())
        return model

    def pruned_untrained(
        self,
        model: keras.Model,
        sparsity: float,
        pattern: sbnn.Pattern | str,
        budget: sbnn.Budget | str = "uniform",
    ) -> keras.Model:
        """The network with the zeros that `fine_tuned` would give it: right for its latency."""
        schedule = sbnn.ConstantSparsity(sparsity, 0)
        policy = sbnn.Policy(networks.PRUNED)
        sbnn.Pruning(pattern, schedule, policy, budget=budget).after_step(model)
        return model

    def accuracy(self, model: keras.Model) -> float:
        """Fraction of the test images that a network classifies right."""
        return training.accuracy(model, self.data.test())

    def tflite(self, model: keras.Model, network: str, width: float, pixels: int) -> bytes:
        """A trained network at another number of pixels, in TensorFlow Lite's format."""
        if pixels == self.data.shape[0]:
            return sbnn.convert(model)
        resized = self.build(network, width, pixels)
        resized.set_weights(model.get_weights())
        return sbnn.convert(resized)
