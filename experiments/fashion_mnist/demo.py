"""The main job from end to end, about five minutes on 2 cores: `make demo`.

Trains a small network on Fashion-MNIST, fine-tunes it with the pruning callback, converts it, runs
the whole test set through the delegate in TensorFlow Lite, and times it. Then times MobileNet-v1, in
floats and quantized.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import sys
import time
from pathlib import Path

SEED = 1
PRETRAIN_EPOCHS, FINE_TUNE_EPOCHS = 8, 4  # the accuracy experiment trains longer, on five seeds
SPARSITIES = (0.0, 0.3, 0.5, 0.75)
MOBILENET_SPARSITIES = (0.0, 0.3, 0.5, 0.7, 0.9)
GROUP = 4
TEST_BATCH = 100

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("build/demo"), metavar="FOLDER")
    parser.add_argument("--num-threads", type=int, default=1, metavar="N", help="of the timed runs")
    parser.add_argument(
        "--mobilenet",
        action="store_true",
        help="MobileNet-v1 only; the other rows are those of the last run",
    )
    options = parser.parse_args()
    out, num_threads = options.out, options.num_threads
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    out.mkdir(parents=True, exist_ok=True)
    start = time.time()
    if options.mobilenet:
        last = json.loads((out / "results.json").read_text())
        rows = [row for row in last["rows"] if row["accuracy"] is not None]
    else:
        rows = fashion_rows(out, num_threads)
    rows += mobilenet_rows(out, num_threads)
    results = {**machine(num_threads), "seconds": round(time.time() - start), "rows": rows}
    (out / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    draw(results, out / "accuracy_vs_latency.png")
    print("\n" + table(results))
    print(f"{out / 'results.json'}\n{out / 'accuracy_vs_latency.png'}")


def fashion_rows(out: Path, num_threads: int) -> list[dict]:
    """Train, prune, convert, test and time the small network; one row for each sparsity."""
    import sbnn_tf as sbnn
    from experiments import data
    from experiments.fashion_mnist.train import fine_tune, pretrain

    train, test = data.load()
    verbose = 1 if sys.stdout.isatty() else 2
    total = 1 + len(SPARSITIES)
    say(f"1/{total + 1} train a dense network on {len(train.labels)} images")
    dense = pretrain(train, SEED, PRETRAIN_EPOCHS, verbose)
    rows = []
    for step, sparsity in enumerate(SPARSITIES, 2):
        what = f"prune {sparsity:.0%} of its 1x1 weights" if sparsity else "leave it dense"
        say(f"{step}/{total + 1} fine-tune it and {what}")
        model = fine_tune(dense, train, SEED, sparsity, FINE_TUNE_EPOCHS, verbose)
        if sparsity:
            sbnn.summary(model)
        tflite = sbnn.convert(model)
        path = out / f"fashion_{sparsity * 100:.0f}.tflite"
        path.write_bytes(tflite)
        rows.append(
            {
                "model": "Fashion-MNIST network",
                "sparsity": sparsity,
                "accuracy": tflite_accuracy(tflite, test, num_threads),
                **timing(path, num_threads, rounds=400),
            }
        )
        print(
            f"in TensorFlow Lite, through the delegate: {rows[-1]['accuracy']:.2%} of the test set"
        )
    return rows


def mobilenet_rows(out: Path, num_threads: int) -> list[dict]:
    """Time MobileNet-v1, in floats and in int8; one row for each sparsity.

    Random weights, pruned by magnitude without training: the time does not depend on the values,
    so there is nothing to say about accuracy.
    """
    from delegate.bench import models

    say(f"{len(SPARSITIES) + 2}/{len(SPARSITIES) + 2} time MobileNet-v1 (random weights)")
    floats = models.dense(models.NETWORKS["mobilenet_v1"])
    rows = []
    for name, kind in (("mobilenet_v1", ""), ("mobilenet_v1_int8", " int8")):
        network = models.NETWORKS[name]
        dense = models.dense(network)
        for sparsity in MOBILENET_SPARSITIES:
            path = out / f"{name}_{sparsity * 100:.0f}.tflite"
            path.write_bytes(models.pruned(network, dense, sparsity))
            rows.append(
                {
                    "model": f"MobileNet-v1 1.0/224{kind}",
                    "sparsity": sparsity,
                    "accuracy": None,
                    **timing(path, num_threads, 60, floats if network.int8 else None),
                }
            )
            print(f"{sparsity:.0%} zeros: {rows[-1]['speedup_median']:.2f}x", flush=True)
    return rows


def tflite_accuracy(tflite: bytes, test, num_threads: int) -> float:
    """Fraction of the test set that the delegate classifies right, in batches of 100."""
    import sbnn_tf as sbnn
    from sbnn_tf.run import runtime

    interpreter = runtime.interpreter(tflite, delegate=sbnn.load_delegate(num_threads=num_threads))
    image = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(image, (TEST_BATCH, 28, 28, 1))
    interpreter.allocate_tensors()
    right = 0
    for i in range(0, len(test.labels), TEST_BATCH):
        (logits,) = runtime.run(interpreter, [test.images[i : i + TEST_BATCH]])
        right += int((logits.argmax(axis=1) == test.labels[i : i + TEST_BATCH]).sum())
    return right / len(test.labels)


def timing(path: Path, num_threads: int, rounds: int, floats: bytes | None = None) -> dict:
    """File size and times: stock TensorFlow Lite on the dense weights, the delegate on the file.

    Of a quantized file also stock TensorFlow Lite on `floats`, the dense file before.
    """
    import sbnn_tf as sbnn

    result = sbnn.benchmark(path, num_threads=num_threads, rounds=rounds, floats=floats)
    today = datetime.date.today().isoformat()
    return {"file_bytes": path.stat().st_size, "date": today, **result.to_dict()}


def machine(num_threads: int) -> dict:
    from sbnn_tf.run.benchmark import cpu_name

    return {
        "date": datetime.date.today().isoformat(),
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "num_threads": num_threads,
        "group": GROUP,
    }


def say(text: str) -> None:
    print(f"\n=== {text}", flush=True)


def table(results: dict) -> str:
    """The results as a Markdown table."""
    quantized = [row for row in results["rows"] if row.get("floats")]
    lines = [
        "| model | zeros | accuracy | file | dense, TFLite | sparse, delegate | speed-up |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    if quantized:
        lines = [lines[0] + " over dense floats |", lines[1] + "--:|"]
    for row in results["rows"]:
        score = "" if row["accuracy"] is None else f"{row['accuracy']:.2%}"
        lines.append(
            f"| {row['model']} | {row['sparsity']:.0%} | {score} | {row['file_bytes'] / 1e6:.2f} MB"
            f" | {row['baseline']['median_ms']:.3f} ms | {row['delegate']['median_ms']:.3f} ms"
            f" | {row['speedup_median']:.2f}x |"
        )
        if quantized:
            lines[-1] += f" {_over_floats(row)} |"
    dates = sorted({row.get("date", results["date"]) for row in results["rows"]})
    lines.append("")
    lines.append(
        f"{results['cpu']}, {results['num_threads']} thread(s), {' and '.join(dates)}; medians of "
        "interleaved runs, one image at a time. Groups of 4; 'zeros' is the share of the 1x1 weights. "
        "MobileNet-v1 has random weights: its rows are about time only."
    )
    if quantized:
        row = quantized[0]
        before, after = row["floats"]["median_ms"], row["baseline"]["median_ms"]
        lines[-1] += (
            f" Quantizing alone brings {before / after:.2f}x: dense int8 takes {after:.3f} ms in "
            f"TensorFlow Lite, dense floats {before:.3f} ms; zeros come on top."
        )
    return "\n".join(lines) + "\n"


def _over_floats(row: dict) -> str:
    if not row.get("floats"):
        return ""
    return f"{row['floats']['median_ms'] / row['delegate']['median_ms']:.2f}x"


def draw(results: dict, path: Path) -> None:
    """Draw accuracy over latency of the trained network, and the speed-up of MobileNet-v1."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    ours, stock, ink = "#0b6e99", "#c8553d", "#333333"
    plt.rcParams.update({"font.size": 10, "text.color": ink, "axes.labelcolor": ink})
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")

    rows = [row for row in results["rows"] if row["accuracy"] is not None]
    dense = rows[0]
    x = [row["delegate"]["median_ms"] * 1e3 for row in rows]
    y = [row["accuracy"] * 100 for row in rows]
    left.plot(x, y, "o-", color=ours, lw=2, ms=8, label="sparse file, SparseByteNN delegate")
    left.plot(
        dense["baseline"]["median_ms"] * 1e3,
        y[0],
        "D",
        color=stock,
        ms=9,
        label="dense file, TensorFlow Lite (XNNPACK)",
    )
    for row, a, b in zip(rows, x, y):
        left.annotate(
            f"{row['sparsity']:.0%}",
            (a, b),
            (0, -16),
            textcoords="offset points",
            ha="center",
            color=ours,
        )
    left.set(
        xlabel="microseconds an image", ylabel="test accuracy, %", title="Trained on Fashion-MNIST"
    )
    left.set_xlim(0, 1.12 * max(*x, dense["baseline"]["median_ms"] * 1e3))
    left.set_ylim(min(y) - 1.2, max(y) + 1.2)
    left.legend(frameon=False, loc="lower left", fontsize=9)

    # Speed-ups over the dense floats: what quantizing brings, and what zeros bring.
    rows = [row for row in results["rows"] if row["accuracy"] is None]
    kinds = {"floats": (ours, [row for row in rows if not row.get("floats")])}
    quantized = [row for row in rows if row.get("floats")]
    if quantized:
        kinds["int8"] = ("#57a773", quantized)
    width = 0.8 / len(kinds)
    for i, (kind, (color, rows)) in enumerate(kinds.items()):
        ratios = [
            (row.get("floats") or row["baseline"])["median_ms"] / row["delegate"]["median_ms"]
            for row in rows
        ]
        places = [at + i * width for at in range(len(rows))]
        bars = right.bar(places, ratios, color=color, width=width, label=f"sparse {kind}, delegate")
        right.bar_label(bars, fmt="%.1fx", padding=2, color=color, fontsize=8)
    if quantized:
        right.axhline(
            quantized[0]["floats"]["median_ms"] / quantized[0]["baseline"]["median_ms"],
            color=stock,
            lw=1.5,
            ls=":",
            label="dense int8, TensorFlow Lite (XNNPACK)",
        )
    rows = kinds["floats"][1]
    right.set_xticks(
        [at + (0.8 - width) / 2 for at in range(len(rows))], [f"{r['sparsity']:.0%}" for r in rows]
    )
    right.axhline(1, color=stock, lw=1.5, ls="--", label="dense floats, TensorFlow Lite (XNNPACK)")
    right.legend(frameon=False, loc="upper left", fontsize=9)
    right.set(
        xlabel="zeros in the 1x1 weights, groups of 4",
        ylabel="speed-up over dense floats",
        title="MobileNet-v1 1.0 at 224x224 (random weights)",
    )
    right.margins(y=0.15)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(
        f"{results['cpu']}, {results['num_threads']} thread(s)", fontsize=9, color="#777777"
    )
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
