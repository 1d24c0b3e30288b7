"""Other engines: their files hold the same network, a wrong one is not timed, a missing one is said."""

from __future__ import annotations

import json
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from delegate.bench import models, networks, record
from delegate.bench.peers import environment, graph, measure
from delegate.bench.peers import record as peers
from delegate.bench.peers import rivals as engines
from delegate.bench.peers.worker import Worker, WorkerError
from sbnn_tf.errors import SbnnError
from sbnn_tf.run import runtime

# A worker without an engine: its model is a text file with the factor that it multiplies with.
FAKE = """
from protocol import serve
print("an engine prints what it likes")
def load(model, x):
    factor = float(open(model).read())
    if factor < 0:
        raise ValueError("a bad\\nmodel")
    return lambda: x.ravel()[:4] * factor, f"factor {factor}"
serve(load)
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    network = models.NETWORKS["mobilenet_v1"]
    return models.pruned(network, models.dense(network, 32, folder=folder), 0.5)


@pytest.fixture
def fake(tmp_path):
    script = tmp_path / "fake.py"
    script.write_text(f"import sys; sys.path.insert(0, {str(engines.WORKERS)!r})" + FAKE)
    return [sys.executable, script]


def test_a_worker_loads_runs_and_explains(fake, tmp_path):
    source, target, model = (tmp_path / name for name in ("x", "y", "model"))
    x = np.arange(12, dtype=np.float32)
    x.tofile(source)
    with Worker(fake) as worker:
        model.write_text("2")
        assert worker.load(model, source, target) == (0, "factor 2.0")
        np.testing.assert_array_equal(np.fromfile(target, np.float32), 2 * x[:4])
        model.write_text("-1")
        with pytest.raises(WorkerError, match="ValueError: a bad model"):
            worker.load(model, source, target)
        model.write_text("3")
        assert worker.load(model, source, target)[0] == 1
        assert all(worker.turn(i) >= 0 for i in (0, 1))
        with pytest.raises(WorkerError, match="the process ended"):
            worker.turn(7)


def test_chain_computes_what_tflite_does(small):
    """The layers that other engines' files are made from, in plain numpy."""
    x = np.random.default_rng(0).random((1, 32, 32, 3), np.float32)
    (expected,) = runtime.run(runtime.interpreter(small), [x])
    y = x[0].transpose(2, 0, 1).astype(np.float64)
    for layer in graph.chain(small):
        if layer.op == "conv":
            y = _convolved(y, layer)
        elif layer.op == "mean":
            y = y.mean(axis=(1, 2), keepdims=True)
        else:
            y = y.ravel()
    np.testing.assert_allclose(y, expected[0], atol=1e-4 * np.abs(expected).max())


def _convolved(x, layer):
    top, left, bottom, right = layer.pads
    x = np.pad(x, ((0, 0), (top, bottom), (left, right)))
    windows = np.lib.stride_tricks.sliding_window_view(x, layer.weights.shape[2:], axis=(1, 2))
    windows = windows[:, :: layer.stride, :: layer.stride]
    how = "chwij,cij->chw" if layer.groups > 1 else "chwij,ocij->ohw"
    weights = layer.weights[:, 0] if layer.groups > 1 else layer.weights
    y = np.einsum(how, windows, weights, optimize=True) + layer.bias[:, None, None]
    return np.clip(y, *layer.limits)


def test_other_networks_are_refused():
    import keras

    import sbnn_tf as sbnn

    image = keras.Input((8, 8, 3))
    branch = keras.layers.Conv2D(3, 3, padding="same")(image)
    model = keras.Model(image, keras.layers.Add()([image, branch]))
    with pytest.raises(SbnnError, match="expected"):
        graph.chain(sbnn.convert(model))


def test_ncnn_files(small, tmp_path):
    layers = graph.chain(small)
    graph.save_ncnn(layers, tmp_path / "net.param")
    magic, counts, *rows = (tmp_path / "net.param").read_text().splitlines()
    assert magic == "7767517" and counts == f"{len(rows)} {len(rows)}"
    fields = [row.split() for row in rows]
    assert [f[0] for f in fields[:3]] == ["Input", "Convolution", "ConvolutionDepthWise"]
    assert fields[0][-1] == "x" and fields[-1][5] == "y"
    for before, after in zip(fields[1:], fields[2:]):
        assert after[4] == before[5]
    numbers = sum(x.weights.size + x.bias.size for x in layers if x.op == "conv")
    tags = sum(x.op == "conv" for x in layers)
    assert (tmp_path / "net.bin").stat().st_size == 4 * (numbers + tags)


