"""What patterns see of a kernel, and where it lands in TensorFlow Lite."""

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf.convert import densify, flatbuffer
from sbnn_tf.convert.graph import CONV, DEPTHWISE, find_weights
from sbnn_tf.keras_model import kernels
from sbnn_tf.patterns import Block, DepthwiseTaps, Group, KernelPattern, NofM
from sbnn_tf.plan.policy import Policy
from sbnn_tf.plan.schedules import ConstantSparsity, OneShot
from sbnn_tf.train.callback import Pruning


def test_views(K):
    L = K.layers
    x = inputs = K.Input((8, 8, 4))
    x = L.Conv2D(8, 3, name="conv")(x)
    x = L.Conv2D(8, 1, groups=2, name="grouped")(x)
    x = L.DepthwiseConv2D((2, 3), depth_multiplier=2, name="depthwise")(x)
    x = L.SeparableConv2D(8, 3, name="separable")(x)
    x = L.Reshape((-1, 8))(x)
    x = L.Conv1D(4, 3, name="line")(x)
    x = L.Conv1DTranspose(6, 5, name="longer")(x)
    x = L.EinsumDense("abc,dce->abde", (8, 2, 3), name="split")(x)
    x = L.EinsumDense("abcd,edc->abe", (8, 4), name="joined")(x)
    model = K.Model(inputs, L.Dense(6, name="dense")(L.Flatten()(x)))
    found = {k.name: (k.operator, k.view, k.groups) for k in kernels.find(model)}
    inputs = found["dense"][1][0]
    assert found == {
        "conv": ("conv", (3, 3, 4, 8), 1),
        "grouped": ("conv", (1, 1, 4, 8), 2),
        "depthwise": ("depthwise", (2, 3, 1, 16), 1),
        "separable/depthwise": ("depthwise", (3, 3, 1, 16), 1),
        "separable/pointwise": ("conv", (1, 1, 16, 8), 1),
        "line": ("conv", (3, 8, 4), 1),
        "longer": ("transposed", (5, 4, 6), 1),  # stored (5, 6, 4)
        "split": ("dense", (6, 6), 1),  # stored (2, 6, 3)
        "joined": ("dense", (6, 4), 1),  # stored (4, 3, 2)
        "dense": ("dense", (inputs, 6), 1),
    }


def test_every_pattern_lands_where_it_should(K):
    """In OHWI, 1HWC and OI, and the masks of training explain what is in the file."""
    L = K.layers
    x = inputs = K.Input((8, 8, 4))
    x = L.Conv2D(8, 3, name="window")(x)
    x = L.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise")(x)
    x = L.Conv2D(8, 1, name="pointwise")(x)
    model = K.Model(inputs, L.Dense(8, name="dense")(L.Flatten()(x)))
    model.compile("sgd", "mse", jit_compile=False)
    patterns = {"window": "kernel4x8", "depthwise": "taps4group4", "dense": "block4x4"}
    policy = Policy(
        pattern={**patterns, "pointwise": "2of4"},
        sparsity={"window": 5 / 9, "depthwise": 5 / 9, "pointwise": 0.5, "dense": 0.5},
        first_and_last=True,
    )
    data = np.random.default_rng(0).normal(size=(8, 8, 8, 4)).astype("float32")
    pruning = Pruning("group4", ConstantSparsity(0.5, 0), policy)
    model.fit(data, np.zeros((8, 8), "float32"), verbose=0, callbacks=[pruning])
    views = {k.name: k.weights() for k in kernels.find(model)}
    stored = {}
    for weight in find_weights(flatbuffer.read(densify(model))):
        # what patterns see has the inputs and outputs last; a depthwise kernel has one input
        values = np.moveaxis(weight.values, 0, -2 if weight.kind == DEPTHWISE else -1)
        stored[weight.kind, values.shape] = values
    for name, kind in (("window", CONV), ("pointwise", CONV), ("depthwise", DEPTHWISE)):
        np.testing.assert_array_equal(stored[kind, views[name].shape], views[name])
    np.testing.assert_array_equal(stored["FULLY_CONNECTED", views["dense"].shape], views["dense"])
    zeros = {name: view == 0 for name, view in views.items()}
    for name, pattern in policy.pattern.items():
        assert zeros[name].mean() > 0.45 and pattern.explains(zeros[name]), name
    assert KernelPattern().explains(zeros["window"]) and (zeros["window"].mean() == 5 / 9)
    assert DepthwiseTaps(4, 4).explains(zeros["depthwise"])
    lines = []
    sbnn.summary(model, "kernel4x8", print_fn=lines.append)
    assert "kernel4x8" in next(line for line in lines if line.startswith("window"))


