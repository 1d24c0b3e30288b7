"""Graphs of fixed seeds in the delegate and in stock TensorFlow Lite; `make fuzz` runs others."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sbnn_tf.convert.flatbuffer import read, schema
from tests.android import networks
from tests.e2e.random_graph import make

GRAPHS, EACH = 500, 50
OPERATORS = """
ADD AVERAGE_POOL_2D BATCH_MATMUL CONCATENATION CONV_2D DENSIFY DEPTHWISE_CONV_2D DEPTH_TO_SPACE DIV ELU
EXPAND_DIMS FULLY_CONNECTED GELU HARD_SWISH LEAKY_RELU LOGISTIC MAXIMUM MAX_POOL_2D MEAN MINIMUM
MIRROR_PAD MUL NEG PACK PAD PADV2 PRELU RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1 RESHAPE
RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR RSQRT SHAPE SOFTMAX SPACE_TO_DEPTH SPLIT SQRT
SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB TANH TRANSPOSE TRANSPOSE_CONV
""".split()


@pytest.mark.parametrize("first", range(0, GRAPHS, EACH))
def test_random_graphs(first):
    """In a process of its own: a crash must say which seed it was."""
    command = [sys.executable, "-m", "tests.e2e.random_graphs", str(first), str(EACH)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert f"{EACH} graphs, 0 failed" in done.stdout
    assert "\nleft " not in done.stdout, "an operator was left to TensorFlow Lite"


def test_a_seed_is_a_graph():
    assert make(7) == make(7)
    assert make(7) != make(8)


@pytest.mark.parametrize("seeds", [range(GRAPHS), networks.GRAPHS], ids=["all", "android's"])
def test_every_operator_is_among_them(seeds):
    """And so is claimed somewhere, since none is left."""
    made = set()
    for seed in seeds:
        made.update(code.builtinCode for code in read(make(seed)[0]).operatorCodes)
    numbers = {name: getattr(schema().BuiltinOperator, name) for name in OPERATORS}
    assert [name for name, number in numbers.items() if number not in made] == []
