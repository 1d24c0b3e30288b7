"""Scales and zero points that are nonsense: refused with what was found, and nothing worse."""

from __future__ import annotations

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.run import runtime
from tests.e2e import runner
from tests.python.convert.flat import Flat

SHAPE = (1, 2, 2, 3)
GOOD = ([0.1], [3])
BAD = {
    "zero": (([0.0], [0]), "expected a scale from 1e-18 to 1e+18, found 0"),
    "negative": (([-0.1], [0]), "expected a scale from 1e-18 to 1e+18, found -0.1"),
    "infinite": (([np.inf], [0]), "expected a scale from 1e-18 to 1e+18, found inf"),
    "nan": (([np.nan], [0]), "expected a scale from 1e-18 to 1e+18, found"),
    "subnormal": (([1e-40], [0]), "expected a scale from 1e-18 to 1e+18"),
    "huge": (([1e30], [0]), "expected a scale from 1e-18 to 1e+18, found 1e+30"),
    "above": (([0.1], [128]), "expected a zero point from -128 to 127, found 128"),
    "below": (([0.1], [-129]), "expected a zero point from -128 to 127, found -129"),
    "none": (None, "found 0 and 0"),
    "one_each": (([0.1, 0.2, 0.3], [0, 0, 0]), "found 3"),
}


def quantized(flat: Flat, tensor: int, given) -> int:
    if given is not None:
        scales, zeros = given
        flat.graph.tensors[tensor].quantization = schema().QuantizationParametersT(
            scale=np.array(scales, np.float32), zeroPoint=np.array(zeros, np.int64)
        )
    return tensor


def model(x=GOOD, constant=GOOD, y=GOOD) -> bytes:
    """x + constant."""
    flat = Flat()
    values = np.arange(12, dtype=np.int8).reshape(SHAPE)
    inputs = [
        quantized(flat, flat.input(SHAPE, np.int8), x),
        quantized(flat, flat.constant("c", values), constant),
    ]
    out = quantized(flat, flat.tensor("y", SHAPE, np.int8), y)
    flat.node("ADD", inputs, [out], schema().AddOptionsT())
    flat.model.operatorCodes[-1].version = 2
    flat.output(out)
    return flat.bytes()


def refusal(tflite: bytes, folder) -> str:
    (folder / "model.tflite").write_bytes(tflite)
    done = runner.run(folder / "model.tflite", "--rounds", 0)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr


def test_the_good_one_runs(tmp_path):
    x = np.full(SHAPE, 5, np.int8)
    (want,) = runtime.run(runtime.interpreter(model()), [x])
    (found,) = runner.outputs(tmp_path, model(), [x])
    np.testing.assert_array_equal(found, want)


@pytest.mark.parametrize("where", ["x", "constant", "y"])
@pytest.mark.parametrize("name", BAD)
def test_nonsense_is_refused(where, name, tmp_path):
    given, message = BAD[name]
    if where == "constant" and name in ("none", "one_each"):
        message = {"none": "without a scale", "one_each": "found 3 and 3"}[name]
    assert message in refusal(model(**{where: given}), tmp_path)


@pytest.mark.parametrize("count", [2, 4])
def test_scales_of_another_number_of_channels_are_refused(count, tmp_path):
    given = [0.1] * count, [0] * count
    found = refusal(model(constant=given), tmp_path)
    assert f"expected 1 or 1 scales and zero points, found {count} and {count}" in found


@pytest.mark.parametrize(
    "scales, message",
    [((1e-6, 0.1, 0.1), "an operand's scale is"), ((0.1, 0.1, 1e-5), "an operand's scale is")],
)
def test_scales_far_apart_are_refused(scales, message, tmp_path):
    given = [([scale], [0]) for scale in scales]
    assert message in refusal(model(*given), tmp_path)


def test_the_delegate_leaves_it_to_tensorflow_lite():
    """Without a word, but in the report."""
    records = []
    delegate = sbnn.load_delegate(claim="all", report=records.append)
    runtime.interpreter(model(x=([0.1], [128])), delegate=delegate, xnnpack=False)
    (node,) = (record for record in records if record["record"] == "node")
    assert not node["claimed"] and "expected a zero point" in node["text"]
