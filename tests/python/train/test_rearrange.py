"""Whole-network rearrangement: the same outputs, more of the score kept."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbnn_tf.patterns import Block, DepthwiseTaps, Group, KernelPattern
from sbnn_tf.plan.policy import Policy
from sbnn_tf.plan.schedules import OneShot
from sbnn_tf.rearrange import rearrange
from sbnn_tf.rearrange.channels import Segment, count, fix, resolve, unify
from sbnn_tf.rearrange.ordering import INPUTS, OUTPUTS, Kernel, best_order
from sbnn_tf.train.callback import Pruning
from tests.python.models import live_model


class TestChannels:
    def test_unified_segments_are_one(self):
        a, b, c = [Segment(4)], [Segment(4)], [Segment(4)]
        unify(a, b)
        unify(b, c)
        assert resolve(a) == resolve(b) == resolve(c) and len(resolve(a)) == 1
        fix(c)
        assert resolve(a)[0].fixed

    def test_segments_are_split_where_others_meet(self):
        left, right, whole = [Segment(3)], [Segment(5, fixed=True)], [Segment(8)]
        unify(left + right, whole)
        assert [(s.size, s.fixed) for s in resolve(whole)] == [(3, False), (5, True)]
        unify(whole, [Segment(2), Segment(6)])
        assert [(s.size, s.fixed) for s in resolve(left)] == [(2, False), (1, False)]

    def test_a_segment_that_keeps_step_with_itself(self):
        a, b = Segment(2), Segment(1)
        unify([a, b], [b, a])  # channel 0 with 1's, 1 with 2's: all three
        assert len({id(s) for s in resolve([a, b])}) == 1

    def test_different_numbers(self):
        with pytest.raises(ValueError, match="3 channels cannot keep step with 4"):
            unify([Segment(3)], [Segment(4)])

    @settings(deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=8), st.randoms())
    def test_is_what_unifying_channel_by_channel_gives(self, pairs, random):
        """Against plain union-find over single channels."""
        pool = [
            [Segment(random.randint(1, 4)) for _ in range(random.randint(1, 3))] for _ in range(10)
        ]
        ids, parent = [], []
        for channels in pool:
            ids.append(list(range(len(parent), len(parent) + count(channels))))
            parent += ids[-1]

        def find(i):
            while parent[i] != i:
                i = parent[i]
            return i

        for i, j in pairs:
            if count(pool[i]) == count(pool[j]):
                unify(pool[i], pool[j])
                for a, b in zip(ids[i], ids[j]):
                    parent[find(a)] = find(b)
        ours, theirs = {}, {}
        for channels, own in zip(pool, ids):
            places = [(id(s), k) for s in resolve(channels) for k in range(s.size)]
            for place, i in zip(places, own):
                assert ours.setdefault(place, find(i)) == find(i)  # together only if they must
                assert theirs.setdefault(find(i), place) == place  # and whenever they must


def _producer(energy, pattern=None, sparsity=0.75, start=0, axis=OUTPUTS):
    return Kernel(energy / energy.sum(), pattern or Group(4), sparsity, ((axis, start),))


class TestOrder:
    def planted(self, seed=0, size=64):
        """Fours of channels that use the same inputs, shuffled."""
        rng = np.random.default_rng(seed)
        energy = rng.random((32, size)) * np.repeat(rng.random((32, size // 4)) < 0.25, 4, axis=1)
        return _producer(energy[:, rng.permutation(size)])

    def test_finds_groups_that_were_hidden(self):
        producer = self.planted()
        order = best_order([producer], 64)
        assert sorted(order) == list(range(64))
        assert producer.kept() < 0.75 and producer.reorder(order).kept() > 0.95

    @settings(deadline=None, max_examples=20)
    @given(
        st.integers(0, 99),
        st.sampled_from([Group(4), Group(8), KernelPattern(4, 4, 4), DepthwiseTaps(3, 4)]),
        st.floats(0.2, 0.95),
    )
    def test_never_loses(self, seed, pattern, sparsity):
        inputs = 1 if isinstance(pattern, DepthwiseTaps) else 6
        energy = np.random.default_rng(seed).random((3, 3, inputs, 16)) ** 2
        producer = _producer(energy, pattern, sparsity)
        order = best_order([producer], 16)
        assert sorted(order) == list(range(16))
        assert producer.reorder(order).kept() >= producer.kept() - 1e-12

    def test_all_who_make_the_channels_count(self):
        first, second = self.planted(0), self.planted(1)
        together = best_order([first, second], 64)
        kept = [p.reorder(together).kept() - p.kept() for p in (first, second)]
        assert min(kept) > -0.02 and sum(kept) > 0.1

    @pytest.mark.parametrize("axis", [OUTPUTS, INPUTS])
    def test_finds_blocks_that_were_hidden(self, axis):
        rng = np.random.default_rng(2)
        blocks = np.kron(rng.random((16, 16)) < 0.25, np.ones((4, 4)))
        energy = rng.random((3, 1, 64, 64)) * blocks
        kernel = _producer(energy.take(rng.permutation(64), axis), Block(4, 4), axis=axis)
        order = best_order([kernel], 64)
        assert sorted(order) == list(range(64))
        assert kernel.kept() < 0.75 and kernel.reorder(order).kept() > 0.9

    @settings(deadline=None, max_examples=20)
    @given(st.integers(0, 99), st.sampled_from([Block(4, 4), Block(8, 4), Block(2, 1)]))
    def test_who_reads_the_channels_counts_too(self, seed, pattern):
        """One who makes them, one who reads them twice, at places of their own, and one who does both."""
        rng = np.random.default_rng(seed)
        made = _producer(rng.random((8, 24)) ** 2, pattern, start=8)
        read = _producer(rng.random((3, 40, 8)) ** 2, pattern)
        read = dataclasses.replace(read, places=((INPUTS, 0), (INPUTS, 24)))
        both = _producer(rng.random((16, 16)) ** 2, pattern)
        both = dataclasses.replace(both, places=((INPUTS, 0), (OUTPUTS, 0)))
        kernels = [made, read, both]
        order = best_order(kernels, 16)
        assert sorted(order) == list(range(16))
        after = [kernel.reorder(order) for kernel in kernels]
        assert sum(k.kept() for k in after) >= sum(k.kept() for k in kernels) - 1e-12
        np.testing.assert_array_equal(after[1].energy[:, :16], read.energy[:, order])
        np.testing.assert_array_equal(after[1].energy[:, 24:], read.energy[:, 24 + order])
        np.testing.assert_array_equal(after[1].energy[:, 16:24], read.energy[:, 16:24])
        np.testing.assert_array_equal(after[2].energy, both.energy[np.ix_(order, order)])

    def test_channels_amid_others_of_a_kernel(self):
        producer = self.planted()
        part = dataclasses.replace(producer, places=((OUTPUTS, 16),))
        order = best_order([part], 32)
        moved = part.reorder(order)
        np.testing.assert_array_equal(moved.energy[:, :16], part.energy[:, :16])
        np.testing.assert_array_equal(moved.energy[:, 48:], part.energy[:, 48:])
        assert moved.kept() > part.kept()

    def test_nothing_to_gain(self):
        energy = np.random.default_rng(0).random((8, 12))
        for producer, size in (
            (_producer(energy, Group(1)), 12),
            (_producer(energy[:, :4]), 4),  # one group
            (_producer(energy, start=2), 8),  # groups would not begin where the channels do
        ):
            np.testing.assert_array_equal(best_order([producer], size), np.arange(size))


def _zoo(K):
    """Every way in which channels get about, in one network. Returns inputs and outputs."""
    L = K.layers

    def conv(filters, size=1, **options):
        return L.Conv2D(filters, size, padding="same", **options)

    inputs = K.Input((6, 6, 3))
    x = trunk = conv(16, 3, name="stem")(inputs)
    x = L.ReLU(6.0)(L.BatchNormalization()(conv(16, name="res1", use_bias=False)(x)))
    x = L.Add()([conv(16, 3, name="res2")(x), trunk])  # a residual, across two layers
    x = L.PReLU(shared_axes=[1, 2])(x)
    x = L.DepthwiseConv2D(3, strides=2, padding="same")(L.ZeroPadding2D(1)(x))
    squeezed = L.Reshape((1, 1, 16))(L.GlobalAveragePooling2D()(x))
    squeezed = conv(8, activation="swish", name="se1")(squeezed)
    x = L.Multiply()([x, conv(16, activation="sigmoid", name="se2")(squeezed)])
    branch = L.MaxPooling2D(3, strides=1, padding="same")(x)
    x = L.Concatenate()([conv(8, name="left")(x), conv(16, name="right")(x), branch])
    x = L.Add()([x, conv(40, name="over")(x)])  # splits "over" where the others meet
    x = L.SeparableConv2D(24, 3, padding="same", name="separable")(x)
    shared = conv(24, name="shared")
    x = shared(L.LeakyReLU()(shared(x)))  # its output is its input
    x = conv(16, groups=4, name="grouped")(x)  # stays as it is
    x = L.Conv2DTranspose(16, 2, strides=2, name="up")(conv(16, name="behind")(x))
    inner_in = K.Input((None, None, 16))
    inner = K.Model(inner_in, L.Conv2D(16, 3, name="nested")(inner_in), name="inner")
    x = L.LayerNormalization()(inner(x))
    x = L.Dense(8, activation="tanh", name="by_pixel")(x)
    x = L.Dense(16, activation="relu", name="flat")(L.Flatten()(x))
    x = L.Dense(16, name="own_behind")(_Shift(K)(L.Dense(16, name="own_before")(x)))
    return inputs, [L.Dense(4, name="logits")(x), x]


def _Shift(K):
    """A layer of one's own that minds the order of channels."""

    class Shift(K.layers.Layer):
        def call(self, x):
            return x * np.arange(1.0, 17.0, dtype=str(x.dtype).replace("<dtype: '", "")[:7])

    return Shift()


