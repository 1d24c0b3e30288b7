"""What the experiments have in common: train, time, report, each step resumable, from one command.

python -m experiments.sparsebytenn                    # all steps, Fashion-MNIST
python -m experiments.sparsebytenn train --seeds 201  # one step, one seed
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import fnmatch
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from experiments import data, intervals, latency, records, training
from experiments.records import Record

SEEDS = (201, 202, 203, 204, 205)


@dataclasses.dataclass(frozen=True)
class Variant:
    """One row of the table.

    Attributes:
      name: in the record.
      title: in the table.
      network: of `networks.NETWORKS`.
      train: `train(setting, seed)` returns the trained Keras model.
      width: of the network.
      seeds: how many of `SEEDS`, the first ones.
      style: "dense", "ours" or "other": how it is drawn.
      accuracy: `accuracy(setting, model)` of what `train` returned; default that of its weights on
        all test images.
    """

    name: str
    title: str
    network: str
    train: Callable
    width: float = 1.0
    seeds: int = 3
    style: str = "ours"
    accuracy: Callable = lambda setting, model: setting.accuracy(model)


@dataclasses.dataclass(frozen=True)
class Claim:
    """What the accuracy of two variants must show: `better` - `worse` in points, on average.

    Attributes:
      text: for readers.
      better, worse: names of variants; their runs are paired by seed.
      at_least: the difference that the mean must reach.
    """

    text: str
    better: str
    worse: str
    at_least: float = 0.0


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A paper's claim put to the test.

    Attributes:
      name: of its folder here, which holds README.md, the records and the picture.
      title: of the picture.
      variants: `variants(matched)` lists the rows, given what `match` has found.
      claims: `claims(matched)` lists what is compared.
      match: `match(setting)` finds, by timing, what is as fast as what: {name: number}. Optional.
      resized: whether the networks are also timed at `Numbers.pixels`, with the same weights.
      draw: `draw(run)` writes `run.picture`; default accuracy over latency.
    """

    name: str
    title: str
    variants: Callable[[dict], Sequence[Variant]]
    claims: Callable[[dict], Sequence[Claim]]
    match: Callable | None = None
    resized: bool = True
    draw: Callable | None = None

    @property
    def folder(self) -> Path:
        return Path(__file__).parent / self.name

    def main(self, arguments: Sequence[str] | None = None) -> None:
        """Runs the command line."""
        steps = ("match", "train", "time", "report")
        parser = argparse.ArgumentParser(
            prog=f"python -m experiments.{self.name}", description=self.title
        )
        parser.add_argument(
            "steps", nargs="*", metavar="STEP", help=f"{', '.join(steps)}; default all"
        )
        parser.add_argument("--data", choices=data.NAMES, default=data.NAMES[0])
        parser.add_argument("--data-folder", type=Path, metavar="FOLDER", help="of ImageNet")
        parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, metavar="N")
        parser.add_argument(
            "--only", default="*", metavar="GLOB", help="the networks to train and time, by name"
        )
        options = parser.parse_args(arguments)
        unknown = set(options.steps) - set(steps)
        if unknown:
            parser.error(f"unknown step {', '.join(sorted(unknown))}; there are {', '.join(steps)}")
        run = Run(self, options.data, options.data_folder, options.seeds, options.only)
        for step in steps:
            if step in (options.steps or steps):
                getattr(run, step)()


