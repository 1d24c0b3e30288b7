"""Fits the cost model that decides what the delegate claims, and prints rows of its table.

    python -m delegate.bench.fit --isa avx2     for delegate/translation/cost_table.inl.h
    python -m delegate.bench.fit --isa avx512 avx2 --int8 [--without-amx]    for cost_table_int8.inl.h

A few minutes each, on a quiet machine that has no better instruction set.

Times representative layers, one at a time, in stock TensorFlow Lite with XNNPACK (an interpreter of
that layer) and in the delegate (its profile: no change of layout counts), and fits for each kind of
layer the nanoseconds for a thousand units of work and for a thousand bytes of activations.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import functools
import sys
import time

import numpy as np

from delegate.bench.amx import forbid_amx, has_amx, has_vnni

KINDS = (
    *("pointwise", "window", "matrix", "far matrix"),
    *("depthwise", "function", "pool", "move"),
)
NEAR_BYTES = 1 << 20  # of a "matrix", at most
# What kOneVectorCost takes a column of four outputs for, over half of one of eight.
COLUMN_OF_FOUR = 22 / 18
ROUNDS = 30
NODE_NS = 500  # of any node: too little to be fitted
CONVOLUTION = "DepthwiseConv2D(3, padding='same')(x)"  # before layers that no delegate takes alone


@dataclasses.dataclass(frozen=True)
class Layer:
    """A layer to time: its kind, the input's shape, what it is made of, its work."""

    kind: str
    shape: tuple[int, ...]
    make: str  # an expression of `keras.layers`, given the input x
    work: float  # multiply-adds, or elements
    sparsity: float = 0.0


