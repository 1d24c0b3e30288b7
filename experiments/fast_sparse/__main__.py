"""Fast Sparse ConvNets' claim: see README.md beside this file. `python -m experiments.fast_sparse`."""

from __future__ import annotations

import functools

from experiments import latency
from experiments.experiment import Claim, Experiment, Variant

NETWORKS = {"mobilenet_v1": "MobileNet-v1", "mobilenet_v2": "MobileNet-v2"}
SPARSITY = 0.9
PRUNING = {"sparsity": SPARSITY, "pattern": "unstructured", "budget": "erk"}
WIDTHS = [n / 16 for n in range(3, 17)]  # of the dense networks to choose from
ENGINES = {"delegate_ms": "the delegate", "dense_tflite_ms": "stock TensorFlow Lite"}


def match(setting) -> dict:
    """For each network, the width at which the dense one is as slow as the sparse one, in either engine."""
    pixels = setting.numbers.pixels
    found = {}
    for network in NETWORKS:
        sparse = setting.pruned_untrained(setting.build(network), **PRUNING)
        target = latency.sparse_ms(setting.tflite(sparse, network, 1.0, pixels))

        @functools.cache
        def times(width: float) -> dict:
            dense = setting.build(network, width)
            return latency.measure(setting.tflite(dense, network, width, pixels))

        found[network] = {
            engine: latency.as_slow(target, WIDTHS, lambda width: times(width)[engine])
            for engine in ENGINES
        }
    return found


def fine_tuned(setting, seed: int, network: str, **pruning):
    """The seed's dense network, trained further and pruned meanwhile."""
    return setting.fine_tuned(setting.trained(network, seed), seed, **pruning)


def narrow(setting, seed: int, network: str, width: float):
    """A dense network of another width, trained as long in all."""
    model = setting.trained(network, seed, width)
    return setting.fine_tuned(model, seed)


def opponents(matched: dict, network: str) -> dict[float, str]:
    """The widths of the dense networks, and where each is as slow as the sparse one."""
    found: dict[float, list[str]] = {}
    for engine, words in ENGINES.items():
        found.setdefault(matched[network][engine]["chosen"], []).append(words)
    return {width: " and in ".join(words) for width, words in found.items()}


def variants(matched: dict) -> list[Variant]:
    found = []
    for network, title in NETWORKS.items():
        sparse = functools.partial(fine_tuned, network=network, **PRUNING)
        found.append(Variant(f"{network}_sparse", f"{title}, 90 % unstructured", network, sparse))
        for width in opponents(matched, network):
            thin = functools.partial(narrow, network=network, width=width)
            name, words = f"{network}_{width:g}", f"{title} x {width:g}, dense"
            found.append(Variant(name, words, network, thin, width, style="dense"))
    return found


def claims(matched: dict) -> list[Claim]:
    return [
        Claim(
            f"{title}: sparse against dense x {width:g}, of the same latency in {where}",
            f"{network}_sparse",
            f"{network}_{width:g}",
        )
        for network, title in NETWORKS.items()
        for width, where in opponents(matched, network).items()
    ]


EXPERIMENT = Experiment(
    "fast_sparse",
    "Fast Sparse ConvNets: 90 % unstructured against a narrower dense network",
    variants,
    claims,
    match,
)

if __name__ == "__main__":
    EXPERIMENT.main()
