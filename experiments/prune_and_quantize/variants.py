"""The networks: dense, narrower, and sparse in groups and in blocks, each trained once for a seed."""

from __future__ import annotations

import functools

from experiments import training
from experiments.experiment import Variant
from experiments.prune_and_quantize.results import timed_as
from experiments.setting import Numbers

NETWORK = "patches"
BUDGET = "erk"
PATTERNS = {"group4": "groups of 4", "block4x4": "blocks of 4x4"}
PERCENT = (30, 50, 75, 90)
WIDTHS = (0.75, 0.5, 0.375)  # of the narrower dense networks
NUMBERS = Numbers(epochs=10, fine_tune_epochs=8, pixels=112)


def train(setting, seed: int, width: float = 1.0):
    """A dense network, trained as long in all as the sparse ones."""
    return _kept(setting, seed, f"dense_{width:g}", lambda: setting.trained(NETWORK, seed, width))


def prune(setting, seed: int, pattern: str, sparsity: float, rearranged: bool):
    """The seed's dense network, rearranged or not, trained further and pruned meanwhile."""

    def start():
        model = setting.trained(NETWORK, seed)
        return setting.rearranged(model, sparsity, pattern, BUDGET) if rearranged else model

    name = f"{pattern}_{sparsity:g}" + ("" if rearranged else "_plain")
    return _kept(setting, seed, name, start, sparsity=sparsity, pattern=pattern, budget=BUDGET)


def untrained(setting, variant: Variant):
    """A network with as many zeros in the same layers as the variant has: right for its latency."""
    model = setting.build(NETWORK, variant.width)
    pattern, _, percent = timed_as(variant.name).rpartition("_")
    if pattern in PATTERNS:
        setting.pruned_untrained(model, int(percent) / 100, pattern, BUDGET)
    return model


def _kept(setting, seed: int, name: str, start, **pruning):
    """What `start` returns, fine-tuned; kept on disk, to be quantized and timed later."""

    def further(model) -> None:
        model.set_weights(start().get_weights())
        setting.fine_tuned(model, seed, **pruning, how="gradually")

    width = float(name.removeprefix("dense_")) if name.startswith("dense_") else 1.0
    return training.pretrained(
        f"{setting.data.name}_{NETWORK}_{name}_{NUMBERS.epochs}_{NUMBERS.fine_tune_epochs}",
        functools.partial(setting.build, NETWORK, width),
        further,
        seed,
    )


def sparse(pattern: str, percent: int, rearranged: bool) -> Variant:
    return Variant(
        f"{pattern}_{percent}" + ("" if rearranged else "_plain"),
        f"{PATTERNS[pattern]}, {percent} %" + ("" if rearranged else ", not rearranged"),
        NETWORK,
        functools.partial(prune, pattern=pattern, sparsity=percent / 100, rearranged=rearranged),
        seeds=5 if percent in (50, 75) else 3,
        style="ours" if rearranged else "other",
    )


def variants() -> list[Variant]:
    return [
        Variant("dense", "dense", NETWORK, train, seeds=5, style="dense"),
        *(
            Variant(
                f"dense_{width:g}",
                f"dense x {width:g}",
                NETWORK,
                functools.partial(train, width=width),
                width,
                seeds=5,
                style="dense",
            )
            for width in WIDTHS
        ),
        *(
            sparse(pattern, percent, rearranged)
            for rearranged in (False, True)
            for pattern in PATTERNS
            for percent in PERCENT
        ),
    ]
