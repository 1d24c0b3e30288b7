"""Whether the zeros of a model's filters are zeros in what was made of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sbnn_tf.convert.graph import WEIGHT_OPS, Uses, constant, op_name, text
from sbnn_tf.errors import SbnnError
from sbnn_tf.naming import printable


@dataclass(frozen=True)
class Filter:
    """The name, the kind of operator and the values, as they are stored, of a constant filter."""

    name: str
    kind: str
    values: np.ndarray


def filters_of(model) -> list[Filter]:
    """The constant filters of a model, in its operators' order, also where they are dequantized."""
    found = []
    for subgraph in model.subgraphs:
        uses = Uses(subgraph)
        for op in subgraph.operators:
            if (kind := op_name(model, op)) not in WEIGHT_OPS or len(op.inputs) < 2:
                continue
            t = int(op.inputs[1])
            while t in uses.producer:
                maker = subgraph.operators[uses.producer[t]]
                if op_name(model, maker) not in ("QUANTIZE", "DEQUANTIZE"):
                    break
                t = int(maker.inputs[0])
            values = constant(model, subgraph.tensors[t]) if t >= 0 else None
            if values is not None:
                found.append(Filter(text(subgraph.tensors[t].name), kind, values))
    return found


def zeros(filters: list[Filter]) -> int:
    """How many of their values are zero."""
    return int(sum(np.sum(each.values == 0) for each in filters))


def check_zeros(before: list[Filter], after: list[Filter]) -> None:
    """Raises SbnnError unless every 0.0 of the filters is a 0 in those that were made of them.

    A zero point other than 0 stores it as another number.
    """
    if [(f.kind, f.values.shape) for f in before] != [(f.kind, f.values.shape) for f in after]:
        raise SbnnError(
            "TensorFlow Lite's quantizer has changed the filters of this model, so that nobody "
            "knows whether their zeros are where they were: quantize it with TFLiteConverter, and "
            "convert that file"
        )
    for a, b in zip(before, after):
        if np.any(b.values[a.values == 0]):
            raise SbnnError(
                f"the zeros of the filter {printable(a.name)} would not be zeros: expected symmetric "
                "weights, whose zero point is 0, found others; train it with a quantizer of "
                "symmetric=True and narrow_range=True"
            )
