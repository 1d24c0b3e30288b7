"""Records what the benches measured: results, the picture, and RESULTS.md from them.

    python -m delegate.bench.record

Takes what `make bench`, `make bench-operators` and `make bench-peers` left in build/bench; what is
not there stays as it was recorded before.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from delegate.bench import networks, operators
from delegate.bench.peers import record as peers

HERE = Path(__file__).parent
FOLDER = HERE / "recorded"
NETWORKS = "networks.jsonl"
OPERATORS = "operators.jsonl"
# Of each run of `make bench-peers`: its folder, its title, the recorded results and their picture.
PEERS = (
    ("peers", "Other engines, in one run", "peers.json", "peers.svg"),
    (peers.INT8_FOLDER, "Other engines, int8", "peers_int8.json", "peers_int8.svg"),
)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--from", dest="source", type=Path, default=Path("build/bench"))
    source = parser.parse_args(arguments).source
    FOLDER.mkdir(exist_ok=True)
    measured = networks.read(source / NETWORKS).values()
    if measured:
        rows = latest([*networks.read(FOLDER / NETWORKS).values(), *measured])
        (FOLDER / NETWORKS).write_text("".join(json.dumps(row) + "\n" for row in rows))
    if (source / OPERATORS).is_file():
        rows = last_run((source / OPERATORS).read_text())
        (FOLDER / OPERATORS).write_text("".join(json.dumps(row) + "\n" for row in rows))
    for folder, _, results, picture in PEERS:
        measured = source / folder / peers.RESULTS
        if measured.is_file():
            shutil.copyfile(measured, FOLDER / results)
            peers.draw(json.loads(measured.read_text()), FOLDER / picture)
    (HERE / "RESULTS.md").write_text(text())


def latest(rows) -> list[dict]:
    """The last row of each network, sparsity and setting, in the order of the tables."""
    kept = {}
    for row in rows:
        kept[tuple(row[key] for key in networks.SETTING)] = row
    order = list(networks.NETWORKS)

    def place(row: dict) -> tuple:
        setting = tuple(row[key] for key in ("size", "batch", "num_threads"))
        return setting != (224, 1, 1), setting, order.index(row["network"]), row["sparsity"]

    return sorted(kept.values(), key=place)


def last_run(lines: str) -> list[dict]:
    """The rows of the run that ended last, of those that were appended to one file."""
    rows = [json.loads(line) for line in lines.splitlines() if line]
    source = ("command", "commit", "date")
    mine = [row for row in rows if all(row[key] == rows[-1][key] for key in source)]
    kept = {(row["operator"], row["shape"], row["sparsity"]): row for row in mine}
    return list(kept.values())


def text() -> str:
    """RESULTS.md, from what is recorded."""
    parts = [
        "# Measured\n\nWritten by `python -m delegate.bench.record` from `recorded/`; `make bench` and "
        "`make bench-peers` measure on your machine. Networks have random weights, pruned by "
        "magnitude: what is timed does not depend on the values.\n"
    ]
    if (FOLDER / NETWORKS).is_file():
        rows = [json.loads(line) for line in (FOLDER / NETWORKS).read_text().splitlines()]
        parts.append(
            "## Networks\n\nSparse in the delegate against dense, with the same zeros, in TensorFlow "
            "Lite with XNNPACK; the two take turns in one process. Pruned are the 1x1 convolutions, in "
            "groups of 4 outputs, unless a row says otherwise; the first convolution, depthwise and "
            "fully connected layers are dense. 'Of peak' counts the multiply-adds whose weight is "
            f"stored.\n\n{networks.table(rows)}"
        )
    if (FOLDER / OPERATORS).is_file():
        rows = [json.loads(line) for line in (FOLDER / OPERATORS).read_text().splitlines()]
        parts.append(
            "## Single operators\n\nEach between two sparse 1x1 convolutions, as in a network, with the "
            f"default options.\n\n{operators.compact(rows)}"
        )
    for _, title, name, picture in PEERS:
        if (FOLDER / name).is_file():
            results = json.loads((FOLDER / name).read_text())
            parts.append(
                f"## {title}\n\n![Speed-up against sparsity](recorded/{picture})\n\n"
                f"{peers.table(results)}"
            )
    return "\n".join(parts)


if __name__ == "__main__":
    main()
