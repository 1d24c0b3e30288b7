"""What quantizing costs is told: ranges beside values, the accuracy of both."""

import numpy as np
import pytest
from flat import Flat, chain, group_sparse

from sbnn_tf.convert import CalibrationFiles, Quantize, rewrite
from sbnn_tf.convert.accuracy import Range, remarks
from sbnn_tf.errors import SbnnError

pytest.importorskip("tensorflow")

CLASSES = 4
FEATURES = np.random.default_rng(0).uniform(-1, 1, (40, 16)).astype(np.float32)
MATRIX = group_sparse((CLASSES, 16), 4, 0.5)
LABELS = (FEATURES @ MATRIX.T).argmax(axis=1)


def classifier() -> bytes:
    flat = Flat()
    x = flat.input((1, 16))
    bias = flat.constant("bias", np.zeros(CLASSES, np.float32))
    flat.output(flat.dense(x, flat.constant("matrix", MATRIX), bias=bias))
    return flat.bytes()


def quantized(model: bytes, **options):
    return rewrite(model, None, None, None, None, Quantize(verbose=0, **options)).quantized


@pytest.mark.parametrize("mode", ["int8", "int8-dynamic", "float16"])
def test_accuracy_before_and_after(mode):
    wrong = np.where(np.arange(40) < 10, (LABELS + 1) % CLASSES, LABELS)
    data = FEATURES if mode == "int8" else None
    found = quantized(classifier(), mode=mode, data=data, validation_data=(FEATURES, wrong))
    assert found.accuracy.rows == 40 and found.accuracy.floats == 0.75
    assert 0.7 <= found.accuracy.quantized <= 0.8
    assert "accuracy on 40 samples: 75.00% in float32, 7" in found.remarks()[-1]


def test_accuracy_with_inputs_of_uint8():
    options = {"mode": "int8", "data": FEATURES, "validation_data": (FEATURES, LABELS)}
    found = quantized(classifier(), input_type="uint8", output_type="uint8", **options)
    assert found.accuracy.floats == 1.0 and found.accuracy.quantized > 0.9


def test_an_output_that_has_no_classes():
    image = np.random.default_rng(0).uniform(-1, 1, (2, 4, 4, 8)).astype(np.float32)
    options = {"mode": "int8", "data": image, "validation_data": (image, [0, 1])}
    with pytest.raises(SbnnError, match="a score for each class: expected the shape 1 x classes"):
        quantized(chain(group_sparse((8, 1, 1, 8), 4, 0.5)), **options)


def test_ranges_and_the_values_beyond_them():
    narrow = FEATURES * 0.5  # half of the values to come are beyond its range
    found = quantized(classifier(), mode="int8", data=narrow)
    assert {each.name for each in found.ranges} == {"input", "dense0"}
    assert all(each.saturated == 0 for each in found.ranges)
    found = quantized(classifier(), mode="int8", data=narrow, validation_data=(FEATURES, LABELS))
    source = next(each for each in found.ranges if each.name == "input")
    assert source.low == pytest.approx(-0.5, abs=0.01) and source.high == pytest.approx(
        0.5, abs=0.01
    )
    assert source.saturated == pytest.approx(0.5, abs=0.1)
    assert source.deviation == pytest.approx(FEATURES.std(), abs=0.05)
    assert any("values beyond them in 2: " in line for line in found.remarks())


def test_only_what_matters_is_said():
    good = Range("good", -1, 1, 0.3, 0.0)
    assert remarks([]) == [] and remarks([good]) == ["ranges: 1 activations"]
    outlier = Range("outlier;second name", -3, 100, 0.4, 0.0)
    assert remarks([good, outlier]) == [
        "ranges: 2 activations",
        "wide ranges, of which most values use few of the 255 steps: outlier has -3 to 100, where "
        "values deviate by 0.4",
    ]
    assert remarks([good, Range("constant", 0, 1, 0.0, 0.0)]) == ["ranges: 2 activations"]
    many = [Range(f"r{i}", 0, 1, 0.3, i / 100) for i in range(6)]
    assert remarks(many) == [
        "ranges: 6 activations, values beyond them in 5: r5 5.00%; r4 4.00%; r3 3.00%"
    ]


def test_data_from_files(tmp_path):
    np.savez(tmp_path / "x.npz", x=FEATURES, labels=LABELS)
    data = CalibrationFiles(str(tmp_path / "x.npz"))
    found = quantized(classifier(), mode="float16", validation_data=data)
    assert found.accuracy.floats == 1.0
