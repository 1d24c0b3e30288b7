"""Rewrite: weights and activations become int8, as TFLiteConverter does it, with the same bits.

That makes a float model, has `tf.lite`'s calibrator run it and its quantizer rewrite it; the two
take any float `.tflite`, so that it may have been pruned before.
"""

from __future__ import annotations

import contextlib
import io
import sys
import time
from collections.abc import Iterator

import numpy as np

from sbnn_tf.convert import flatbuffer
from sbnn_tf.convert.converter_errors import first_line
from sbnn_tf.convert.graph import Uses, op_name
from sbnn_tf.convert.nodes import drop_unused_codes
from sbnn_tf.convert.sources import tensorflow
from sbnn_tf.errors import SbnnError


def has_trained_ranges(model) -> bool:
    """Whether floats are quantized and dequantized at once: what fake quantization comes as."""
    for subgraph in model.subgraphs:
        uses = Uses(subgraph)
        for op in subgraph.operators:
            if op_name(model, op) == "QUANTIZE":
                readers = uses.consumers[int(op.outputs[0])]
                if any(op_name(model, subgraph.operators[n]) == "DEQUANTIZE" for n, _ in readers):
                    return True
    return False


def to_int8(model, feed: Feed | None, input_type: str, output_type: str):
    """A quantized model, with a scale for each output of a filter.

    Args:
      model: float32, without sparse tensors.
      feed: the samples to take ranges from. None: the model has trained ones.
      input_type, output_type: "float32", "int8" or "uint8".

    Raises:
      SbnnError: TensorFlow is not installed, or does not take the model.
    """
    tf = tensorflow("quantizing to int8")
    drop_unused_codes(model)  # the calibrator looks for all of them
    content = flatbuffer.write(model)
    if feed is not None:
        content = _calibrate(content, feed)
    made = flatbuffer.read(_quantize(content, tf.as_dtype(input_type), tf.as_dtype(output_type)))
    made.behind = getattr(model, "behind", ())
    return made


def _calibrate(content: bytes, feed: Feed) -> bytes:
    """The model with the ranges of its tensors over the samples."""
    from tensorflow.lite.python.optimize import calibrator  # noqa: PLC0415

    try:
        made = calibrator.Calibrator(calibrator.add_intermediate_tensors(content))
        return made.calibrate(lambda: feed)
    except SbnnError:
        raise
    except Exception as error:  # Its errors have no common base.
        if isinstance(error, feed.failed):
            raise  # the user's own, from a generator
        raise SbnnError(
            f"TensorFlow Lite's calibrator cannot run the model: {first_line(error)}"
        ) from error


def _quantize(content: bytes, input_type, output_type) -> bytes:
    from tensorflow.lite.python.convert import mlir_quantize  # noqa: PLC0415

    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return mlir_quantize(content, input_data_type=input_type, output_data_type=output_type)
    except Exception as error:  # MLIR prints what is wrong, and the error is often empty.
        said = f": {first_line(error)}" if str(error).strip() else ""
        raise SbnnError(f"TensorFlow Lite's quantizer does not take the model{said}") from error


class Feed:
    """Samples that are counted as they go by, on one line of stderr, and some of them kept.

    Attributes:
      count: how many there were.
      kept: at most `KEPT` of them, spread evenly.
      failed: the types of an error that the samples' own source has raised.
    """

    KEPT = 16

    def __init__(self, found: Iterator, what: str, verbose: int):
        """
        Args:
          found: samples, or tuples that begin with one.
          what: is done with them, for that line.
          verbose: 0 shows no line.
        """
        self.found, self.what, self.verbose = found, what, verbose
        self.count = 0
        self.kept: list[list[np.ndarray]] = []
        self.failed: tuple[type[BaseException], ...] = ()
        self._every, self._shown = 1, 0.0

    def __iter__(self) -> Iterator:
        try:
            for sample in self.found:
                if self.count % self._every == 0:
                    self.kept.append(sample[0] if isinstance(sample, tuple) else sample)
                    if len(self.kept) > self.KEPT:
                        self.kept, self._every = self.kept[::2], 2 * self._every
                self.count += 1
                if self.verbose and time.monotonic() - self._shown > 0.2:
                    self._show()
                yield sample
        except Exception as error:
            self.failed = (type(error),)
            raise
        finally:
            if self._shown:
                self._show()
                print(file=sys.stderr)

    def _show(self) -> None:
        self._shown = time.monotonic()
        print(f"\r{self.what}: {self.count} samples", end="", file=sys.stderr, flush=True)
