"""What is left at the end of a fit: whether the zeros that are reported are there."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from sbnn_tf.keras_model import probe
from sbnn_tf.train.masks import Mask

_TOLERANCE = 0.02  # of a layer's weights: some that have grown never get a gradient

_RESTORED = (
    "At the end of training a callback (EarlyStopping with restore_best_weights?) restored weights "
    "that were less sparse, of {}. The masks have been applied to them again: the model is not the "
    "one that was evaluated. Let such a callback begin only when the schedule has ended "
    "(start_from_epoch)."
)

_CHANGED = (
    "Pruned weights were changed by something else than a Keras optimizer's step (a callback that "
    "assigns weights, or a train_step that is a tf.function traced before?), those of {}. They are "
    "zero again now, but the last validation ran without the masks."
)

_DIFFERENT = (
    "The zeros in the model are not those that are reported. {}. More zeros than reported come from "
    "a constraint or regularizer of the layer, or from connections without a gradient."
)

_MISSING = (
    "Not pruned are {}: their weights were made, or replaced, after training had begun. Fit again "
    "with the same callback, or build the model before."
)

_GONE = (
    "The masks of {} are on weights that can't be pruned any more: since training began they were "
    "frozen into something else, or others are added to them (LoRA, quantization)."
)


def warn_of_other_kernels(masks: Sequence[Mask]) -> None:
    """Before training: layers that compute with another kernel than the one that is pruned."""
    names = [mask.name for mask in masks if not probe.keeps_zeros(mask.choice.kernel)]
    if names:
        warnings.warn(probe.REMADE.format(_listed(names)), stacklevel=2)


def warn_of_restored(names: Sequence[str]) -> None:
    """At the end of a fit: these kernels had weights where they were pruned."""
    if names:
        warnings.warn(_RESTORED.format(_listed(names)), stacklevel=2)


def warn_of_changed(names: Sequence[str]) -> None:
    """At the end of an epoch: these kernels had weights where they were pruned."""
    if names:
        warnings.warn(_CHANGED.format(_listed(names)), stacklevel=2)


def warn_of_differences(masks: Sequence[Mask], model: Any, choose: Callable[[], list]) -> None:
    """At the end of a fit or of a schedule: where the zeros are not those that are reported.

    Args:
      choose: returns the choices of what is to be pruned, as the model is now.
    """
    zeros = [(mask, mask.zeros()) for mask in masks]
    different = [
        f"'{mask.name}': {mask.sparsity:.1%} reported, {share:.1%} of its weights are 0"
        for mask, share in zeros
        if abs(share - mask.sparsity) > _TOLERANCE
    ]
    if different:
        warnings.warn(_DIFFERENT.format("; ".join(different)), stacklevel=2)
    masked = {id(mask.variable): mask.name for mask in masks}
    try:
        wanted = [choice.kernel for choice in choose()]
    except ValueError as error:  # at the end of a training nothing may fail for this
        warnings.warn(f"'{model.name}' has changed since its training began. {error}", stacklevel=2)
        return
    kept = {id(kernel.variable): kernel.name for kernel in wanted}
    if missing := [name for key, name in kept.items() if key not in masked]:
        warnings.warn(_MISSING.format(_listed(missing)), stacklevel=2)
    if gone := [name for key, name in masked.items() if key not in kept]:
        warnings.warn(_GONE.format(_listed(gone)), stacklevel=2)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
