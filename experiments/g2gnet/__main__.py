"""G2GNet's claim: see README.md beside this file. `python -m experiments.g2gnet`."""

from __future__ import annotations

import functools
import itertools

from experiments.experiment import Claim, Experiment, Variant
from experiments.g2gnet.networks import NETWORKS, Regime, last_epochs
from experiments.g2gnet.picture import draw

REGIMES = [
    Regime(share, epochs, augmented)
    for share, epochs, augmented in itertools.product((0.1, 1.0), (20, 60), (False, True))
]


def variants(matched: dict | None = None) -> list[Variant]:
    return [
        Variant(
            f"{regime.name}_{name}",
            f"{regime.title}: {network.title}",
            "",
            functools.partial(network.train, regime=regime),
            seeds=5,
            style="dense" if network.connections is None else "ours",
            accuracy=last_epochs,
        )
        for regime in REGIMES
        for name, network in NETWORKS.items()
    ]


def claims(matched: dict | None = None) -> list[Claim]:
    """Each sparse network against the dense one, that of its parameters, and its random graph."""
    found = []
    for regime, (name, network) in itertools.product(REGIMES, NETWORKS.items()):
        if network.connections is None:
            continue
        prefix = "cnn_" if name.startswith("cnn_") else ""
        others = [f"{prefix}dense"] if prefix else ["dense", "narrow"]
        if "erdos_renyi" not in name and "_50" not in name and "_90" not in name:
            others.append(f"{prefix}erdos_renyi" + (f"_{network.rule}" if network.rule else ""))
        if network.rule:
            others.append(name.removesuffix(f"_{network.rule}"))
        found += [
            Claim(
                f"{regime.title}: {network.title}, against {NETWORKS[other].title}",
                f"{regime.name}_{name}",
                f"{regime.name}_{other}",
            )
            for other in others
        ]
    return found


EXPERIMENT = Experiment(
    "g2gnet",
    "Units connected group to group, from scratch",
    variants,
    claims,
    resized=False,
    draw=draw,
)

if __name__ == "__main__":
    EXPERIMENT.main()
