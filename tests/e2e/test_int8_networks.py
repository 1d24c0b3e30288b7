"""A whole network of int8, dense and sparse: the bits of stock TensorFlow Lite with XNNPACK."""

from __future__ import annotations

import numpy as np
import pytest

import sbnn_tf as sbnn
from delegate.bench.models import live, quantized
from sbnn_tf.run import runtime
from tests.python.convert.flat import ops


@pytest.fixture(scope="module")
def mobilenet() -> bytes:
    return quantized(live("MobileNet", 64))


def logits(tflite: bytes, seeds, **options) -> np.ndarray:
    delegate = sbnn.load_delegate(**options) if options else None
    made = runtime.interpreter(tflite, delegate=delegate)
    (entry,) = made.get_input_details()
    found = []
    for seed in seeds:
        x = np.random.default_rng(seed).integers(-128, 128, entry["shape"]).astype(np.int8)
        found.append(runtime.run(made, [x])[0])
    return np.array(found)


@pytest.mark.parametrize(
    "pruning", [{}, {"group": 4}, {"pattern": "block4x4"}], ids=["dense", "4x1", "4x4"]
)
def test_mobilenet_v1(mobilenet, pruning):
    tflite = sbnn.convert(mobilenet, prune=0.7, **pruning) if pruning else mobilenet
    assert ("DENSIFY" in ops(tflite)) == bool(pruning)
    assert len(tflite) < (0.6 if pruning else 1.1) * len(mobilenet)
    want = logits(tflite, range(3))
    assert (want[0] != want[1]).any(), "a dead network shows nothing"
    for num_threads in (1, 2):
        found = logits(tflite, range(3), claim="all", num_threads=num_threads)
        np.testing.assert_array_equal(found, want)
    report = sbnn.explain(tflite, claim="all")
    assert all(node["claimed"] for node in report.nodes if node["op"] in ("CONV_2D", "MEAN"))


def test_files_share_packed_weights(mobilenet, tmp_path):
    tflite = sbnn.convert(mobilenet, prune=0.7, group=4)
    path = tmp_path / "weights"
    want = logits(tflite, [0])
    for _ in range(2):  # made, and read
        found = logits(tflite, [0], claim="all", cache_path=str(path))
        np.testing.assert_array_equal(found, want)
        assert path.stat().st_size > 0
