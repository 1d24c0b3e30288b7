"""What patterns see of a kernel, and where it lands in TensorFlow Lite."""

import numpy as np

import sbnn_tf as sbnn
from sbnn_tf.convert import densify, flatbuffer
from sbnn_tf.convert.graph import CONV, DEPTHWISE, find_weights
from sbnn_tf.models import kernels
from sbnn_tf.patterns import DepthwiseTaps, KernelPattern
from sbnn_tf.plan.policy import Policy
from sbnn_tf.plan.schedules import ConstantSparsity
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
