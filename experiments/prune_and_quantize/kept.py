"""How much of the weights' score blocks keep, with the channels in a better order and without."""

from __future__ import annotations

from collections.abc import Iterator

from experiments import records
from experiments.experiment import SEEDS
from experiments.prune_and_quantize.results import HERE
from experiments.prune_and_quantize.variants import NETWORK

PATTERNS = ("group4", "block4x4", "block8x4")
PERCENT = (50, 75, 90)


def write(setting) -> None:
    """Put the table into README.md."""
    lines = [f"| network | pattern | {' | '.join(f'{each} % zeros' for each in PERCENT)} |"]
    lines.append("|---|---|" + "---|" * len(PERCENT))
    lines += rows(setting, "trained", lambda: setting.trained(NETWORK, SEEDS[0]))
    lines += rows(setting, "random", lambda: setting.build(NETWORK))
    text = "\n".join(lines) + "\n"
    print(text)
    records.replace(HERE / "README.md", *records.marks("kept", "the step `kept`"), text)


def rows(setting, words: str, make) -> Iterator[str]:
    """A row for each pattern: shares of the squared weights that are kept, the layers' mean."""
    for pattern in PATTERNS:
        cells = []
        for percent in PERCENT:
            report: list[str] = []
            setting.rearranged(make(), percent / 100, pattern, print_fn=report.append)
            _, before, after, _ = report[-1].split()
            cells.append(f"{before} → {after}")
        yield f"| {words} | {pattern} | {' | '.join(cells)} |"
