"""What the callbacks cost a training step: `python -m experiments.step_cost`.

MobileNet-v1 at 96x96, batches of 32, with and without a callback; they take turns, step by step, in
one process. README.md beside this file has the bars.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
from collections.abc import Callable
from pathlib import Path

from experiments import latency, records

HERE = Path(__file__).parent
RECORD = HERE / "recorded.json"
BEGIN, END = records.marks("result", "`python -m experiments.step_cost --record`")
PIXELS, BATCH, CLASSES = 96, 32, 10
STEP, UPDATE = 1.05, 2.0  # bars: times a step without a callback


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20, help="timed steps of each side")
    parser.add_argument("--record", action="store_true", help="write the result beside this file")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    rows = [row for name in ("keras", "tf_keras") for row in measure(name, options.rounds)]
    result = {
        **latency.machine(),
        "threads": os.environ.get("OMP_NUM_THREADS", "all"),
        "rows": rows,
    }
    print(table(result))
    if options.record:
        RECORD.write_text(json.dumps(result, indent=2) + "\n")
        records.replace(HERE / "README.md", BEGIN, END, table(result))


def measure(name: str, rounds: int) -> list[dict]:
    """Milliseconds of a step without and with a callback, one row for each.

    Args:
      name: "keras" or "tf_keras".
      rounds: timed steps of each side.
    """
    import sbnn_tf as sbnn
    from sbnn_tf.benchmark import take_turns

    half = sbnn.ConstantSparsity(0.5, 1)
    # One step warms up, and of those that follow every other one is timed: all that update.
    often = {"update_every": 2, "end_step": 10**6, "initial_step": 1}
    never = {"update_every": 10**6, "end_step": 10**7}
    callbacks = {
        "Pruning, l2": (STEP, sbnn.Pruning("group4", half)),
        "Pruning, taylor": (STEP, sbnn.Pruning("group4", half, score="taylor")),
        "RigL": (STEP, sbnn.RigL("group4", 0.5, **never)),
        "SET, update": (UPDATE, sbnn.SET("group4", 0.5, **often)),
        "RigL, update": (UPDATE, sbnn.RigL("group4", 0.5, **often)),
        "HebbianRewiring, update": (UPDATE, sbnn.HebbianRewiring("group4", 0.5, window=1, **often)),
    }
    sides = [stepper(name, [callback]) for _, callback in callbacks.values()]
    without, *times = take_turns([stepper(name, []), *sides], rounds)
    for title, (_, callback) in callbacks.items():
        assert callback.sparsity > 0.49
        assert "update" not in title or callback.step % 2 == 0, "a step was fast: it was not timed"
    return [
        {
            "keras": name,
            "callback": title,
            "bar": bar,
            "without_ms": statistics.median(without),
            "with_ms": statistics.median(ms),
            "ratio_median": statistics.median(ms) / statistics.median(without),
            "ratio_min": min(ms) / min(without),
        }
        for (title, (bar, _)), ms in zip(callbacks.items(), times)
    ]


def stepper(name: str, callbacks: list) -> Callable[[], None]:
    """Makes one training step a call, just as `fit` makes it."""
    import numpy as np
    import tensorflow as tf

    keras = importlib.import_module(name)
    keras.utils.set_random_seed(0)
    shape = (PIXELS, PIXELS, 3)
    model = keras.applications.MobileNet(
        shape, weights=None, classes=CLASSES, classifier_activation=None
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(1e-3, momentum=0.9), loss, jit_compile=False)
    rng = np.random.default_rng(0)
    images = rng.normal(size=(BATCH, *shape)).astype("float32")
    labels = rng.integers(0, CLASSES, BATCH)
    batches = iter(tf.data.Dataset.from_tensors((images, labels)).cache().repeat())
    called = keras.callbacks.CallbackList(callbacks, add_history=True, model=model)
    model.make_train_function()
    called.on_train_begin()
    called.on_epoch_begin(0)

    def step() -> None:
        called.on_train_batch_begin(0)
        logs = model.train_function(batches)
        called.on_train_batch_end(0, logs)

    return step


def table(result: dict) -> str:
    """The result as a Markdown table."""
    lines = [
        "| Keras | callback | step without | with the callback | ratio of medians | of minima | bar |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for row in result["rows"]:
        lines.append(
            f"| {row['keras']} | {row['callback']} | {row['without_ms']:.1f} ms | "
            f"{row['with_ms']:.1f} ms | {row['ratio_median']:.3f} | {row['ratio_min']:.3f} | "
            f"{row['bar']} |"
        )
    lines += ["", f"{result['cpu']}, {result['threads']} thread(s), {result['date']}."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
