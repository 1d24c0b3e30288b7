"""Rewrite: a float model becomes a quantized one, in which the zeros of its filters stay zeros."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sbnn_tf.convert import accuracy, flatbuffer
from sbnn_tf.convert.accuracy import Accuracy, Range
from sbnn_tf.convert.calibration import inputs_of, labelled, samples
from sbnn_tf.convert.calibration_files import CalibrationFiles
from sbnn_tf.convert.dynamic_range import to_dynamic_range
from sbnn_tf.convert.float16 import to_float16
from sbnn_tf.convert.graph import dtype, op_name
from sbnn_tf.convert.int8 import Feed, has_trained_ranges, to_int8
from sbnn_tf.convert.kept_zeros import check_zeros, filters_of, zeros
from sbnn_tf.errors import SbnnError
from sbnn_tf.naming import printable

MODES = ("int8", "int8-dynamic", "float16")
TYPES = ("float32", "int8", "uint8")


@dataclass(frozen=True)
class Quantize:
    """How to quantize.

    Attributes:
      mode: "int8": weights and activations; "int8-dynamic": weights, and activations as it runs;
        "float16": weights, as they are stored.
      data: calibration data, for "int8" alone: what `calibration.samples` takes, or
        `CalibrationFiles`. None: the model was trained with fake quantization and knows its ranges.
      samples: the most of them to take.
      input_type, output_type: of a model of int8: "float32", "int8" or "uint8".
      validation_data: what `calibration.labelled` takes, or `CalibrationFiles`, to tell the
        accuracy before and after. None: it is not told.
      verbose: 0 shows no progress.
    """

    mode: str
    data: Any = None
    samples: int = 500
    input_type: Any = "float32"
    output_type: Any = "float32"
    validation_data: Any = None
    verbose: int = 1

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise SbnnError(f"quantize: expected one of {', '.join(MODES)}, found {self.mode!r}")
        for name in ("input_type", "output_type"):
            given = getattr(self, name)
            kind = getattr(given, "name", None) or getattr(given, "__name__", given)
            if kind not in TYPES:
                raise SbnnError(f"{name}: expected one of {', '.join(TYPES)}, found {given!r}")
            object.__setattr__(self, name, kind)
        if self.mode != "int8":
            if self.data is not None:
                raise SbnnError(f"quantize={self.mode!r} takes no calibration data: leave it out")
            if (self.input_type, self.output_type) != ("float32", "float32"):
                raise SbnnError(f"quantize={self.mode!r} has inputs and outputs of float32 alone")
        if not isinstance(self.samples, int) or self.samples < 1:
            raise SbnnError(
                f"samples: expected a whole number of at least 1, found {self.samples!r}"
            )

    def __call__(self, model) -> tuple[Any, Quantized]:
        """A quantized model, and what was found; `model` may have changed.

        Raises:
          SbnnError: the model is quantized already, data that are missing or do not fit, or a
            filter whose zeros would become other numbers.
        """
        before = filters_of(model)
        for each in before:
            if each.values.dtype != np.float32:
                raise SbnnError(
                    f"quantize: expected a model of float32, found the filter "
                    f"{printable(each.name)} of {each.values.dtype}: convert the model that it was "
                    "made from"
                )
        trained = has_trained_ranges(model)
        if trained and self.mode != "int8":
            raise SbnnError(
                "the model was trained with fake quantization, for int8: expected quantize='int8', "
                f"found {self.mode!r}"
            )
        floats, feed, notes = flatbuffer.write(model), None, []
        if self.mode == "float16":
            to_float16(model)
        elif self.mode == "int8-dynamic":
            to_dynamic_range(model)
        else:
            feed, notes = self._feed(model, trained)
            model = to_int8(model, None if trained else feed, self.input_type, self.output_type)
        check_zeros(before, after := filters_of(model))
        int8, exact, shown = self.mode == "int8", None, feed
        if self.validation_data is not None:
            shown = self._validation(floats)
            exact = accuracy.accuracy(floats, flatbuffer.write(model), iter(shown))
        return model, Quantized(
            mode=self.mode,
            samples=0 if feed is None or trained else feed.count,
            weights=sum(each.values.size for each in before),
            zeros_before=zeros(before),
            zeros_after=zeros(after),
            floats=_floats(model) if int8 else Counter(),
            ranges=accuracy.ranges(floats, model, shown.kept) if int8 and shown is not None else [],
            accuracy=exact,
            notes=notes,
        )

    def _feed(self, model, trained: bool) -> tuple[Feed | None, list[str]]:
        """The calibration data, and what is to say of them."""
        if self.data is None:
            if trained:
                return None, []
            raise SbnnError(
                "quantize='int8' needs calibration data, inputs as the model will see them: "
                "expected representative_dataset= (--calibrate), found none"
            )
        inputs, data, notes = inputs_of(model), self.data, []
        if isinstance(data, CalibrationFiles):
            notes = data.remarks(inputs)
            data = data.read(inputs, self.samples)
        limit = Feed.KEPT if trained else self.samples
        feed = Feed(samples(data, inputs, limit), "calibrating", self.verbose)
        if trained:  # they show what the trained ranges do to them
            list(feed)
        return feed, notes

    def _validation(self, floats: bytes) -> Feed:
        data = self.validation_data
        if isinstance(data, CalibrationFiles):
            data = data.read_labelled()
        return Feed(labelled(data, inputs_of(flatbuffer.read(floats))), "validating", self.verbose)


@dataclass(frozen=True)
class Quantized:
    """What was quantized, and what was found.

    Attributes:
      mode: as in `Quantize`.
      samples: how many the ranges are from; 0 where they are from training, or there are none.
      weights: how many numbers the filters have.
      zeros_before, zeros_after: how many of them are zero; those of before are all among those of
        after, and the others have been rounded to zero.
      floats: the operators that still compute in floats, and how many there are of each.
      ranges: of the activations of an int8 model, beside the values for some of the validation data,
        or where there are none of the calibration data.
      accuracy: before and after, if there were data for it.
      notes: further lines for the user.
    """

    mode: str
    samples: int
    weights: int
    zeros_before: int
    zeros_after: int
    floats: Counter[str] = field(default_factory=Counter)
    ranges: list[Range] = field(default_factory=list)
    accuracy: Accuracy | None = None
    notes: list[str] = field(default_factory=list)

    def remarks(self) -> list[str]:
        """What the user should know, in lines."""
        line = self.mode
        if self.mode == "int8":
            line += f", {self.samples} samples" if self.samples else ", ranges of its training"
        rounded = self.zeros_after - self.zeros_before
        if self.zeros_before:
            line += (
                f": all {self.zeros_before} zeros of its filters stay "
                f"({self._share(self.zeros_before)}), {rounded} more weights are rounded to zero "
                f"({self._share(rounded)})"
            )
        else:
            line += f": {rounded} weights are rounded to zero ({self._share(rounded)})"
        lines = [line, *self.notes]
        if self.floats:
            kinds = ", ".join(f"{count} {kind}" for kind, count in self.floats.items())
            lines.append(f"still computed in floats: {kinds}")
        lines += accuracy.remarks(self.ranges)
        if self.accuracy is not None:
            lines.append(self.accuracy.remark(self.mode))
        return lines

    def _share(self, count: int) -> str:
        return f"{count / max(self.weights, 1):.1%}"


def _floats(model) -> Counter[str]:
    """The operators whose results are floats, but for those that end a quantized part."""
    found: Counter[str] = Counter()
    for subgraph in model.subgraphs:
        for op in subgraph.operators:
            name = op_name(model, op)
            outputs = [subgraph.tensors[t] for t in op.outputs]
            if name != "DEQUANTIZE" and any(dtype(t) == np.float32 for t in outputs):
                found[name] += 1
    return found
