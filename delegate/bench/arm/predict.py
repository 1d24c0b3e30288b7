"""Predicts our kernels' time on phones' cores, against XNNPACK's dense ones: make arm-model.

Writes delegate/bench/ARM.md and its picture, and to delegate/bench/recorded every figure and the cost
tables of the Cortex-A76.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import re
import shlex
from pathlib import Path

from delegate.bench.arm import cores, int8, kernels, mnn, model, plan, report, xnnpack
from delegate.bench.arm.cost import kernel_instructions
from delegate.bench.arm.networks import BENCH, NETWORKS, commit, shapes_of
from delegate.bench.arm.x86 import compare

ZEROS = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
GROUPS = (1, 4, 8)
WATCHED = plan.Layer("conv", 14, 14, 64, 64, 1, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--arm-bin", type=Path, required=True, help="folder of the aarch64 build of delegate/bench"
    )
    parser.add_argument(
        "--host-bin", type=Path, required=True, help="folder of this machine's build of it"
    )
    parser.add_argument("--work", type=Path, required=True, help="folder for what is fetched")
    parser.add_argument(
        "--timed-with", default="", help="command put before what is timed, such as 'taskset -c 1'"
    )
    parser.add_argument("--rounds", type=int, default=40, help="of each layer that is timed")
    parser.add_argument("--mnn", type=Path, help="folder of MNN's source, to price its loops too")
    parser.add_argument(
        "--networks",
        nargs="+",
        choices=NETWORKS,
        default=list(NETWORKS),
        metavar="NAME",
        help="to predict; of others what is recorded stays",
    )
    options = parser.parse_args()

    library = xnnpack.fetch(options.work / "xnnpack")
    qemu = ["qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu"]
    arm = model.Engine(options.arm_bin / "plan", "neon", qemu)
    recorded = BENCH / "recorded"
    kept = {n: plan.read_layers(shapes_of(n)) for n in NETWORKS if n not in options.networks}
    predictions = report.recorded(recorded / "arm_model.jsonl", kept, cores.PHONES) if kept else []
    for name in options.networks:
        for core in cores.PHONES:
            predictions.append(predicted(name, arm, library, core))
            print(name, core.name, flush=True)
    write(predictions, arm, library, options)


def write(
    predictions: list[report.Prediction],
    arm: model.Engine,
    library: Path,
    options: argparse.Namespace,
) -> None:
    """All that is made of predictions."""
    predictions.sort(key=lambda p: list(NETWORKS).index(p.network))
    comparisons = checked(options)
    error = max(abs(c.error) for c in comparisons)
    recorded = BENCH / "recorded"
    report.record(recorded / "arm_model.jsonl", predictions)
    for p in predictions:
        if p.core == cores.A76:
            report.cost_table(p, 4).save(recorded / f"cost_{NETWORKS[p.network]}_cortex_a76.json")
    report.draw([p for p in predictions if p.network == predictions[0].network], BENCH / "ARM.png")
    rows = kernel_rows(arm, library, options)
    (BENCH / "ARM.md").write_text(text(predictions, rows, comparisons, watched(arm), error))
    print(BENCH / "ARM.md")


def text(
    predictions: list[report.Prediction],
    rows: list[list[str]],
    comparisons: list,
    emulated: list[report.Emulated],
    error: float,
) -> str:
    """ARM.md."""
    first = predictions[0]
    template = (Path(__file__).parent / "ARM.template.md").read_text()
    return template.format(
        date=datetime.date.today(),
        commit=commit(),
        error=f"{error * 100:.0f} %",
        speed_ups=report.speed_ups(predictions, error),
        int8_bars=int8.bars(int8.recorded()),
        int8=int8.speed_ups(int8.recorded()),
        bars=report.bars(first, error),
        kernels=report.kernels(rows),
        layers="\n\n".join(
            f"{p.network}:\n\n{report.layers(p, 4)}" for p in predictions if p.core == cores.A76
        ),
        totals=report.totals(comparisons),
        measured=report.measured_layers(comparisons[1]),
        emulated=report.emulated(emulated),
        assumptions=report.assumptions([*cores.PHONES, cores.ZEN4, cores.ZEN4_AVX2]),
    )


def predicted(name: str, arm: model.Engine, library: Path, core: cores.Core):
    shapes = shapes_of(name)
    ours = {
        # Which group is zeroed together does not matter where nothing is.
        (group, zeros): arm.network(shapes, 1 - zeros, group if zeros else 8, core)
        for group in GROUPS
        for zeros in ZEROS
    }
    dense = model.dense(library, shapes, core)
    return report.Prediction(name, commit(), core, plan.read_layers(shapes), dense, ours)


def checked(options: argparse.Namespace) -> list:
    """The method against this machine's clock. Only processors whose tables we know are taken."""
    if platform.machine() != "x86_64" or "avx512" not in Path("/proc/cpuinfo").read_text():
        raise SystemExit(
            "the model is checked on a Zen 4; on other machines add theirs to cores.py"
        )
    timer = [*shlex.split(options.timed_with), str(options.host_bin / "layers")]
    shapes = BENCH / "shapes/mobilenet_v1.txt"
    found = []
    for isa, core in (("avx512", cores.ZEN4), ("avx2", cores.ZEN4_AVX2)):
        engine = model.Engine(options.host_bin / "plan", isa)
        for zeros in (0.0, 0.5, 0.9):
            found.append(compare(engine, core, timer, shapes, 1 - zeros, 4, options.rounds))
    return found


def kernel_rows(arm: model.Engine, library: Path, options: argparse.Namespace) -> list[list[str]]:
    """Of the table of inner loops: our widest tiles, XNNPACK's kernels and MNN's."""
    widest: dict[int, tuple[int, int]] = {}  # by group: vectors and address
    for address, function in arm.functions.items():
        if found := re.search(r"4SpmmILi(\d+)ELi(\d+)ELi0E", function.name):
            tile = int(found[2]), address
            widest[int(found[1])] = max(tile, widest.get(int(found[1]), tile))
    codes = [(address, 0) for _, (_, address) in sorted(widest.items())]
    mnn_loops = mnn.loops(options.mnn, options.work / "mnn") if options.mnn else []
    rows = []
    for core in cores.PHONES:
        ours = arm.price(core, set(codes))
        rows += report.kernel_rows([ours[code] for code in codes], core)
        rows += report.kernel_rows(list(xnnpack.baseline(library, core).values()), core)
        rows += report.kernel_rows(kernels.price(mnn_loops, core), core)
    return rows


def watched(arm: model.Engine) -> list[report.Emulated]:
    """Instructions of single layers, as the model has them and as qemu sees them."""
    found = []
    for group in GROUPS:
        works = arm.plan_of(WATCHED, 0.5, group)
        priced = arm.price(cores.A76, {w.code for w in works})
        counts = arm.counts(WATCHED, 0.5, group, sorted({w.address for w in works}))
        predicted = sum(kernel_instructions(w, priced[w.code]) for w in works)
        found.append(report.Emulated(WATCHED, group, sum(counts.values()), predicted))
    return found


if __name__ == "__main__":
    main()
