"""Sparse from the first step on: how the networks of `g2gnet` and `rigl` are trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import keras

import sbnn_tf as sbnn
from experiments import training

LAYERS = "block_*"  # what is sparse
UPDATE_EVERY = 48  # steps: four executions of the train function
STOPS = 0.75  # of the steps: no connection moves any more, no more is pruned


@dataclasses.dataclass(frozen=True)
class Network:
    """A network of `sbnn_tf.topology`, with the numbers of training it.

    Attributes:
      build: `build(density, widths, seed)` makes it; density None is dense.
      widths: of its layers that are not the last, for full width.
      cost: `cost(widths, density)` counts its multiply-adds.
    """

    build: Callable
    widths: tuple[int, ...]
    cost: Callable
    epochs: int
    rate: float
    batch: int = 256

    def narrow(self, density: float) -> tuple[int, ...]:
        """Widths of the dense network that costs what the full one does at this density."""
        asked = self.cost(self.widths, density)
        sizes = [
            tuple(max(1, round(w * percent / 1000)) for w in self.widths)
            for percent in range(1, 1001)
        ]
        return min(sizes, key=lambda widths: abs(self.cost(widths, 1.0) - asked))

    def trained(self, setting, seed: int, density=None, widths=None, callback=None) -> keras.Model:
        """A network trained from scratch; the seed sets weights, ensembles' edges and batches.

        Args:
          setting: `experiments.setting.Setting`.
          density: of the edges between ensembles; None connects everything.
          widths: default full.
          callback: takes the steps of all training, returns a Keras callback. Optional.
        """
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed)
        model = self.build(density, widths or self.widths, seed)
        batches = setting.data.train(self.batch, seed)
        callbacks = [callback(self.epochs * len(batches))] if callback else []
        training.fit(model, batches, self.epochs, self.rate, callbacks)
        return model


def _mlp(density, widths, seed):
    return sbnn.topology.g2gnet_mlp(density, widths, seed=seed)


def _mlp_cost(widths, density):
    sizes = (784, *widths)
    return density * sum(a * b for a, b in zip(sizes, sizes[1:])) + 10 * sizes[-1]


def _cnn(density, widths, seed):
    return sbnn.topology.g2gnet_cnn(density, widths[1:], stem=widths[0], seed=seed)


def _cnn_cost(widths, density):
    stem, first, second = widths
    blocks = 9 * stem * first * 16 + 9 * first * second * 4
    return 16 * stem * 49 + density * blocks + 10 * second


MLP = Network(_mlp, (160, 160), _mlp_cost, epochs=4, rate=2e-3)
CNN = Network(_cnn, (24, 40, 80), _cnn_cost, epochs=2, rate=5e-3)


def rewiring(kind: Callable, pattern: str, sparsity: float, budget: str, seed: int, **options):
    """`callback` of `Network.trained`: one of sbnn.SET, RigL, HebbianRewiring."""
    return lambda steps: kind(
        pattern,
        sparsity,
        update_every=UPDATE_EVERY,
        end_step=round(STOPS * steps),
        seed=seed,
        policy=sbnn.Policy(LAYERS, first_and_last=True),
        budget=budget,
        **options,
    )
