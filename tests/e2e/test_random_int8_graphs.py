"""Quantized graphs of fixed seeds in the engine and in stock TensorFlow Lite: the same bits."""

from __future__ import annotations

import pytest

from sbnn_tf.convert.flatbuffer import read, schema
from tests.e2e import random_int8_graphs

GRAPHS, EACH = 500, 50
OPERATORS = """
ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE ELU
FULLY_CONNECTED GELU HARD_SWISH LEAKY_RELU LOGISTIC MAXIMUM MAX_POOL_2D MEAN MINIMUM MIRROR_PAD MUL PACK PAD PADV2 PRELU QUANTIZE RELU RELU6 RELU_0_TO_1
RELU_N1_TO_1 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR SOFTMAX SPACE_TO_DEPTH SPLIT
STRIDED_SLICE SUB TANH TRANSPOSE TRANSPOSE_CONV
""".split()


@pytest.mark.parametrize("first", range(0, GRAPHS, EACH))
def test_random_int8_graphs(first, tmp_path):
    failures = {seed: random_int8_graphs.run(seed, tmp_path) for seed in range(first, first + EACH)}
    assert {seed: failure for seed, failure in failures.items() if failure} == {}


def test_every_operator_is_among_them():
    made = set()
    for seed in range(GRAPHS):
        codes = read(random_int8_graphs.make(seed)[0]).operatorCodes
        made.update(code.builtinCode for code in codes)
    numbers = {name: getattr(schema().BuiltinOperator, name) for name in OPERATORS}
    assert [name for name, number in numbers.items() if number not in made] == []
