"""Fast Sparse ConvNets' claim: see README.md beside this file. `python -m experiments.fast_sparse`."""

from __future__ import annotations

import functools

from experiments import latency
from experiments.experiment import Claim, Experiment, Variant

NETWORKS = {"mobilenet_v1": "MobileNet-v1", "mobilenet_v2": "MobileNet-v2"}
SPARSITY = 0.9
PRUNING = {"sparsity": SPARSITY, "pattern": "unstructured", "budget": "erk"}
WIDTHS = [n / 16 for n in range(3, 17)]  # of the dense networks to choose from


def match(setting) -> dict:
    """For each network, the width at which the dense one is as slow as the sparse one."""
    pixels = setting.numbers.pixels
    found = {}
    for network in NETWORKS:
        sparse = setting.pruned_untrained(setting.build(network), **PRUNING)
        target = latency.sparse_ms(setting.tflite(sparse, network, 1.0, pixels))

        def cost(width: float) -> float:
            dense = setting.build(network, width)
            return latency.dense_ms(setting.tflite(dense, network, width, pixels))

        found[network] = latency.as_slow(target, WIDTHS, cost)
    return found


def fine_tuned(setting, seed: int, network: str, **pruning):
    """The seed's dense network, trained further and pruned meanwhile."""
    return setting.fine_tuned(setting.trained(network, seed), seed, **pruning)


def narrow(setting, seed: int, network: str, width: float):
    """A dense network of another width, trained as long in all."""
    model = setting.trained(network, seed, width)
    return setting.fine_tuned(model, seed)


def variants(matched: dict) -> list[Variant]:
    found = []
    for network, title in NETWORKS.items():
        sparse = functools.partial(fine_tuned, network=network, **PRUNING)
        width = matched[network]["chosen"]
        thin = functools.partial(narrow, network=network, width=width)
        found += [
            Variant(f"{network}_sparse", f"{title}, 90 % unstructured", network, sparse),
            Variant(
                f"{network}_narrow", f"{title} x {width:g}", network, thin, width, style="dense"
            ),
        ]
    return found


EXPERIMENT = Experiment(
    "fast_sparse",
    "Fast Sparse ConvNets: 90 % unstructured against a narrower dense network",
    variants,
    [
        Claim(
            f"{title}: sparse against dense of the same latency",
            f"{network}_sparse",
            f"{network}_narrow",
        )
        for network, title in NETWORKS.items()
    ],
    match,
)

if __name__ == "__main__":
    EXPERIMENT.main()
