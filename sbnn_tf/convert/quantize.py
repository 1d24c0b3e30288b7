"""Rewrite: a float model becomes a quantized one, in which the zeros of its filters stay zeros.

For int8 this is what TFLiteConverter does after it has made a float model (`tf.lite`'s calibrator
and its quantizer), with the same bits; so it works on files, too, and on models that were pruned
on the way.
"""

from __future__ import annotations

import contextlib
import io
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sbnn_tf.convert import flatbuffer
from sbnn_tf.convert.calibration import inputs_of, samples
from sbnn_tf.convert.calibration_files import CalibrationFiles
from sbnn_tf.convert.converter_errors import first_line
from sbnn_tf.convert.dynamic_range import to_dynamic_range
from sbnn_tf.convert.float16 import to_float16
from sbnn_tf.convert.graph import WEIGHT_OPS, Uses, constant, dtype, op_name, text
from sbnn_tf.convert.nodes import drop_unused_codes
from sbnn_tf.convert.sources import tensorflow
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
      verbose: 0 shows no progress bar.
    """

    mode: str
    data: Any = None
    samples: int = 500
    input_type: Any = "float32"
    output_type: Any = "float32"
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
        """A quantized model, and what was done for it; `model` may have changed.

        Raises:
          SbnnError: the model is quantized already, calibration data that are missing or do not
            fit, or a filter whose zeros would become other numbers.
        """
        before = _filters(model)
        taken = [f.name for f in before if f.values.dtype != np.float32]
        if taken:
            raise SbnnError(
                f"quantize: expected a model of float32, found the filter {printable(taken[0])} of "
                f"{next(f.values.dtype for f in before if f.name == taken[0])}: convert the model "
                "that it was made from"
            )
        trained, count, remarks = _has_trained_ranges(model), 0, []
        if trained and self.mode != "int8":
            raise SbnnError(
                "the model was trained with fake quantization, for int8: expected quantize='int8', "
                f"found {self.mode!r}"
            )
        if self.mode == "float16":
            to_float16(model)
        elif self.mode == "int8-dynamic":
            to_dynamic_range(model)
        else:
            model, count, remarks = self._to_int8(model, trained)
        after = _filters(model)
        _check_zeros(before, after)
        return model, Quantized(
            self.mode,
            count,
            trained,
            int(sum(f.values.size for f in before)),
            int(sum(np.sum(f.values == 0) for f in before)),
            int(sum(np.sum(f.values == 0) for f in after)),
            _floats(model) if self.mode == "int8" else Counter(),
            remarks,
        )

    def _to_int8(self, model, trained: bool) -> tuple[Any, int, list[str]]:
        tf, count, remarks = tensorflow("quantizing to int8"), 0, []
        drop_unused_codes(model)  # the calibrator looks for all of them
        content = flatbuffer.write(model)
        if not trained:
            if self.data is None:
                raise SbnnError(
                    "quantize='int8' needs calibration data, inputs as the model will see them: "
                    "expected representative_dataset= (--calibrate), found none"
                )
            inputs = inputs_of(model)
            data = self.data
            if isinstance(data, CalibrationFiles):
                remarks = data.remarks(inputs)
                data = data.read(inputs, self.samples)
            feed = _Counted(samples(data, inputs, self.samples), self.samples, self.verbose)
            content = _calibrate(content, feed)
            count = feed.count
        kinds = [tf.as_dtype(kind) for kind in (self.input_type, self.output_type)]
        quantized = flatbuffer.read(_quantize(content, *kinds))
        quantized.behind = getattr(model, "behind", ())
        return quantized, count, remarks


@dataclass(frozen=True)
class Quantized:
    """What was quantized.

    Attributes:
      mode: as in `Quantize`.
      samples: how many the ranges are from.
      trained: whether they are from training instead.
      weights: how many numbers the filters have.
      zeros_before, zeros_after: how many of them are zero; those of before are all among those of
        after, and the others have been rounded to zero.
      floats: the operators that still compute in floats, and how many there are of each.
      notes: further lines for the user.
    """

    mode: str
    samples: int
    trained: bool
    weights: int
    zeros_before: int
    zeros_after: int
    floats: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def remarks(self) -> list[str]:
        """What the user should know, in lines."""
        ranges = "ranges of its training" if self.trained else f"{self.samples} samples"
        rounded = self.zeros_after - self.zeros_before
        share = 100 / max(self.weights, 1)
        line = self.mode + (f", {ranges}" if self.mode == "int8" else "")
        if self.zeros_before:
            line += f": all {self.zeros_before} zeros of its filters stay ({self.zeros_before * share:.1f}%)"
            line += f", {rounded} more weights are rounded to zero ({rounded * share:.1f}%)"
        else:
            line += (
                f": {rounded} weights of its filters are rounded to zero ({rounded * share:.1f}%)"
            )
        lines = [line, *self.notes]
        if self.floats:
            kinds = ", ".join(f"{count} {kind}" for kind, count in self.floats.items())
            lines.append(f"still computed in floats: {kinds}")
        return lines


@dataclass(frozen=True)
class _Filter:
    name: str
    kind: str
    values: np.ndarray


def _filters(model) -> list[_Filter]:
    """The constant filters of a model, in its operators' order, also where they are dequantized."""
    found = []
    for subgraph in model.subgraphs:
        uses = Uses(subgraph)
        for op in subgraph.operators:
            if (kind := op_name(model, op)) not in WEIGHT_OPS or len(op.inputs) < 2:
                continue
            t = int(op.inputs[1])
            while t >= 0 and t in uses.producer:
                maker = subgraph.operators[uses.producer[t]]
                if op_name(model, maker) not in ("QUANTIZE", "DEQUANTIZE"):
                    break
                t = int(maker.inputs[0])
            values = constant(model, subgraph.tensors[t]) if t >= 0 else None
            if values is not None:
                found.append(_Filter(text(subgraph.tensors[t].name), kind, values))
    return found