def test_what_cannot_be_installed_is_left_out(tmp_path, monkeypatch, capfd):
    monkeypatch.setitem(environment.REQUIREMENTS, "ncnn", (str(tmp_path / "no_such.whl"),))
    assert environment.python_of("ncnn", tmp_path) is None
    assert "ncnn could not be installed: " in capfd.readouterr().err


def test_one_run(small, fake, tmp_path, monkeypatch):
    """Ours and TFLite are timed; who computes something else, crashes or is missing is not."""
    monkeypatch.setattr(models, "dense", lambda *_: small)

    def missing(_=None):
        raise engines.Missing("not to be had")

    def model(case):
        path = tmp_path / "factor"
        path.write_text("2")
        return path, ""

    group4 = engines.GROUP4
    chosen = [r for r in engines.rivals(runtime.find_library(), None, None)[:2]] + [
        engines.Rival("liar", lambda: fake, group4, model),
        engines.Rival("absent", missing, group4, model),
        engines.Rival("unprepared", lambda: fake, group4, missing),
    ]
    results = measure.measure(chosen, (0.0, 0.75), 32, 3, tmp_path / "out")
    assert [line["name"].split(",")[0] for line in results["lines"]] == [
        peers.REFERENCE,
        peers.OURS,
    ]
    for line in results["lines"]:
        assert [p["sparsity"] for p in line["points"]] == [0, 0.75]
        assert all(p["off"] < 1e-4 for p in line["points"])
        assert all(len(p["ms"]) == 3 and min(p["ms"]) > 0 for p in line["points"])
    assert "off by" in results["missing"]["liar, group4, 0"]
    assert results["missing"]["absent, group4"] == "not to be had"
    assert results["missing"]["unprepared, group4, 0.75"] == "not to be had"

    text = peers.write(results | networks.provenance("peers", []), tmp_path / "out")
    assert "left out: absent, group4: not to be had" in text and results["cpu"] in text
    assert json.loads((tmp_path / "out" / peers.RESULTS).read_text())["lines"] == results["lines"]
    ElementTree.parse(tmp_path / "out" / peers.PICTURE)


def _results():
    def line(name, pattern, *ms):
        points = [
            {"sparsity": s, "about": "", "off": 1e-6, "ms": list(t)} for s, t in zip((0, 0.5), ms)
        ]
        return {"name": name, "pattern": pattern, "points": points}

    return {
        **{"cpu": "a CPU", "peak_gflops": 100.0, "size": 224, "rounds": 3, "missing": {}},
        **{"cores": 2, "date": "2020-01-01", "commit": "c0ffee", "command": "run"},
        "macs": {"group4 0": [10**9, 10**9], "group4 0.5": [10**9, 5 * 10**8]},
        "lines": [
            line(peers.REFERENCE, "group4", [40, 41, 60], [41, 42, 43]),
            line("SparseByteNN, avx512", "group4", [50, 50, 50], [18, 20.5, 30]),
            line("SparseByteNN, avx2", "group4", [80, 80, 80], [40, 41, 42]),
            line("MNN 3.6.1, PyPI", "group4", [60, 60, 60], [36, 41, 45]),
        ],
    }


def test_table_says_what_was_measured():
    text = peers.table(_results())
    assert "20.50 (18.00; " in text and "**2.00x** (2.22x)" in text
    # 2 GFLOP in 41 ms of 100 GFLOP/s
    assert "TFLite XNNPACK reaches 49% of it" in text
    assert "- MNN 3.6.1, PyPI / SparseByteNN, avx512, group4: 0%: **1.20** (1.20)" in text
    assert "50%: **2.00** (2.00)" in text
    assert "- MNN 3.6.1, PyPI / SparseByteNN, avx2, group4:" in text
    assert f"- {peers.REFERENCE} / SparseByteNN, avx2" not in text


def test_limit_is_the_work_left_at_the_peak():
    assert peers.limit(_results()) == [(0.0, pytest.approx(2.05)), (0.5, pytest.approx(4.1))]


def test_results_page_shows_what_is_recorded():
    assert (record.HERE / "RESULTS.md").read_text() == record.text()


def test_latest_rows_win_and_are_sorted():
    def row(network, sparsity, size, library):
        values = (network, sparsity, size, 1, 1, 60, library)
        return dict(zip(networks.KEY, values))

    old, new = row("mobilenet_v1", 0.5, 224, "a"), row("mobilenet_v1", 0.5, 224, "b")
    small, other = row("mobilenet_v1", 0.5, 96, "b"), row("mobilenet_v2", 0.0, 224, "a")
    assert record.latest([small, other, old, new]) == [new, other, small]
