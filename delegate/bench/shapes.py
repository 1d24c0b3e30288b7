"""Writes the shape files that the layers bench reads, from the networks' `.tflite` files.

python -m delegate.bench.shapes
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from delegate.bench.models import NETWORKS, dense
from delegate.bench.work import Layer, layers

FOLDER = Path(__file__).parent / "shapes"
# One file an architecture: how a network is pruned does not change its shapes.
NAMES = [
    name
    for name, network in NETWORKS.items()
    if not name.endswith("_unstructured") and not (network.int8 or network.dynamic)
]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--networks", nargs="+", choices=NAMES, default=NAMES, metavar="NAME")
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="FOLDER")
    options = parser.parse_args(arguments)
    for name in options.networks:
        network = NETWORKS[name]
        path = options.out / f"{name}.txt"
        path.write_text(text(network.title.split(",")[0], layers(dense(network))))
        print(path, flush=True)


def text(title: str, found: Sequence[Layer]) -> str:
    """A shape file: equal layers are one line, with their number."""
    counts = Counter(map(_shape, found))
    lines = [
        f"# {title} at 224 x 224",
        "# operator height width inputs outputs kernel stride count",
    ]
    for (op, *numbers), count in counts.items():
        columns = zip(numbers, (3, 3, 5, 5, 1, 1))
        lines.append(" ".join([f"{op:4}", *(f"{n:{w}}" for n, w in columns), str(count)]))
    return "\n".join(lines) + "\n"


def _shape(layer: Layer) -> tuple:
    return (
        layer.op,
        layer.height,
        layer.width,
        layer.inputs,
        layer.outputs,
        layer.kernel,
        layer.stride,
    )


if __name__ == "__main__":
    main()