class Run:
    """The steps of one experiment on one data set."""

    def __init__(self, experiment: Experiment, name: str, folder: Path | None, seeds, only="*"):
        self.experiment, self._name, self._folder, self._seeds = experiment, name, folder, seeds
        self._only = only
        home = experiment.folder
        self.results = Record(home / f"{name}.jsonl", ("variant", "seed"))
        self.times = Record(home / f"{name}_latency.jsonl", ("variant", "pixels"))
        self.matched = home / f"{name}_matched.json"
        self.picture = home / f"{name}.png"

    def variants(self) -> Sequence[Variant]:
        return self.experiment.variants(self._matched())

    def _chosen(self) -> Sequence[Variant]:
        return [each for each in self.variants() if fnmatch.fnmatch(each.name, self._only)]

    def claims(self) -> Sequence[Claim]:
        return self.experiment.claims(self._matched())

    def match(self) -> None:
        """Find by timing what is as fast as what; once, before anything is trained."""
        if self.experiment.match is None or self.matched.exists():
            return
        found = {**latency.machine(), **self.experiment.match(self._setting())}
        self.matched.write_text(json.dumps(found, indent=2) + "\n")

    def train(self) -> None:
        """Train what is not recorded yet."""
        variants, done = self._chosen(), self.results.done()
        setting = None
        for i, seed in enumerate(self._seeds):
            for variant in variants:
                place = SEEDS.index(seed) if seed in SEEDS else i
                if place >= variant.seeds or (variant.name, seed) in done:
                    continue
                setting = setting or self._setting()
                command = f"python -m experiments.{self.experiment.name} train"
                model, row = trained(
                    setting, variant, seed, f"{command} --data {self._name} --seeds {seed}"
                )
                for pixels in self._pixels(setting):
                    path = self._tflite(variant, pixels)
                    if not path.exists():  # its first seed: the others take as long
                        path.parent.mkdir(parents=True, exist_ok=True)
                        path.write_bytes(
                            setting.tflite(model, variant.network, variant.width, pixels)
                        )
                self.results.append(row)
                print(row, flush=True)

    def time(self) -> None:
        """Time what is trained and not timed yet: one network of each variant."""
        done = self.times.done()
        pixels = self._pixels(self._setting())
        for variant in self._chosen():
            for size in pixels:
                path = self._tflite(variant, size)
                if (variant.name, size) in done or not path.exists():
                    continue
                row = {"variant": variant.name, "pixels": size, **latency.measure(path)}
                self.times.append(row)
                print(row, flush=True)

    def report(self) -> None:
        """Write the tables and the picture."""
        text = self.tables()
        print(text)
        if self._name == data.NAMES[0]:
            readme = self.experiment.folder / "README.md"
            records.replace(readme, *records.marks("result", "the step `report`"), text)
        (self.experiment.draw or draw)(self)

    def tables(self) -> str:
        """The results as two Markdown tables: the variants, then the claims."""
        pixels = sorted({row["pixels"] for row in self.times.rows()})
        times = {(row["variant"], row["pixels"]): row for row in self.times.rows()}
        lines = [
            "| network | zeros | accuracy, mean (95 % interval) | "
            + "".join(f"ms at {size}x{size} | " for size in pixels)
            + "each seed |",
            "|---|--:|---|" + "--:|" * len(pixels) + "---|",
        ]
        for variant in self.variants():
            rows = self.rows(variant.name)
            if not rows:
                continue
            cells = [
                (
                    f"{shown(times[variant.name, size], variant):.3f}"
                    if (variant.name, size) in times
                    else ""
                )
                for size in pixels
            ]
            percent = [100 * row["accuracy"] for row in rows]
            share = intervals.mean_and_half_width([row["zeros"] for row in rows])[0]
            lines.append(
                f"| {variant.title} | {share:.0%} | {interval(percent, '.2f')} | "
                + "".join(f"{cell} | " for cell in cells)
                + ", ".join(f"{value:.2f}" for value in percent)
                + " |"
            )
        lines += ["", "| claim | points, mean (95 % interval) | must be | shown? | each seed |"]
        lines.append("|---|---|---|---|---|")
        for claim in self.claims():
            gains = self.gains(claim)
            if not gains:
                continue
            lines.append(
                f"| {claim.text} | {interval(gains, '+.2f')} | {claim.at_least:+.2f} or more | "
                f"{verdict(gains, claim.at_least)} | "
                + ", ".join(f"{value:+.2f}" for value in gains)
                + " |"
            )
        return "\n".join(lines) + "\n"

    def rows(self, name: str) -> list[dict]:
        """The results of a variant, by seed; only of the seeds named beforehand."""
        found = [row for row in self.results.rows() if row["variant"] == name]
        return sorted((row for row in found if row["seed"] in SEEDS), key=lambda row: row["seed"])

    def gains(self, claim: Claim) -> list[float]:
        """Accuracy points by which one variant is better, one for each seed that has both."""
        better, worse = (
            {row["seed"]: row["accuracy"] for row in self.rows(name)}
            for name in (claim.better, claim.worse)
        )
        return [100 * (better[seed] - worse[seed]) for seed in better if seed in worse]

    def _matched(self) -> dict | None:
        found = json.loads(self.matched.read_text()) if self.matched.exists() else None
        if found is None and self.experiment.match:
            raise SystemExit(f"{self.matched} is not there yet: run the step 'match' first")
        return found

    def _setting(self):
        from experiments.setting import Setting

        return Setting(self._name, self._folder)

    def _pixels(self, setting) -> list[int]:
        sizes = {setting.data.shape[0]}
        return sorted(sizes | {setting.numbers.pixels} if self.experiment.resized else sizes)

    def _tflite(self, variant: Variant, pixels: int) -> Path:
        return (
            training.FOLDER / f"{self._name}_{self.experiment.name}_{variant.name}_{pixels}.tflite"
        )


