"""SparseByteNN's claim: see README.md beside this file. `python -m experiments.sparsebytenn`."""

from __future__ import annotations

import functools

from experiments.experiment import Claim, Experiment, Variant

NETWORK = "mobilenet_v1"


def train(setting, seed: int, group: int, sparsity: float, rearranged: bool):
    """Fine-tunes the seed's dense network, and prunes it meanwhile."""
    import sbnn_tf as sbnn
    from experiments import networks

    model, pattern = setting.trained(NETWORK, seed), f"group{group}"
    if rearranged:
        policy = sbnn.Policy(networks.PRUNED)
        model = sbnn.rearrange(model, pattern, sparsity=sparsity, policy=policy)
    return setting.fine_tuned(model, seed, sparsity, pattern, budget="erk")


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
        variant(4, 50, True),
        variant(4, 70, True),
        variant(4, 90, True),
        variant(4, 70, False),
        variant(4, 90, False),
        variant(8, 70, True),
        variant(8, 90, True),
    ]


EXPERIMENT = Experiment(
    "sparsebytenn",
    "SparseByteNN: groups of output channels, whole-network rearrangement",
    variants,
    [
        Claim("30 % zeros against dense: at most 0.22 points lost", "group4_30", "dense", -0.22),
        Claim("30 % zeros against dense: the goal, none lost", "group4_30", "dense"),
        *(
            Claim(
                f"rearranged against not, groups of 4, {percent} %",
                f"group4_{percent}",
                f"group4_{percent}_plain",
            )
            for percent in (70, 90)
        ),
    ],
)

if __name__ == "__main__":
    EXPERIMENT.main()
