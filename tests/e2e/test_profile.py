"""Cost tables measured with the delegate, and training for a latency. Nothing here depends on times."""

import dataclasses

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf import cli
from sbnn_tf.plan.cost_table import CostTable
from sbnn_tf.run import profiling

SPARSITIES = (0.0, 0.5, 0.9)


@pytest.fixture(scope="module")
def table(tiny_files):
    return sbnn.profile(tiny_files[0], "group4", sparsities=SPARSITIES[1:], rounds=3)


def test_every_layer_that_the_pattern_fits(table):
    assert set(table.layers) == {
        ("conv", (3, 3, 3, 16), 36),
        ("conv", (1, 1, 16, 32), 36),
        ("conv", (1, 1, 32, 32), 36),
        ("depthwise", (3, 3, 1, 16), 36),
        ("depthwise", (3, 3, 1, 32), 36),
        ("dense", (32, 10), 1),
    }
    for ms in table.layers.values():
        assert sorted(ms) == list(SPARSITIES) and all(0 < t < 1e3 for t in ms.values())
    assert table.pattern == "group4" and table.num_threads == 1 and table.cpu
    assert table.baseline_ms > 0 and table.dense_ms > 0


def test_keras_layers_are_found_in_it(table):
    import keras

    from sbnn_tf.keras_model import kernels

    layers = [keras.Input((12, 12, 3)), keras.layers.Conv2D(16, 3, strides=2, padding="same")]
    for _ in range(2):
        layers += [keras.layers.DepthwiseConv2D(3, padding="same"), keras.layers.Conv2D(32, 1)]
    layers += [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10)]
    found = kernels.find(keras.Sequential(layers))
    assert {(k.operator, k.view, k.positions()) for k in found} == set(table.layers)


def test_report(table, tiny_files):
    report = sbnn.latency(tiny_files[1], table, rounds=3)
    dense = sbnn.latency(tiny_files[0], table, rounds=3)
    assert dense.predicted_ms == pytest.approx(table.dense_ms)
    half = [
        (key, ms) for key, ms in table.layers.items() if key[0] == "conv" and key[1][:2] == (1, 1)
    ]
    gain = sum(ms[0.0] - ms[0.5] for _, ms in half)
    assert report.predicted_ms == pytest.approx(table.dense_ms - gain)
    assert report.measured_ms > 0 and f"measured {report.measured_ms:.3f} ms" in str(report)


def test_command(tiny_files, tmp_path, capsys):
    path = tmp_path / "costs.json"
    assert cli.main(["profile", str(tiny_files[0]), str(path), "--rounds", "2"]) == 0
    printed = capsys.readouterr().out
    table = CostTable.load(path)
    assert ("conv", (1, 1, 32, 32), 36) in table.layers and "auto-fp32" == table.pattern
    assert "conv 1x1x32x32" in printed and "dense, delegate" in printed
    assert cli.main(["profile", str(tmp_path / "none.tflite"), str(path)]) == 2
    assert cli.main(["profile", str(tiny_files[0]), str(path), "--pattern", "3of8x"]) == 2


def test_pattern_that_fits_nothing(tiny_files):
    with pytest.raises(ValueError, match="3of7 fits no layer"):
        profiling.profile(tiny_files[0], "3of7")


@pytest.fixture(scope="module")
def int8_table(tiny_files):
    """Of the network of `tiny_files`, quantized."""
    images = [np.random.default_rng(i).uniform(-1, 1, (1, 12, 12, 3)) for i in range(4)]
    dataset = [[image.astype(np.float32)] for image in images]
    quantized = sbnn.convert(
        tiny_files[0], quantize="int8", representative_dataset=lambda: dataset, verbose=0
    )
    return sbnn.profile(quantized, sparsities=SPARSITIES[1:], rounds=3)


def test_int8_files_have_tables_with_the_same_layers(table, int8_table, tmp_path):
    assert set(int8_table.layers) == set(table.layers)
    assert (int8_table.target, int8_table.pattern) == ("int8", "auto-int8")
    assert (table.target, table.pattern) == ("fp32", "group4")
    int8_table.save(tmp_path / "costs.json")
    assert CostTable.load(tmp_path / "costs.json") == int8_table


def test_a_latency_in_int8_prunes_a_keras_model_in_blocks(int8_table, tiny_files):
    """It predicts what the table says of the sparsities that are reached."""
    import keras

    from sbnn_tf.keras_model import kernels
    from sbnn_tf.patterns import Block

    keras.utils.set_random_seed(0)
    layers = [keras.Input((12, 12, 3)), keras.layers.Conv2D(16, 3, strides=2, padding="same")]
    layers += [keras.layers.Conv2D(32, 1), keras.layers.Conv2D(32, 1)]
    layers += [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10)]
    model = keras.Sequential(layers)
    # Times of so small a network are noise: a table whose layers cost what they should.
    costs = {key: {s: 1.0 - s for s in ms} for key, ms in int8_table.layers.items()}
    made = dataclasses.replace(int8_table, layers=costs, dense_ms=2.0, baseline_ms=2.0)
    budget = sbnn.Latency(made, milliseconds=1.2)
    pruning = sbnn.Pruning("auto", sbnn.OneShot(0.5, 0), budget=budget)
    pruning.after_step(model)
    assert budget.predicted_ms == pytest.approx(1.2, abs=0.02)
    pruned = [kernel.weights() for kernel in kernels.find(model)][1:3]
    assert sum(np.mean(w == 0) for w in pruned) == pytest.approx(0.8, abs=0.04)
    for weights in pruned:
        assert Block(4, 4).explains(weights == 0)
