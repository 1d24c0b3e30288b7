"""Layers of one's own: walked whatever they own, and left alone where their kernel is none."""

import numpy as np
import pytest
import tensorflow as tf

import sbnn_tf as sbnn
from sbnn_tf.keras_model import kernels
from sbnn_tf.patterns import Group
from sbnn_tf.plan.policy import Policy
from sbnn_tf.plan.schedules import OneShot
from sbnn_tf.train.callback import Pruning


def _names(model, **policy):
    return [choice.kernel.name for choice in Policy(**policy).choose(model, Group(4))]


def _pruned(model, **policy):
    """{kernel: its zeros} after half is pruned."""
    Pruning("group4", OneShot(0.5), Policy(**policy)).after_step(model)
    return {k.name: float(np.mean(k.value() == 0)) for k in kernels.find(model)}


def _lines(model):
    lines = []
    sbnn.summary(model, print_fn=lines.append)
    return lines


def _table(K, **options):
    """A layer with a learned table, and nothing else."""

    class Table(K.layers.Layer):
        def build(self, shape):
            self.table = self.add_weight(shape=tuple(shape[1:]), name="table")

        def call(self, x):
            return x + self.table

    return Table(**options)


def _block(K, **options):
    """A layer with a learned table and two Dense layers."""

    class Block(K.layers.Layer):
        def __init__(self, **options):
            super().__init__(**options)
            self.one = K.layers.Dense(8, name="one")
            self.two = K.layers.Dense(8, name="two")

        def build(self, shape):
            self.table = self.add_weight(shape=(1, shape[-1]), name="table")
            super().build(shape)

        def call(self, x):
            return self.two(self.one(x + self.table))

    return Block(**options)


class TestOwnWeights:
    """Own variables of two and more dimensions hide no layer, and end no network."""

    def model(self, K):
        L = K.layers
        x = inputs = K.Input((6,))
        x = _block(K, name="block")(L.Dense(8, name="first")(x))
        return K.Model(inputs, L.Dense(2, name="last")(x))

    def test_of_the_layer_around(self, K):
        model = self.model(K)
        found = _pruned(model)
        assert found == {"first": 0, "block/one": 0.5, "block/two": 0.5, "last": 0}

    @pytest.mark.parametrize("name", ["block", "block/one", "one", "bl*", "*/one"])
    def test_inside_is_meant_by_either_name(self, K, name):
        model = self.model(K)
        whole = name in ("block", "bl*")
        assert _names(model, include=name) == ["block/one", "block/two"][: 2 if whole else 1]
        left = {"include": ["last", "block"], "exclude": name}
        assert _names(model, **left) == ["last"] if whole else ["block/two", "last"]

    def test_of_a_nested_backbone(self, K):
        L = K.layers
        x = tokens = K.Input((6, 8))
        x = _table(K, name="positions")(x)
        backbone = K.Model(tokens, L.Dense(8, name="b")(L.Dense(8, name="a")(x)), name="backbone")

        class Whole(K.Model):
            def __init__(self):
                super().__init__()
                self.table = self.add_weight(shape=(1, 8), name="table")
                self.backbone, self.head = backbone, L.Dense(3, name="head")

            def call(self, x):
                return self.head(self.backbone(x + self.table))

        model = Whole()
        model(np.zeros((1, 6, 8), "float32"))
        assert _pruned(model) == {"backbone/a": 0, "backbone/b": 0.5, "head": 0}

    @pytest.mark.parametrize("behind", ["prelu", "scale", "norm"])
    def test_behind_the_last_convolution_and_before_the_first(self, K, behind):
        L = K.layers
        x = inputs = K.Input((4, 4, 8))
        x = _table(K)(x)
        for name in ("first", "middle", "last"):
            x = L.Conv2D(8, 3, padding="same", name=name)(x)
        end = {"prelu": L.PReLU, "scale": lambda: _table(K)}
        end["norm"] = lambda: L.LayerNormalization([1, 2, 3])
        model = K.Model(inputs, end[behind]()(x))
        assert _names(model) == ["middle"]

    def test_are_listed_with_the_reason(self, K):
        inputs = K.Input((4, 6))
        model = K.Model(inputs, K.layers.Dense(8, name="d")(_table(K, name="positions")(inputs)))
        assert [other.leaf.path for other in kernels.survey(model).others] == ["positions"]
        note = next(line for line in _lines(model) if "cannot be pruned" in line)
        assert "not known" in note and note.endswith(": positions.")
        with pytest.raises(ValueError, match="'positions' can't be pruned: what its weights"):
            Policy(include="positions").choose(model, Group(4))


