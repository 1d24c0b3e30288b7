"""Rewrite: one-shot pruning by magnitude, without training, to see what sparsity would gain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from sbnn_tf.convert.graph import CONV, DEPTHWISE, Weight, find_weights, set_data, text
from sbnn_tf.convert.sparsify import TYPES
from sbnn_tf.errors import SbnnError
from sbnn_tf.patterns import KernelPattern, Pattern, get


@dataclass(frozen=True)
class Prune:
    """Zero the least important groups of every chosen filter.

    The importance of a group (consecutive outputs x one input at one tap) is the L2 norm of its
    weights (Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017, compare norms of
    filters in the same way). Every filter gets the same sparsity: norms of different layers do
    not compare without the batch norms that the converter has folded in, and a uniform share
    makes the gain in speed predictable. A group that does not divide a filter's outputs is
    replaced by the largest power of two up to it that does.

    Attributes:
      sparsity: share of each filter's weights that become zero, in [0, 1).
      pattern: which of them go together; a `Pattern` or its name.
      layers: which filters to prune, and no others. A kernel size such as "3x3": all CONV_2D
        filters of that size but that of the first convolution. Else a glob, matched against the
        names of the constant and of its operators' outputs, whole or any part between "/" or ";".
        None: "1x1"; for a `KernelPattern`, which is about taps, all CONV_2D filters that have
        more than one, but that of the first convolution. Where there are no such 1x1 filters, all
        that the pattern fits, but that of the first convolution: dense layers, larger windows.
      target: "int8" for a model of floats that is to be quantized; None: what each filter is in.
    """

    sparsity: float
    pattern: Pattern | str = "group4"
    layers: Sequence[str] | None = None
    target: str | None = None

    def __post_init__(self) -> None:
        number = isinstance(self.sparsity, (int, float, np.number))
        if not number or isinstance(self.sparsity, bool) or not 0 <= self.sparsity < 1:
            raise SbnnError(f"sparsity: expected a number in [0, 1), found {self.sparsity!r}")
        try:
            object.__setattr__(self, "pattern", get(self.pattern))
        except (TypeError, ValueError) as error:
            raise SbnnError(f"pattern: {error}") from error
        if isinstance(self.layers, str):
            object.__setattr__(self, "layers", (self.layers,))

    def __call__(self, model) -> list[Weight]:
        """Prune a model; returns the filters that were pruned, as they were before.

        Raises:
          SbnnError: nothing to prune, or a glob of `layers` that names nothing.
        """
        chosen = self._choose(model)
        tensors = [model.subgraphs[w.subgraph].tensors[w.tensor] for w in chosen]
        set_data(model, [(t, self._pruned(t, w)) for t, w in zip(tensors, chosen)])
        return chosen

    def _choose(self, model) -> list[Weight]:
        weights = [w for w in find_weights(model) if _zero_is_zero(model, w)]
        first = _first_convolutions(weights)
        later = [w for w in weights if w.kind == CONV and w not in first]
        if self.layers is None:
            return self._default(weights, first)
        if not self.layers:
            raise SbnnError("layers: expected at least one name, glob or kernel size, found none")
        chosen = []
        for name in self.layers:
            found = [w for w in later if _size(w) == name]
            found += [w for w in weights if _matches(w, name)]
            if not found:
                raise SbnnError(
                    f"layers: {name!r} names no filter; there are: {_list(weights)}; of the sizes "
                    f"{', '.join(sorted({_size(w) for w in later})) or '(none)'}"
                )
            chosen += found
        return [w for w in weights if w in chosen]

    def _default(self, weights: list[Weight], first: list[Weight]) -> list[Weight]:
        taps = isinstance(self.pattern, KernelPattern)
        fitting = [w for w in weights if not self.pattern.unfit(w.operator, w.kernel_shape)]
        later = [w for w in fitting if w not in first]
        chosen = [w for w in later if w.kind == CONV and w.pointwise != taps]
        if not chosen and not taps:
            chosen = later or fitting
        if not chosen:
            raise SbnnError(
                f"nothing to prune: expected {'K x K CONV_2D ' if taps else ''}filters that "
                f"{self.pattern.name} fits, behind the first convolution, found none; name other "
                f"layers, of: {_list(weights)}"
            )
        return chosen

    def _pruned(self, tensor, weight: Weight) -> np.ndarray:
        """The values of a filter's tensor with the least important zeroed."""
        values = weight.values
        depthwise = weight.kind == DEPTHWISE
        axis = values.ndim - 1 if depthwise else 0
        with np.errstate(all="ignore"):
            scores = np.abs(values.astype(np.float64)) * _scales(tensor, values, axis)
        if not np.isfinite(scores).all():
            raise SbnnError(f"{weight.names[0]!r} cannot be pruned: it has values like NaN or inf")
        # Patterns want the outputs last and the inputs before them, as Keras has them; a depthwise
        # filter (1HWC) has one input for each output.
        scores = np.moveaxis(scores, 0, -2 if depthwise else -1)
        try:
            target = self.target or ("int8" if values.dtype == np.int8 else "fp32")
            pattern = self.pattern.aimed(target)
            mask = pattern.fit(scores.shape).mask(scores, float(self.sparsity))
        except ValueError as error:
            raise SbnnError(f"{weight.names[0]!r} cannot be pruned: {error}") from error
        mask = np.moveaxis(mask, -2 if depthwise else -1, 0)
        return np.where(mask, values, values.dtype.type(0))


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


def _size(weight: Weight) -> str:
    """The kernel size of a CONV_2D filter, such as "3x3"."""
    return "x".join(str(n) for n in weight.values.shape[1:3])


def _matches(weight: Weight, glob: str) -> bool:
    parts = [p for name in weight.names for p in (name, *name.replace(";", "/").split("/"))]
    return any(fnmatchcase(part, glob) for part in parts)


def _list(weights: list[Weight]) -> str:
    names = [weight.names[0] for weight in weights]
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return (", ".join(names[:10]) or "no dense filters at all") + more
