"""The demo on few images, and that the README shows what was recorded."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from experiments import data
from experiments.fashion_mnist import demo, record
from sbnn_tf.run import runtime


def test_demo(tmp_path, monkeypatch, capsys):
    train, test = data.load()
    few = data.Split(train.images[:1280], train.labels[:1280])
    test = data.Split(test.images[:500], test.labels[:500])
    monkeypatch.setattr(data, "load", lambda: (few, test))
    monkeypatch.setattr(demo, "PRETRAIN_EPOCHS", 2)
    monkeypatch.setattr(demo, "FINE_TUNE_EPOCHS", 2)
    monkeypatch.setattr(demo, "SPARSITIES", (0.0, 0.75))
    monkeypatch.setattr(demo, "MOBILENET_SPARSITIES", (0.9,))
    monkeypatch.setattr(sys, "argv", ["demo", "--out", str(tmp_path)])
    demo.main()

    results = json.loads((tmp_path / "results.json").read_text())
    assert [row["sparsity"] for row in results["rows"]] == [0.0, 0.75, 0.9, 0.9]
    dense, sparse, mobilenet, int8 = results["rows"]
    for row in (dense, sparse):
        stock = runtime.interpreter(tmp_path / f"fashion_{row['sparsity'] * 100:.0f}.tflite")
        logits = [runtime.run(stock, [image[None]])[0][0] for image in test.images]
        assert row["accuracy"] == np.mean(np.argmax(logits, axis=1) == test.labels)
    assert sparse["file_bytes"] < 0.5 * dense["file_bytes"]
    assert mobilenet["accuracy"] is None
    for row in results["rows"]:
        if row["sparsity"] > 0:  # the dense one may be left to TensorFlow Lite
            assert row["claimed_nodes"] == row["total_nodes"]
        assert row["speedup_median"] == pytest.approx(
            row["baseline"]["median_ms"] / row["delegate"]["median_ms"]
        )
    assert (tmp_path / "accuracy_vs_latency.png").stat().st_size > 10_000
    printed = capsys.readouterr().out
    assert demo.table(results) in printed
    assert "| MobileNet-v1 1.0/224 | 90% |" in printed
    assert "| MobileNet-v1 1.0/224 int8 | 90% |" in printed
    assert "Quantizing alone brings" in printed
    assert int8["floats"]["min_ms"] > 0 and mobilenet["floats"] is None

    def unexpected(*_, **__):
        raise AssertionError("trained again")

    monkeypatch.setattr(demo, "fashion_rows", unexpected)
    monkeypatch.setattr(sys, "argv", ["demo", "--out", str(tmp_path), "--mobilenet"])
    demo.main()
    again = json.loads((tmp_path / "results.json").read_text())["rows"]
    assert again[:2] == [dense, sparse] and len(again) == 4


def test_readme_shows_the_recorded_demo():
    results = json.loads((record.HERE / "demo.json").read_text())
    assert record.BEGIN + demo.table(results) + record.END in record.README.read_text()
    assert (record.HERE / "demo.png").is_file()