EQUATIONS = {
    "abc,cde->abde": ((6, 8), (6, 4, 4)),
    "abc,cde->abed": ((6, 8), (6, 4, 4)),
    "abc,dce->abde": ((6, 8), (6, 4, 4)),
    "abc,ecd->abde": ((6, 8), (6, 4, 4)),
    "abcd,cde->abe": ((6, 2, 4), (6, 16)),
    "abcd,edc->abe": ((6, 2, 4), (6, 16)),
    "abc,bd->adc": ((8, 6), (16, 6)),
    "...x,xy->...y": ((6, 8), (16,)),
}


def _stored(model):
    """The filters of a `.tflite`, as patterns see them."""
    return [np.moveaxis(w.values, 0, -1) for w in find_weights(flatbuffer.read(densify(model)))]


def _prune(model, pattern):
    """Half of all that it fits; returns {kernel: its weights as patterns see them}."""
    Pruning(pattern, OneShot(0.5), Policy(first_and_last=True)).after_step(model)
    found = {kernel.name: kernel for kernel in kernels.find(model)}
    for kernel in found.values():
        zeros = kernel.weights() == 0
        assert zeros.mean() == 0.5 and kernel.fitted(pattern).explains(zeros), kernel.name
        np.testing.assert_array_equal(kernel.stored(kernel.weights()), kernel.value())
    return {name: kernel.weights() for name, kernel in found.items()}


@pytest.mark.parametrize("pattern", [Group(4), Block(4, 4), NofM(2, 4)])
@pytest.mark.parametrize("equation", EQUATIONS)
@pytest.mark.parametrize("K", ["keras"], indirect=True)  # which store alike
def test_equations_land_where_they_should(K, equation, pattern):
    """Groups, blocks and n of m are neighbours in the file, whatever the order of the axes."""
    shape, made = EQUATIONS[equation]
    inputs = K.Input(shape)
    model = K.Model(inputs, K.layers.EinsumDense(equation, made)(inputs))
    (weights,) = _prune(model, pattern).values()
    (stored,) = _stored(model)
    np.testing.assert_array_equal(stored, weights)


def test_no_product_with_one_matrix(K):
    inputs = K.Input((5, 8))
    model = K.Model(inputs, K.layers.EinsumDense("abc,bcd->abd", (5, 8), name="batch")(inputs))
    (kernel,) = kernels.find(model)
    assert kernel.reason == "its equation abc,bcd->abd is no product with one matrix"
    with pytest.raises(ValueError, match="'batch' can't be pruned: its equation"):
        Policy(include="batch").choose(model, Group(4))


@pytest.mark.parametrize("pattern", [Group(4), KernelPattern(4, 4), NofM(2, 4)])
def test_transposed_convolutions_land_where_they_should(K, pattern):
    x = inputs = K.Input((4, 4, 8))
    x = K.layers.Conv2DTranspose(12, 3, strides=2, padding="same", name="up")(x)
    model = K.Model(inputs, x)
    Pruning(pattern, OneShot(0.75), Policy(first_and_last=True)).after_step(model)
    (kernel,) = kernels.find(model)
    zeros = kernel.weights() == 0
    assert zeros.mean() >= 0.5 and pattern.explains(zeros) and kernel.positions() == 16
    (stored,) = _stored(model)
    np.testing.assert_array_equal(stored, kernel.weights())
    rows = [row for row in sbnn.inspect(sbnn.convert(model)).nodes if row.op == "TRANSPOSE_CONV"]
    assert rows[0].sparsity == pytest.approx(zeros.mean())
    assert rows[0].pattern == ("unstructured" if isinstance(pattern, NofM) else "group4")


