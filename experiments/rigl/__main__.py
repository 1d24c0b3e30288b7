"""RigL and SET against static and gradual sparsity: see README.md. `python -m experiments.rigl`."""

from __future__ import annotations

import functools

from experiments.experiment import Claim, Experiment, Variant

PERCENT, GROUPS = (80, 90), (1, 4)
METHODS = {"static": "static", "gradual": "gradual", "set": "SET", "rigl": "RigL"}


def train(setting, seed: int, percent: int = 0, group: int = 1, method: str = "dense"):
    """The multilayer perceptron from scratch: dense, sparse all along, or pruned on the way."""
    import sbnn_tf as sbnn
    from experiments import from_scratch

    sparsity, pattern = percent / 100, f"group{group}"
    if method == "dense":
        return from_scratch.trained(setting, seed)
    if method == "gradual":

        def callback(steps):
            end = round(from_scratch.STOPS * steps)
            schedule = sbnn.PolynomialDecay(0.0, sparsity, 0, end, frequency=24)
            policy = sbnn.Policy(from_scratch.LAYERS, first_and_last=True)
            return sbnn.Pruning(pattern, schedule, policy, budget="erk")

    else:
        kind = sbnn.RigL if method == "rigl" else sbnn.SET
        options = {"fraction": 0.0} if method == "static" else {}
        callback = from_scratch.rewiring(kind, pattern, sparsity, "erk", seed, **options)
    return from_scratch.trained(setting, seed, callback=callback)


def variants(matched: dict | None = None) -> list[Variant]:
    found = [Variant("dense", "dense", "", train, seeds=5, style="dense")]
    for group in GROUPS:
        for percent in PERCENT:
            for method, words in METHODS.items():
                found.append(
                    Variant(
                        f"group{group}_{percent}_{method}",
                        f"groups of {group}, {percent} %, {words}",
                        "",
                        functools.partial(train, percent=percent, group=group, method=method),
                        seeds=5,
                        style="other" if method in ("static", "gradual") else "ours",
                    )
                )
    return found


def claims(matched: dict | None = None) -> list[Claim]:
    found = []
    for group in GROUPS:
        for percent in reversed(PERCENT):
            name, what = f"group{group}_{percent}", f"groups of {group}, {percent} %"
            for better in ("rigl", "set"):
                for worse in ("static", "gradual"):
                    text = f"{what}: {METHODS[better]} against {METHODS[worse]}"
                    found.append(Claim(text, f"{name}_{better}", f"{name}_{worse}"))
    return found


EXPERIMENT = Experiment(
    "rigl",
    "Sparse from scratch: RigL and SET, static and gradual sparsity",
    variants,
    claims,
    resized=False,
)

if __name__ == "__main__":
    EXPERIMENT.main()
