"""Calibration data, and data to validate with: whatever the user has, as samples, checked."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from sbnn_tf.convert.graph import dtype, text, type_name
from sbnn_tf.errors import SbnnError
from sbnn_tf.naming import printable


@dataclass(frozen=True)
class Input:
    """An input of a model: its name in the signature, its shape (-1: any size) and type."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def batch(self) -> int:
        """How many rows of data one sample has."""
        return self.shape[0] if self.shape and self.shape[0] > 0 else 1

    def __str__(self) -> str:
        sizes = "x".join("?" if n < 0 else str(n) for n in self.shape)
        return f"{printable(self.name)} ({self.dtype} {sizes or 'scalar'})"


def inputs_of(model) -> list[Input]:
    """The inputs of a model's first subgraph, in its order.

    Raises:
      SbnnError: several signatures, or an input of a type that numpy does not have.
    """
    if len(model.signatureDefs or ()) > 1:
        keys = ", ".join(printable(text(s.signatureKey)) for s in model.signatureDefs)
        raise SbnnError(
            f"only a model of one signature can be calibrated, and this one has {keys}: convert "
            "each of them by itself"
        )
    named = {
        int(entry.tensorIndex): text(entry.name)
        for signature in model.signatureDefs or ()
        for entry in signature.inputs
    }
    graph, found = model.subgraphs[0], []
    for index in map(int, graph.inputs):
        tensor = graph.tensors[index]
        name = named.get(index, text(tensor.name))
        if (kind := dtype(tensor)) is None:
            raise SbnnError(
                f"the input {printable(name)} is of type {type_name(tensor)}, which no "
                "calibration data can be given for"
            )
        shape = tensor.shape
        if tensor.shapeSignature is not None and len(tensor.shapeSignature):
            shape = tensor.shapeSignature
        found.append(Input(name, tuple(int(n) for n in shape), kind))
    return found


def spread(count: int, limit: int) -> np.ndarray:
    """(at most `limit`,) indices, evenly over `count`: sorted data is not cut to its first class."""
    return np.linspace(0, count - 1, min(count, limit)).astype(int)


def samples(dataset, inputs: list[Input], limit: int) -> Iterator[list[np.ndarray]]:
    """The samples of a dataset: for each, one array for each input, with the batch of the model.

    Args:
      dataset: an array, or arrays by the inputs' names, whose first axis counts the samples: those
        taken are spread evenly over them. Or an iterable (a `tf.data.Dataset`) or a function that
        returns one, as TFLiteConverter takes it: the first ones are taken. Its elements are arrays
        or dicts, of one sample or a batch; lists of them in the order of `inputs`; or tuples of
        one of these with labels, which are not looked at.
      inputs: of the model.
      limit: the most samples to take.

    Raises:
      SbnnError: no samples, other inputs, shapes or types than the model has, NaN or infinity, or
        nothing but constants.
    """
    check = _Check(inputs)
    count = 0
    for element in _elements(dataset, limit):
        for sample in _split(_arrays(element, inputs), inputs):
            if count == limit:
                break
            count += 1
            check(sample, count)
            yield sample
        if count == limit:
            break
    if not count:
        raise SbnnError("samples: expected at least one sample, found none")
    check.varied(count)


def labelled(data, inputs: list[Input]) -> Iterator[tuple[list[np.ndarray], np.ndarray]]:
    """The samples of labelled data, each with the (batch,) classes of its rows.

    Args:
      data: a tuple of inputs, as in `samples`, and labels: (n,) classes or (n, classes) with one 1
        in each row; or an iterable of such tuples, by the sample or the batch.
      inputs: of the model.

    Raises:
      SbnnError: no samples, no labels, or what `samples` refuses.
    """
    check, count = _Check(inputs), 0
    for element in [data] if isinstance(data, tuple) else _elements(data, sys.maxsize):
        if not isinstance(element, tuple) or len(element) < 2:
            raise SbnnError(
                "validation data: expected tuples of inputs and labels, found "
                f"{type(element).__name__}"
            )
        labels = np.asarray(element[1])
        if labels.ndim == 2 and labels.shape[1] > 1:
            labels = labels.argmax(axis=1)
        labels = labels.reshape(-1)
        if labels.dtype.kind not in "iub" and not np.array_equal(labels, np.round(labels)):
            raise SbnnError("validation data: expected the numbers of classes as labels")
        rows = 0
        for sample in _split(_arrays(element, inputs), inputs):
            count += 1
            check(sample, count)
            yield sample, labels[rows : (rows := rows + inputs[0].batch)]
        if rows > len(labels):
            raise SbnnError(
                f"validation data: expected a label for each of {rows} rows, found {len(labels)}"
            )
    if not count:
        raise SbnnError("validation data: expected at least one sample, found none")


def _elements(dataset, limit: int) -> Iterator:
    if callable(dataset) and not hasattr(dataset, "__array__"):
        dataset = dataset()
    if isinstance(dataset, Mapping):
        dataset = {name: np.asarray(values) for name, values in dataset.items()}
        counts = {len(values) for values in dataset.values() if values.ndim}
        if len(counts) == 1:
            chosen = spread(counts.pop(), limit)
            dataset = {n: v[chosen] if v.ndim else v for n, v in dataset.items()}
        yield dataset
    elif hasattr(dataset, "__array__"):
        array = np.asarray(dataset)
        yield array[spread(len(array), limit)] if array.ndim else array
    elif isinstance(dataset, (str, bytes)) or not hasattr(dataset, "__iter__"):
        raise SbnnError(
            "samples: expected an array, arrays by the inputs' names, a dataset or a "
            f"function that yields samples, found {type(dataset).__name__}"
        )
    else:
        yield from dataset


