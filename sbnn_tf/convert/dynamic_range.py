"""Rewrite: filters are stored as int8, and activations rounded to int8 as the model runs."""

from __future__ import annotations

import numpy as np

from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.convert.graph import (
    CONV,
    DEPTHWISE,
    FULLY_CONNECTED,
    dtype,
    find_weights,
    set_data,
)
from sbnn_tf.errors import SbnnError
from sbnn_tf.naming import printable

# The versions of operators that take int8 filters with a scale for each output between floats.
_VERSIONS = {CONV: 5, DEPTHWISE: 6, FULLY_CONNECTED: 12}
# Smaller filters stay floats, as TFLiteConverter has it: they are not worth the rounding.
_LEAST = 1024
_MOST = 127  # of int8, symmetrically


def to_dynamic_range(model) -> int:
    """Round filters of convolutions and fully connected layers to int8; returns how many.

    Symmetrically, with a scale for each output, so that 0 stays 0. This is TFLiteConverter's
    dynamic range quantization.

    Raises:
      SbnnError: a filter has NaN or infinity.
    """
    changes = []
    for weight in find_weights(model):
        subgraph = model.subgraphs[weight.subgraph]
        ops = [subgraph.operators[n] for n in weight.nodes]
        floats = all(dtype(subgraph.tensors[op.inputs[0]]) == np.float32 for op in ops)
        if weight.kind not in _VERSIONS or weight.values.dtype != np.float32 or not floats:
            continue
        if weight.values.size < _LEAST:
            continue
        axis = 3 if weight.kind == DEPTHWISE else 0
        tensor = subgraph.tensors[weight.tensor]
        others = tuple(i for i in range(weight.values.ndim) if i != axis)
        largest = np.abs(weight.values).max(axis=others, keepdims=True)
        if not np.isfinite(largest).all():
            raise SbnnError(
                f"the filter {printable(weight.names[0])} cannot be quantized: it has NaN or "
                "infinity"
            )
        scale = np.where(largest > 0, largest / np.float32(_MOST), np.float32(1))
        tensor.type = schema().TensorType.INT8
        tensor.quantization = schema().QuantizationParametersT(
            scale=scale.reshape(-1).astype(np.float32),
            zeroPoint=np.zeros(scale.size, np.int64),
            quantizedDimension=axis,
        )
        rounded = np.clip(np.round(weight.values / scale), -_MOST, _MOST)
        changes.append((tensor, rounded.astype(np.int8)))
        for op in ops:
            code = model.operatorCodes[op.opcodeIndex]
            code.version = max(code.version, _VERSIONS[weight.kind])
            if weight.kind == FULLY_CONNECTED:
                op.builtinOptions.asymmetricQuantizeInputs = True
    set_data(model, changes)
    return len(changes)
