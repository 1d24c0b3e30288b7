"""Times the delegate of this tree against that of another commit: is anything slower?

    make bench-compare BASE=main
    python -m delegate.bench.compare HEAD~3 --networks mobilenet_v1 --sparsities 0.5

Builds both with Bazel, loads both libraries into one process and lets them take turns. A network is
called slower, or faster, if its minimum and its median both are by more than the threshold. The exit
code is 1 if one is slower.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from delegate.bench.models import NETWORKS, dense, pruned
from delegate.bench.networks import add_choice, rounds_of

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build/bench/compare"
TARGET, LIBRARY = "//delegate/tflite:sbnn_delegate", "delegate/tflite/libsbnn_delegate.so"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("base", metavar="BASE", help="commit, branch or tag to compare with")
    add_choice(parser)
    parser.set_defaults(sparsities=[0.0, 0.5, 0.9])
    parser.add_argument("--num-threads", type=int, default=1, metavar="N", help="of each side")
    parser.add_argument(
        "--threshold", type=float, default=0.03, metavar="R", help="differences up to it are noise"
    )
    options = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    libraries = build_commit(options.base), build(ROOT, FOLDER / "here.so")

    slower = 0
    print("| network | zeros | base, ms (min / median) | here | ratio (min) | ratio (median) | |")
    print("|---|--:|--:|--:|--:|--:|---|", flush=True)
    for name in options.networks:
        model = dense(NETWORKS[name], options.size, options.batch)
        for sparsity in options.sparsities:
            sparse = pruned(NETWORKS[name], model, sparsity)
            times = pair(sparse, libraries, options.num_threads, rounds_of(name, options))
            base, here = ((min(t), statistics.median(t)) for t in times)
            ratios = [b / a for a, b in zip(base, here)]
            word = verdict(ratios, options.threshold)
            slower += word == "SLOWER"
            print(
                f"| {NETWORKS[name].title} | {sparsity:.3g} | {base[0]:.2f} / {base[1]:.2f} "
                f"| {here[0]:.2f} / {here[1]:.2f} | {ratios[0]:.3f} | {ratios[1]:.3f} | {word} |",
                flush=True,
            )
    return 1 if slower else 0


def verdict(ratios: Sequence[float], threshold: float) -> str:
    """What ratios of times, here over base, say together."""
    if all(ratio > 1 + threshold for ratio in ratios):
        return "SLOWER"
    return "faster" if all(ratio < 1 / (1 + threshold) for ratio in ratios) else "same"


def pair(
    model: bytes, libraries: Sequence[Path], num_threads: int, rounds: int
) -> list[list[float]]:
    """Milliseconds of each library's turns on a model."""
    from sbnn_tf.run import runtime
    from sbnn_tf.run.benchmark import pinned, take_turns

    with pinned(num_threads):
        sides = []
        for library in libraries:
            delegate = runtime.load_delegate(num_threads=num_threads, library=library)
            sides.append(runtime.interpreter(model, num_threads=num_threads, delegate=delegate))
        return take_turns([side.invoke for side in sides], rounds)


def build_commit(commit: str) -> Path:
    """The delegate of a commit; built once."""
    found = subprocess.run(
        ["git", "rev-parse", "--short", "--verify", f"{commit}^{{commit}}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        sys.exit(f"no such commit: {commit}")
    target = FOLDER / f"{found.stdout.strip()}.so"
    if target.is_file():
        return target
    tree = FOLDER / "tree"
    _remove(tree)
    subprocess.run(["git", "worktree", "add", "--detach", tree, commit], cwd=ROOT, check=True)
    try:
        own = ROOT / ".bazelrc.user"  # how Bazel works on this machine
        if own.is_file():
            shutil.copy(own, tree)
        return build(tree, target)
    finally:
        _remove(tree)


def build(tree: Path, target: Path) -> Path:
    """The delegate of a source tree, copied to `target`."""
    bazel = os.environ.get("SBNN_BAZEL", "bazel")
    subprocess.run([bazel, "build", TARGET], cwd=tree, check=True)
    binaries = subprocess.run(
        [bazel, "info", "bazel-bin"], cwd=tree, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_suffix(".new")
    shutil.copyfile(Path(binaries, LIBRARY), fresh)
    fresh.replace(target)
    if tree != ROOT:  # its Bazel server would stay
        subprocess.run([bazel, "shutdown"], cwd=tree, check=False)
    return target


def _remove(tree: Path) -> None:
    subprocess.run(
        ["git", "worktree", "remove", "--force", tree], cwd=ROOT, check=False, capture_output=True
    )


if __name__ == "__main__":
    sys.exit(main())