def _randomize(model, seed=0):
    """Weights that show every mistake: no zeros, no ones, variances above 0."""
    rng = np.random.default_rng(seed)
    model.set_weights([np.abs(rng.normal(0.5, 0.4, w.shape)) + 0.1 for w in model.get_weights()])
    for layer in model.layers:
        for weight in layer.weights:
            if len(weight.shape) > 1:
                weight.assign(rng.normal(0, 1 / np.sqrt(np.prod(weight.shape[:-1])), weight.shape))


@pytest.fixture
def float64(K, set_policy):
    K.backend.set_floatx("float64")
    set_policy(K, "float64")
    yield
    K.backend.set_floatx("float32")


def _outputs(model, x):
    return [np.asarray(out, np.float64) for out in _list(model(x))]


def _list(x):
    return list(x) if isinstance(x, (list, tuple)) else [x]


def _assert_same(before, after, tolerance):
    for a, b in zip(before, after):
        assert np.abs(a - b).max() <= tolerance * np.abs(a).max()
        assert np.abs(a[:1] - a[1:]).max() > 0.01 * np.abs(a).max()  # and alive


POLICY = Policy(first_and_last=True)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("pattern", ["group4", "block4x4"])
def test_every_way_that_channels_get_about(K, pattern):
    model = K.Model(*_zoo(K))
    _randomize(model)
    lines = []
    copy = rearrange(model, pattern, sparsity=0.5, policy=POLICY, print_fn=lines.append)
    x = 9 * np.random.default_rng(1).normal(size=(2, 6, 6, 3))
    _assert_same(_outputs(model, x), _outputs(copy, x), 1e-9)
    moved = {
        layer.name: not np.array_equal(
            layer.get_weights()[0], copy.get_layer(layer.name).get_weights()[0]
        )
        for layer in model.layers
        if layer.get_weights()
    }
    assert not moved["grouped"]
    for name in ("stem", "res1", "left", "right", "over", "separable", "up", "inner", "flat"):
        assert moved[name], name
    own = [model.get_layer(n).get_weights()[1] for n in ("own_before", "own_behind", "logits")]
    new = [copy.get_layer(n).get_weights()[1] for n in ("own_before", "own_behind", "logits")]
    for a, b in zip(own, new):
        np.testing.assert_array_equal(a, b)
    rows = {line.split()[0]: line.split() for line in lines[1:]}
    for row in rows.values():
        before, after, gain = (float(cell.rstrip("%")) for cell in row[1:])
        assert gain == pytest.approx(after - before, abs=0.011)
    assert float(rows["mean"][3].rstrip("%")) > 0.5


