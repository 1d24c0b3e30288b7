"""What the callback costs a training step: `python -m experiments.step_cost`.

MobileNet-v1 at 96x96, batches of 32, with and without `sbnn.Pruning`; the two take turns, step by
step, in one process. No step timed updates masks. README.md beside this file has the bar.
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
BAR = 1.05
SCORES = ("l2", "taylor")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20, help="timed steps of each side")
    parser.add_argument("--record", action="store_true", help="write the result beside this file")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    rows = [row for name in ("keras", "tf_keras") for row in measure(name, options.rounds)]
    result = {
        **latency.machine(),
        "num_threads": os.environ.get("OMP_NUM_THREADS", "all"),
        "rows": rows,
    }
    print(table(result))
    if options.record:
        RECORD.write_text(json.dumps(result, indent=2) + "\n")
        records.replace(HERE / "README.md", BEGIN, END, table(result))


def measure(name: str, rounds: int) -> list[dict]:
    """Milliseconds of a step without and with the callback, one row for each score.

    Args:
      name: "keras" or "tf_keras".
      rounds: timed steps of each side.
    """
    import sbnn_tf as sbnn
    from sbnn_tf.run.benchmark import take_turns

    callbacks = [sbnn.Pruning("group4", sbnn.ConstantSparsity(0.5, 1), score=s) for s in SCORES]
    sides = [stepper(name, []), *(stepper(name, [callback]) for callback in callbacks)]
    without, *times = take_turns(sides, rounds)
    assert all(callback.sparsity > 0.49 for callback in callbacks)
    return [
        {
            "keras": name,
            "score": score,
            "without_ms": statistics.median(without),
            "with_ms": statistics.median(ms),
            "ratio_median": statistics.median(ms) / statistics.median(without),
            "ratio_min": min(ms) / min(without),
        }
        for score, ms in zip(SCORES, times)
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
        "| Keras | score | step without | with the callback | ratio of medians | of minima | bar |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for row in result["rows"]:
        lines.append(
            f"| {row['keras']} | {row['score']} | {row['without_ms']:.1f} ms | {row['with_ms']:.1f} ms "
            f"| {row['ratio_median']:.3f} | {row['ratio_min']:.3f} | {BAR} |"
        )
    lines += ["", f"{result['cpu']}, {result['num_threads']} thread(s), {result['date']}."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
