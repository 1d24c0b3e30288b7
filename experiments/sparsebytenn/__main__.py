"""SparseByteNN's claim: see README.md beside this file. `python -m experiments.sparsebytenn`."""

from __future__ import annotations

import functools

from experiments.experiment import Claim, Experiment, Variant

NETWORK = "mobilenet_v1"
BUDGET = "erk"
PAIRS = ((4, 70), (4, 90), (8, 70), (8, 90))  # (group, percent): rearranged and not


def train(setting, seed: int, group: int, sparsity: float, rearranged: bool):
    """Prunes the seed's dense network, rearranged or not, and fine-tunes it."""
    model, pattern = setting.trained(NETWORK, seed), f"group{group}"
    if rearranged:
        model = setting.rearranged(model, sparsity, pattern, BUDGET)
    return setting.fine_tuned(model, seed, sparsity, pattern, BUDGET, how="at once")


def variant(group: int, percent: int, rearranged: bool, seeds: int = 3) -> Variant:
    words = f"groups of {group}, {percent} %" + ("" if rearranged else ", not rearranged")
    return Variant(
        f"group{group}_{percent}" + ("" if rearranged else "_plain"),
        words,
        NETWORK,
        functools.partial(train, group=group, sparsity=percent / 100, rearranged=rearranged),
        seeds=seeds,
        style="ours" if rearranged else "other",
    )


def variants(matched: dict | None = None) -> list[Variant]:
    dense = functools.partial(train, group=1, sparsity=0.0, rearranged=False)
    return [
        Variant("dense", "dense", NETWORK, dense, seeds=5, style="dense"),
        variant(4, 30, True, seeds=5),
        *(variant(*pair, rearranged) for pair in PAIRS for rearranged in (True, False)),
        variant(4, 50, True),
    ]


def claims(matched: dict | None = None) -> list[Claim]:
    return [
        Claim("30 % zeros against dense: at most 0.22 points lost", "group4_30", "dense", -0.22),
        Claim("30 % zeros against dense: the goal, none lost", "group4_30", "dense"),
        *(
            Claim(
                f"rearranged against not, groups of {group}, {percent} %",
                f"group{group}_{percent}",
                f"group{group}_{percent}_plain",
            )
            for group, percent in PAIRS
        ),
    ]


EXPERIMENT = Experiment(
    "sparsebytenn",
    "SparseByteNN: groups of output channels, whole-network rearrangement",
    variants,
    claims,
)

if __name__ == "__main__":
    EXPERIMENT.main()
