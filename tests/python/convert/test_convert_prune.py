"""One-shot pruning: what is pruned, how much, and by which groups."""

import numpy as np
import pytest
from flat import Flat, chain
from models import run_stock

from sbnn_tf.convert import convert, densify, flatbuffer, inspect, rewrite
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.convert.graph import constant, find_weights, text
from sbnn_tf.errors import SbnnError
from sbnn_tf.patterns import Block, Group, KernelPattern


def normal(*shape, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def filters(data: bytes) -> dict[str, np.ndarray]:
    """All dense constants by name, sparse ones expanded."""
    model = flatbuffer.read(densify(data))
    tensors = model.subgraphs[0].tensors
    return {
        text(t.name): constant(model, t)
        for t in tensors
        if model.buffers[t.buffer].data is not None
    }


@pytest.fixture(scope="module")
def mobilenet(application) -> bytes:
    return application("MobileNetV3Small")


@pytest.mark.parametrize("sparsity", [0.3, 0.5, 0.9])
def test_all_pointwise_convolutions_and_nothing_else(mobilenet, sparsity):
    """Squeeze-and-excitation and logits count, stem and depthwise do not."""
    weights = find_weights(flatbuffer.read(densify(convert(mobilenet, prune=sparsity, group=4))))
    pointwise = [" ".join(w.names) for w in weights if w.pointwise]
    assert sum("squeeze_excite" in names for names in pointwise) == 18
    assert sum("logits" in names for names in pointwise) == 1
    assert len(pointwise) < len(weights)
    for weight in weights:
        zeros = np.count_nonzero(weight.values == 0)
        expected = sparsity * weight.values.size if weight.pointwise else 0
        assert abs(zeros - expected) <= 4 / 2, weight.names  # Half a group.


def test_the_mask_is_that_of_the_training_pattern():
    first, second = normal(8, 3, 3, 8), normal(32, 1, 1, 8)
    pruned = filters(convert(chain(first, second), prune=0.5, group=4))
    np.testing.assert_array_equal(pruned["f0"], first)
    mask = Group(4).mask(np.abs(np.moveaxis(second, 0, -1)), 0.5)
    np.testing.assert_array_equal(pruned["f1"], np.where(np.moveaxis(mask, -1, 0), second, 0))


def test_the_least_important_groups_go():
    values = np.full((8, 1, 1, 4), 10, np.float32)
    values[:4, ..., 1] = values[4:, ..., 2] = 0.1
    pruned = filters(convert(chain(normal(4, 3, 3, 4), values), prune=0.25))
    np.testing.assert_array_equal(pruned["f1"] == 0, values == np.float32(0.1))


@pytest.mark.parametrize(
    "outputs, group, expected", [(12, 8, 4), (10, 4, 2), (33, 16, 1), (32, 16, 16)]
)
def test_largest_power_of_two_that_divides(outputs, group, expected):
    pruned = filters(
        convert(chain(normal(4, 3, 3, 64), normal(outputs, 1, 1, 4)), prune=0.5, group=group)
    )
    assert Group(expected).explains(np.moveaxis(pruned["f1"] == 0, 0, -1))
    if expected < group:
        assert not Group(expected * 2).explains(np.moveaxis(pruned["f1"] == 0, 0, -1)) or (
            outputs % (expected * 2)
        )


def test_first_convolution_stays_unless_named():
    data = chain(normal(8, 1, 1, 8), normal(8, 1, 1, 8))
    assert (filters(convert(data, prune=0.5))["f0"] != 0).all()
    named = filters(convert(data, prune=0.5, layers=["f0"]))
    assert (named["f0"] == 0).mean() == 0.5
    assert (named["f1"] != 0).all()


@pytest.mark.parametrize("glob", ["f1", "f?", "layer1", "layer1/*", "*1*"])
def test_layers_match_names_and_parts_of_names(glob):
    data = chain(normal(8, 1, 1, 8), normal(8, 1, 1, 8))
    assert (filters(convert(data, prune=0.5, layers=glob))["f1"] == 0).mean() == 0.5


@pytest.fixture(scope="module")
def sizes() -> bytes:
    """A stem, then filters of 1x1, 3x3, 5x5 and 3x3."""
    shapes = (8, 3, 3, 3), (16, 1, 1, 8), (32, 3, 3, 16), (16, 5, 5, 32), (64, 3, 3, 16)
    return chain(*(normal(*shape, seed=i) for i, shape in enumerate(shapes)))


@pytest.mark.parametrize(
    "layers, chosen",
    [
        (None, ["f1"]),
        ("3x3", ["f2", "f4"]),
        (["1x1", "5x5"], ["f1", "f3"]),
        (["3x3", "f0"], ["f0", "f2", "f4"]),
        ("f*", ["f0", "f1", "f2", "f3", "f4"]),
    ],
)
def test_layers_of_a_kernel_size(sizes, layers, chosen):
    pruned = filters(convert(sizes, prune=0.5, layers=layers))
    shares = {f: (pruned[f] == 0).mean() for f in pruned if f.startswith("f")}
    assert shares == {f: 0.5 if f in chosen else 0.0 for f in shares}
    for name in chosen:
        assert Group(4).explains(np.moveaxis(pruned[name] == 0, 0, -1))


@pytest.mark.parametrize("sparsity", [5 / 9, 0.75, 0.9])
def test_kernel_patterns(sizes, sparsity):
    """Stock TFLite expands the file to the pruned filters; each is the training pattern's."""
    data = convert(sizes, prune=sparsity, pattern="kernel4x8")
    pruned, original = filters(data), filters(sizes)
    for name in ("f0", "f1"):
        np.testing.assert_array_equal(pruned[name], original[name])
    for name in ("f2", "f3", "f4"):
        scores = np.moveaxis(np.abs(original[name].astype(np.float64)), 0, -1)
        mask = np.moveaxis(KernelPattern(4, 8).mask(scores, sparsity), -1, 0)
        np.testing.assert_array_equal(pruned[name], np.where(mask, original[name], 0))
    rows = {row.name: row for row in inspect(data).tensors}
    for name in ("f2", "f4"):
        row = rows[name + "/sparse"]
        assert row.pattern == "group4"
        assert row.stored_bytes < 1.2 * (1 - row.sparsity) * row.dense_bytes
    run = [run_stock("tf", d) for d in (data, densify(data))]
    np.testing.assert_array_equal(*run)


def test_default_layers_of_kernel_patterns_may_be_named_instead(sizes):
    pruned = filters(convert(sizes, prune=0.5, pattern=KernelPattern(), layers=["1x1"]))
    assert (pruned["f1"] == 0).mean() == 0.5
    kept = (pruned["f1"].reshape(4, 4, 8) != 0).any(axis=1).sum(axis=1)
    assert (kept == kept[0]).all()  # balanced
    assert all((pruned[f] != 0).all() for f in ("f0", "f2", "f3", "f4"))


def test_two_calls_prune_two_sizes_differently(sizes):
    both = convert(sizes, prune=0.5, layers="1x1")
    both = filters(convert(both, prune=0.75, pattern="kernel4x8", layers="3x3"))
    zeros = {f: round((both[f] == 0).mean(), 2) for f in both if f.startswith("f")}
    assert zeros == {"f0": 0, "f1": 0.5, "f2": 0.75, "f3": 0, "f4": 0.75}


def test_named_depthwise_takes_kernel_patterns(mobilenet):
    name = "expanded_conv_1_depthwise_1"
    options = {"pattern": "kernel4x8", "layers": [name]}
    weights = find_weights(flatbuffer.read(convert(mobilenet, prune=5 / 9, **options)))
    (weight,) = [w for w in weights if (w.values == 0).mean() > 0.1]
    kept = weight.values[0] != 0  # (3, 3, channels)
    assert (kept.sum(axis=(0, 1)) == 4).all() and kept[1, 1].all()
    assert Group(4).explains(~kept)
    assert len(np.unique(kept.reshape(9, -1), axis=1).T) <= 8


def perceptron(*shapes: tuple[int, int]) -> bytes:
    """Dense layers w0, w1, ... (outputs, inputs), one after the other."""
    flat = Flat()
    x = flat.input((1, shapes[0][1]))
    for i, shape in enumerate(shapes):
        x = flat.dense(x, flat.constant(f"w{i}", normal(*shape, seed=i)))
    flat.output(x)
    return flat.bytes()


def zeros(data: bytes) -> dict[str, float]:
    return {
        name: (values == 0).mean()
        for name, values in filters(data).items()
        if values.ndim > 1 and values.dtype == np.float32
    }


def test_a_perceptron_is_pruned_whole():
    data = perceptron((16, 8), (8, 16))
    assert zeros(convert(data, prune=0.5)) == {"w0": 0.5, "w1": 0.5}
    assert rewrite(data, 0.5, None, None, None).remarks() == ["pruned: 2 FULLY_CONNECTED"]


def test_larger_windows_where_there_are_no_1x1():
    data = chain(normal(8, 3, 3, 8), normal(8, 3, 3, 8), normal(8, 5, 5, 8))
    assert zeros(convert(data, prune=0.5)) == {"f0": 0, "f1": 0.5, "f2": 0.5}
    remarks = rewrite(data, 0.5, None, None, None).remarks()
    assert remarks == ["pruned: 1 CONV_2D 3x3, 1 CONV_2D 5x5"]
    only = chain(normal(8, 3, 3, 8))
    assert zeros(convert(only, prune=0.5)) == {"f0": 0.5}
    with pytest.raises(SbnnError, match="nothing to prune: expected K x K"):
        convert(perceptron((16, 8)), prune=0.5, pattern="kernel4x8")


def test_layers_that_the_pattern_does_not_fit_are_left():
    """Unless they are named: then it is an error."""
    data = perceptron((16, 8), (8, 16), (4, 8), (8, 4), (6, 8), (8, 6))
    pruned = zeros(convert(data, prune=0.5, pattern="2of4"))
    assert pruned == {f"w{i}": 0.5 if i < 5 else 0 for i in range(6)}
    with pytest.raises(SbnnError, match="'w5' cannot be pruned"):
        convert(data, prune=0.5, pattern="2of4", layers=["w5"])


def test_depthwise_only_when_named():
    flat = Flat()
    x = flat.input((1, 4, 4, 8))
    y = flat.tensor("y", (1, 4, 4, 8))
    options = schema().DepthwiseConv2DOptionsT(strideH=1, strideW=1, depthMultiplier=1)
    weight = flat.constant("w", normal(1, 3, 3, 8))
    flat.node("DEPTHWISE_CONV_2D", [x, weight, flat.bias(8)], [y], options)
    flat.output(y)
    with pytest.raises(SbnnError, match="nothing to prune.*group4 fits.*w"):
        convert(flat.bytes(), prune=0.5)
    assert zeros(convert(flat.bytes(), prune=0.5, layers=["w"])) == {"w": 0.5}


def test_named_depthwise_shares_taps_in_groups(mobilenet):
    name = "expanded_conv_1_depthwise_1"
    weights = find_weights(flatbuffer.read(convert(mobilenet, prune=0.5, layers=[name])))
    (weight,) = [w for w in weights if (w.values == 0).mean() > 0.1]
    assert weight.kind == "DEPTHWISE_CONV_2D" and any(name in n for n in weight.names)
    assert Group(4).explains(weight.values == 0)
    assert abs((weight.values == 0).mean() - 0.5) < 0.01


def test_a_sparse_file_is_pruned_further():
    data = chain(normal(8, 3, 3, 8), normal(64, 1, 1, 8))
    half = convert(data, prune=0.5)
    assert convert(half, prune=0.75) == convert(convert(data, prune=0.75), prune=0.75)
    row = next(r for r in inspect(convert(half, prune=0.75)).tensors if r.pattern != "dense")
    assert (row.pattern, row.sparsity) == ("group4", 0.75)


def test_a_shared_buffer_is_not_pruned_for_others():
    flat = Flat()
    values = normal(8, 1, 1, 8)
    x = flat.input((1, 4, 4, 8))
    first = flat.constant("first", values)
    second = flat.tensor("second", values.shape, buffer=flat.graph.tensors[first].buffer)
    flat.output(flat.conv(flat.conv(x, first), second))
    pruned = filters(convert(flat.bytes(), prune=0.5))
    np.testing.assert_array_equal(pruned["first"], values)
    assert (pruned["second"] == 0).mean() == 0.5


def test_nothing_pruned_at_zero():
    data = chain(normal(8, 3, 3, 8), normal(8, 1, 1, 8))
    assert convert(data, prune=0.0) == convert(data)


def test_quantized_weights_compare_by_their_real_size():
    """int8 weights of outputs with a small scale are small, whatever their integers."""
    flat = Flat()
    x = flat.input((1, 4, 4, 8))
    x = flat.conv(x, flat.constant("stem", normal(8, 3, 3, 8)))
    weight = flat.constant("w", np.full((8, 1, 1, 8), 100, np.int8))
    flat.graph.tensors[weight].quantization = schema().QuantizationParametersT(
        scale=np.array([1.0] * 4 + [0.01] * 4, np.float32), zeroPoint=np.zeros(8, np.int64)
    )
    flat.output(flat.conv(x, weight))
    pruned = filters(convert(flat.bytes(), prune=0.5))["w"]
    assert (pruned[:4] == 100).all() and (pruned[4:] == 0).all()


@pytest.fixture(scope="module")
def kinds() -> bytes:
    """A stem, filters of 1x1, 3x3 and 5x5, and a dense layer, in int8."""
    flat = Flat()
    x = flat.input((1, 4, 4, 8))
    shapes = (32, 3, 3, 8), (32, 1, 1, 32), (16, 3, 3, 32), (32, 5, 5, 16)
    for i, shape in enumerate(shapes):
        values = normal(*shape, seed=i)
        x = flat.conv(x, flat.int8(f"f{i}", values + np.sign(values)))  # none is rounded to 0
    rows = flat.tensor("rows", (16, 32))
    flat.node("RESHAPE", [x, flat.constant("shape", np.array([16, 32], np.int32))], [rows])
    flat.output(flat.dense(rows, flat.int8("f4", normal(16, 32, seed=4))))
    for tensor in flat.graph.tensors:
        if not tensor.buffer:  # activations
            tensor.type = schema().TensorType.INT8
    return flat.bytes()


@pytest.mark.parametrize("pattern, block", [("block4x4", Block(4, 4)), ("block8x4", Block(8, 4))])
@pytest.mark.parametrize("name", ["f1", "f2", "f3", "f4"])
def test_blocks_of_every_kind_of_filter_in_int8(kinds, name, pattern, block):
    """Those of convolutions are stored as blocks of 4 inputs x 4 outputs, what kernels take at once."""
    made = convert(kinds, prune=0.5, pattern=pattern, layers=[name])
    pruned, original = filters(made)[name], filters(kinds)[name]
    (weight,) = [w for w in find_weights(flatbuffer.read(kinds)) if name in w.names]
    tensor = flatbuffer.read(kinds).subgraphs[0].tensors[weight.tensor]
    real = np.moveaxis(original.astype(float), 0, -1) * tensor.quantization.scale
    mask = block.mask(np.abs(real), 0.5)
    np.testing.assert_array_equal(pruned, np.where(np.moveaxis(mask, -1, 0), original, 0))
    sparse = [row for row in inspect(made).tensors if row.pattern != "dense"]
    assert [row.pattern for row in sparse] == ["block 4x1x1x4"] * (name != "f4")
    assert all(row.stored_bytes < 0.65 * row.dense_bytes for row in sparse)


def test_blocks_of_floats_are_stored_as_groups(sizes):
    made = convert(sizes, prune=0.5, pattern="block4x4", layers=["1x1", "3x3"])
    for name in ("f1", "f2", "f4"):
        assert Block(4, 4).explains(np.moveaxis(filters(made)[name] == 0, 0, -1))
    assert {r.pattern for r in inspect(made).tensors} == {"dense", "group4"}
    np.testing.assert_array_equal(*(run_stock("tf", d) for d in (made, densify(made))))


def test_auto_is_blocks_for_int8_and_groups_for_floats(kinds, sizes):
    zeros = np.moveaxis(filters(convert(kinds, prune=0.5, pattern="auto"))["f1"] == 0, 0, -1)
    assert Block(4, 4).explains(zeros) and zeros.mean() == 0.5
    zeros = np.moveaxis(filters(convert(sizes, prune=0.5, pattern="auto"))["f1"] == 0, 0, -1)
    assert Group(4).explains(zeros) and not Block(4, 4).explains(zeros)


def test_auto_is_blocks_for_floats_that_become_int8(sizes):
    images = np.random.default_rng(0).uniform(-1, 1, (4, 4, 4, 3)).astype(np.float32)
    made = convert(
        sizes,
        prune=0.5,
        pattern="auto",
        layers="3x3",
        quantize="int8",
        representative_dataset=images,
        verbose=0,
    )
    patterns = {r.pattern for r in inspect(made).tensors if r.pattern != "dense"}
    assert patterns == {"block 4x1x1x4"}


@pytest.mark.parametrize(
    "options, message",
    [
        ({"prune": 1.0}, r"sparsity: expected a number in \[0, 1\), found 1.0"),
        ({"prune": -0.1}, "sparsity"),
        ({"prune": float("nan")}, "sparsity"),
        ({"prune": "half"}, "sparsity"),
        ({"prune": 0.5, "group": 0}, "Group size must be 1 or more, not 0"),
        ({"prune": 0.5, "group": 2.5}, "Group size must be a whole number, not 2.5"),
        ({"prune": 0.5, "group": 4, "pattern": "group4"}, "expected one of them, found both"),
        ({"prune": 0.5, "pattern": "block4"}, "pattern: Unknown pattern 'block4'"),
        ({"prune": 0.5, "pattern": "kernel4x57"}, "library must be at most 56"),
        ({"prune": 0.5, "layers": "5x5"}, "'5x5' names no filter; .* of the sizes 1x1"),
        (
            {"prune": 0.5, "pattern": "kernel4x8"},
            "expected K x K CONV_2D filters that kernel4x8 fits",
        ),
        ({"pattern": "group4"}, "expected prune="),
        ({"group": 4}, "expected prune="),
        ({"prune": 0.5, "layers": ["nope*"]}, r"'nope\*' names no filter; there are: f0, f1"),
        ({"prune": 0.5, "layers": []}, "at least one"),
        ({"layers": ["f1"]}, "expected prune="),
    ],
)
def test_wrong_options_are_explained(options, message):
    with pytest.raises(SbnnError, match=message):
        convert(chain(normal(8, 3, 3, 8), normal(8, 1, 1, 8)), **options)
