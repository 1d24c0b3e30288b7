"""The benches work: what they build, count, record and conclude. Times are not looked at."""

from __future__ import annotations

import json

import numpy as np
import pytest

import sbnn_tf as sbnn
from delegate.bench import compare, models, networks, operators, record, shapes, sums, work
from delegate.bench.efficientnet_lite import efficientnet_lite0
from sbnn_tf.run import runtime


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def small(folder):
    """MobileNet-v1 at 32 x 32, dense."""
    return models.dense(models.NETWORKS["mobilenet_v1"], 32, folder=folder)


def test_layers_and_multiply_adds_of_mobilenet(small):
    found = work.layers(small)
    assert [layer.op for layer in found] == ["conv"] + ["dw", "conv"] * 13 + ["conv"]
    first, second = found[:2]
    assert (first.height, first.inputs, first.outputs, first.kernel, first.stride) == (
        *(32, 3, 32),
        *(3, 2),
    )
    assert first.macs == 16 * 16 * 32 * 27 and second.macs == 16 * 16 * 32 * 9
    total, kept = work.macs(small)
    assert total == sum(layer.macs for layer in found)
    assert kept == pytest.approx(total, rel=1e-5)  # of random weights one or two are 0

    sparse = models.pruned(models.NETWORKS["mobilenet_v1"], small, 0.75)
    again, kept = work.macs(sparse)
    pointwise = sum(layer.macs for layer in found[2:] if layer.op == "conv")
    assert again == total and kept == pytest.approx(total - 0.75 * pointwise, rel=1e-3)


def test_a_fully_connected_layer_has_rows():
    import keras

    model = keras.Sequential([keras.Input((6, 8)), keras.layers.Dense(4)])
    (layer,) = work.layers(sbnn.convert(model))
    assert (layer.op, layer.height, layer.width, layer.inputs, layer.outputs) == ("fc", 1, 6, 8, 4)
    assert layer.macs == 6 * 8 * 4


def test_shape_file_lists_every_layer(small):
    lines = shapes.text("MobileNet-v1", work.layers(small)).splitlines()
    rows = [line.split() for line in lines if not line.startswith("#")]
    assert sum(int(row[7]) for row in rows) == 28
    assert rows[0] == ["conv", "32", "32", "3", "32", "3", "2", "1"]
    assert ["conv", "2", "2", "512", "512", "1", "1", "5"] in rows


def test_committed_shapes_are_those_of_the_networks():
    for name in shapes.NAMES:
        lines = (shapes.FOLDER / f"{name}.txt").read_text().splitlines()
        first = next(line.split() for line in lines if not line.startswith("#"))
        assert first[0] == "conv" and first[1:4] == ["224", "224", "3"], name


@pytest.mark.parametrize("name", models.NETWORKS)
def test_every_row_can_be_pruned(name):
    """Its options fit filters of its kinds: a stem, a 1x1 and a 3x3 convolution, a dense layer."""
    import keras

    network = models.NETWORKS[name]
    model = keras.Sequential(
        [keras.Input((8, 8, 3))]
        + [keras.layers.Conv2D(16, kernel, padding="same") for kernel in (3, 1, 3)]
        + [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(16)]
    )
    data = sbnn.convert(model)
    for sparsity in network.sparsities:
        total, kept = work.macs(models.pruned(network, data, sparsity))
        few = 0.01 * total if network.dynamic else 0  # that rounding to int8 makes
        assert (kept >= total - few) is (sparsity == 0)


def test_a_live_network_and_a_fixed_batch(small, folder):
    network = models.NETWORKS["mobilenet_v1"]
    batch = models.dense(network, 32, batch=4, folder=folder)
    images = np.random.default_rng(0).random((4, 32, 32, 3), np.float32)
    many = runtime.interpreter(batch)
    assert list(many.get_input_details()[0]["shape"]) == [4, 32, 32, 3]
    (together,) = runtime.run(many, [images])
    one = runtime.interpreter(small)
    single = np.concatenate([runtime.run(one, [image[None]])[0] for image in images])
    np.testing.assert_allclose(together, single, atol=1e-4 * np.abs(single).max())
    assert np.abs(single[0] - single[1]).max() > 0.01 * np.abs(single).max()


def test_efficientnet_lite_is_what_it_says():
    model = efficientnet_lite0((224, 224, 3))
    # 4.7 M weights, as its authors say.
    assert model.count_params() == 4_694_024
    kinds = {type(layer).__name__ for layer in model.layers}
    assert "Multiply" not in kinds and "Activation" not in kinds


@pytest.mark.parametrize("name, millions", [("vit", 3.05), ("mlp_mixer", 3.64)])
def test_transformers_are_claimed_whole(name, millions, folder):
    network = models.NETWORKS[name]
    model = models.live(network.architecture, 64)
    assert model.count_params() == pytest.approx(millions * 1e6, rel=0.02)
    sparse = models.pruned(network, sbnn.convert(model), 0.5)
    left = [node["op"] for node in sbnn.explain(sparse, claim="all").nodes if not node["claimed"]]
    assert set(left) <= {"SHAPE", "STRIDED_SLICE", "PACK", "BROADCAST_TO"}  # of the class token
    assert len(left) < 6


