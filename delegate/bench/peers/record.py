"""The table and the picture of a run, from its results."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path

from delegate.bench.peers.rivals import PATTERNS

RESULTS, TABLE, PICTURE = "results.json", "results.md", "speedup.svg"
INT8_FOLDER = "peers-int8"  # below build/bench
REFERENCE = "TFLite XNNPACK"
OURS = "SparseByteNN"


def write(results: dict, folder: Path) -> str:
    """Write results, table and picture into a folder; returns the table."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RESULTS).write_text(json.dumps(results, indent=1) + "\n")
    text = table(results)
    (folder / TABLE).write_text(text)
    draw(results, folder / PICTURE)
    return text


def reference(results: dict, statistic=statistics.median) -> float:
    """Milliseconds of the dense network in TensorFlow Lite."""
    (line,) = (line for line in results["lines"] if line["name"] == REFERENCE)
    return statistic(min(line["points"], key=lambda point: point["sparsity"])["ms"])


def table(results: dict) -> str:
    """Markdown: a line an engine, a column a sparsity; then what is known about each file."""
    sparsities = sorted({p["sparsity"] for line in results["lines"] for p in line["points"]})
    dense = results["macs"]["group4 0"][0]
    of_peak = 2 * dense / reference(results) / results["peak_gflops"] / 1e6
    rows = [
        f"{results['cpu']}, one core of {results['cores']}, one thread; {results['date']}, commit "
        f"{results['commit']}; MobileNet-v1 at {results['size']} x {results['size']}, "
        f"{results['rounds']} rounds in which every engine has its turn; FMA peak of the core "
        f"{results['peak_gflops']:.0f} GFLOP/s, measured in the same run: TFLite XNNPACK reaches "
        f"{of_peak:.0%} of it.",
        "",
        f"`{results['command']}`",
        "",
        "Milliseconds: median (minimum; upper quartile); speed-up over the dense network in TFLite, "
        "ratio of medians (of minima).",
        "",
        "| engine | zeros in | " + " | ".join(f"{s:.0%}" for s in sparsities) + " |",
        "|---|---|" + "--:|" * len(sparsities),
    ]
    for line in results["lines"]:
        points = {point["sparsity"]: point["ms"] for point in line["points"]}
        cells = [_cell(points[s], results) if s in points else "-" for s in sparsities]
        rows.append(f"| {line['name']} | {line['pattern']} | " + " | ".join(cells) + " |")
    rows += [
        "",
        "How far outputs are from TFLite's, relative to the largest, and what engines say about "
        "their files:",
        "",
    ]
    for line in results["lines"]:
        about = [f"off by at most {max(p['off'] for p in line['points']):.0e}"]
        about += [f"{p['sparsity']:.0%}: {p['about']}" for p in line["points"] if p["about"]]
        rows.append(f"- {line['name']}, {line['pattern']}: {' · '.join(about)}")
    rows += [f"- left out: {name}: {why}" for name, why in results["missing"].items()]
    return "\n".join([*rows, "", *comparisons(results)]) + "\n"


def _cell(ms: Sequence[float], results: dict) -> str:
    median, least = statistics.median(ms), min(ms)
    upper = statistics.quantiles(ms, n=4)[2] if len(ms) > 1 else median
    return (
        f"{median:.2f} ({least:.2f}; {upper:.2f}) **{reference(results) / median:.2f}x** "
        f"({reference(results, min) / least:.2f}x)"
    )


def comparisons(results: dict) -> list[str]:
    """Others over ours with the same zeros, ratios of medians (minima); lines of Markdown.

    Ours is the best instruction set, and for MNN's package, which has AVX2 only, our AVX2 too.
    """
    ours = [line for line in results["lines"] if line["name"].startswith(OURS)]
    best = {line["pattern"]: line["name"] for line in reversed(ours)}
    rows = ["Times of others over ours, same zeros, medians (minima):", ""]
    for other in results["lines"]:
        for mine in ours:
            if (
                other in ours
                or mine["pattern"] != other["pattern"]
                or (mine["name"] != best[mine["pattern"]] and "PyPI" not in other["name"])
            ):
                continue
            points = {p["sparsity"]: p["ms"] for p in mine["points"]}
            ratios = [
                f"{p['sparsity']:.0%}: "
                f"**{statistics.median(p['ms']) / statistics.median(points[p['sparsity']]):.2f}** "
                f"({min(p['ms']) / min(points[p['sparsity']]):.2f})"
                for p in other["points"]
                if p["sparsity"] in points
            ]
            rows.append(
                f"- {other['name']} / {mine['name']}, {mine['pattern']}: {' · '.join(ratios)}"
            )
    return rows


def limit(results: dict) -> list[tuple[float, float]]:
    """(sparsity, speed-up) if the multiply-adds that are left ran at the peak that was measured."""
    points = []
    for key, (_, kept) in results["macs"].items():
        pattern, sparsity = key.split()
        if pattern == "group4":
            ms = 2 * kept / results["peak_gflops"] / 1e6
            points.append((float(sparsity), reference(results) / ms))
    return sorted(points)


def draw(results: dict, path: Path) -> None:
    """Speed-up over dense TFLite against the share of zeros: a line an engine, and the limit."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "sbnn"  # the same picture from the same results
    figure, axes = pyplot.subplots(figsize=(9, 6))
    names = list(dict.fromkeys(line["name"] for line in results["lines"]))
    for line in results["lines"]:
        name, ours = line["name"], line["name"].startswith(OURS)
        axes.plot(
            [100 * point["sparsity"] for point in line["points"]],
            [reference(results) / statistics.median(point["ms"]) for point in line["points"]],
            color=f"C{names.index(name)}",
            linestyle={"unstructured": "--", "int8-4x4": "-."}.get(line["pattern"], "-"),
            linewidth=2.4 if ours else 1.2,
            marker="o" if ours else ".",
            label=f"{name}, {PATTERNS[line['pattern']][1]}",
        )
    if not any(line["pattern"].startswith("int8") for line in results["lines"]):
        sparsity, speedup = zip(*limit(results))
        axes.plot(
            [100 * s for s in sparsity],
            speedup,
            color="black",
            linestyle=":",
            label="limit: what is left, at the measured FMA peak",
        )
    axes.set_yscale("log", base=2)
    axes.yaxis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%gx"))
    axes.set_xlabel("zeros in the 1x1 convolutions, %")
    axes.set_ylabel("speed-up over the dense network in TFLite with XNNPACK")
    axes.set_title(f"MobileNet-v1, one thread, {results['cpu']}", fontsize=10)
    axes.grid(True, which="both", alpha=0.3)
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    pyplot.close(figure)