def layers(int8: bool) -> list[Layer]:
    """Layers as they occur in networks for images of 224 x 224."""
    found = []
    for size, c, k in ((112, 32, 64), (56, 128, 128), (28, 256, 256), (14, 512, 512), (7, 512, 1024),
                       (7, 1024, 1024), (56, 24, 144), (28, 192, 32), (14, 96, 576), (56, 64, 256)):  # fmt: skip
        found.append(Layer("pointwise", (size, size, c), f"Conv2D({k}, 1)(x)", size * size * c * k))
    for size, c, k, s in ((224, 3, 32, 2), (56, 64, 64, 1), (28, 128, 128, 1), (14, 256, 256, 1),
                          (7, 512, 512, 1), (56, 128, 128, 2)):  # fmt: skip
        out = size // s
        make = f"Conv2D({k}, 3, strides={s}, padding='same')(x)"
        found.append(Layer("window", (size, size, c), make, out * out * 9 * c * k))
    # (Multiples of 32 outputs: see kRaggedOutputs of cost.cc.)
    for c, k in ((1024, 1024), (2048, 1024), (1280, 1024), (512, 512), (512, 256), (256, 256)):
        for sparsity in (0.0,) if int8 else (0.0, 0.5):
            bytes_ = (1 if int8 else 4) * c * k * (1 - sparsity)
            kind = "matrix" if bytes_ <= NEAR_BYTES else "far matrix"
            found.append(Layer(kind, (c,), f"Dense({k})(x)", c * k, sparsity))
    for size, c, kernel, s in ((112, 32, 3, 1), (112, 64, 3, 2), (56, 128, 3, 1), (28, 256, 3, 1),
                               (14, 512, 3, 1), (7, 1024, 3, 1), (28, 240, 5, 1), (14, 480, 5, 1)):  # fmt: skip
        out = size // s
        make = f"DepthwiseConv2D({kernel}, strides={s}, padding='same')(x)"
        found.append(Layer("depthwise", (size, size, c), make, out * out * c * kernel * kernel))
    for size, c in ((112, 32), (56, 96), (28, 240), (14, 480), (7, 1152)):
        for name in ("sigmoid", "tanh"):
            make = f"Activation({name!r})(x)"
            found.append(Layer("function", (size, size, c), make, size * size * c))
        for make in ("Add()([x, x])", "GlobalAveragePooling2D()(x)"):
            found.append(Layer("move", (size, size, c), make, 0))
        for kernel, stride in ((2, 2), (3, 1), (3, 2), (5, 1), (7, 7)):
            for kind in ("Max", "Average"):
                out = -(-size // stride)
                make = f"{kind}Pooling2D({kernel}, {stride}, 'same')(x)"
                work = out * out * c * kernel * kernel
                found.append(Layer("pool", (size, size, c), make, work))
    return found


@functools.cache
def tflite(layer: Layer, *, int8: bool, behind_a_convolution: bool = False) -> tuple[bytes, float]:
    """The layer as a network, and the bytes of activations that it reads and writes."""
    import keras

    import sbnn_tf as sbnn
    from delegate.bench.models import quantized

    start = x = keras.Input(layer.shape)
    if behind_a_convolution:
        x = eval(f"layers.{CONVOLUTION}", {"layers": keras.layers, "x": x})
    made = eval(f"layers.{layer.make}", {"layers": keras.layers, "x": x})
    elements = np.prod(layer.shape) * layer.make.count("x]") + np.prod(layer.shape)
    elements += np.prod(made.shape[1:])
    model = keras.Model(start, made)
    if int8:
        return quantized(model), float(elements)
    pruning = {"prune": layer.sparsity, "group": 4, "layers": ["*"]} if layer.sparsity else {}
    return sbnn.convert(model, **pruning), 4.0 * float(elements)


def run_seconds(model: bytes, **options) -> float:
    """Least seconds of one run in TensorFlow Lite with XNNPACK, or in the delegate with options."""
    import sbnn_tf as sbnn
    from sbnn_tf.run import runtime

    delegate = sbnn.load_delegate(**options) if options else None
    made = runtime.interpreter(model, delegate=delegate)
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        made.invoke()
        times.append(time.perf_counter() - start)
    return min(times)


def here_seconds(model: bytes, isa: str) -> float:
    """Least seconds of the delegate's operators, as its profile tells."""
    import sbnn_tf as sbnn
    from sbnn_tf.run import runtime

    records = []
    delegate = sbnn.load_delegate(profile=True, claim="all", isa=isa, report=records.append)
    made = runtime.interpreter(model, delegate=delegate)
    for _ in range(ROUNDS):
        made.invoke()
    del made  # which is when it reports the profile
    # (A step of no node is a change of layout.)
    steps = [record for record in records if record["record"] == "step_profile" and record["nodes"]]
    if not steps:
        raise RuntimeError("the delegate reported no profile")
    return sum(step["least_seconds"] for step in steps)


def fit(rows: list[tuple[float, float, float]]) -> tuple[float, float]:
    """(a, b), both at least 0, of seconds = a * work + b * bytes, least squares of relative errors."""
    table = np.array([(work / s, size / s) for work, size, s in rows])
    ones = np.ones(len(rows))
    candidates = []
    for columns in ([0, 1], [0], [1]):
        if not table[:, columns].any(axis=0).all():
            continue
        found = np.zeros(2)
        found[columns] = np.linalg.lstsq(table[:, columns], ones, rcond=None)[0]
        if (found >= 0).all():
            candidates.append((np.square(table @ found - ones).sum(), tuple(found)))
    return min(candidates)[1]


def braces(fits: dict[str, tuple[float, float]]) -> str:
    """A `Rates` of cost.cc: picoseconds a unit, which is nanoseconds a thousand."""
    parts = (", ".join(f"{fits[kind][i] * 1e12:.4g}" for kind in KINDS) for i in (0, 1))
    return "{" + ", ".join("{" + part + "}" for part in parts) + f", {NODE_NS}" + "}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--isa",
        nargs="+",
        default=["avx512"],
        help="instruction sets to fit; a row's other half is TensorFlow Lite on this CPU",
    )
    parser.add_argument("--int8", action="store_true", help="of quantized layers")
    parser.add_argument(
        "--without-amx", action="store_true", help="as on a CPU that has none; int8 rows tell"
    )
    options = parser.parse_args()
    int8 = options.int8
    products = ""  # of bytes, by which rows of int8 are named
    if int8 and not options.without_amx and has_amx():
        products = " amx"
    elif int8 and not has_vnni():
        products = " without vnni"
    from sbnn_tf.run.benchmark import cpu_name

    nothing, _ = tflite(Layer("move", (1, 1, 1), "Add()([x, x])", 0), int8=int8)
    made = []
    for layer in layers(int8):
        model, size = tflite(layer, int8=int8)
        behind = before = None
        # These are claimed, and fused, only next to a convolution.
        if layer.kind in ("function", "pool", "move"):
            behind, _ = tflite(layer, int8=int8, behind_a_convolution=True)
            before, _ = tflite(Layer("depthwise", layer.shape, CONVOLUTION, 0), int8=int8)
        made.append((layer, model, size, behind or model, before))
    if options.without_amx:  # which TensorFlow, that made these, does not take
        forbid_amx()

    idle = run_seconds(nothing)
    stock: dict[str, list] = {kind: [] for kind in KINDS}
    here: dict[str, dict[str, list]] = {isa: {kind: [] for kind in KINDS} for isa in options.isa}
    layout: dict[str, list] = {isa: [] for isa in options.isa}
    for layer, alone, size, model, before in made:
        seconds = max(1e-7, run_seconds(alone) - idle)
        work = layer.work
        if layer.sparsity:  # which stock TensorFlow Lite makes nothing of
            work *= (1 - layer.sparsity) * COLUMN_OF_FOUR
        else:
            stock[layer.kind].append((layer.work, size, seconds))
        for isa in options.isa:
            ours = here_seconds(model, isa)
            if before is not None:
                ours = max(1e-7, ours - here_seconds(before, isa))
            here[isa][layer.kind].append((work, size, ours))
            if layer.kind == "depthwise":  # its input and its output change layout
                whole = run_seconds(model, claim="all", isa=isa) - idle
                layout[isa].append((0.0, 2 * size, max(1e-7, whole - ours)))
            print(f"{isa} {layer}: {ours * 1e6:.1f} us, stock {seconds * 1e6:.1f}", file=sys.stderr)
    command = f"python -m delegate.bench.fit --isa {' '.join(options.isa)}" + " --int8" * int8
    command += " --without-amx" * options.without_amx
    print(f"// {command}, {cpu_name()}, {datetime.date.today()}")
    for isa in options.isa:
        ours = braces({kind: fit(rows) for kind, rows in here[isa].items()})
        theirs = braces({kind: fit(rows) for kind, rows in stock.items()})
        print(f'{{"{isa}{products}", {fit(layout[isa])[1] * 1e12:.4g}, {ours},\n {theirs}}},')


if __name__ == "__main__":
    main()
