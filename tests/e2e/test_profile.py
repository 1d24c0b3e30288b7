"""Cost tables measured with the delegate, and training for a latency. Nothing here depends on times."""

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
