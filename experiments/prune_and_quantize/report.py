"""The tables and the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from experiments import intervals, records
from experiments.experiment import interval, verdict
from experiments.prune_and_quantize.measure import FLOATS
from experiments.prune_and_quantize.results import (
    HERE,
    QUANTIZED,
    TIMED,
    TRAINED,
    percent,
    ratios,
    timed_as,
)
from experiments.prune_and_quantize.variants import PATTERNS, PERCENT, WIDTHS, variants

DENSE = ["dense", *(f"dense_{width:g}" for width in WIDTHS)]
FAMILIES = {  # of the picture: (title, colour, marker), the variants and their type
    "dense, fp32": (("#c8553d", "D"), ["dense"], "fp32"),
    "groups of 4, fp32": (("#8a8f98", "s"), [f"{name}_plain" for name in FLOATS[1:]], "fp32"),
    "dense and narrower, int8": (("#c8553d", "o"), DENSE, "int8"),
    **{
        f"{title}{words}, int8": (
            (colour, "o" if not end else "x"),
            [f"{pattern}_{each}{end}" for each in PERCENT],
            "int8",
        )
        for pattern, title, colour in zip(PATTERNS, PATTERNS.values(), ("#0b6e99", "#57a773"))
        for end, words in (("", ", rearranged"), ("_plain", ""))
    },
}


def write() -> None:
    text = tables()
    print(text)
    records.replace(HERE / "README.md", *records.marks("result", "the step `report`"), text)
    draw()


def tables() -> str:
    """The results as two Markdown tables: the networks, then the claims."""
    times = ratios()
    lines = [
        "| network | fp32, mean (95 % interval) | int8, mean (95 % interval) | int8 time | fp32 time | "
        "int8, each seed |",
        "|---|---|---|--:|--:|---|",
    ]
    for variant in variants():
        floats, quantized = (percent(record, variant.name) for record in (TRAINED, QUANTIZED))
        if not floats:
            continue
        cells = [
            interval(list(each.values()), ".2f") if each else "" for each in (floats, quantized)
        ]
        for kind in ("int8", "fp32"):
            key = timed_as(variant.name), kind
            cells.append(f"{times[key]:.2f}" if key in times else "")
        each = ", ".join(f"{value:.2f}" for value in quantized.values())
        lines.append(f"| {variant.title} | {' | '.join(cells)} | {each} |")
    lines += [
        "",
        "Times over that of dense int8 in stock TensorFlow Lite, both in their fastest engine",
    ]
    machines = {f"{row['cpu']}, {row['date']}" for row in TIMED.rows()}
    lines[-1] += f" ({'; '.join(sorted(machines))})."
    lines += ["", "| claim | points, mean (95 % interval) | must be | shown? | each seed |"]
    lines.append("|---|---|---|---|---|")
    for text, gains, least in claims():
        if gains:
            lines.append(
                f"| {text} | {interval(gains, '+.2f')} | {least:+.2f} or more | "
                f"{verdict(gains, least)} | {', '.join(f'{gain:+.2f}' for gain in gains)} |"
            )
        elif gains is None:
            lines.append(f"| {text} | outside of the curve's range | | | |")
    return "\n".join(lines) + "\n"


def claims() -> list[tuple[str, list[float] | None, float]]:
    """What is compared: (words, points gained in int8 by seed, the least that must be)."""
    found = []
    for name, words, bars in (
        ("group4_50_plain", "groups of 4, 50 %, against dense", (-0.3, -0.1)),
        ("block4x4_50", "blocks of 4x4, rearranged, 50 %, against dense", (-0.5, -0.2)),
    ):
        found += [
            (f"{words}: the {what}", _paired(name, "dense"), bar)
            for what, bar in zip(("bar", "goal"), bars)
        ]
    for pattern, title in PATTERNS.items():
        for each in PERCENT:
            for end, words in (("_plain", ""), ("", ", rearranged")):
                name = f"{pattern}_{each}{end}"
                text = f"at equal latency: {title}{words}, {each} %, against narrower dense"
                found.append((text, at_equal_latency(name), 0.0))
    found += [
        (
            f"rearranged against not: {title}, {each} %",
            _paired(f"{pattern}_{each}", f"{pattern}_{each}_plain"),
            0.0,
        )
        for pattern, title in PATTERNS.items()
        for each in PERCENT
    ]
    return found


def _paired(better: str, worse: str) -> list[float]:
    a, b = percent(QUANTIZED, better), percent(QUANTIZED, worse)
    return [a[seed] - b[seed] for seed in a if seed in b]


def at_equal_latency(name: str) -> list[float] | None:
    """Points over the curve of the dense int8 networks at the same latency, one for each seed.

    None: the curve does not reach so far.
    """
    times = ratios()
    timed = timed_as(name)
    own = percent(QUANTIZED, name)
    if not own or any((each, "int8") not in times for each in (timed, *DENSE)):
        return []
    dense = {each: percent(QUANTIZED, each) for each in DENSE}
    curve = sorted((math.log(times[each, "int8"]), each) for each in DENSE)
    at = math.log(times[timed, "int8"])
    if not curve[0][0] <= at <= curve[-1][0]:
        return None
    found = []
    for seed, accuracy in own.items():
        if all(seed in dense[each] for each in DENSE):
            heights = [dense[each][seed] for _, each in curve]
            found.append(accuracy - float(np.interp(at, [x for x, _ in curve], heights)))
    return found


def draw() -> None:
    """Accuracy over latency, five families, means with their 95 % intervals."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    times = ratios()
    figure, axes = plt.subplots(figsize=(7.5, 4.8), layout="constrained")
    for title, ((colour, marker), names, kind) in FAMILIES.items():
        record = TRAINED if kind == "fp32" else QUANTIZED
        points = [
            (times[timed_as(name), kind], *_mean(list(percent(record, name).values())))
            for name in names
            if (timed_as(name), kind) in times and percent(record, name)
        ]
        if not points:
            continue
        x, y, half = zip(*sorted(points))
        line = ":" if marker in "xs" else "-"
        axes.errorbar(x, y, half, fmt=f"{marker}{line}", label=title, color=colour, capsize=3, lw=1)
    axes.set_xscale("log")
    for ticks in (axes.xaxis.set_major_formatter, axes.xaxis.set_minor_formatter):
        ticks("{x:.1f}")
    axes.set(
        xlabel="time of an image of 112x112, over dense int8 in TensorFlow Lite (1 thread, AVX2 "
        "without VNNI)",
        ylabel="test accuracy, %",
    )
    axes.set_title("Fashion-MNIST: pruned or narrower?", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(HERE / "fashion_mnist.png", dpi=130)


def _mean(values: Sequence[float]) -> tuple[float, float]:
    """Mean, and half the interval: 0 for fewer than three, whose interval is wider than the picture."""
    mean, half = intervals.mean_and_half_width(list(values))
    return mean, half if len(values) > 2 else 0.0
