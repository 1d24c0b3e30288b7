"""All rewrites that make a model's zeros cheap, in their order, and what they did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sbnn_tf.convert import flatbuffer
from sbnn_tf.convert.densify import densify
from sbnn_tf.convert.fold_batch import fold_batch
from sbnn_tf.convert.fold_dense import fold_dense
from sbnn_tf.convert.fold_masks import fold_masks
from sbnn_tf.convert.fold_repeats import fold_repeats
from sbnn_tf.convert.graph import Weight
from sbnn_tf.convert.numbers_first import numbers_first
from sbnn_tf.convert.prune import Prune
from sbnn_tf.convert.quantize import Quantize, Quantized
from sbnn_tf.convert.sources import load
from sbnn_tf.convert.sparsify import LeftDense, left_dense, sparsify
from sbnn_tf.convert.stock import misread
from sbnn_tf.errors import SbnnError
from sbnn_tf.naming import printable
from sbnn_tf.patterns import Group, Pattern


@dataclass(frozen=True)
class Conversion:
    """A `.tflite` file, and what was done for it.

    Attributes:
      content: its bytes.
      pruned: the filters that were pruned by magnitude, as they were before.
      left_dense: those whose zeros are stored, since stock TFLite fails otherwise.
      quantized: what was found when it was quantized, if it was.
    """

    content: bytes
    pruned: list[Weight]
    left_dense: list[LeftDense]
    quantized: Quantized | None = None

    def remarks(self) -> list[str]:
        """What the user should know: what was pruned and quantized, what left dense and why."""
        lines = []
        if self.pruned:
            kinds = Counter(_kind(weight) for weight in self.pruned)
            counted = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
            lines.append(f"pruned: {counted}")
        if self.quantized is not None:
            lines += self.quantized.remarks()
        left: dict[str, list[str]] = {}
        for each in self.left_dense:
            left.setdefault(each.why, []).append(printable(each.weight.names[0]))
        for why, names in left.items():
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            lines.append(f"left dense: {', '.join(names[:3])}{more}: {why}")
        return lines


def _kind(weight: Weight) -> str:
    window = "x".join(str(n) for n in weight.kernel_shape[:-2])
    return f"{weight.kind} {window}".rstrip()


def rewrite(
    source,
    prune: float | None,
    group: int | None,
    pattern: Pattern | str | None,
    layers: Sequence[str] | None,
    quantize: Quantize | None = None,
) -> Conversion:
    """`convert`, with a report. Arguments and errors are its own, those of quantizing in one."""
    asked = {"group": group, "pattern": pattern, "layers": layers}
    for name, value in asked.items():
        if prune is None and value is not None:
            raise SbnnError(f"{name} says what to prune: expected prune= with it, found none")
    if group is not None and pattern is not None:
        raise SbnnError("group and pattern: expected one of them, found both")
    if group is not None:
        try:
            pattern = Group(group)
        except (TypeError, ValueError) as error:
            raise SbnnError(str(error)) from error
    target = "int8" if quantize is not None and quantize.mode == "int8" else None
    pruning = None if prune is None else Prune(prune, pattern or Group(4), layers, target)
    model = flatbuffer.read(load(source))
    pruned, quantized = [], None
    if pruning is not None or quantize is not None:
        densify(model)
    if pruning is not None:
        pruned = pruning(model)
    if quantize is not None:
        model, quantized = quantize(model)
    densify(model, misread(model))
    fold_batch(model)
    fold_dense(model)
    fold_masks(model)
    fold_repeats(model)
    sparsify(model)
    numbers_first(model)
    return Conversion(flatbuffer.write(model), pruned, left_dense(model), quantized)