def _arrays(element, inputs: list[Input]) -> list[np.ndarray]:
    """What an element of a dataset has for each input."""
    names = ", ".join(map(str, inputs))
    if isinstance(element, tuple):  # (inputs, labels, ...), as Keras has them
        element = element[0] if element else []
        if isinstance(element, str):
            raise SbnnError(
                f"samples: expected the inputs {names}, found a tuple that begins with the "
                f"text {element!r}: give the dict behind it by itself"
            )
        element = list(element) if isinstance(element, tuple) else element
    if isinstance(element, Mapping):
        if len(element) == len(inputs) == 1:  # Keras may have made its name up
            return [np.asarray(*element.values())]
        if set(element) != {entry.name for entry in inputs}:
            found = ", ".join(printable(str(name)) for name in element) or "none"
            raise SbnnError(f"samples: expected the inputs {names}; found {found}")
        return [np.asarray(element[entry.name]) for entry in inputs]
    given = element if isinstance(element, list) else [element]
    if len(given) != len(inputs):
        raise SbnnError(
            f"samples: expected {len(inputs)} input(s), {names}; found {len(given)}: give "
            "a dict of arrays by these names"
        )
    if len({(entry.shape[1:], entry.dtype) for entry in inputs}) < len(inputs):
        raise SbnnError(
            f"samples: the inputs {names} look alike, and TensorFlow Lite may order them "
            "otherwise than Keras: give a dict of arrays by these names"
        )
    return [np.asarray(values) for values in given]


def _split(arrays: list[np.ndarray], inputs: list[Input]) -> Iterator[list[np.ndarray]]:
    """The samples of an element, a batch of them or a single one without an axis for it."""
    fitted = [_fitted(values, entry) for values, entry in zip(arrays, inputs)]
    counts = {len(v) // e.batch if e.shape else 1 for v, e in zip(fitted, inputs)}
    if len(counts) > 1:
        found = ", ".join(f"{len(v) if v.ndim else 1} of {e}" for v, e in zip(fitted, inputs))
        raise SbnnError(f"samples: expected as many samples of each input, found {found}")
    for i in range(*counts):
        yield [v[i * e.batch : (i + 1) * e.batch] if e.shape else v for v, e in zip(fitted, inputs)]


def _fitted(values: np.ndarray, entry: Input) -> np.ndarray:
    """Values in an input's type, with its batch first."""
    kind = values.dtype
    if values.ndim == len(entry.shape) - 1:
        values = values[np.newaxis]
    fits = values.ndim == len(entry.shape) and all(
        wanted in (-1, size) for wanted, size in zip(entry.shape[1:], values.shape[1:])
    )
    if not fits or (values.ndim and 0 < len(values) < entry.batch):
        raise SbnnError(
            f"samples: expected samples of the shape of {entry}, found "
            f"{'x'.join(map(str, values.shape)) or 'a scalar'}"
        )
    if not np.can_cast(kind, entry.dtype, "same_kind"):
        raise SbnnError(f"samples: expected numbers for {entry}, found {kind}")
    with np.errstate(over="ignore"):
        cast = values.astype(entry.dtype)
    if entry.dtype.kind in "iu" and not np.array_equal(cast, values):
        raise SbnnError(
            f"samples: expected numbers that fit {entry}, found some up to {values.max()}"
        )
    return cast


class _Check:
    """Looks at samples as they go by."""

    def __init__(self, inputs: list[Input]):
        self.inputs = inputs
        self.shapes: list[tuple[int, ...]] = []
        self.least = np.full(len(inputs), np.inf)
        self.most = -self.least

    def __call__(self, sample: list[np.ndarray], number: int) -> None:
        shapes = [values.shape for values in sample]
        self.shapes = self.shapes or shapes
        for i, (values, entry) in enumerate(zip(sample, self.inputs)):
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                raise SbnnError(
                    f"samples: sample {number} of {entry} has NaN or infinity: leave it "
                    "out, or look for the fault in how it was made"
                )
            if shapes[i] != self.shapes[i]:
                raise SbnnError(
                    f"samples: expected samples of one shape for {entry}, found "
                    f"{self.shapes[i]} and {shapes[i]}: resize or crop them to one"
                )
            if values.size:
                self.least[i] = min(self.least[i], values.min())
                self.most[i] = max(self.most[i], values.max())

    def varied(self, count: int) -> None:
        """Raises SbnnError where no input of floats has ever had a second value."""
        floats = [i for i, entry in enumerate(self.inputs) if entry.dtype.kind == "f"]
        if floats and all(self.least[i] == self.most[i] for i in floats):
            raise SbnnError(
                f"samples: all {count} sample(s) of {self.inputs[floats[0]]} are the "
                f"constant {self.least[floats[0]]:g}: ranges can only be found from real inputs"
            )
