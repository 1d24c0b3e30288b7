"""Times single operators: is anything that the delegate claims slower than in TensorFlow Lite?

    make bench-operators                           all of them, table in build/bench/operators.md
    python -m delegate.bench.operators --operators softmax "max pool 3x3" --shapes 28x28x192

Each operator stands behind and before a sparse 1x1 convolution, as in a network. Delegate, with its
default options, and TensorFlow Lite with XNNPACK take turns in one process; the ratio is TensorFlow
Lite's least time over the delegate's. "Expected" is the same ratio as the delegate predicted it for
what it claimed. The exit code is 1 if a ratio is below the bar.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from delegate.bench.networks import append, provenance, write

BAR = 0.95

# Expressions of `keras.layers` and `keras.ops`, given the output x of a convolution, of c channels.
OPERATORS = {
    "nothing": "x",
    "conv 3x3": "layers.Conv2D(c, 3, padding='same')(x)",
    "conv 3x3 stride 2": "layers.Conv2D(c, 3, strides=2, padding='same')(x)",
    "conv transpose 2x2": "layers.Conv2DTranspose(c, 2, strides=2)(x)",
    "depthwise 3x3": "layers.DepthwiseConv2D(3, padding='same')(x)",
    "depthwise 3x3 stride 2": "layers.DepthwiseConv2D(3, strides=2, padding='same')(x)",
    "depthwise 5x5": "layers.DepthwiseConv2D(5, padding='same')(x)",
    "depthwise 7x7": "layers.DepthwiseConv2D(7, padding='same')(x)",
    "dense": "layers.Dense(c)(x)",
    "add": "layers.Add()([x, x0])",
    "sub": "layers.Subtract()([x, x0])",
    "mul": "layers.Multiply()([x, x0])",
    "max": "layers.Maximum()([x, x0])",
    "min": "layers.Minimum()([x, x0])",
    "relu": "layers.ReLU()(x)",
    "relu6": "layers.ReLU(6.0)(x)",
    "leaky relu": "layers.LeakyReLU(0.1)(x)",
    "prelu": "layers.PReLU(shared_axes=[1, 2])(x)",
    "elu": "layers.ELU()(x)",
    "logistic": "layers.Activation('sigmoid')(x)",
    "tanh": "layers.Activation('tanh')(x)",
    "hard swish": "layers.Activation('hard_swish')(x)",
    "swish": "layers.Activation('swish')(x)",
    "gelu": "ops.gelu(x, approximate=False)",
    "gelu by tanh": "ops.gelu(x, approximate=True)",
    "softmax": "layers.Softmax()(x)",
    "layer norm": "layers.LayerNormalization()(x)",
    "attention": "layers.Reshape((h, w, c))(layers.MultiHeadAttention(4, c // 4)("
    "*[layers.Reshape((h * w, c))(x)] * 2))",
    "max pool 2x2": "layers.MaxPooling2D(2)(x)",
    "max pool 3x3": "layers.MaxPooling2D(3, strides=1, padding='same')(x)",
    "max pool 3x3 stride 2": "layers.MaxPooling2D(3, strides=2, padding='same')(x)",
    "max pool 7x7 stride 7": "layers.MaxPooling2D(7)(x)",
    "average pool 2x2": "layers.AveragePooling2D(2)(x)",
    "average pool 3x3": "layers.AveragePooling2D(3, strides=1, padding='same')(x)",
    "average pool 7x7 stride 7": "layers.AveragePooling2D(7)(x)",
    "average pool of all": "layers.AveragePooling2D((h, w))(x)",
    "mean": "layers.GlobalAveragePooling2D(keepdims=True)(x)",
    "squeeze and excite": "layers.Multiply()([x, layers.Conv2D(c, 1, activation='sigmoid')("
    "layers.Conv2D(max(8, c // 8), 1, activation='relu')("
    "layers.GlobalAveragePooling2D(keepdims=True)(x)))])",
    "pad": "layers.ZeroPadding2D(1)(x)",
    "crop": "layers.Cropping2D(1)(x)",
    "concatenation": "layers.Concatenate()([x, x0])",
    "split": "ops.split(x, 2, axis=-1)[1]",
    "channel shuffle": "layers.Reshape((h, w, c))(layers.Permute((1, 2, 4, 3))("
    "layers.Reshape((h, w, 2, c // 2))(x)))",
    "transpose": "layers.Permute((2, 1, 3))(x)",
    "depth to space": "DepthToSpace()(x)",
    "resize nearest": "layers.UpSampling2D(2)(x)",
    "resize bilinear": "layers.UpSampling2D(2, interpolation='bilinear')(x)",
}

SHAPES = ("7x7x512", "14x14x192", "28x28x96", "56x56x64")
SPARSITIES = (0.0, 0.5, 0.9)


def main(arguments: Sequence[str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument(
        "--operators", nargs="+", choices=OPERATORS, default=list(OPERATORS), metavar="NAME"
    )
    parser.add_argument("--shapes", nargs="+", default=SHAPES, metavar="HxWxC")
    parser.add_argument("--sparsities", nargs="+", type=float, default=SPARSITIES, metavar="S")
    parser.add_argument("--rounds", type=int, default=25, metavar="N", help="turns of each side")
    folder = Path("build/bench")
    parser.add_argument("--out", type=Path, default=folder / "operators.md", metavar="FILE")
    parser.add_argument("--results", type=Path, default=folder / "operators.jsonl", metavar="FILE")
    options = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    source = provenance("operators", arguments)
    rows = []
    total = len(options.operators) * len(options.shapes)
    for number, (name, shape) in enumerate(
        ((name, shape) for name in options.operators for shape in options.shapes), 1
    ):
        sizes = tuple(int(size) for size in shape.split("x"))
        try:
            model = network(name, sizes)
        except ValueError:  # the window is larger than the image
            continue
        for sparsity in options.sparsities:
            row = {"operator": name, "shape": shape, "sparsity": sparsity}
            row |= measure(model, sparsity, options.rounds) | source
            append(options.results, row)
            rows.append(row)
            print(f"{number} of {total} {line(row)}", flush=True)
    text = table(rows)
    write(options.out, text)
    print(f"\n{text}\n{options.out}")
    return 1 if any(row["ratio"] < BAR for row in rows) else 0


def network(name: str, shape: tuple[int, int, int]) -> bytes:
    """An operator between two 1x1 convolutions, as a dense `.tflite`."""
    import keras
    import tensorflow as tf

    import sbnn_tf as sbnn

    class DepthToSpace(keras.layers.Layer):
        def call(self, x):
            return tf.nn.depth_to_space(x, 2)

        def compute_output_shape(self, shape):
            return shape[0], 2 * shape[1], 2 * shape[2], shape[3] // 4

    keras.utils.set_random_seed(1)
    h, w, c = shape
    start = keras.Input(shape, batch_size=1)
    x0 = keras.layers.Conv2D(c, 1)(start)
    x = keras.layers.Conv2D(c, 1)(x0)
    names = {"layers": keras.layers, "ops": keras.ops, "DepthToSpace": DepthToSpace}
    made = eval(OPERATORS[name], {**names, "x": x, "x0": x0, "h": h, "w": w, "c": c})
    end = keras.layers.Conv2D(c, 1)(made)
    return sbnn.convert(keras.Model(start, end))


def measure(model: bytes, sparsity: float, rounds: int) -> dict:
    """Milliseconds of both, their ratio, the one expected, and what was claimed."""
    import sbnn_tf as sbnn
    from sbnn_tf.run import runtime
    from sbnn_tf.run.benchmark import cpu_name, pinned, take_turns

    if sparsity:
        model = sbnn.convert(model, prune=sparsity, group=4)
    records: list[dict] = []
    with pinned(1):
        stock = runtime.interpreter(model)
        delegate = sbnn.load_delegate(report=records.append)
        ours = runtime.interpreter(model, delegate=delegate)
        times = take_turns([stock.invoke, ours.invoke], rounds, warm_up_s=0.05)
    nodes = [record for record in records if record["record"] == "node"]
    claimed = [node for node in nodes if node["claimed"]]
    saved = sum(
        node["stock_seconds"] - node["predicted_seconds"]
        for node in claimed
        if "stock_seconds" in node
    )
    least = [min(side) for side in times]
    expected = least[0] / max(least[0] - saved * 1e3, least[0] / 100)
    return {
        "stock_ms": least[0],
        "ms": least[1],
        "ratio": least[0] / least[1],
        "median_ratio": statistics.median(times[0]) / statistics.median(times[1]),
        "expected": expected,
        "claimed": len(claimed),
        "nodes": len(nodes),
        "cpu": cpu_name(),
    }


def table(rows: list[dict]) -> str:
    """The rows as Markdown; first those below the bar."""
    if not rows:
        return "nothing was measured\n"
    below = [row for row in rows if row["ratio"] < BAR]
    first = rows[0]
    head = [
        "| operator | shape | zeros | TFLite, ms | delegate, ms | ratio (min) | ratio (median) "
        "| expected | nodes claimed |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines = [
        f"{_source(first)}.",
        "",
        f"{len(below)} of {len(rows)} are below {BAR}" + (":" if below else "."),
        "",
    ]
    if below:
        lines += [*head, *map(line, sorted(below, key=lambda row: row["ratio"])), ""]
    return "\n".join([*lines, "All:", "", *head, *map(line, rows), ""])


def compact(rows: list[dict]) -> str:
    """The rows as Markdown, one line an operator: its ratios by shape and sparsity."""
    first = rows[0]
    shapes = list(dict.fromkeys(row["shape"] for row in rows))
    ratios: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        ratios.setdefault((row["operator"], row["shape"]), []).append(f"{row['ratio']:.2f}")
    below = [row for row in rows if row["ratio"] < BAR]
    sparsities = ", ".join(f"{s:.0%}" for s in dict.fromkeys(row["sparsity"] for row in rows))
    return "\n".join(
        [
            _source(first),
            "",
            f"Ratios of TensorFlow Lite's least time to the delegate's at {sparsities} zeros. "
            f"{len(below)} of {len(rows)} are below {BAR}"
            + "".join(
                f"; {row['operator']}, {row['shape']}, {row['sparsity']:.0%}: claimed "
                f"{row['claimed']} of {row['nodes']} nodes"
                for row in below
            )
            + ".",
            "",
            f"| operator | {' | '.join(shapes)} |",
            "|---" * (1 + len(shapes)) + "|",
            *(
                f"| {name} | "
                + " | ".join(", ".join(ratios.get((name, shape), ())) for shape in shapes)
                + " |"
                for name in dict.fromkeys(row["operator"] for row in rows)
            ),
            "",
        ]
    )


def _source(row: dict) -> str:
    return (
        f"{row['cpu']}, {row['cores']} cores, 1 thread; {row['date']}, commit {row['commit']}: "
        f"`{row['command']}`"
    )


def line(row: dict) -> str:
    return (
        f"| {row['operator']} | {row['shape']} | {row['sparsity']:.0%} | {row['stock_ms']:.3f} "
        f"| {row['ms']:.3f} | {row['ratio']:.2f} | {row['median_ratio']:.2f} "
        f"| {row['expected']:.2f} | {row['claimed']} of {row['nodes']} |"
    )


if __name__ == "__main__":
    sys.exit(main())
