"""The experiments' common parts, and one experiment from end to end on few images."""

from __future__ import annotations

import importlib
import json

import numpy as np
import pytest
import tensorflow as tf

from experiments import data, experiment, latency, networks, records, setting, training
from experiments.step_cost import __main__ as step_cost

NAMES = ("sparsebytenn", "fast_sparse", "pconv", "g2gnet", "rigl")


def module(name):
    return importlib.import_module(f"experiments.{name}.__main__")


class TestRecord:
    def test_rows_come_back(self, tmp_path):
        record = records.Record(tmp_path / "r.jsonl", ("name", "seed"))
        assert record.rows() == [] and record.done() == set()
        record.append({"name": "a", "seed": 1, "accuracy": 0.5})
        record.append({"name": "a", "seed": 2, "accuracy": 0.6})
        assert record.done() == {("a", 1), ("a", 2)}

    def test_a_line_cut_off_is_no_row_and_goes(self, tmp_path):
        record = records.Record(tmp_path / "r.jsonl", ("seed",))
        record.append({"seed": 1})
        with record.path.open("a") as file:
            file.write('{"seed": 2')
        assert record.done() == {(1,)}
        record.append({"seed": 3})
        assert record.done() == {(1,), (3,)}


@pytest.mark.parametrize("target, chosen", [(0.5, 1), (3, 3), (3.5, 4), (9, 7)])
def test_as_slow_takes_the_fastest_that_is_not_faster(target, chosen):
    found = latency.as_slow(target, [1, 2, 3, 4, 5, 6, 7], float)
    assert found["chosen"] == chosen and len(found["tried"]) <= 3


@pytest.mark.parametrize(
    "gains, at_least, words",
    [
        ([1.0, 1.1, 0.9], 0.0, "yes"),
        ([-0.1, -0.2, -0.1], -0.9, "yes"),
        ([3.0, 0.1, -0.5], 0.0, "on average"),
        ([-3.0, -0.1, 0.5], 0.0, "no, within the noise"),
        ([-1.0, -1.1, -0.9], 0.0, "no"),
        ([0.3], 0.0, "one seed tells little"),
    ],
)
def test_verdict(gains, at_least, words):
    assert experiment.verdict(gains, at_least) == words


@pytest.mark.parametrize(
    "name, parameters",
    # with batch norm statistics; the first two as in keras.applications
    [("mobilenet_v1", 4_253_864), ("mobilenet_v2", 3_538_984), ("resnet", 11_699_112)],
)
def test_full_networks_are_the_published_ones(name, parameters):
    model = networks.NETWORKS[name]((224, 224, 3), 1000, 1.0, True)
    assert model.count_params() == parameters


def test_cifar_images_move_and_flip():
    image = np.arange(36, dtype=np.float32).reshape(1, 6, 6, 1) + 1
    split = data.Split(np.repeat(image, 64, axis=0), np.zeros(64, np.int64))
    (images, _), (again, _) = (data.Augmented(split, 64, 3, shift=2)[0] for _ in range(2))
    assert np.array_equal(images, again)
    framed = np.pad(image[0], ((2, 2), (2, 2), (0, 0)))
    possible = [
        side[y : y + 6, x : x + 6]
        for side in (framed, framed[:, ::-1])
        for y in range(5)
        for x in range(5)
    ]
    assert all(any(np.array_equal(each, p) for p in possible) for each in images)
    assert len({each.tobytes() for each in images}) > 20


class TestMissingData:
    def test_imagenet(self, tmp_path):
        with pytest.raises(SystemExit, match="1000 folders.*--data-folder"):
            data.get("imagenet", tmp_path)

    def test_no_download(self, monkeypatch):
        def fail():
            raise OSError("no network")

        monkeypatch.setattr(data.keras.datasets.cifar10, "load_data", fail)
        with pytest.raises(SystemExit, match="cifar10: not on this machine.*no network"):
            data.get("cifar10")


def test_cifar(monkeypatch):
    def arrays(count):
        images = np.full((count, 32, 32, 3), 51, np.uint8)
        return images, np.arange(count).reshape(-1, 1) % 100

    monkeypatch.setattr(
        data.keras.datasets.cifar100, "load_data", lambda: (arrays(300), arrays(200))
    )
    found = data.get("cifar100")
    assert found.shape == (32, 32, 3) and found.classes == 100
    batches = found.train(128, 5)
    assert len(batches) == 2 and batches[0][0].shape == (128, 32, 32, 3)
    assert batches[0][0].max() == np.float32(0.2)
    assert sum(len(labels) for _, labels in found.test()) == 200


