"""Times whole networks: sparse in the delegate against dense in TensorFlow Lite with XNNPACK.

    make bench                                     every network, table in build/bench/networks.md
    python -m delegate.bench.networks --networks mobilenet_v1 resnet50 --sparsities 0.5 --rounds 20
    python -m delegate.bench.networks --size 96    (or --batch 8, --num-threads 2)

Random weights, pruned by magnitude without training: the time does not depend on the values. Both
sides have the same zeros and take turns in one process. Each row is appended to a file of results
when it is measured; rows that this file has for the same library and options are not measured again.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from delegate.bench.models import NETWORKS, dense, pruned

FEWEST_ROUNDS = 10
SETTING = ("network", "sparsity", "size", "batch", "num_threads")
KEY = (*SETTING, "rounds", "library")


def main(arguments: Sequence[str] | None = None) -> None:
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    options = parser().parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    rows = measure(options, provenance("networks", arguments))
    text = table(rows)
    write(options.out, text)
    print(f"\n{text}\n{options.out}")


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    add_choice(made)
    made.add_argument("--num-threads", type=int, default=1, metavar="N", help="of each side")
    made.add_argument(
        "--results",
        type=Path,
        default=Path("build/bench/networks.jsonl"),
        metavar="FILE",
        help="file that rows are appended to, and taken from",
    )
    made.add_argument("--again", action="store_true", help="measure rows that are there already")
    made.add_argument(
        "--out",
        type=Path,
        default=Path("build/bench/networks.md"),
        metavar="FILE",
        help="table to write",
    )
    return made


def add_choice(made: argparse.ArgumentParser) -> None:
    """The options that say what is timed."""
    made.add_argument(
        "--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS), metavar="NAME"
    )
    made.add_argument(
        "--sparsities",
        nargs="+",
        type=float,
        metavar="S",
        help="share of zeros in the pruned filters; each network has its own columns",
    )
    made.add_argument("--size", type=int, default=224, metavar="PIXELS", help="input, both ways")
    made.add_argument("--batch", type=int, default=1, metavar="N", help="images an inference")
    made.add_argument(
        "--rounds",
        type=int,
        default=60,
        metavar="N",
        help=f"turns of each side; costly networks get fewer, down to {FEWEST_ROUNDS}",
    )


def measure(options: argparse.Namespace, source: dict) -> list[dict]:
    """The rows that were asked for, measured or found in the file of results.

    Args:
      source: what `provenance` returned.
    """
    import sbnn_tf as sbnn
    from delegate.bench.work import macs
    from sbnn_tf.run.runtime import find_library

    library = hashlib.sha256(find_library().read_bytes()).hexdigest()[:12]
    known = {} if options.again else read(options.results)
    rows = []
    for name in options.networks:
        network, model = NETWORKS[name], None
        rounds = rounds_of(name, options)
        for sparsity in options.sparsities or network.sparsities:
            key = (
                name,
                sparsity,
                options.size,
                options.batch,
                options.num_threads,
                rounds,
                library,
            )
            if key not in known:
                model = model or dense(network, options.size, options.batch)
                sparse = pruned(network, model, sparsity)
                result = sbnn.benchmark(
                    sparse, num_threads=options.num_threads, rounds=rounds
                ).to_dict()
                total, kept = macs(sparse)
                row = {**dict(zip(KEY, key)), "macs": total, "kept_macs": kept, **result, **source}
                append(options.results, row)
                known[key] = row
            rows.append(known[key])
            print(line(known[key]), flush=True)
    return rows


def rounds_of(name: str, options: argparse.Namespace) -> int:
    work = NETWORKS[name].work * options.batch * (options.size / 224) ** 2
    return max(min(FEWEST_ROUNDS, options.rounds), round(options.rounds / max(work, 1)))


def provenance(module: str, arguments: Sequence[str]) -> dict:
    """What a result of a module here must say about how it was made; a changed tree adds a "+"."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
        return done.stdout.strip()

    changed = "+" if git("status", "--porcelain", "--untracked-files=no") else ""
    return {
        "date": f"{datetime.date.today()}",
        "commit": (git("rev-parse", "--short", "HEAD") or "unknown") + changed,
        "command": " ".join([f"python -m delegate.bench.{module}", *arguments]),
        "cores": os.cpu_count(),
    }


def read(path: Path) -> dict[tuple, dict]:
    """Rows by key, the last of each; a line that an interruption cut short is left out."""
    rows = {}
    for text in path.read_text().splitlines() if path.is_file() else ():
        try:
            row = json.loads(text)
        except ValueError:
            continue
        rows[tuple(row[k] for k in KEY)] = row
    return rows


def append(path: Path, row: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Behind a line that was cut short, a new one begins.
    cut = path.is_file() and path.read_text()[-1:] not in ("\n", "")
    with path.open("a") as file:
        file.write("\n" * cut + json.dumps(row) + "\n")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def table(rows: list[dict]) -> str:
    """Rows as Markdown, under what they have in common: one table for each way of measuring."""
    lines = []
    for heading in dict.fromkeys(map(_heading, rows)):
        mine = [row for row in rows if _heading(row) == heading]
        peaks = [row["peak_gflops"] for row in mine]
        lines += [
            heading,
            f"FMA peak of a core, measured with each row: {min(peaks):.0f} to {max(peaks):.0f} "
            "GFLOP/s. Times are in ms, minimum / median.",
            "",
            *(f"`{command}`" for command in dict.fromkeys(row["command"] for row in mine)),
            "",
            "| network | zeros | dense, TFLite XNNPACK | of peak | sparse, delegate | of peak "
            "| speed-up (min) | speed-up (median) | nodes claimed |",
            "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
            *map(line, mine),
            "",
        ]
    return "\n".join(lines)


def _heading(row: dict) -> str:
    return (
        f"{row['cpu']}, {row['cores']} cores, {row['num_threads']} thread(s); {row['date']}, commit "
        f"{row['commit']}; input {row['size']} x {row['size']}, batch {row['batch']}. "
    )


def line(row: dict) -> str:
    stock, ours = row["baseline"], row["delegate"]
    peak = row["peak_gflops"] * row["num_threads"] * 1e6  # FLOP a ms

    def share(multiply_adds: int, times: dict) -> str:
        return f"{2 * multiply_adds / times['median_ms'] / peak:.0%}"

    return (
        f"| {NETWORKS[row['network']].title} | {row['sparsity']:.3g} "
        f"| {stock['min_ms']:.2f} / {stock['median_ms']:.2f} | {share(row['macs'], stock)} "
        f"| {ours['min_ms']:.2f} / {ours['median_ms']:.2f} | {share(row['kept_macs'], ours)} "
        f"| {row['speedup_min']:.2f} | **{row['speedup_median']:.2f}** "
        f"| {row['claimed_nodes']}/{row['total_nodes']} |"
    )


if __name__ == "__main__":
    main()
