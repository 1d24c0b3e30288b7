"""Accuracy of every network, a panel for each way of training."""

from __future__ import annotations

from experiments import intervals

RULES = {
    "": ("static", "#8a8f98"),
    "set": ("SET", "#e0a030"),
    "rigl": ("RigL", "#0b6e99"),
    "hebbian": ("Hebbian", "#5b8c3a"),
}
GRAPHS = {"erdos_renyi": "random graph", "index": "index", "random": "random", "mixer": "mixer"}


def draw(run) -> None:
    """Writes the picture of what is recorded: means with their 95 % intervals."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from experiments.g2gnet.__main__ import REGIMES

    regimes = [regime for regime in REGIMES if run.rows(f"{regime.name}_dense")]
    if not regimes:
        return
    rows = -(-len(regimes) // 2)
    figure, panels = plt.subplots(
        rows, 2, figsize=(10, 3.6 * rows), layout="constrained", squeeze=False
    )
    for axes in panels.flat[len(regimes) :]:
        axes.set_visible(False)
    for axes, regime in zip(panels.flat, regimes):
        for name, label, style in (("dense", "dense", "-"), ("narrow", "equal parameters", "--")):
            if found := _interval(run, f"{regime.name}_{name}"):
                mean, half = found
                axes.axhline(mean, color="black", lw=1, ls=style, label=label)
                axes.axhspan(mean - half, mean + half, color="black", alpha=0.07, lw=0)
        for i, (rule, (label, colour)) in enumerate(RULES.items()):
            points = []
            for place, graph in enumerate(GRAPHS):
                suffix = f"_{rule}" if rule else ""
                if found := _interval(run, f"{regime.name}_{graph}{suffix}"):
                    points.append((place + 0.15 * (i - 1.5), *found))
            if points:
                places, means, halves = zip(*points)
                axes.errorbar(
                    places, means, halves, fmt="o", ms=4, capsize=3, color=colour, label=label
                )
        axes.set_xticks(range(len(GRAPHS)), GRAPHS.values())
        axes.set_xlim(-0.5, len(GRAPHS) - 0.5)
        axes.set(title=regime.title, ylabel="test accuracy, %")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0, 0].legend(frameon=False, fontsize=8)
    figure.savefig(run.picture, dpi=130)


def _interval(run, name: str) -> tuple[float, float] | None:
    """Mean and half the width of its interval, in percent; of one seed there is no width."""
    values = [100 * row["accuracy"] for row in run.rows(name)]
    if not values:
        return None
    mean, half = intervals.mean_and_half_width(values)
    return mean, (0.0 if half != half else half)
