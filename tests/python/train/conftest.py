"""Small models in both Keras versions, and data they can overfit."""

import gc
import importlib
import types

import numpy as np
import pytest


@pytest.fixture(params=["keras", "tf_keras"])
def K(request) -> types.ModuleType:
    """One Keras after the other."""
    return importlib.import_module(request.param)


@pytest.fixture(autouse=True)
def _repeatable(request):
    # Each test ends with a collection of garbage (Keras' clear_session). It need not look through
    # TensorFlow and what that keeps of the tests before: seconds, after some hundred of them.
    gc.collect()
    gc.freeze()
    np.random.seed(0)
    if "K" in request.fixturenames:
        K = request.getfixturevalue("K")
        K.utils.set_random_seed(0)
        policy = _policies(K)
        yield
        _set_policy(K, policy)
        K.backend.clear_session()
    else:
        yield


def _policies(K):
    return (
        K.mixed_precision.global_policy() if K.__name__ == "tf_keras" else K.config.dtype_policy()
    )


def _set_policy(K, policy):
    if K.__name__ == "tf_keras":
        K.mixed_precision.set_global_policy(policy)
    else:
        K.config.set_dtype_policy(policy)


@pytest.fixture
def set_policy():
    return _set_policy


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(256, 4, 4, 3)).astype("float32")
    return x, rng.integers(0, 5, size=256)


def _small(K, constraint=None):
    """Four kernels, no more: most tests look at masks, not at layers."""
    L = K.layers
    return [
        L.Conv2D(8, 1, name="stem"),
        L.Conv2D(24, 1, kernel_constraint=constraint, name="pw"),
        L.GlobalAveragePooling2D(),
        L.Dense(12, name="hidden"),
        L.Dense(5, dtype="float32", name="logits"),
    ]


def _full(K):
    """All that can be pruned, and all that can be in its way."""
    L = K.layers
    return [
        L.Conv2D(8, 3, padding="same", use_bias=False, name="stem"),
        L.BatchNormalization(name="stem_bn"),
        L.ReLU(),
        L.Conv2D(24, 1, use_bias=False, name="pw"),
        L.BatchNormalization(name="pw_bn"),
        L.ReLU(),
        L.SeparableConv2D(16, 3, padding="same", name="sep"),
        L.GlobalAveragePooling2D(),
        L.Dense(12, activation="relu", name="hidden"),
        L.Dense(5, dtype="float32", name="logits"),
    ]


def _compile(K, model, optimizer="sgd", **options):
    if optimizer == "sgd":
        optimizer = K.optimizers.SGD(0.05, momentum=0.9)
    options.setdefault("jit_compile", False)
    loss = K.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"], **options)
    return model


@pytest.fixture
def functional(K):
    """functional(optimizer="sgd", cls=K.Model, constraint=None, full=False, **compile options)"""

    def make(optimizer="sgd", cls=None, constraint=None, full=False, **options):
        inputs = x = K.Input((4, 4, 3))
        for layer in _full(K) if full else _small(K, constraint):
            x = layer(x)
        return _compile(K, (cls or K.Model)(inputs, x), optimizer, **options)

    return make


@pytest.fixture
def sequential(K):
    def make(**options):
        return _compile(K, K.Sequential([K.Input((4, 4, 3)), *_full(K)]), **options)

    return make


@pytest.fixture
def subclassed(K):
    class Subclassed(K.Model):
        def __init__(self):
            super().__init__()
            self.steps = _full(K)

        def call(self, x, training=None):
            for layer in self.steps:
                norm = isinstance(layer, K.layers.BatchNormalization)
                x = layer(x, training=training) if norm else layer(x)
            return x

    def make(build=True, **options):
        model = Subclassed()
        if build:
            model(np.zeros((1, 4, 4, 3), "float32"))
        return _compile(K, model, **options)

    return make


PRUNED = ("pw", "sep/pointwise", "hidden")  # what the default policy prunes in these models


@pytest.fixture
def zeros():
    """zeros(model) -> {kernel: fraction of its weights that are 0.0, and not -0.0}"""
    from sbnn_tf.keras_model import kernels

    def count(model):
        return {
            kernel.name: float(np.mean(kernel.value().view(np.int32) == 0))
            for kernel in kernels.find(model)
        }

    return count


@pytest.fixture
def assert_pruned(zeros):
    def check(model, sparsity, only=PRUNED):
        for name, value in zeros(model).items():
            short = name.split("/", 1)[1] if name.startswith("backbone/") else name
            assert value == pytest.approx(sparsity if short in only else 0.0, abs=0.02), name

    return check


@pytest.fixture
def network(K):
    """A Conv2D, a DepthwiseConv2D and a Dense layer to rewire, between two that stay dense."""

    def make(optimizer=None, **options):
        L = K.layers
        inputs = x = K.Input((6, 6, 3))
        for layer in (
            L.Conv2D(8, 3, activation="relu", name="stem"),
            L.Conv2D(16, 3, strides=2, padding="same", activation="relu", name="conv"),
            L.DepthwiseConv2D(3, padding="same", name="dw"),
            L.GlobalAveragePooling2D(),
            L.Dense(12, activation="relu", name="hidden"),
            L.Dense(5, name="logits"),
        ):
            x = layer(x)
        model = K.Model(inputs, x)
        loss = K.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer or K.optimizers.Adam(0.01), loss, jit_compile=False, **options)
        return model

    return make


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    return rng.normal(size=(128, 6, 6, 3)).astype("float32"), rng.integers(0, 5, size=128)
