"""Operators' parameters that make no sense: claimed, left with a reason or refused; never a crash."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from sbnn_tf.convert.flatbuffer import schema
from tests.python.convert.flat import Flat

# In a process of its own, since a crash is what is looked for. The delegate looks at a node before
# TensorFlow Lite prepares it, so that an error of the latter, behind it, says nothing about it.
CODE = """
import sys
import numpy as np
import sbnn_tf as sbnn
from sbnn_tf.run import runtime

delegate = sbnn.load_delegate(report=sys.argv[2], claim="all")
try:
    made = runtime.interpreter(sys.argv[1], delegate=delegate, xnnpack=False)
    runtime.run(made, [np.ones(made.get_input_details()[0]["shape"], np.float32)])
except (ValueError, RuntimeError) as error:
    print("refused:", error)
"""

HUGE = 2**31 - 1
NAN = float("nan")


def numbers(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


def floats(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


SIZES = [(0, 3), (-1, 3), (HUGE, HUGE), (1 << 16, 1 << 16), (), (4,), (2, 3, 4)]
AXES = [(4,), (-5,), (HUGE,), (-HUGE,), (1, 1, 2, -3), tuple(range(-9, 9))]
SHAPES = [(3,), (4, 1, 1), (2, 1, 5, 7, 4), (0,), (1,) * 9, ()]
CASES = [
    *(("ResizeBilinear", "RESIZE_BILINEAR", [numbers(*s)], {}) for s in SIZES),
    *(("ResizeNearestNeighbor", "RESIZE_NEAREST_NEIGHBOR", [numbers(*s)], {}) for s in SIZES),
    ("ResizeBilinear", "RESIZE_BILINEAR", [floats(2)], {}),
    ("ResizeBilinear", "RESIZE_BILINEAR", [], {}),
    (
        "ResizeBilinear", "RESIZE_BILINEAR", [numbers(3, 3)],
        {"alignCorners": True, "halfPixelCenters": True},
    ),
    *(("Reducer", "MEAN", [numbers(*a)], {"keepDims": keep}) for a in AXES for keep in (0, 1)),
    ("Reducer", "MEAN", [floats(1)], {}),
    ("Reducer", "MEAN", [], {}),
    *(("", "PRELU", [floats(*s)], {}) for s in SHAPES),
    *(("Add", "ADD", [floats(*s)], {}) for s in SHAPES),
    *(("Mul", "MUL", [floats(1)], {"fusedActivationFunction": a}) for a in (4, 5, 77, -1)),
    *(("Softmax", "SOFTMAX", [], {"beta": b}) for b in (0.0, -1.0, NAN, float("inf"), 1e38)),
    *(("FullyConnected", "FULLY_CONNECTED", [floats(*s)], {"keepNumDims": keep})
      for s in [(3, 5), (3, 0), (0, 4), (3,), (3, 4, 1), (3, 140)] for keep in (0, 1)),
    ("FullyConnected", "FULLY_CONNECTED", [floats(3, 4)], {"weightsFormat": 1}),
    *(("BatchMatMul", "BATCH_MATMUL", [floats(*s)], {"adjY": adj})
      for s in [(4, 3), (5, 3), (0, 3), (4,), (), (3, 5, 4, 3), (1,) * 9] for adj in (0, 1)),
    ("BatchMatMul", "BATCH_MATMUL", [floats(4, 3), floats(4, 3)], {}),
    *(("", name, [], {}) for name in ("SOFTMAX", "GELU", "MEAN", "RESIZE_BILINEAR", "MUL", "BATCH_MATMUL")),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(CASES)))
def test_bad_parameters(number, tmp_path):
    kind, name, constants, fields = CASES[number]
    made = Flat()
    image = made.conv(made.input((2, 5, 7, 4)), made.constant("filter", floats(4, 1, 1, 4)))
    inputs = [image, *(made.constant("c", each) for each in constants)]
    y = made.tensor("y", (2, 5, 7, 4))
    made.node(name, inputs, [y], getattr(schema(), f"{kind}OptionsT")(**fields) if kind else None)
    made.output(y)
    path, report = tmp_path / "bad.tflite", tmp_path / "report.jsonl"
    path.write_bytes(made.bytes())
    command = [sys.executable, "-c", CODE, str(path), str(report)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, (CASES[number], done.stderr[-2000:])
    records = [json.loads(line) for line in report.open()]
    if not done.stdout.startswith("refused: "):
        (node,) = [record for record in records if record.get("op") == name]
        assert node["claimed"] or node["reason"]