def test_imagenet_from_folders(tmp_path):
    for part, size in (("train", (40, 60)), ("val", (50, 30))):
        for i in range(1000):
            folder = tmp_path / part / f"n{i:04d}"
            folder.mkdir(parents=True)
            image = tf.fill((*size, 3), tf.cast(i % 256, tf.uint8))
            (folder / "a.jpeg").write_bytes(tf.io.encode_jpeg(image).numpy())
    found = data.get("imagenet", tmp_path)
    batches = found.train(8, 5)
    assert len(batches) == 125 and found.shape == (224, 224, 3) and found.classes == 1000
    (images, labels), (again, _) = (next(iter(found.train(8, 5))) for _ in range(2))
    assert np.array_equal(images, again) and images.shape == (8, 224, 224, 3)
    images, labels = next(iter(found.test()))
    assert images.shape == (100, 224, 224, 3) and list(labels) == list(range(100))
    assert np.allclose(np.mean(images, axis=(1, 2, 3)), np.arange(100) / 255, atol=0.02)


@pytest.mark.parametrize("how", ["gradually", "at once", "ADMM"])
def test_each_way_of_pruning_ends_at_its_sparsity(how, monkeypatch):
    few = data.Split(*(array[:640] for array in data.load()[0]))
    monkeypatch.setattr(data, "load", lambda name: (few, few))
    monkeypatch.setitem(setting.NUMBERS, "fashion_mnist", setting.Numbers(1, 2, 28))
    found = setting.Setting("fashion_mnist")
    model = found.build("resnet")
    found.fine_tuned(model, 3, 0.75, "kernel4x8", how=how, longer=1.5)
    assert experiment.zeros(model) == pytest.approx(0.75, abs=0.01)
    assert int(model.optimizer.iterations) == 3 * 5  # epochs, steps


def test_an_experiment_from_end_to_end(tmp_path, monkeypatch, capsys):
    train, test = data.load()
    few = data.Split(train.images[:640], train.labels[:640])
    test = data.Split(test.images[:500], test.labels[:500])
    monkeypatch.setattr(data, "load", lambda name: (few, test))
    monkeypatch.setitem(setting.NUMBERS, "fashion_mnist", setting.Numbers(1, 2, 28))
    monkeypatch.setattr(training, "FOLDER", tmp_path / "build")
    monkeypatch.setattr(latency, "ROUNDS", 3)
    monkeypatch.setattr(experiment.Experiment, "folder", tmp_path)
    begin, end = records.marks("result", "the step `report`")
    (tmp_path / "README.md").write_text(f"Before.\n{begin}old\n{end}After.\n")

    fast = module("fast_sparse")
    monkeypatch.setattr(fast, "NETWORKS", {"mobilenet_v1": "MobileNet-v1"})
    monkeypatch.setattr(fast, "WIDTHS", [0.25, 0.5, 0.75])
    with pytest.raises(SystemExit, match="run the step 'match' first"):
        fast.EXPERIMENT.main(["train"])
    fast.EXPERIMENT.main(["--seeds", "201"])

    run = experiment.Run(fast.EXPERIMENT, "fashion_mnist", None, (201,))
    sparse, narrow, *others = run.variants()
    assert {narrow.width, *(other.width for other in others)} <= set(fast.WIDTHS)
    for variant, zeros in ((sparse, 0.9), (narrow, 0.0)):
        rows = run.rows(variant.name)
        assert [row["seed"] for row in rows] == [201]
        assert all(row["zeros"] == pytest.approx(zeros, abs=1e-3) for row in rows)
    gains = run.gains(run.claims()[0])
    by = {(row["variant"], row["seed"]): row["accuracy"] for row in run.results.rows()}
    assert gains == [100 * (by[sparse.name, 201] - by[narrow.name, 201])]
    assert {row["pixels"] for row in run.times.rows()} == {28}
    assert run.tables() in (tmp_path / "README.md").read_text()
    assert (tmp_path / "README.md").read_text().endswith(f"{end}After.\n")
    assert run.picture.stat().st_size > 5_000

    # A second time nothing is left to do.
    monkeypatch.setattr(training, "fit", None)
    monkeypatch.setattr(latency, "measure", None)
    fast.EXPERIMENT.main(["--seeds", "201"])
    assert len(run.results.rows()) == len(run.variants())


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_tables_are_of_the_committed_records(name):
    found = module(name).EXPERIMENT
    run = experiment.Run(found, "fashion_mnist", None, experiment.SEEDS)
    begin, end = records.marks("result", "the step `report`")
    text = (found.folder / "README.md").read_text()
    assert begin + (run.tables() if run.results.rows() else "") + end in text
    names = {variant.name for variant in run.variants()}
    assert all(claim.better in names and claim.worse in names for claim in run.claims())


def test_a_step_costs_at_most_the_bar():
    result = json.loads(step_cost.RECORD.read_text())
    text = (step_cost.HERE / "README.md").read_text()
    assert step_cost.BEGIN + step_cost.table(result) + step_cost.END in text
    assert {(row["keras"], row["score"]) for row in result["rows"]} == {
        (name, score) for name in ("keras", "tf_keras") for score in step_cost.SCORES
    }
    for row in result["rows"]:
        assert row["ratio_median"] == row["with_ms"] / row["without_ms"] <= step_cost.BAR