class TestWrappers:
    def fit(self, K, wrapped):
        """Half of the middle of three layers is pruned in fit, from the second step on."""
        L = K.layers
        inputs = K.Input((8,))
        x = wrapped(L.Dense(8, name="first")(inputs))
        model = K.Model(inputs, L.Dense(4, name="last")(x))
        model.compile("adam", "mse", jit_compile=False)
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(16, 8)).astype("float32"), rng.normal(size=(16, 4))
        model.fit(x, y, 4, verbose=0, callbacks=[Pruning("group4", OneShot(0.5, 1))])
        return {k.name: float(np.mean(k.value() == 0)) for k in kernels.find(model)}

    def test_spectral_normalization(self, K):
        if K.__name__ == "tf_keras":
            pytest.skip("mixes the two Keras, and fails when it is built")
        wrapped = K.layers.SpectralNormalization(K.layers.Dense(8, name="inner"), name="spectral")
        assert self.fit(K, wrapped) == {"first": 0, "spectral/inner": 0.5, "last": 0}

    @pytest.mark.parametrize("way", ["multiplies", "replaces the kernel"])
    def test_weight_normalization(self, K, way):
        """The wrapper knows the kernel as well, and is none of its own."""
        if way == "replaces the kernel" and K.__name__ == "keras":
            pytest.skip("a kernel of Keras 3 can't be set")

        class WeightNormalization(K.layers.Wrapper):
            def build(self, shape):
                self.layer.build(shape)
                self.direction = self.layer.kernel
                self.length = self.add_weight(shape=(8,), initializer="ones", name="length")
                self.built = True

            def call(self, x):
                kernel = tf.math.l2_normalize(self.direction, axis=0) * self.length
                if way == "multiplies":
                    return tf.matmul(x, kernel) + self.layer.bias
                self.layer.kernel = kernel
                return self.layer(x)

        wrapped = WeightNormalization(K.layers.Dense(8, name="inner"), name="wrapper")
        assert self.fit(K, wrapped) == {"first": 0, "wrapper/inner": 0.5, "last": 0}


def _broken(K, way):
    """A Dense layer whose kernel is none."""

    class Broken(K.layers.Dense):
        def build(self, shape):
            self.matrix = self.add_weight(shape=(shape[-1], self.units), name="matrix")
            self.spread = self.add_weight(shape=(shape[-1], self.units), name="spread")
            self.built = True

        def call(self, x):
            return x @ (self.matrix + 0.1 * self.spread)

    def raises(self):
        raise RuntimeError("no draw yet")

    kernel = {
        "None": None,
        "string": "matrix",
        "property": property(lambda self: self.matrix + 0.1 * self.spread),
        "property that raises": property(raises),
        "function": lambda self: self.matrix,
    }
    if way in kernel:
        Broken.kernel = kernel[way]
    return Broken(8, name="broken")


REASONS = {
    "None": "its kernel is None",
    "string": "its kernel is a str",
    "property": "its kernel is a .*Tensor, not a variable of its own",
    "property that raises": "its kernel can't be read: no draw yet",
    "function": "its kernel is a method",
    "absent": "it has no kernel|its kernel is None",
}


@pytest.mark.parametrize("way", REASONS)
class TestKernelThatIsNone:
    def model(self, K, way):
        L = K.layers
        inputs = K.Input((8,))
        x = L.Dense(16, name="a")(L.Dense(8, name="first")(inputs))
        x = L.Dense(16, name="b")(_broken(K, way)(x))
        return K.Model(inputs, L.Dense(4, name="last")(x))

    def test_is_listed_with_the_reason_and_left_alone(self, K, way):
        model = self.model(K, way)
        matrix = model.get_layer("broken").matrix.numpy()
        model.compile("sgd", "mse", jit_compile=False)
        for policy in (None, Policy(exclude="broken")):
            pruning = Pruning("group4", OneShot(0.5), policy)
            model.fit(np.ones((4, 8)), np.ones((4, 4)), verbose=0, callbacks=[pruning])
            assert pruning.sparsity == 0.5
        assert (model.get_layer("broken").matrix.numpy() != 0).all() and (matrix != 0).all()
        assert [k.name for k in kernels.find(model)] == ["first", "a", "b", "last"]
        (other,) = kernels.survey(model).others
        assert other.leaf.path == "broken"
        note = next(line for line in _lines(model) if "cannot be pruned" in line)
        assert note.endswith(": broken.")
        with pytest.raises(ValueError, match=f"'broken' can't be pruned: {REASONS[way]}"):
            Policy(include="broken").choose(model, Group(4))

    def test_is_rearranged_around(self, K, way):
        model = self.model(K, way)
        copies = []
        layer = type(model.get_layer("broken"))
        with K.utils.custom_object_scope({"Broken": layer}):
            for policy in (None, Policy(exclude="broken")):
                copies.append(sbnn.rearrange(model, "group4", policy=policy, print_fn=None))
        x = np.random.default_rng(0).normal(size=(3, 8)).astype("float32")
        for copy in copies:
            np.testing.assert_allclose(model(x), copy(x), rtol=1e-4, atol=1e-5)


def test_a_variable_behind_a_property_is_a_kernel(K):
    class Own(K.layers.Dense):
        @property
        def kernel(self):
            return self.matrix

        def build(self, shape):
            self.matrix = self.add_weight(shape=(shape[-1], self.units), name="matrix")
            self.bias, self.built = None, True

    inputs = K.Input((8,))
    x = Own(8, name="own", use_bias=False)(K.layers.Dense(8, name="first")(inputs))
    model = K.Model(inputs, K.layers.Dense(4, name="last")(x))
    assert _pruned(model) == {"first": 0, "own": 0.5, "last": 0}
