"""Pictures of a model's sparsity. Needs matplotlib."""

from __future__ import annotations

from typing import Any

import numpy as np

from sbnn_tf.keras_model import kernels


def plot(model: Any, layer: str | None = None) -> Any:
    """Draws the sparsity of each layer, and the mask of one kernel.

    Args:
      model: a built Keras model.
      layer: name of the kernel to show, as `summary` has it; default the sparsest.

    Returns:
      A matplotlib Figure: `figure.savefig(path)`, or what a notebook shows.

    Raises:
      ValueError: no kernel of that name, or a model that was never built.
      ImportError: no matplotlib: `pip install 'sbnn-tf[plot]'`.
    """
    from matplotlib.figure import Figure

    found = {kernel.name: kernel for kernel in kernels.find(model)}
    sparsity = {name: float(np.mean(kernel.value() == 0)) for name, kernel in found.items()}
    shown = layer or max(sparsity, key=sparsity.get, default=None)
    if shown not in found:
        raise ValueError(f"No kernel is named '{shown}'; there are: {', '.join(found)}.")
    figure = Figure(figsize=(11, max(3.0, 0.22 * len(found) + 1)), layout="constrained")
    bars, mask = figure.subplots(1, 2)
    bars.barh(list(sparsity), list(sparsity.values()), color="tab:blue")
    bars.invert_yaxis()
    bars.set(xlim=(0, 1), xlabel="sparsity", title=model.name)
    mask.imshow(
        mask_picture(found[shown].weights() != 0), cmap="gray_r", aspect="auto", vmin=0, vmax=1
    )
    mask.set(
        xlabel="input channel x tap",
        ylabel="output channel",
        title=f"{shown}: kept weights are dark",
    )
    return figure


def mask_picture(keep: np.ndarray) -> np.ndarray:
    """A mask (*window, inputs, outputs) as (outputs, inputs * taps): an output channel a row."""
    return np.moveaxis(keep.reshape(-1, *keep.shape[-2:]), 0, 1).reshape(-1, keep.shape[-1]).T
