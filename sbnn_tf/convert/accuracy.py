"""What quantizing has cost: the activations' ranges beside their values, the accuracy of both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sbnn_tf.convert.graph import dtype, is_constant, op_name, text
from sbnn_tf.convert.report import short
from sbnn_tf.errors import SbnnError
from sbnn_tf.interpreters import interpreter_module

# A share of values beyond their range, and a deviation in steps, from which on they are worth a line.
_MANY_SATURATED = 1e-3
_FEW_STEPS = 4.0
_NAMED = 3  # as many tensors as a line names


@dataclass(frozen=True)
class Range:
    """What an activation of 8 bits can hold, and what the float model has there.

    Attributes:
      name: of the tensor.
      low, high: the ends of its range; there are 255 steps between them.
      deviation: the standard deviation of the values.
      saturated: the share of values beyond the range.
    """

    name: str
    low: float
    high: float
    deviation: float
    saturated: float

    @property
    def steps(self) -> float:
        """The deviation in steps: below a few, 8 bits are coarse for these values."""
        return self.deviation / (self.high - self.low) * 255


@dataclass(frozen=True)
class Accuracy:
    """The share of rows whose largest output is that of their class, in [0, 1], and how many."""

    floats: float
    quantized: float
    rows: int

    def remark(self, mode: str) -> str:
        """The figures, in a line."""
        return (
            f"accuracy on {self.rows} samples: {self.floats:.2%} in float32, "
            f"{self.quantized:.2%} in {mode}"
        )


def ranges(floats: bytes, quantized, samples: list[list[np.ndarray]]) -> list[Range]:
    """The ranges of a quantized model's activations, beside the values of the float model.

    Args:
      floats: the `.tflite` that was quantized.
      quantized: the `ModelT` made of it.
      samples: inputs of the float model.
    """
    run, graph = _Runner(floats, keep=True), quantized.subgraphs[0]
    details = run.made.get_tensor_details()
    numbers = {each["name"]: each["index"] for each in details if each["dtype"] == np.float32}
    ends: dict[str, tuple[float, float]] = {}
    for tensor, name in zip(graph.tensors, _float_names(quantized)):
        quantization = tensor.quantization
        scale = None if quantization is None else quantization.scale
        eight_bits = dtype(tensor) in (np.int8, np.uint8) and not is_constant(quantized, tensor)
        if eight_bits and scale is not None and len(scale) == 1 and name in numbers:
            limits = np.iinfo(dtype(tensor))
            zero = int(quantization.zeroPoint[0])
            low, high = ((end - zero) * float(scale[0]) for end in (limits.min, limits.max))
            ends[name] = low, high
    sums = {name: np.zeros(4) for name in ends}  # how many, their sum, of their squares, beyond
    for sample in samples:
        run(sample)
        for name, (low, high) in ends.items():
            try:
                values = run.made.get_tensor(numbers[name]).astype(np.float64)
            except ValueError:  # a tensor of a branch that was not taken
                continue
            half = (high - low) / 510
            beyond = np.count_nonzero((values < low - half) | (values > high + half))
            sums[name] += values.size, values.sum(), np.square(values).sum(), beyond
    found = []
    for name, (count, total, squares, beyond) in sums.items():
        if count:
            variance = max(squares / count - (total / count) ** 2, 0.0)
            found.append(Range(name, *ends[name], float(np.sqrt(variance)), float(beyond / count)))
    return found


def _float_names(model) -> list[str]:
    """For each tensor of the first subgraph, the name that the float model has for it.

    At the ends of a quantized part the tensor of floats keeps the name.
    """
    graph = model.subgraphs[0]
    names = [text(tensor.name) for tensor in graph.tensors]
    for op in graph.operators:
        if (kind := op_name(model, op)) in ("QUANTIZE", "DEQUANTIZE"):
            inside, outside = int(op.inputs[0]), int(op.outputs[0])
            if kind == "QUANTIZE":
                inside, outside = outside, inside
            if dtype(graph.tensors[outside]) == np.float32:
                names[inside] = text(graph.tensors[outside].name)
    return names


def remarks(found: list[Range]) -> list[str]:
    """What of the ranges is worth a line."""
    if not found:
        return []
    saturated = sorted((r for r in found if r.saturated), key=lambda r: -r.saturated)
    many = [r for r in saturated if r.saturated >= _MANY_SATURATED]
    line = f"ranges: {len(found)} activations"
    if saturated:
        each = "; ".join(f"{short(r.name)} {r.saturated:.2%}" for r in (many or saturated)[:_NAMED])
        line += f", values beyond them in {len(saturated)}: {each}"
    lines = [line]
    coarse = sorted((r for r in found if 0 < r.steps < _FEW_STEPS), key=lambda r: r.steps)
    if coarse:
        each = "; ".join(
            f"{short(r.name)} has {r.low:.3g} to {r.high:.3g}, where values deviate by "
            f"{r.deviation:.2g}"
            for r in coarse[:_NAMED]
        )
        more = f"; and {len(coarse) - _NAMED} more" if len(coarse) > _NAMED else ""
        lines.append(f"wide ranges, of which most values use few of the 255 steps: {each}{more}")
    return lines


def accuracy(
    floats: bytes,
    quantized: bytes,
    labelled: Iterator[tuple[list[np.ndarray], np.ndarray]],
) -> Accuracy:
    """The accuracy of a model before and after, in stock TensorFlow Lite.

    Args:
      floats, quantized: `.tflite` bytes.
      labelled: samples of the float model's inputs, with their classes.

    Raises:
      SbnnError: the first output has no score for each of several classes.
    """
    runners, right, rows = (_Runner(floats), _Runner(quantized)), np.zeros(2), 0
    for sample, labels in labelled:
        rows += len(labels)
        for i, run in enumerate(runners):
            scores = run(sample)
            if scores.ndim != 2 or scores.shape[1] < 2 or len(scores) != len(labels):
                raise SbnnError(
                    "the accuracy can only be told of a model whose first output has a score for "
                    f"each class: expected the shape {len(labels)} x classes, found "
                    f"{' x '.join(map(str, scores.shape)) or 'a scalar'}"
                )
            right[i] += np.count_nonzero(scores.argmax(axis=1) == labels)
    return Accuracy(*map(float, right / rows), rows)


class _Runner:
    """Runs a model on samples of floats, one thread, and gives its first output."""

    def __init__(self, content: bytes, keep: bool = False):
        """`keep`: what is computed on the way can be read from `made` afterwards."""
        module = interpreter_module()
        kinds = module.OpResolverType
        self.made = module.Interpreter(
            model_content=content,
            experimental_op_resolver_type=(
                kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES if keep else kinds.AUTO
            ),
            experimental_preserve_all_tensors=keep,
        )
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, sample: list[np.ndarray]) -> np.ndarray:
        made, entries = self.made, self.made.get_input_details()
        if [values.shape for values in sample] != self.shapes:
            self.shapes = [values.shape for values in sample]
            for values, entry in zip(sample, entries):
                made.resize_tensor_input(entry["index"], values.shape)
            made.allocate_tensors()
        for values, entry in zip(sample, entries):
            scale, zero = entry["quantization"]
            if scale and values.dtype == np.float32:
                limits = np.iinfo(entry["dtype"])
                values = np.clip(np.round(values / scale) + zero, limits.min, limits.max)
            made.set_tensor(entry["index"], values.astype(entry["dtype"]))
        made.invoke()
        return made.get_tensor(made.get_output_details()[0]["index"])
