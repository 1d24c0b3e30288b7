"""What pruning costs in accuracy: `python -m experiments.fashion_mnist.accuracy`.

Each seed trains one network and fine-tunes it three times, dense and pruned. Results are appended
to `accuracy.jsonl` as they come, and a run skips what is there; delete the file to start over.
README.md beside this file holds the protocol and the result.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

from experiments.intervals import mean_and_half_width
from experiments.records import Record, marks, replace

SEEDS = (101, 102, 103, 104, 105)
SPARSITIES = (0.0, 0.3, 0.5)
BARS = {0.3: 0.22, 0.5: 0.5}  # accuracy points that may be lost

HERE = Path(__file__).parent
RECORD = Record(HERE / "accuracy.jsonl", ("seed", "sparsity"))
PICTURE = HERE / "accuracy.png"
README = HERE / "README.md"
BEGIN, END = marks("result", "accuracy.py")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--report", action="store_true", help="only write the table and the picture again"
    )
    if not parser.parse_args().report:
        run()
    rows = RECORD.rows()
    table = report(rows)
    replace(README, BEGIN, END, table)
    draw(rows)
    print(table)
    if not within_bars(rows):
        sys.exit("accuracy: not within the bars")


def run() -> None:
    """Train what is not recorded yet."""
    from experiments import data
    from experiments.fashion_mnist.train import accuracy, fine_tune, pretrain

    train, test = data.load()
    done = RECORD.done()
    for seed in SEEDS:
        missing = [sparsity for sparsity in SPARSITIES if (seed, sparsity) not in done]
        if not missing:
            continue
        start = time.time()
        print(f"seed {seed}: training the dense network", flush=True)
        model = pretrain(train, seed, verbose=2)
        before = accuracy(model, test)
        for sparsity in missing:
            print(f"seed {seed}: fine-tuning to {sparsity:.0%}", flush=True)
            tuned = fine_tune(model, train, seed, sparsity, verbose=2)
            row = {
                "seed": seed,
                "sparsity": sparsity,
                "zeros": zeros(tuned),
                "accuracy": accuracy(tuned, test),
                "accuracy_before": before,
            }
            RECORD.append(row)
            print(row, f"{time.time() - start:.0f} s", flush=True)


def zeros(model) -> float:
    """Fraction of exact zeros in all 1x1 convolutions."""
    kernels = [
        layer.kernel.numpy()
        for layer in model.layers
        if layer.name.startswith("pointwise_") and hasattr(layer, "kernel")
    ]
    return sum((k == 0).sum() for k in kernels).item() / sum(k.size for k in kernels)


def losses(rows: list[dict], sparsity: float) -> list[float]:
    """Accuracy points lost against the dense network of the same seed, one for each seed."""
    by = {(row["seed"], row["sparsity"]): row["accuracy"] for row in rows}
    return [
        100 * (by[seed, 0.0] - by[seed, sparsity])
        for seed in SEEDS
        if (seed, 0.0) in by and (seed, sparsity) in by
    ]


def within_bars(rows: list[dict]) -> bool:
    """Whether all seeds are there and the mean losses are within the bars."""
    return all(
        len(losses(rows, sparsity)) == len(SEEDS)
        and mean_and_half_width(losses(rows, sparsity))[0] <= bar
        for sparsity, bar in BARS.items()
    )


def report(rows: list[dict]) -> str:
    """The result as a Markdown table."""
    lines = [
        "| sparsity | test accuracy, mean | points lost, mean (95 % interval) | bar | each seed |",
        "|---|---|---|---|---|",
    ]
    for sparsity in SPARSITIES:
        scores = [100 * row["accuracy"] for row in rows if row["sparsity"] == sparsity]
        if not scores:
            continue
        line = f"| {sparsity:.0%} | {statistics.mean(scores):.2f} % | "
        if sparsity == 0:
            line += "| | " + ", ".join(f"{score:.2f}" for score in scores)
        else:
            lost = losses(rows, sparsity)
            mean, half = mean_and_half_width(lost)
            line += f"{mean:+.2f} ({mean - half:+.2f} to {mean + half:+.2f}) | "
            line += f"{BARS[sparsity]} | " + ", ".join(f"{value:+.2f}" for value in lost)
        lines.append(line + " |")
    return "\n".join(lines) + "\n"


def draw(rows: list[dict]) -> None:
    """Draw every seed's loss, the means with their intervals, and the bars."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
    for i, (sparsity, bar) in enumerate(BARS.items()):
        lost = losses(rows, sparsity)
        if not lost:
            continue
        mean, half = mean_and_half_width(lost)
        axes.plot(
            [i - 0.12] * len(lost), lost, "o", color="#9aa5b1", label="one seed" if not i else None
        )
        axes.errorbar(
            i + 0.06,
            mean,
            half,
            fmt="s",
            color="#0b6e99",
            capsize=5,
            label="mean, 95 % interval" if not i else None,
        )
        axes.hlines(bar, i - 0.3, i + 0.3, color="#c0392b", ls="--", label="bar" if not i else None)
    axes.axhline(0, color="black", lw=0.8)
    axes.set_xticks(range(len(BARS)), [f"{sparsity:.0%} zeros" for sparsity in BARS])
    axes.set_xlim(-0.5, len(BARS) - 0.5)
    axes.set_ylabel("accuracy points lost")
    axes.set_title(
        "Fashion-MNIST, groups of 4, against the dense network\nfine-tuned equally long",
        fontsize=10,
    )
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(PICTURE, dpi=120)


if __name__ == "__main__":
    main()