def zeros(model) -> float:
    """Fraction of exact zeros in what may be pruned."""
    kernels = [
        layer.kernel.numpy()
        for layer in model.layers
        if layer.name.startswith("block_") and hasattr(layer, "kernel")
    ]
    return sum((k == 0).sum() for k in kernels).item() / sum(k.size for k in kernels)


def shown(times: dict, variant: Variant) -> float:
    """Milliseconds: of a sparse network in the delegate, of a dense one wherever it is faster."""
    delegate, stock = times["delegate_ms"], times["dense_tflite_ms"]
    return min(delegate, stock) if variant.style == "dense" else delegate


def verdict(gains: Sequence[float], at_least: float) -> str:
    """Whether a mean, and its whole 95 % interval, reach a bar."""
    if len(gains) == 1:
        return "one seed tells little"
    mean, half = intervals.mean_and_half_width(list(gains))
    if mean < at_least:
        return "no" if mean + half < at_least else "no, within the noise"
    return "yes" if mean - half >= at_least else "on average"


def trained(setting, variant: Variant, seed: int, command: str) -> tuple:
    """A variant's network, trained with a seed, and what is recorded of it."""
    print(f"seed {seed}: {variant.title}", flush=True)
    start = time.time()
    model = variant.train(setting, seed)
    row = {
        "variant": variant.name,
        "seed": seed,
        "accuracy": variant.accuracy(setting, model),
        "zeros": zeros(model),
        "seconds": round(time.time() - start),
        "date": datetime.date.today().isoformat(),
        "command": command,
    }
    return model, row


def interval(values: Sequence[float], form: str) -> str:
    """The mean, in a number format, and where there are several its 95 % interval."""
    mean, half = intervals.mean_and_half_width(list(values))
    if half != half:
        return f"{mean:{form}}"
    return f"{mean:{form}} ({mean - half:{form}} to {mean + half:{form}})"


def draw(run: Run) -> None:
    """Accuracy over latency, every seed and the means."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    colours = {"dense": "#c8553d", "ours": "#0b6e99", "other": "#8a8f98"}
    pixels = max(row["pixels"] for row in run.times.rows())
    times = {row["variant"]: row for row in run.times.rows() if row["pixels"] == pixels}
    figure, axes = plt.subplots(figsize=(7, 4.4), layout="constrained")
    labels = []
    for variant in run.variants():
        rows = run.rows(variant.name)
        if not rows or variant.name not in times:
            continue
        ms = shown(times[variant.name], variant)
        percent = [100 * row["accuracy"] for row in rows]
        mean, half = intervals.mean_and_half_width(percent)
        colour = colours[variant.style]
        axes.plot([ms] * len(percent), percent, ".", color=colour, alpha=0.5, ms=5)
        half = half if len(rows) > 2 else None  # of two, it is wider than the picture
        axes.errorbar(ms, mean, half, fmt="o", color=colour, capsize=3)
        labels.append((mean, ms, variant.title, colour, variant.style != "ours"))
    axes.set(
        xlabel=f"milliseconds an image of {pixels}x{pixels}, 1 thread",
        ylabel="test accuracy, %",
    )
    axes.set_title(run.experiment.title, fontsize=10)
    axes.set_xlim(0, 1.35 * axes.dataLim.xmax)
    axes.spines[["top", "right"]].set_visible(False)
    _write(axes, labels)
    figure.savefig(run.picture, dpi=130)


def _write(axes, labels: list[tuple]) -> None:
    """The labels (y, x, text, colour, to the left) beside their points, none upon another."""
    taken: list[tuple] = []
    for y, x, text, colour, left in sorted(labels, reverse=True):
        across, up = axes.transData.transform((x, y)) * 72 / axes.figure.dpi
        shift = -3.0
        while any(
            other == left and abs(across - right) < 130 and abs(up + shift - height) < 8
            for right, height, other in taken
        ):
            shift -= 1.0
        taken.append((across, up + shift, left))
        axes.annotate(
            text,
            (x, y),
            (-6 if left else 6, shift),
            textcoords="offset points",
            ha="right" if left else "left",
            fontsize=7,
            color=colour,
        )