@pytest.mark.parametrize("pattern, groups", [("group4", False), ("block4x4", True)])
def test_blocks_order_what_a_network_reads(functional, K, pattern, groups):
    """Where the outputs are in order already, only the inputs of blocks are left to be."""
    layers = [K.layers.Conv2D(32, 1, use_bias=False), K.layers.Flatten()]
    layers.append(K.layers.Dense(4, use_bias=False, name="last"))
    model = K.Sequential([K.Input((2, 2, 8)), *layers])
    rng = np.random.default_rng(0)
    blocks = np.kron(rng.permutation(32).reshape(32, 1) < 16, np.ones((4, 4)))
    shuffled = blocks.reshape(4, 32, 4)[:, rng.permutation(32)].reshape(128, 4)
    model.set_weights([np.ones((1, 1, 8, 32)), shuffled])
    policy = Policy(first_and_last=True)
    copy = rearrange(model, pattern, sparsity=0.5, policy=policy, print_fn=None)
    moved = not np.array_equal(copy.get_weights()[1], model.get_weights()[1])
    assert moved == groups
    x = rng.normal(size=(3, 2, 2, 8)).astype("float32")
    _assert_same(_outputs(model, x), _outputs(copy, x), 1e-5)


def test_is_for_what_is_pruned(K):
    """The budget's sparsities and scores are those of `Pruning`, which keeps what the report says."""
    layers = [K.layers.Conv2D(n, 1, name=f"conv{n}") for n in (8, 16, 64, 48)]
    model = K.Sequential([K.Input((4, 4, 8)), *layers, K.layers.BatchNormalization()])
    rng = np.random.default_rng(0)
    model.set_weights([rng.random(w.shape) ** 3 for w in model.get_weights()])
    policy = Policy(sparsity={"conv64": 0.5}, first_and_last=True)
    lines = []
    copy = rearrange(
        model, "group4", sparsity=0.7, policy=policy, budget="erk", print_fn=lines.append
    )
    scale = np.ones(4, object)
    gamma, _, _, variance = model.layers[-1].get_weights()
    scale[3] = gamma / np.sqrt(variance + model.layers[-1].epsilon)
    dense = [np.square(copy.get_layer(x.name).get_weights()[0] * s) for x, s in zip(layers, scale)]
    pruning = Pruning("group4", OneShot(0.7), policy, budget="erk")
    pruning.after_step(copy)
    left = [copy.get_layer(layer.name).get_weights()[0] != 0 for layer in layers]
    assert len({round(float(keep.mean()), 2) for keep in left}) > 2
    for line, energy, keep in zip(lines[1:], dense, left):
        assert float(line.split()[2].rstrip("%")) == pytest.approx(
            100 * energy[keep].sum() / energy.sum(), abs=0.02
        )


