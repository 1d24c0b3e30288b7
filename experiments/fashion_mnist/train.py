"""How every network of this experiment is trained; the demo and the accuracy run share it."""

from __future__ import annotations

import keras

import sbnn_tf as sbnn
from experiments import training
from experiments.data import Augmented, Split
from experiments.fashion_mnist.model import build

BATCH = 128
GROUP = 4
PRETRAIN_EPOCHS, PRETRAIN_RATE = 8, 3e-3
FINE_TUNE_EPOCHS, FINE_TUNE_RATE = 6, 3e-3
PRUNED_BY = 0.3  # of the fine-tuning steps: the schedule has reached its end

# Each 1x1 layer's share of the zeros, in multiples of the network's sparsity. The early layers are
# small and need their weights; with these numbers all 1x1 weights together have the sparsity named.
BUDGET = {"pointwise_1": 0.0, "pointwise_2": 0.6, "pointwise_3": 0.9, "pointwise_4": 1.14}


def pretrain(train: Split, seed: int, epochs: int = PRETRAIN_EPOCHS, verbose: int = 0):
    """Return a dense network trained from scratch; initial weights and batches follow the seed."""
    keras.utils.set_random_seed(seed)
    model = build()
    training.fit(model, Augmented(train, BATCH, seed), epochs, PRETRAIN_RATE, [], verbose)
    return model


def fine_tune(
    model: keras.Model,
    train: Split,
    seed: int,
    sparsity: float,
    epochs: int = FINE_TUNE_EPOCHS,
    verbose: int = 0,
) -> keras.Model:
    """Return a copy of the network, trained further and pruned to a sparsity (0: stays dense).

    Everything but the pruning is the same for every sparsity: start, batches, rate, epochs.
    """
    tuned = build()
    tuned.set_weights(model.get_weights())
    batches = Augmented(train, BATCH, seed + 1_000_000)  # other batches than in `pretrain`
    callbacks = []
    if sparsity > 0:
        end = round(PRUNED_BY * epochs * len(batches))
        schedule = sbnn.PolynomialDecay(0.0, sparsity, begin_step=0, end_step=end)
        policy = sbnn.Policy(
            include=list(BUDGET),
            sparsity={name: share * sparsity for name, share in BUDGET.items()},
        )
        callbacks.append(sbnn.Pruning(sbnn.Group(GROUP), schedule, policy))
    training.fit(tuned, batches, epochs, FINE_TUNE_RATE, callbacks, verbose)
    return tuned


def accuracy(model: keras.Model, test: Split) -> float:
    """Fraction of the test images that the network classifies right."""
    return training.accuracy(model, test.batches())