def test_networks_bench_records_and_resumes(tmp_path, folder, monkeypatch, capsys):
    monkeypatch.setattr(networks, "dense", lambda *a: models.dense(*a, folder=folder))
    command = ["--networks", "mobilenet_v1", "--size", "32", "--sparsities", "0.5", "--rounds", "2"]
    files = ["--results", str(tmp_path / "r.jsonl"), "--out", str(tmp_path / "t.md")]
    networks.main([*command, *files])
    (row,) = map(json.loads, (tmp_path / "r.jsonl").read_text().splitlines())
    assert row["network"] == "mobilenet_v1" and row["claimed_nodes"] > 0
    assert row["macs"] > row["kept_macs"] > 0 and row["peak_gflops"] > 0
    table = (tmp_path / "t.md").read_text()
    assert row["cpu"] in table and row["commit"] in table and " ".join(command) in table

    def unexpected(*_, **__):
        raise AssertionError("measured again")

    # Also behind a line that an interruption cut short.
    with (tmp_path / "r.jsonl").open("a") as file:
        file.write('{"network": "mobilenet_v1", "spars')
    monkeypatch.setattr(sbnn, "benchmark", unexpected)
    networks.main([*command, *files])
    assert (tmp_path / "t.md").read_text() == table
    with pytest.raises(AssertionError, match="measured again"):
        networks.main([*command, *files, "--again"])
    capsys.readouterr()


def test_sums_of_layers(folder, monkeypatch, capsys):
    monkeypatch.setattr(sums, "dense", lambda *a: models.dense(*a, folder=folder))
    sums.main(
        ["--networks", "mobilenet_v1", "--size", "32", "--sparsities", "0.5", "--rounds", "2"]
    )
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines[1:]} >= {"1x1", "3x3", "DEPTHWISE_CONV_2D"}
    (line,) = (line for line in lines if line.startswith("1x1"))
    assert line.count("(") == 1


def test_costly_networks_get_fewer_rounds():
    options = networks.parser().parse_args(["--rounds", "60"])
    rounds = {name: networks.rounds_of(name, options) for name in models.NETWORKS}
    assert rounds["mobilenet_v1"] == 60 and rounds["vgg16"] == networks.FEWEST_ROUNDS


@pytest.mark.parametrize(
    "ratios, word",
    [((1.04, 1.05), "SLOWER"), ((1.04, 1.0), "same"), ((0.9, 0.9), "faster"), ((0.9, 1), "same")],
)
def test_verdict(ratios, word):
    assert compare.verdict(ratios, 0.03) == word


def test_compare_takes_turns_with_two_libraries(small, monkeypatch, tmp_path, capsys):
    library = runtime.find_library()
    other = tmp_path / "other.so"
    other.write_bytes(library.read_bytes())
    monkeypatch.setattr(compare, "build_commit", lambda commit: other)
    monkeypatch.setattr(compare, "build", lambda tree, target: library)
    monkeypatch.setattr(compare, "dense", lambda *_: small)
    command = ["HEAD", "--networks", "mobilenet_v1", "--sparsities", "0.5", "--rounds", "3"]
    assert compare.main([*command, "--threshold", "1000"]) == 0
    assert "| same |" in capsys.readouterr().out
    monkeypatch.setattr(compare, "pair", lambda *_: [[1.0, 1.0], [2.0, 2.0]])
    assert compare.main(command) == 1
    assert "| SLOWER |" in capsys.readouterr().out


def test_compare_refuses_what_is_no_commit():
    with pytest.raises(SystemExit, match="no such commit: nonsense"):
        compare.build_commit("nonsense")


def test_operators_bench_lists_what_is_below_the_bar_first(tmp_path, capsys):
    options = ["--operators", "add", "--shapes", "4x4x8", "--sparsities", "0.5", "--rounds", "1"]
    out, results = tmp_path / "operators.md", tmp_path / "operators.jsonl"
    code = operators.main([*options, "--out", str(out), "--results", str(results)])
    row = json.loads(results.read_text())
    assert code == (row["ratio"] < operators.BAR)
    assert row["nodes"] == 6 and row["stock_ms"] > 0 and row["ms"] > 0
    assert operators.line(row) in out.read_text()
    rows = [row | {"ratio": ratio} for ratio in (1.25, 0.75)]
    text = operators.table(rows).splitlines()
    assert text[2] == f"1 of 2 are below {operators.BAR}:"
    assert [line.split(" | ")[5] for line in text if line.startswith("| add")] == [
        "0.75",
        "1.25",
        "0.75",
    ]


def test_record_shows_the_last_run_of_operators(tmp_path, monkeypatch):
    def rows(commit, ratios):
        common = {"commit": commit, "date": "2026-01-02", "command": "bench", "cpu": "a CPU"}
        common |= {"cores": 2, "claimed": 1, "nodes": 3, "operator": "add", "shape": "4x4x8"}
        return [common | {"sparsity": s, "ratio": ratio} for s, ratio in ratios.items()]

    source, kept = tmp_path / "bench", tmp_path / "recorded"
    source.mkdir()
    made = [*rows("old", {0.0: 9.0, 0.5: 9.0}), *rows("new", {0.0: 1.0, 0.5: 0.75})]
    (source / "operators.jsonl").write_text("".join(json.dumps(row) + "\n" for row in made))
    monkeypatch.setattr(record, "FOLDER", kept)
    monkeypatch.setattr(record, "HERE", tmp_path)
    record.main(["--from", str(source)])
    text = (tmp_path / "RESULTS.md").read_text()
    assert "| add | 1.00, 0.75 |" in text and "9.00" not in text
    assert "1 of 2 are below 0.95; add, 4x4x8, 50%: claimed 1 of 3 nodes." in text
    assert len((kept / "operators.jsonl").read_text().splitlines()) == 2
