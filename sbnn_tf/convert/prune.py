"""Rewrite: one-shot pruning by magnitude, without training, to see what sparsity would gain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from sbnn_tf.convert.graph import CONV, DEPTHWISE, Weight, find_weights, set_data, text
from sbnn_tf.convert.sparsify import TYPES
from sbnn_tf.errors import SbnnError
from sbnn_tf.patterns import Group


@dataclass(frozen=True)
class Prune:
    """Zero the least important groups of every chosen filter.

    The importance of a group (`group` consecutive outputs x one input at one tap) is the L2 norm
    of its weights (Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017, compare norms
    of filters in the same way). Every filter gets the same sparsity: norms of different layers do
    not compare without the batch norms that the converter has folded in, and a uniform share
    makes the gain in speed predictable. A group that does not divide a filter's outputs is
    replaced by the largest power of two up to it that does.

    Attributes:
      sparsity: share of each filter's groups that become zero, in [0, 1).
      group: outputs a group, at least 1.
      layers: globs that name the filters to prune, and the only ones; matched against the names
        of the constant and of its operators' outputs, whole or any part between "/" or ";".
        None: all 1x1 CONV_2D filters but that of the first convolution.
    """

    sparsity: float
    group: int = 4
    layers: Sequence[str] | None = None

    def __post_init__(self) -> None:
        number = isinstance(self.sparsity, (int, float, np.number))
        if not number or isinstance(self.sparsity, bool) or not 0 <= self.sparsity < 1:
            raise SbnnError(f"sparsity: expected a number in [0, 1), found {self.sparsity!r}")
        whole = isinstance(self.group, (int, np.integer)) and not isinstance(self.group, bool)
        if not whole or self.group < 1:
            raise SbnnError(f"group: expected a whole number of at least 1, found {self.group!r}")
        if isinstance(self.layers, str):
            object.__setattr__(self, "layers", (self.layers,))

    def __call__(self, model) -> int:
        """Prune a model; returns how many filters were pruned.

        Raises:
          SbnnError: nothing to prune, or a glob of `layers` that names nothing.
        """
        chosen = self._choose(model)
        for weight in chosen:
            self._prune(model, weight)
        return len(chosen)

    def _choose(self, model) -> list[Weight]:
        weights = [w for w in find_weights(model) if _zero_is_zero(model, w)]
        if self.layers is None:
            first = _first_convolutions(weights)
            chosen = [w for w in weights if w.pointwise and w not in first]
            if not chosen:
                raise SbnnError(
                    "nothing to prune: expected 1x1 CONV_2D filters behind the first convolution, "
                    f"found none; name other layers, of: {_list(weights)}"
                )
            return chosen
        if not self.layers:
            raise SbnnError("layers: expected at least one name or glob, found none")
        for glob in self.layers:
            if not any(_matches(w, glob) for w in weights):
                raise SbnnError(f"layers: {glob!r} names no filter; there are: {_list(weights)}")
        return [w for w in weights if any(_matches(w, glob) for glob in self.layers)]

    def _prune(self, model, weight: Weight) -> None:
        tensor = model.subgraphs[weight.subgraph].tensors[weight.tensor]
        values = weight.values
        # Patterns want the outputs last, as Keras and depthwise filters have them.
        axis = values.ndim - 1 if weight.kind == DEPTHWISE else 0
        scores = np.abs(values.astype(np.float64)) * _scales(tensor, values, axis)
        if not np.isfinite(scores).all():
            raise SbnnError(f"{weight.names[0]!r} cannot be pruned: it has values like NaN or inf")
        scores = np.moveaxis(scores, axis, -1)
        mask = Group(int(self.group)).fit(scores.shape).mask(scores, float(self.sparsity))
        pruned = np.where(np.moveaxis(mask, -1, axis), values, values.dtype.type(0))
        set_data(model, tensor, pruned)


def _first_convolutions(weights: list[Weight]) -> list[Weight]:
    """The first convolution of each subgraph."""
    first: dict[int, Weight] = {}
    for weight in weights:
        if weight.kind in (CONV, DEPTHWISE):
            first.setdefault(weight.subgraph, weight)
    return list(first.values())


def _zero_is_zero(model, weight: Weight) -> bool:
    """Whether a stored 0 means 0.0, in a type that can be stored as a sparse tensor."""
    quantization = model.subgraphs[weight.subgraph].tensors[weight.tensor].quantization
    zero_point = None if quantization is None else quantization.zeroPoint
    return weight.values.dtype in TYPES and not np.any([] if zero_point is None else zero_point)


def _scales(tensor, values: np.ndarray, axis: int) -> np.ndarray:
    """What one step of each output is worth; 1 for weights that are not quantized."""
    quantization = tensor.quantization
    scale = None if quantization is None else quantization.scale
    if scale is None or len(scale) == 0:
        return np.ones(1)
    if len(scale) not in (1, values.shape[axis]):
        raise SbnnError(
            f"{text(tensor.name)!r} cannot be pruned: expected 1 or {values.shape[axis]} "
            f"quantization scales, found {len(scale)}"
        )
    shape = [1] * values.ndim
    shape[axis] = len(scale)
    return np.asarray(scale, np.float64).reshape(shape)


def _matches(weight: Weight, glob: str) -> bool:
    parts = [p for name in weight.names for p in (name, *name.replace(";", "/").split("/"))]
    return any(fnmatchcase(part, glob) for part in parts)


def _list(weights: list[Weight]) -> str:
    names = [weight.names[0] for weight in weights]
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return (", ".join(names[:10]) or "no dense filters at all") + more
