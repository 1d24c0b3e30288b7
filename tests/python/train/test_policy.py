"""What is pruned: names, first and last layers, wiring, and the batch norm that counts."""

import numpy as np
import pytest

from sbnn_tf.keras_model import kernels
from sbnn_tf.patterns import Group, Unstructured
from sbnn_tf.plan.policy import Policy
from sbnn_tf.plan.schedules import ConstantSparsity, PolynomialDecay
from sbnn_tf.train.callback import Pruning


def _names(choices):
    return [choice.kernel.name for choice in choices]


class TestChoice:
    def choose(self, functional, **policy):
        return _names(Policy(**policy).choose(functional(full=True), Group(4)))

    def test_default_leaves_first_last_and_what_cannot_be_pruned(self, functional):
        assert self.choose(functional) == ["pw", "sep/pointwise", "hidden"]

    def test_by_name_and_glob(self, functional):
        assert self.choose(functional, include="pw") == ["pw"]
        assert self.choose(functional, include=["p*", "hid*"]) == ["pw", "hidden"]
        assert self.choose(functional, exclude="sep") == ["pw", "hidden"]
        assert self.choose(functional, include=["sep"]) == ["sep/pointwise"]

    def test_last_layer_only_by_its_name(self, functional):
        assert "logits" not in self.choose(functional, include=["*", "log*"])
        assert "logits" in self.choose(functional, include=["*", "logits"])
        assert "logits" in self.choose(functional, first_and_last=True)
        assert "logits" in self.choose(functional, sparsity={"logits": 0.3})

    def test_first_layer_only_by_its_name(self, K):
        L = K.layers
        model = K.Sequential(
            [K.Input((6,)), L.Dense(8, name="a"), L.Dense(8, name="b"), L.Dense(2, name="c")]
        )
        assert _names(Policy().choose(model, Group(4))) == ["b"]
        assert _names(Policy(include=["a", "b*"]).choose(model, Group(4))) == ["a", "b"]

    def test_every_head_is_a_last_layer(self, K):
        L = K.layers
        x = inputs = K.Input((4, 4, 3))
        for name in ("stem", "body"):
            x = L.Conv2D(8, 1, name=name)(x)
        heads = [L.Flatten()(L.Conv2D(4, 1, name=name)(x)) for name in ("boxes", "classes")]
        assert _names(Policy().choose(K.Model(inputs, heads), Group(4))) == ["body"]

    def test_what_a_pattern_fits(self, K):
        """Convolutions of any window and grouping, transposed too, but no depthwise ones."""
        L = K.layers
        x = inputs = K.Input((4, 4, 8))
        x = L.Conv2D(8, 1, name="first")(x)
        x = L.Conv2D(8, 1, groups=4, name="grouped")(x)
        x = L.Conv2D(8, 3, padding="same", name="window")(x)
        x = L.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
        x = L.Conv2DTranspose(8, 1, name="transposed")(x)
        x = L.Conv2D(8, 1, strides=2, name="strided")(x)
        model = K.Model(inputs, L.Conv2D(8, 1, name="last")(x))
        chosen = Policy().choose(model, Group(4))
        assert _names(chosen) == ["grouped", "window", "transposed", "strided"]
        # a group does not reach over into the next of the convolution's own groups
        assert [choice.pattern for choice in chosen] == [Group(2), *[Group(4)] * 3]
        message = r"group4 does not fit 'depthwise' \(depthwise, 3x3x8x1\): .*patterns that fit: "
        with pytest.raises(ValueError, match=message):
            Policy(include="depthwise").choose(model, Group(4))

    def test_other_ranks(self, K):
        L = K.layers
        x = inputs = K.Input((4, 4, 4, 8))
        x = L.Conv3D(8, 3, padding="same", name="first")(x)
        x = L.Conv3D(8, 3, padding="same", name="volume")(x)
        x = L.Reshape((64, 8))(x)
        x = L.SeparableConv1D(8, 3, name="separable")(x)
        x = L.Conv1D(8, 3, name="line")(x)
        model = K.Model(inputs, L.Dense(8, name="last")(x))
        chosen = Policy().choose(model, Group(4))
        assert _names(chosen) == ["volume", "separable/pointwise", "line"]

    def test_layers_inside_other_layers(self, K):
        L = K.layers

        class Block(L.Layer):
            def __init__(self):
                super().__init__(name="block")
                self.one, self.two = L.Dense(8, name="one"), L.Dense(8, name="two")

            def call(self, x):
                return self.two(self.one(x))

        inputs = K.Input((6,))
        x = Block()(L.Dense(8, name="first")(inputs))
        model = K.Model(inputs, L.Dense(2, name="last")(x))
        assert _names(Policy().choose(model, Group(4))) == ["block/one", "block/two"]

    def test_pattern_by_name(self, functional):
        policy = Policy(pattern={"pw": "unstructured", "h*": Group(8)})
        chosen = policy.choose(functional(full=True), Group(16))
        assert [c.pattern for c in chosen] == [Unstructured(), Group(16), Group(4)]

    def test_mistakes(self, functional):
        model = functional(full=True)
        for argument in (
            {"include": "convv"},
            {"exclude": ["convv"]},
            {"sparsity": {"convv": 0.5}},
            {"pattern": {"convv": "group4"}},
        ):
            with pytest.raises(ValueError, match="No layer matches 'convv'.*pw, sep, hidden"):
                Policy(**argument).choose(model, Group(4))
        with pytest.raises(ValueError, match=r"Nothing to prune.*logits \(last\)"):
            Policy(exclude=["pw", "sep", "hidden"]).choose(model, Group(4))
        with pytest.raises(ValueError, match=r"sparsity of 'pw' must be in \[0, 1\)"):
            Policy(sparsity={"pw": 1.0})
        with pytest.raises(TypeError, match="names or globs"):
            Policy(include=[3])

    def test_model_with_nothing_to_prune(self, K):
        model = K.Sequential([K.Input((4, 4, 3)), K.layers.DepthwiseConv2D(3)])
        with pytest.raises(ValueError, match="no layer that can be pruned"):
            Policy().choose(model, Group(4))


