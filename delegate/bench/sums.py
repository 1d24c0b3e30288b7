"""Adds up the times of a network's layers by kind, sparse over dense, both in the delegate.

    python -m delegate.bench.sums --networks mobilenet_v1_int8 --isa avx2

For what stock TensorFlow Lite is no baseline for: it takes the best instruction set that the CPU
has. Files take turns; a layer's time is its least.
"""

from __future__ import annotations

import argparse
import collections
from collections.abc import Sequence

import numpy as np

from delegate.bench.models import NETWORKS, dense, pruned


def kinds(model: bytes) -> list[str]:
    """Of each operator of the first subgraph: "1x1", another convolution's "KxK", or its name."""
    from sbnn_tf.convert import flatbuffer
    from sbnn_tf.convert.graph import CONV, op_name

    parsed = flatbuffer.read(model)
    graph = parsed.subgraphs[0]
    found = []
    for op in graph.operators:
        name = op_name(parsed, op)
        if name == CONV:
            height, width = graph.tensors[op.inputs[1]].shape[1:3]
            name = f"{height}x{width}"
        found.append(name)
    return found


class Profiled:
    """A file in the delegate, all of it, which tells the time of each step."""

    def __init__(self, model: bytes, **options):
        import sbnn_tf as sbnn
        from sbnn_tf.run import runtime

        self._kinds = kinds(model)
        self._records: list[dict] = []
        delegate = sbnn.load_delegate(
            profile=True, claim="all", report=self._records.append, **options
        )
        self._made = runtime.interpreter(model, delegate=delegate)
        for entry in self._made.get_input_details():
            noise = np.random.default_rng(0).standard_normal(entry["shape"])
            kind = entry["dtype"]
            scale = 1 if np.issubdtype(kind, np.floating) else 50
            self._made.set_tensor(entry["index"], (scale * noise).clip(-128, 127).astype(kind))

    def invoke(self) -> None:
        self._made.invoke()

    def milliseconds(self) -> dict[str, float]:
        """By kind of what a step begins with; changes of layout are their own. Ends the profile."""
        self._made = None
        sums: dict[str, float] = collections.defaultdict(float)
        for record in self._records:
            if record["record"] == "step_profile":
                kind = self._kinds[record["nodes"][0]] if record["nodes"] else "layout"
                sums[kind] += record["least_seconds"] * 1e3
        return dict(sums)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument(
        "--networks", nargs="+", choices=NETWORKS, default=["mobilenet_v1_int8"], metavar="NAME"
    )
    parser.add_argument("--sparsities", nargs="+", type=float, default=[0.5, 0.9], metavar="S")
    parser.add_argument("--size", type=int, default=224, metavar="PIXELS")
    parser.add_argument("--isa", help="instruction set (default: the best)")
    parser.add_argument("--rounds", type=int, default=30, metavar="N")
    options = parser.parse_args(arguments)
    from sbnn_tf.run.benchmark import cpu_name, pinned

    more = {"isa": options.isa} if options.isa else {}
    for name in options.networks:
        model = dense(NETWORKS[name], options.size)
        sparsities = [0.0, *options.sparsities]
        files = [pruned(NETWORKS[name], model, s) for s in sparsities]
        with pinned(1):
            sides = [Profiled(file, **more) for file in files]
            for _ in range(options.rounds):
                for side in sides:
                    side.invoke()
            sums = [side.milliseconds() for side in sides]
        print(f"{NETWORKS[name].title}, {options.isa or 'best'}, {cpu_name()}: ms (over dense)")
        for kind, whole in sorted(sums[0].items(), key=lambda each: -each[1]):
            cells = [f"{whole:.3f}"]
            for each in sums[1:]:
                cells.append(
                    f"{each[kind]:.3f} ({whole / each[kind]:.2f})" if kind in each else "-"
                )
            print(f"{kind:20} " + "  ".join(cells))


if __name__ == "__main__":
    main()