@pytest.mark.parametrize(
    "name, options, pattern",
    [
        ("MobileNet", {"alpha": 0.25, "classes": 20}, "group4"),
        ("MobileNetV2", {"alpha": 0.35, "classes": 20}, "group8"),
        ("ResNet50", {"classes": 20}, "group4"),
        ("EfficientNetB0", {"classes": 20}, "group4"),
    ],
)
def test_applications(set_policy, name, options, pattern):
    import keras

    before = keras.config.dtype_policy()
    keras.backend.set_floatx("float64")
    set_policy(keras, "float64")
    try:
        model = live_model(name, (32, 32, 3), **options)
        lines = []
        copy = rearrange(model, pattern, sparsity=0.7, print_fn=lines.append)
        x = np.random.default_rng(1).uniform(-1, 1, (2, 32, 32, 3))
        expected = _outputs(model, x)
        _assert_same(expected, _outputs(copy, x), 1e-9)
    finally:
        keras.backend.set_floatx("float32")
        set_policy(keras, before)
    small = keras.models.clone_model(
        model, clone_function=lambda layer: type(layer).from_config(_float32(layer.get_config()))
    )
    small.set_weights(copy.get_weights())
    _assert_same(expected, _outputs(small, x.astype("float32")), 1e-4)
    gains = [float(line.split()[3].rstrip("%")) for line in lines[1:]]
    assert gains[-1] > 0.3 and min(gains) > -5.0  # of layers that share their order one may lose
    keras.backend.clear_session()


def _float32(config):
    return {**config, "dtype": "float32"} if "dtype" in config else config


class TestMistakes:
    def test_wiring_that_is_not_known(self, subclassed):
        with pytest.raises(ValueError, match="plain Python code"):
            rearrange(subclassed(), "group4")

    def test_pattern_without_groups(self, functional):
        with pytest.raises(ValueError, match="2of4: no channels share their fate"):
            rearrange(functional(full=True), "2of4")

    def test_no_sparsity(self, functional):
        with pytest.raises(ValueError, match="sparsity must be above 0"):
            rearrange(functional(), "group4", sparsity=0.0)
