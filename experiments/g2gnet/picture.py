"""Accuracy over sparsity, for the multilayer perceptron and the convolutional network."""

from __future__ import annotations

from experiments import intervals

COLOURS = {
    "cost": ("dense, equal cost", "#c8553d"),
    "static": ("static modular", "#8a8f98"),
    "set": ("SET", "#e0a030"),
    "rigl": ("RigL", "#0b6e99"),
    "hebbian": ("Hebbian", "#5b8c3a"),
}


def draw(run) -> None:
    """Writes the picture of what is recorded: means with their 95 % intervals."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    for axes, (network, title) in zip(panels, (("mlp", "MLP"), ("cnn", "CNN"))):
        dense = [100 * row["accuracy"] for row in run.rows(f"{network}_dense")]
        if not dense:
            continue
        mean, half = intervals.mean_and_half_width(dense)
        axes.axhline(mean, color="black", lw=1, label="dense, equal width")
        if half == half:
            axes.axhspan(mean - half, mean + half, color="black", alpha=0.08, lw=0)
        for i, (method, (label, colour)) in enumerate(COLOURS.items()):
            points = []
            for place, percent in enumerate((50, 75, 90)):
                rows = run.rows(f"{network}_{percent}_{method}")
                if rows:
                    values = [100 * row["accuracy"] for row in rows]
                    points.append((place + 0.1 * (i - 2), *intervals.mean_and_half_width(values)))
            if points:
                places, means, halves = zip(*points)
                halves = [0 if half != half else half for half in halves]
                axes.errorbar(
                    places, means, halves, fmt="o", ms=4, capsize=3, color=colour, label=label
                )
        axes.set_xticks(range(3), ["50 % zeros", "75 %", "90 %"])
        axes.set(title=f"{title}, {len(dense)} seeds", ylabel="test accuracy, %")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].legend(frameon=False, fontsize=8)
    figure.savefig(run.picture, dpi=130)
