"""Times whole networks: sparse in the delegate against dense in TensorFlow Lite with XNNPACK.

    make bench                                     every network, results in build/bench/networks.md
    python -m delegate.bench.networks --networks MobileNet --sparsities 0.5 --rounds 20

Networks of `keras.applications` with random weights, pruned by magnitude without training: the time
does not depend on the values. Both sides have the same zeros and take turns in one process.
"""

from __future__ import annotations

import argparse
import datetime
import os
import subprocess
import sys
import tempfile
from pathlib import Path

NETWORKS = ("MobileNet", "MobileNetV2", "EfficientNetB0", "ResNet50")
SPARSITIES = (0.0, 0.3, 0.5, 0.7, 0.9)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument(
        "--networks", nargs="+", default=NETWORKS, metavar="NAME", help="of keras.applications"
    )
    parser.add_argument(
        "--sparsities",
        nargs="+",
        type=float,
        default=SPARSITIES,
        metavar="S",
        help="of the 1x1 weights",
    )
    parser.add_argument(
        "--group", type=int, default=4, metavar="G", help="outputs that share their zeros"
    )
    parser.add_argument(
        "--size", type=int, default=224, metavar="PIXELS", help="height and width of the input"
    )
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of each side")
    parser.add_argument("--rounds", type=int, default=60, metavar="N", help="turns of each side")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("build/bench/networks.md"),
        metavar="FILE",
        help="table to write",
    )
    options = parser.parse_args()

    rows, cpu, peak = [], "", 0.0
    with tempfile.TemporaryDirectory() as folder:
        for name in options.networks:
            dense = tflite(name, options.size)
            for sparsity in options.sparsities:
                result = timed(dense, sparsity, options, Path(folder) / "model.tflite")
                cpu, peak = result.cpu, max(peak, result.peak_gflops)
                rows.append(row(name, sparsity, result))
                print(rows[-1], flush=True)
    table = "\n".join([*header(cpu, peak, options), *rows]) + "\n"
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(table)
    print(f"\n{table}\n{options.out}")


def tflite(name: str, size: int) -> bytes:
    """A network of `keras.applications` at `size` x `size`, dense."""
    import sbnn_tf as sbnn

    return sbnn.convert(live_network(name, size))


def live_network(name: str, size: int, seed: int = 1):
    """A Keras network with random weights whose logits depend on its input.

    Untouched batch norms would let the activations fade; one pass in training mode sets them to
    the statistics of a batch, so that activations are as large as a trained network's.
    """
    import keras
    import numpy as np

    keras.utils.set_random_seed(seed)
    model = getattr(keras.applications, name)(
        weights=None, classifier_activation=None, input_shape=(size, size, 3)
    )
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    images = np.random.default_rng(seed).random((8, size, size, 3), np.float32)
    model(images, training=True)
    return model


def timed(dense: bytes, sparsity: float, options: argparse.Namespace, path: Path):
    import sbnn_tf as sbnn

    path.write_bytes(
        sbnn.convert(dense, prune=sparsity, group=options.group) if sparsity else dense
    )
    return sbnn.benchmark(path, threads=options.threads, rounds=options.rounds)


def row(name: str, sparsity: float, r) -> str:
    return (
        f"| {name} | {sparsity:.0%} | {r.baseline.min_ms:.2f} / {r.baseline.median_ms:.2f} "
        f"| {r.delegate.min_ms:.2f} / {r.delegate.median_ms:.2f} "
        f"| {r.speedup_min:.2f} | **{r.speedup_median:.2f}** | {r.claimed_nodes}/{r.total_nodes} |"
    )


def header(cpu: str, peak: float, options: argparse.Namespace) -> list[str]:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    command = " ".join(["python -m delegate.bench.networks", *sys.argv[1:]])
    return [
        f"{cpu}, {os.cpu_count()} cores, {options.threads} thread(s), FMA peak of a core "
        f"{peak:.0f} GFLOP/s (measured in the same run); {datetime.date.today()}, commit "
        f"{commit or 'unknown'}; input {options.size} x {options.size}, batch 1, group "
        f"{options.group}, {options.rounds} interleaved rounds.",
        "",
        f"`{command}`",
        "",
        "| network | zeros | dense, TFLite XNNPACK, ms (min / median) "
        "| sparse, delegate, ms (min / median) | speed-up (min) | speed-up (median) "
        "| nodes claimed |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]


if __name__ == "__main__":
    main()
