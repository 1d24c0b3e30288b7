"""ARM.md, its picture and the cost table, from what the model found."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from delegate.bench.arm.cores import Core
from delegate.bench.arm.cost import LayerCost
from delegate.bench.arm.kernels import Kernel
from delegate.bench.arm.plan import Layer
from delegate.bench.arm.x86 import Comparison
from sbnn_tf.plan.cost_table import CostTable, Key

PAPER = (0.30, 1.27)  # zeros, speed-up: MobileNet-v1 on a Snapdragon 855, from the paper's abstract


@dataclasses.dataclass(frozen=True)
class Prediction:
    """A network on a core."""

    network: str
    commit: str  # of the kernels
    core: Core
    layers: Sequence[Layer]
    dense: Sequence[LayerCost]  # XNNPACK's
    ours: dict[tuple[int, float], Sequence[LayerCost]]  # by group and share of zeros

    def cycles(self, costs: Sequence[LayerCost]) -> float:
        """Of the network, each layer as often as it occurs."""
        return sum(l.count * c.cycles for l, c in zip(self.layers, costs, strict=True))

    def speed_up(self, group: int, zeros: float) -> float:
        return self.cycles(self.dense) / self.cycles(self.ours[group, zeros])


@dataclasses.dataclass(frozen=True)
class Emulated:
    """Instructions of a layer's kernels."""

    layer: Layer
    group: int
    executed: int
    predicted: float


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown; the first column left, numbers right."""
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def speed_ups(predictions: Sequence[Prediction], error: float) -> str:
    """error: of the model, where it can be checked; it stands beside each figure."""
    rows = []
    for p in predictions:
        for group in sorted({g for g, _ in p.ours}):
            zeros = sorted(z for g, z in p.ours if g == group)
            cells = [
                f"{p.speed_up(group, z):.2f} ± {p.speed_up(group, z) * error:.2f}" for z in zeros
            ]
            ms = p.cycles(p.dense) / p.core.ghz / 1e6
            rows.append(
                [
                    p.network,
                    p.commit,
                    p.core.name,
                    str(group),
                    f"{p.cycles(p.dense) / 1e6:.1f}",
                    f"{ms:.1f} ± {ms * error:.1f}",
                    *cells,
                ]
            )
    shares = sorted({z for p in predictions for _, z in p.ours})
    head = [
        "network",
        "commit",
        "core",
        "group",
        "XNNPACK dense, M cycles",
        "ms at the core's clock",
    ]
    return table(head + [f"{percent(z)} zeros" for z in shares], rows)


# What the project asks of MobileNet-v1 on a Cortex-A76, group 4: zeros, and the bar and the goal.
BARS = ((0.3, 1.27, 1.38), (0.5, 1.7, 1.9), (0.7, 2.5, 2.9), (0.9, 4.2, 5.2))


def bars(p: Prediction, error: float) -> str:
    rows = []
    for zeros, bar, goal in BARS:
        found = p.speed_up(4, zeros)
        met = "goal" if found >= goal else "bar" if found >= bar else "neither"
        rows.append(
            [percent(zeros), f"{bar:.2f}", f"{goal:.2f}", f"{found:.2f} ± {found * error:.2f}", met]
        )
    return table(["zeros", "bar", "goal", "predicted", "met"], rows)


def kernel_rows(kernels: Sequence[Kernel], core: Core) -> list[list[str]]:
    return [
        [
            k.anatomy.name,
            core.name,
            str(k.anatomy.inner_fmas),
            str(len(k.anatomy.inner)),
            f"{k.inner.cycles:.2f}",
            percent(k.share_of_peak(core)),
            k.inner.limit,
            f"{k.outer.cycles:.0f}",
        ]
        for k in kernels
    ]


def kernels(rows: Sequence[Sequence[str]]) -> str:
    head = [
        "inner loop",
        "core",
        "FMAs",
        "instructions",
        "cycles",
        "of FMA peak",
        "limited by",
        "cycles around it",
    ]
    return table(head, rows)


def layers(p: Prediction, group: int) -> str:
    """Cycles of each layer."""
    shares = sorted(z for g, z in p.ours if g == group)
    rows = []
    for i, (layer, dense) in enumerate(zip(p.layers, p.dense, strict=True)):
        ours = [p.ours[group, zeros][i] for zeros in shares]
        half = p.ours[group, 0.5][i]
        rows.append(
            [
                str(layer),
                str(layer.count),
                thousands(dense.cycles),
                *[thousands(c.cycles) + ("*" if c.memory > c.core else "") for c in ours],
                percent(half.share_of_peak(p.core)),
            ]
        )
    rows.append(
        [
            "**network**",
            "",
            thousands(p.cycles(p.dense)),
            *[thousands(p.cycles(p.ours[group, zeros])) for zeros in shares],
            "",
        ]
    )
    head = ["layer", "times", "XNNPACK, dense", *[f"{percent(z)} zeros" for z in shares]]
    return table([*head, "of FMA peak at 50 %"], rows)


def thousands(cycles: float) -> str:
    return f"{cycles / 1e3:,.0f}"


def totals(comparisons: Sequence[Comparison]) -> str:
    rows = [
        [
            c.isa,
            percent(c.zeros),
            str(c.group),
            f"{c.total(c.measured) / 1e3:.2f}",
            f"{c.total(c.predicted) / 1e3:.2f}",
            f"{c.error * 100:+.1f} %",
            f"{c.layer_error * 100:.0f} %",
        ]
        for c in comparisons
    ]
    head = [
        "instruction set",
        "zeros",
        "group",
        "measured, ms",
        "predicted, ms",
        "error",
        "mean error of a layer",
    ]
    return table(head, rows)


def measured_layers(c: Comparison) -> str:
    rows = [
        [str(layer), f"{m:.0f}", f"{p:.0f}", f"{(p / m - 1) * 100:+.0f} %"]
        for layer, m, p in zip(c.layers, c.measured, c.predicted, strict=True)
    ]
    return table(["layer", "measured, us", "predicted, us", "error"], rows)


def emulated(found: Sequence[Emulated]) -> str:
    rows = [
        [
            str(e.layer),
            str(e.group),
            f"{e.executed:,}",
            f"{e.predicted:,.0f}",
            f"{(e.predicted / e.executed - 1) * 100:+.1f} %",
        ]
        for e in found
    ]
    return table(["layer", "group", "executed under qemu", "predicted", "error"], rows)


def assumptions(cores: Sequence[Core]) -> str:
    lines = []
    for core in cores:
        caches = ", ".join(
            (
                f"{level.name} {level.size / 1024:.0f} KiB at {level.bandwidth:g} bytes a cycle"
                if level.size != float("inf")
                else f"{level.name} at {level.bandwidth:g}"
            )
            for level in core.levels
        )
        lines.append(
            f"- **{core.name}** ({core.ghz:g} GHz, {core.fmas:g} vector FMAs a cycle): L1 {core.l1 / 1024:.0f} KiB, "
            f"{caches}. Corrected by hand: {'; '.join(core.corrections) or 'nothing'}."
        )
    return "\n".join(lines)


def record(path: Path, predictions: Sequence[Prediction]) -> None:
    """Every figure: a line of JSON a network, core, group and share of zeros, with a value a layer."""
    with path.open("w") as file:
        for p in predictions:
            for (group, zeros), costs in [((None, 0.0), p.dense), *p.ours.items()]:
                line = {
                    "network": p.network,
                    "commit": p.commit,
                    "core": p.core.name,
                    "engine": "ours" if group else "XNNPACK, dense",
                    "group": group,
                    "zeros": zeros,
                    "cycles_of_network": round(p.cycles(costs)),
                    "cycles": [round(c.cycles) for c in costs],
                    "cycles_in_the_core": [round(c.core) for c in costs],
                    "cycles_for_bytes": [round(c.memory) for c in costs],
                    "share_of_fma_peak": [round(c.share_of_peak(p.core), 3) for c in costs],
                }
                file.write(json.dumps(line) + "\n")


def recorded(
    path: Path, layers_of: Mapping[str, Sequence[Layer]], cores: Sequence[Core]
) -> list[Prediction]:
    """What `record` wrote, of these networks (by name) and cores."""
    found: dict[tuple[str, str], Prediction] = {}
    by_name = {core.name: core for core in cores}
    for line in map(json.loads, path.read_text().splitlines()):
        network, core = line["network"], by_name.get(line["core"])
        if network not in layers_of or core is None:
            continue
        fields = ("cycles_in_the_core", "cycles_for_bytes", "cycles", "share_of_fma_peak")
        costs = [
            LayerCost(in_core, memory, cycles, float("nan"), share * core.fmas * cycles)
            for in_core, memory, cycles, share in zip(*(line[f] for f in fields), strict=True)
        ]
        if line["group"] is None:
            layers = layers_of[network]
            found[network, core.name] = Prediction(network, line["commit"], core, layers, costs, {})
        else:
            found[network, core.name].ours[line["group"], line["zeros"]] = costs
    return list(found.values())


_OPERATORS = {"conv": "conv", "dw": "depthwise", "fc": "dense"}


def cost_table(p: Prediction, group: int) -> CostTable:
    """What `sbnn profile` would measure there."""
    ms = 1 / (p.core.ghz * 1e6)
    layers: dict[Key, dict[float, float]] = {}
    for i, layer in enumerate(p.layers):
        inputs = 1 if layer.op == "dw" else layer.inputs
        window = () if layer.op == "fc" else (layer.kernel, layer.kernel)
        key = (_OPERATORS[layer.op], (*window, inputs, layer.outputs), layer.out_pixels)
        by_zeros = {z: round(p.ours[g, z][i].cycles * ms, 5) for g, z in p.ours if g == group}
        layers[key] = dict(sorted(by_zeros.items()))
    return CostTable(
        cpu=f"{p.core.name} at {p.core.ghz:g} GHz, predicted",
        num_threads=1,
        pattern=f"group{group}",
        baseline_ms=round(p.cycles(p.dense) * ms, 4),
        dense_ms=round(p.cycles(p.ours[group, 0.0]) * ms, 4),
        layers=layers,
    )


def draw(predictions: Sequence[Prediction], path: Path) -> None:
    """Speed-up against zeros."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.5))
    first = predictions[0]
    for p in predictions:
        for group in sorted({g for g, _ in p.ours}):
            if p is not first and group != 4:
                continue
            zeros = sorted(z for g, z in p.ours if g == group)
            style = "-o" if p is first else "--"
            axes.plot(
                [z * 100 for z in zeros],
                [p.speed_up(group, z) for z in zeros],
                style,
                label=f"{p.core.name}, group {group}",
                markersize=4,
            )
    axes.plot(
        PAPER[0] * 100,
        PAPER[1],
        "k*",
        markersize=13,
        label="the paper, our reading: Snapdragon 855, measured",
    )
    axes.axhline(1, color="grey", linewidth=0.8)
    axes.set_xlabel("zeros in the 1x1 convolutions, %")
    axes.set_ylabel("speed-up over XNNPACK, dense")
    axes.set_title(f"{first.network}, one thread: predicted, not measured")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
