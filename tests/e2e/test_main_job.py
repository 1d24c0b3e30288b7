"""The main job on little data: train, prune with the callback, convert, run in the delegate."""

from __future__ import annotations

import numpy as np
import pytest

import sbnn_tf as sbnn
from experiments import data
from experiments.fashion_mnist import accuracy, model, train
from sbnn_tf.run import runtime


@pytest.fixture(scope="module")
def patterns() -> tuple[data.Split, data.Split]:
    """Ten noisy patterns to tell apart: (train, test)."""
    rng = np.random.default_rng(0)
    patterns = rng.random((10, 28, 28, 1))

    def split(n: int) -> data.Split:
        labels = rng.integers(0, 10, n)
        noise = rng.normal(0, 0.3, (n, 28, 28, 1))
        return data.Split((patterns[labels] + noise).astype(np.float32), labels)

    return split(2048), split(500)


@pytest.mark.parametrize("sparsity", [0.0, 0.5, 0.75])
def test_main_job(patterns, sparsity):
    train_set, test_set = patterns
    network = train.pretrain(train_set, seed=0, epochs=3)
    network = train.fine_tune(network, train_set, seed=0, sparsity=sparsity, epochs=2)

    names = [f"pointwise_{i}" for i in range(1, len(model.BLOCKS) + 1)]
    for name in names:
        kernel = network.get_layer(name).kernel.numpy()
        zeros = train.BUDGET[name] * sparsity
        assert np.mean(kernel == 0) == pytest.approx(zeros, abs=0.01), name
        columns = (kernel != 0).reshape(kernel.shape[2], -1, train.GROUP)
        assert np.all(columns.all(axis=-1) == columns.any(axis=-1)), f"{name}: not groups of four"
    assert accuracy.zeros(network) == pytest.approx(sparsity, abs=0.01)
    assert train.accuracy(network, test_set) > 0.8

    tflite = sbnn.convert(network)
    nodes = sbnn.explain(tflite, claim="all").nodes
    assert all(node["claimed"] for node in nodes if node["op"] == "CONV_2D")

    keras_logits = network.predict(test_set.images, verbose=0)
    scale = np.abs(keras_logits).max()
    for num_threads in (1, 2):
        delegate = sbnn.load_delegate(num_threads=num_threads, claim="all")
        made = runtime.interpreter(tflite, delegate=delegate)
        made.resize_tensor_input(made.get_input_details()[0]["index"], test_set.images.shape)
        made.allocate_tensors()
        (logits,) = runtime.run(made, [test_set.images])
        assert np.abs(logits - keras_logits).max() <= 1e-4 * scale
        for _ in range(20):  # threads that get in each other's way do so only now and then
            assert np.array_equal(runtime.run(made, [test_set.images])[0], logits)


def test_same_seed_same_batches(patterns):
    """Dense and pruned networks are compared on the same batches."""
    first, second, other = (data.Augmented(patterns[0], 64, seed) for seed in (5, 5, 6))
    for _ in range(2):
        for i in (0, len(first) - 1):
            (xa, ya), (xb, yb), (xc, _) = first[i], second[i], other[i]
            assert np.array_equal(xa, xb) and np.array_equal(ya, yb)
            assert not np.array_equal(xa, xc)
        before = first[0][0]
        for each in (first, second, other):
            each.on_epoch_end()
        assert not np.array_equal(first[0][0], before)


def test_fashion_mnist_is_read():
    train_set, test_set = data.load()
    assert train_set.images.shape == (60000, 28, 28, 1) and test_set.images.shape[0] == 10000
    assert train_set.images.min() == 0 and train_set.images.max() == 1
    assert np.array_equal(np.bincount(train_set.labels), [6000] * 10)
    assert np.array_equal(np.bincount(test_set.labels), [1000] * 10)
