"""G2GNet's claim: see README.md beside this file. `python -m experiments.g2gnet`."""

from __future__ import annotations

import functools

from experiments.experiment import Claim, Experiment, Variant
from experiments.g2gnet.picture import draw

NETWORKS = {"mlp": "MLP", "cnn": "CNN"}
PERCENT = (50, 75, 90)
METHODS = {
    "static": "static modular",
    "set": "+ SET",
    "rigl": "+ RigL",
    "hebbian": "+ Hebbian",
}


def train(setting, seed: int, network: str, percent: int = 0, method: str = "dense"):
    """One network from scratch: dense, dense and narrow ("cost"), or connected by ensembles."""
    import sbnn_tf as sbnn
    from experiments import from_scratch

    net = getattr(from_scratch, network.upper())
    density = 1 - percent / 100
    if method == "dense":
        return net.trained(setting, seed)
    if method == "cost":
        return net.trained(setting, seed, widths=net.narrow(density))
    kind = {"rigl": sbnn.RigL, "hebbian": sbnn.HebbianRewiring}.get(method, sbnn.SET)
    options = {"fraction": 0.0} if method == "static" else {}
    callback = from_scratch.rewiring(kind, "group4", 1 - density, "present", seed, **options)
    return net.trained(setting, seed, density, callback=callback)


def variants(matched: dict | None = None) -> list[Variant]:
    found = []
    for network, title in NETWORKS.items():
        make = functools.partial(train, network=network)
        found.append(
            Variant(f"{network}_dense", f"{title}, dense", "", make, seeds=5, style="dense")
        )
        for percent in PERCENT:
            for method in ("cost", *METHODS):
                words = METHODS.get(method, "dense and narrow, equal cost")
                found.append(
                    Variant(
                        f"{network}_{percent}_{method}",
                        f"{title}, {percent} %, {words}",
                        "",
                        functools.partial(make, percent=percent, method=method),
                        seeds=5,
                        style="dense" if method == "cost" else "ours",
                    )
                )
    return found


def claims(matched: dict | None = None) -> list[Claim]:
    found = []
    for network, title in NETWORKS.items():
        for percent in PERCENT:
            name = f"{network}_{percent}"
            what = f"{title}, {percent} %"
            for method, words in METHODS.items():
                found.append(
                    Claim(f"{what}: {words}, against dense", f"{name}_{method}", f"{network}_dense")
                )
            for method, words in METHODS.items():
                text = f"{what}: {words}, against dense of equal cost"
                found.append(Claim(text, f"{name}_{method}", f"{name}_cost"))
            for method in ("set", "rigl", "hebbian"):
                text = f"{what}: {METHODS[method]}, against static"
                found.append(Claim(text, f"{name}_{method}", f"{name}_static"))
    return found


EXPERIMENT = Experiment(
    "g2gnet",
    "Ensembles connected to ensembles, from scratch",
    variants,
    claims,
    resized=False,
    draw=draw,
)

if __name__ == "__main__":
    EXPERIMENT.main()