def test_sparsity_by_layer_follows_the_course_of_the_schedule(functional, data, zeros):
    model = functional(full=True)
    policy = Policy(sparsity={"pw": 0.75, "hidden": 0.25, "sep": 0.0})
    pruning = Pruning("unstructured", PolynomialDecay(0.0, 0.5, 0, 16, power=1), policy)
    with pytest.warns(UserWarning, match="stopped at step 8"):
        model.fit(*data, verbose=0, callbacks=[pruning])
    assert zeros(model)["pw"] == pytest.approx(0.375, abs=0.01)
    model.fit(*data, verbose=0, callbacks=[pruning])
    found = zeros(model)
    assert found["pw"] == pytest.approx(0.75, abs=0.01)
    assert found["hidden"] == pytest.approx(0.25, abs=0.01)
    assert found["sep/pointwise"] < 0.1


def test_sparsity_by_layer_needs_a_schedule_that_says_where_it_ends(functional, data):
    pruning = Pruning("group4", lambda step: (True, 0.5), Policy(sparsity={"pw": 0.7}))
    with pytest.raises(ValueError, match="final_sparsity or target_sparsity"):
        functional().fit(*data, verbose=0, callbacks=[pruning])


class TestBatchNorm:
    def norms(self, K, model):
        found = {k.name: kernels.folded_batch_norm(k, K.layers) for k in kernels.find(model)}
        return {name: getattr(norm, "name", None) for name, norm in found.items()}

    @pytest.mark.parametrize("kind", ["functional", "sequential", "subclassed"])
    def test_is_found_where_the_wiring_is_known(self, K, request, kind):
        make = request.getfixturevalue(kind)
        norms = self.norms(K, make(full=True) if kind == "functional" else make())
        known = kind != "subclassed"
        assert norms["pw"] == ("pw_bn" if known else None)
        assert norms["stem"] == ("stem_bn" if known else None)
        assert norms["sep/pointwise"] is norms["hidden"] is None

    def test_is_found_in_a_model_inside_a_model(self, K, functional):
        backbone = functional(full=True)
        inner = K.Model(backbone.inputs, backbone.layers[-3].output, name="backbone")
        inputs = K.Input((4, 4, 3))
        model = K.Model(inputs, K.layers.Dense(5)(inner(inputs)))
        assert self.norms(K, model)["backbone/pw"] == "pw_bn"

        class Outer(K.Model):
            def __init__(self):
                super().__init__()
                self.inner = inner

            def call(self, x):
                return self.inner(x)

        outer = Outer()
        outer(np.zeros((1, 4, 4, 3), "float32"))
        assert self.norms(K, outer)["backbone/pw"] == "pw_bn"

    @pytest.mark.parametrize("way", ["activation", "relu", "two readers", "output", "two norms"])
    def test_is_not_folded_where_it_is_not_alone_behind_the_kernel(self, K, way):
        L = K.layers
        inputs = K.Input((4, 4, 3))
        activation = "relu" if way == "activation" else None
        x = y = L.Conv2D(8, 1, activation=activation, name="pw")(inputs)
        if way == "relu":
            y = L.ReLU()(y)
        outputs = [L.BatchNormalization()(y)]
        if way == "two readers":
            outputs.append(L.ReLU()(x))
        if way == "output":
            outputs.append(x)
        if way == "two norms":
            outputs.append(L.BatchNormalization()(x))
        assert self.norms(K, K.Model(inputs, outputs))["pw"] is None

    def test_decides_which_channels_go(self, K):
        L = K.layers
        inputs = K.Input((4, 4, 4))
        x = L.Conv2D(4, 1, name="first")(inputs)
        x = L.BatchNormalization(name="bn")(L.Conv2D(8, 1, name="pw")(x))
        model = K.Model(inputs, L.Conv2D(4, 1)(x))
        model.get_layer("bn").trainable = False
        model.compile(K.optimizers.SGD(0.0), "mse", jit_compile=False)
        weights = np.ones((1, 1, 4, 8), "float32")
        weights[..., 4:] = 2.0
        pw = model.get_layer("pw")
        pw.set_weights([weights, np.zeros(8, "float32")])
        # 2 * |-1| / sqrt(16) for the second half is less than 1 * 3 / sqrt(1) for the first
        gamma = np.array([3.0] * 4 + [-1.0] * 4, "float32")
        variance = np.array([1.0] * 4 + [16.0] * 4, "float32")
        zero = np.zeros(8, "float32")
        model.get_layer("bn").set_weights([gamma, zero, zero, variance])
        data = np.zeros((8, 4, 4, 4), "float32")
        model.fit(data, data, verbose=0, callbacks=[Pruning("group4", ConstantSparsity(0.5, 0))])
        kernel = np.array(pw.get_weights()[0])
        assert (kernel[..., :4] == 1).all() and (kernel[..., 4:] == 0).all()