class TestAttention:
    def model(self, K):
        L = K.layers
        x = inputs = K.Input((6, 16))
        x = L.MultiHeadAttention(2, 8, name="front")(x, x)
        x = L.MultiHeadAttention(2, 8, name="attention")(x, x)
        return K.Model(inputs, L.Dense(4, name="last")(x))

    PARTS = ["query", "key", "value", "attention_output"]

    def test_all_of_its_projections_are_pruned(self, K):
        model = self.model(K)
        sbnn.Pruning("group4", OneShot(0.5)).after_step(model)
        zeros = {kernel.name: np.mean(kernel.value() == 0) for kernel in kernels.find(model)}
        pruned = {"front/attention_output", *(f"attention/{part}" for part in self.PARTS)}
        assert {name for name, share in zeros.items() if share == 0.5} == pruned
        rows = [row.sparsity for row in sbnn.inspect(sbnn.convert(model)).nodes]
        assert rows.count(0.5) == 5 and rows.count(0.0) == 4

    def test_projections_of_the_input_are_first_together(self, K):
        found = {kernel.name: kernel.leaf for kernel in kernels.find(self.model(K))}
        first = {name for name, leaf in found.items() if leaf.is_first()}
        assert first == {f"front/{part}" for part in self.PARTS[:3]}
        assert {name for name, leaf in found.items() if leaf.is_last()} == {"last"}

    def test_is_named_as_one_layer(self, K):
        names = lambda **policy: [
            choice.kernel.name for choice in Policy(**policy).choose(self.model(K), Group(4))
        ]
        assert names(include="front") == [f"front/{part}" for part in self.PARTS]
        assert names(exclude="front") == [f"attention/{part}" for part in self.PARTS]
        assert names(include="key") == ["front/key", "attention/key"]


METHODS = {
    "pruning": lambda: sbnn.Pruning("group4", OneShot(0.5, 2), score="taylor"),
    "admm": lambda: sbnn.ADMM("group4", 0.5, prune_step=2, frequency=1),
    "set": lambda: sbnn.SET("group4", 0.5, update_every=2, end_step=3),
    "rigl": lambda: sbnn.RigL("group4", 0.5, update_every=2, end_step=3),
}


def _mixed(K):
    L = K.layers
    x = inputs = K.Input((4, 8))
    x = L.Conv1DTranspose(8, 2, strides=2, name="first")(x)
    x = L.Conv1DTranspose(12, 3, strides=2, padding="same", name="up")(x)
    x = L.EinsumDense("abc,dce->abde", (None, 2, 4), name="split")(x)
    x = L.EinsumDense("abcd,cde->abe", (None, 4), name="last")(x)
    model = K.Model(inputs, x)
    model.compile("adam", "mse", jit_compile=False)
    return model


@pytest.mark.parametrize("method", METHODS)
def test_every_method_prunes_axes_in_another_order(K, method):
    model = _mixed(K)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(24, 4, 8)).astype("float32"), rng.normal(size=(24, 16, 4))
    callback = METHODS[method]()
    model.fit(x, y, 4, verbose=0, callbacks=[callback])
    weights = {kernel.name: kernel.weights() for kernel in kernels.find(model)}
    assert [mask.name for mask in callback._masks] == ["up", "split"]
    for mask in callback._masks:
        assert mask.sparsity == 0.5 and Group(4).explains(~mask.keep)
        assert not weights[mask.name][~mask.keep].any()
        assert np.mean(weights[mask.name] == 0) < 0.53  # what has grown is 0 at first


def test_correlations_refuse_what_they_do_not_see(K):
    for name, kind in (("up", "Conv1DTranspose"), ("split", "EinsumDense")):
        callback = sbnn.HebbianRewiring("group4", 0.5, end_step=9, policy=Policy(include=name))
        message = f"'{name}' can't be recorded: a {kind} does not show"
        with pytest.raises(ValueError, match=message):
            _mixed(K).fit(np.ones((4, 4, 8)), np.ones((4, 16, 4)), verbose=0, callbacks=[callback])