def _check_zeros(before: list[_Filter], after: list[_Filter]) -> None:
    """Every 0.0 of the filters must be stored as 0, and that mean 0.0."""
    if [(f.kind, f.values.shape) for f in before] != [(f.kind, f.values.shape) for f in after]:
        raise SbnnError(
            "TensorFlow's quantizer has changed the filters of this model, so that nobody knows "
            "whether their zeros are where they were: quantize it with TFLiteConverter, and convert "
            "that file"
        )
    for a, b in zip(before, after):
        if np.any(b.values[a.values == 0]):
            raise SbnnError(
                f"the zeros of the filter {printable(a.name)} would not be zeros: expected symmetric "
                "weights, whose zero point is 0, found others; train it with a quantizer of "
                "symmetric=True and narrow_range=True"
            )


def _has_trained_ranges(model) -> bool:
    """Whether floats are quantized and dequantized at once: what fake quantization comes as."""
    for subgraph in model.subgraphs:
        uses = Uses(subgraph)
        for op in subgraph.operators:
            if op_name(model, op) == "QUANTIZE":
                readers = uses.consumers[int(op.outputs[0])]
                if any(op_name(model, subgraph.operators[n]) == "DEQUANTIZE" for n, _ in readers):
                    return True
    return False


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


def _calibrate(content: bytes, feed: _Counted) -> bytes:
    """The model with the ranges of its tensors over the samples."""
    from tensorflow.lite.python.optimize import calibrator  # noqa: PLC0415

    try:
        made = calibrator.Calibrator(calibrator.add_intermediate_tensors(content))
        return made.calibrate(lambda: feed)
    except SbnnError:
        raise
    except Exception as error:  # Its errors have no common base.
        raise SbnnError(
            f"TensorFlow Lite's calibrator cannot run the model: {first_line(error)}"
        ) from error
    finally:
        feed.end()


def _quantize(content: bytes, input_type, output_type) -> bytes:
    from tensorflow.lite.python.convert import mlir_quantize  # noqa: PLC0415

    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return mlir_quantize(content, input_data_type=input_type, output_data_type=output_type)
    except Exception as error:  # MLIR prints what is wrong, and the error is empty.
        raise SbnnError(
            "TensorFlow Lite's quantizer does not take the model"
            + (f": {first_line(error)}" if str(error).strip() else "")
        ) from error


class _Counted:
    """Samples that are counted as they go by, on one line of stderr if `verbose`."""

    def __init__(self, found: Iterator[list[np.ndarray]], limit: int, verbose: int):
        self.found, self.limit = found, limit
        self.verbose = verbose
        self.count = 0
        self.shown = 0.0

    def __iter__(self) -> Iterator[list[np.ndarray]]:
        for sample in self.found:
            yield sample
            self.count += 1
            if self.verbose and time.monotonic() - self.shown > 0.2:
                self._show()

    def _show(self) -> None:
        self.shown = time.monotonic()
        print(
            f"\rcalibrating: {self.count} of at most {self.limit} samples",
            end="",
            file=sys.stderr,
            flush=True,
        )

    def end(self) -> None:
        if self.shown:
            self._show()
            print(file=sys.stderr)
