import numpy as np
import pytest

from sbnn_tf.keras_model.summary import find_pattern, summary
from sbnn_tf.patterns import Group, Unstructured
from sbnn_tf.plan.schedules import ConstantSparsity
from sbnn_tf.train.callback import Pruning


def _lines(model, pattern=None):
    lines = []
    assert summary(model, pattern, print_fn=lines.append) is None
    return lines


def _row(lines, name):
    return next(line.split(maxsplit=2) for line in lines if line.split()[0] == name)


def test_table_of_a_pruned_model(functional, data, capsys):
    model = functional(full=True)
    pruning = Pruning(Group(16), ConstantSparsity(0.5, 0))
    model.fit(*data, verbose=0, callbacks=[pruning])
    lines = _lines(model)
    # pw: 8 x 24 at 4 x 4 positions
    name, shape, rest = _row(lines, "pw")
    assert shape == "1x1x8x24"
    assert rest.split("  ")[0] == "group8"
    assert "50.0%" in rest and "96 of 192" in rest and "1,536 of 3,072" in rest
    assert "group16" in _row(lines, "sep/pointwise")[2]
    assert _row(lines, "stem")[2].split()[:2] == ["-", "0.0%"]
    assert "group8 is used" in next(line for line in lines if line.startswith("note: pw:"))
    assert not any("logits" in line for line in lines if line.startswith("note"))
    kernels = {"stem": 216, "pw": 192, "depthwise": 216, "pointwise": 384, "hidden": 192}
    total = sum(kernels.values()) + 60
    kept = total - (192 + 384 + 192) // 2
    assert f"{kept:,} of {total:,}" in _row(lines, "total")[1] + " " + _row(lines, "total")[2]
    summary(model)
    assert capsys.readouterr().out.splitlines() == lines


def test_what_a_pattern_would_be(functional):
    notes = [line for line in _lines(functional(full=True), "group16") if "note" in line]
    assert [note.split()[1] for note in notes] == ["stem:", "pw:", "hidden:", "logits:"]


def test_zeros_of_another_pattern(functional):
    model = functional()
    pw = model.get_layer("pw")
    weights, bias = pw.get_weights()
    weights[0, 0, 0, 1] = 0.0
    pw.set_weights([weights, bias])
    lines = _lines(model, "group4")
    assert "unstructured" in _row(lines, "pw")[2]
    assert "note: pw: the zeros do not form group4." in lines


def test_subclassed_model_says_what_it_goes_without(subclassed):
    lines = _lines(subclassed())
    note = next(line for line in lines if "without batch norm" in line)
    assert "pw, sep/depthwise, sep/pointwise, hidden, logits" in note
    assert _row(lines, "pw")[2].endswith(" -")
    assert any("multiply-adds not known" in line for line in lines)


def test_inputs_of_any_size(K):
    model = K.Sequential([K.Input((None, None, 3)), K.layers.Conv2D(8, 1, name="pw")])
    assert _row(_lines(model), "pw")[2].endswith(" -")


def test_multiply_adds(K):
    L = K.layers
    x = inputs = K.Input((8, 8, 4))
    shared = L.Conv2D(4, 1, name="shared", use_bias=False)
    x = shared(shared(x))  # twice at 8 x 8
    x = L.Conv2D(8, 3, strides=2, padding="same", groups=2, name="grouped")(x)
    x = L.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    x = L.Conv2DTranspose(4, 2, strides=2, name="up")(x)
    x = L.Dense(2, name="by_pixel")(x)
    lines = _lines(K.Model(inputs, x))
    for name, count in (
        ("shared", 2 * 64 * 16),
        ("grouped", 16 * 9 * 2 * 8),
        ("depthwise", 16 * 9 * 8),
        ("up", 16 * 4 * 8 * 4),
        ("by_pixel", 64 * 4 * 2),
    ):
        assert _row(lines, name)[2].endswith(f"{count:,} of {count:,}"), name


def test_mistakes(subclassed):
    with pytest.raises(ValueError, match="never been built"):
        summary(subclassed(build=False))
    with pytest.raises(TypeError, match="Expected a Keras model"):
        summary("model.keras")
    with pytest.raises(ValueError, match="Unknown pattern"):
        summary(subclassed(), "blocks")


def test_find_pattern():
    zeros = np.zeros((4, 16), bool)
    assert find_pattern(zeros) is None
    zeros[1, 8:] = True
    assert find_pattern(zeros) == Group(8)
    assert find_pattern(zeros, Group(4)) == Group(4)
    zeros[2, 0] = True
    assert find_pattern(zeros, Group(4)) == Group(1)
    assert find_pattern(np.ones((3, 5), bool)).name == Unstructured().name
