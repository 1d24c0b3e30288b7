"""Blocks of inputs and outputs in every method, on 1x1 and larger convolutions and dense layers."""

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf.keras_model import kernels
from sbnn_tf.patterns import Block, Group
from sbnn_tf.train.rewiring import SET, HebbianRewiring, RigL

# What does not depend on the Keras is tested with one of them.
KERAS = pytest.mark.parametrize("K", ["keras"], indirect=True)
LAYERS = ("pointwise", "window", "strided", "hidden")
METHODS = {
    "gradually": lambda pattern: sbnn.Pruning(pattern, sbnn.PolynomialDecay(0.0, 0.5, 0, 6)),
    "taylor": lambda pattern: sbnn.Pruning(pattern, sbnn.OneShot(0.5, 2), score="taylor"),
    "global": lambda pattern: sbnn.Pruning(pattern, sbnn.OneShot(0.5, 2), budget="global"),
    "erk": lambda pattern: sbnn.Pruning(pattern, sbnn.OneShot(0.5, 2), budget="erk"),
    "admm": lambda pattern: sbnn.ADMM(pattern, 0.5, prune_step=6, frequency=2),
    "set": lambda pattern: SET(pattern, 0.5, update_every=2, end_step=7),
    "rigl": lambda pattern: RigL(pattern, 0.5, update_every=2, end_step=7),
    "hebbian": lambda pattern: HebbianRewiring(pattern, 0.5, update_every=3, end_step=7, window=2),
}


@pytest.fixture
def model(K):
    """Kernels of 8 and 16 inputs between two that stay dense, and a depthwise one; no unit is dead."""
    L = K.layers
    model = K.Sequential(
        [
            K.Input((6, 6, 3)),
            L.Conv2D(8, 3, name="stem"),
            L.Conv2D(16, 1, name="pointwise"),
            L.DepthwiseConv2D(3, padding="same", name="depthwise"),
            L.Conv2D(16, 3, padding="same", name="window"),
            L.Conv2D(16, (5, 3), strides=2, padding="same", name="strided"),
            L.Flatten(),
            L.Dense(16, name="hidden"),
            L.Dense(5, name="logits"),
        ]
    )
    loss = K.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(K.optimizers.Adam(0.01), loss, jit_compile=False)
    return model


def _weights(model):
    return {kernel.name: kernel.weights() for kernel in kernels.find(model)}


def _fit(model, images, *callbacks):
    x, y = images
    model.fit(x[:96], y[:96], batch_size=12, epochs=1, verbose=0, callbacks=list(callbacks))


@KERAS
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("pattern", ["block4x4", "block8x4"])
def test_every_method_prunes_whole_blocks_of_every_kind_of_layer(model, images, method, pattern):
    before = _weights(model)
    _fit(model, images, METHODS[method](pattern))
    after = _weights(model)
    zeros = 0
    for name in LAYERS:
        assert Block.parse(pattern).explains(after[name] == 0), name
        zeros += np.count_nonzero(after[name] == 0)
        assert np.count_nonzero(after[name] != before[name])
    size = sum(after[name].size for name in LAYERS)
    assert zeros / size == pytest.approx(0.5, abs=0.02)
    for name in ("stem", "depthwise", "logits"):
        assert (after[name] != 0).all()


@KERAS
@pytest.mark.parametrize("method", [SET, RigL, HebbianRewiring])
def test_connections_move_by_whole_blocks(model, images, method):
    seen = []

    class Watched(method):
        def _rewire(self, step):
            before = {mask.name: mask.keep for mask in self._masks}
            super()._rewire(step)
            seen.append({mask.name: (before[mask.name], mask.keep) for mask in self._masks})

    _fit(model, images, Watched("block4x4", 0.5, update_every=2, end_step=7))
    assert len(seen) == 3
    for name in LAYERS:
        moved = 0
        for update in seen:
            before, after = update[name]
            assert Block(4, 4).explains(~after) and before.sum() == after.sum()
            moved += np.count_nonzero(before != after)
        assert moved > 0 or name == "pointwise"  # of 8 blocks


def test_a_policy_gives_layers_blocks_of_their_own(model, images):
    policy = sbnn.Policy(
        pattern={"window": "block8x8", "hidden": "group4"}, sparsity={"window": 0.75}
    )
    _fit(model, images, sbnn.Pruning("block4x4", sbnn.OneShot(0.5, 2), policy))
    after = _weights(model)
    patterns = {"pointwise": Block(4, 4), "window": Block(8, 8), "hidden": Group(4)}
    for name, pattern in patterns.items():
        assert pattern.explains(after[name] == 0), name
        share = np.mean(after[name] == 0)
        assert share == pytest.approx(0.75 if name == "window" else 0.5, abs=0.02), name
    assert not Block(4, 4).explains(after["hidden"] == 0)


@KERAS
def test_blocks_that_divide_no_number_of_channels(K):
    """Fitted down, layer by layer, to what divides."""
    L = K.layers
    model = K.Sequential([K.Input((4, 4, 6)), L.Conv2D(10, 3, name="window")])
    policy = sbnn.Policy(first_and_last=True)
    sbnn.Pruning("block4x4", sbnn.OneShot(0.5, 0), policy).after_step(model)
    zeros = _weights(model)["window"] == 0
    assert Block(2, 2).explains(zeros) and zeros.mean() == pytest.approx(0.5, abs=0.01)
