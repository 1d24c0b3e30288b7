"""PCONV's claim: see README.md beside this file. `python -m experiments.pconv`."""

from __future__ import annotations

import functools

from experiments import latency
from experiments.experiment import Claim, Experiment, Variant

NETWORK = "resnet"
PATTERN = "kernel4x8"  # four output channels share a pattern, as the engine runs it fast
PAPERS = "kernel4x8group1"  # each kernel has its own
LONGER = 1.25  # times as many epochs of fine-tuning as in the other experiments
SPARSITIES = {"taps": 5 / 9, "connectivity_75": 0.75, "connectivity_88": 0.88}
TITLES = {
    "taps": "4 of 9 taps",
    "connectivity_75": "4 of 9 taps, connectivity to 75 %",
    "connectivity_88": "4 of 9 taps, connectivity to 88 %",
}
FROM_FAST = [
    n / 100 for n in range(99, 9, -1)
]  # sparsities of the unstructured ones to choose from


def match(setting) -> dict:
    """For each pruned network, the sparsity at which an unstructured one is as slow."""
    pixels = setting.numbers.pixels

    def cost(sparsity: float, pattern: str = "unstructured") -> float:
        model = setting.pruned_untrained(setting.build(NETWORK), sparsity, pattern)
        return latency.sparse_ms(setting.tflite(model, NETWORK, 1.0, pixels))

    return {
        name: latency.as_slow(cost(sparsity, PATTERN), FROM_FAST, cost)
        for name, sparsity in SPARSITIES.items()
    }


def train(setting, seed: int, sparsity: float = 0.0, pattern: str = PAPERS):
    """The seed's dense network, trained further and pruned meanwhile."""
    model = setting.trained(NETWORK, seed)
    if pattern == PATTERN:
        model = setting.rearranged(model, sparsity, pattern)
    return setting.fine_tuned(model, seed, sparsity, pattern, how="ADMM", longer=LONGER)


def variants(matched: dict) -> list[Variant]:
    papers = functools.partial(train, sparsity=SPARSITIES["taps"])
    found = [
        Variant("dense", "dense", NETWORK, train, style="dense"),
        Variant("taps_each", "4 of 9 taps, each kernel its own", NETWORK, papers),
    ]
    for name, sparsity in SPARSITIES.items():
        other = matched[name]["chosen"]
        ours = functools.partial(train, sparsity=sparsity, pattern=PATTERN)
        theirs = functools.partial(train, sparsity=other, pattern="unstructured")
        found += [
            Variant(name, TITLES[name], NETWORK, ours),
            Variant(
                f"unstructured_{name}", f"unstructured, {other:.0%}", NETWORK, theirs, style="other"
            ),
        ]
    return found


def claims(matched: dict) -> list[Claim]:
    return [
        Claim("4 of 9 taps, each kernel its own, against dense: none lost", "taps_each", "dense"),
        Claim("4 of 9 taps against dense: none lost", "taps", "dense"),
        *(
            Claim(
                f"{TITLES[name]}, against unstructured of the same latency",
                name,
                f"unstructured_{name}",
            )
            for name in SPARSITIES
        ),
    ]


EXPERIMENT = Experiment(
    "pconv",
    "PCONV: 4-of-9 tap patterns and connectivity, against unstructured zeros",
    variants,
    claims,
    match,
)

if __name__ == "__main__":
    EXPERIMENT.main()
