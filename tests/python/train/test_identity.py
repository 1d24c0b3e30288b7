"""What identifies a kernel: its place in the model, not the names that Keras counts up."""

import numpy as np
import pytest

from sbnn_tf.models import kernels
from sbnn_tf.plan.importance import Random
from sbnn_tf.plan.schedules import ConstantSparsity
from sbnn_tf.train.callback import Pruning
from sbnn_tf.train.rewiring import SET


def _unnamed(K):
    """A new model whose layers Keras names: dense, dense_1, ... and later dense_4, dense_5, ..."""
    K.utils.set_random_seed(0)
    sizes = (16, 16, 16, 4)
    model = K.Sequential([K.Input((8,)), *(K.layers.Dense(size) for size in sizes)])
    model.compile("sgd", "mse", jit_compile=False)
    return model


METHODS = {
    "random score": lambda: Pruning("group4", ConstantSparsity(0.5, 0), score=Random(1)),
    "set": lambda: SET("group4", 0.5, update_every=2),
}


@pytest.mark.parametrize("method", METHODS)
def test_random_numbers_do_not_depend_on_automatic_names(K, method):
    data = np.ones((32, 8), "float32"), np.ones((32, 4), "float32")
    names, masks = [], []
    for _ in range(2):
        model = _unnamed(K)
        model.fit(*data, batch_size=4, shuffle=False, verbose=0, callbacks=[METHODS[method]()])
        found = kernels.find(model)
        names.append([kernel.name for kernel in found])
        masks.append([kernel.value() != 0 for kernel in found])
        assert [kernel.number for kernel in found] == [0, 1, 2, 3]
    assert not set(names[0]) & set(names[1])
    for one, other in zip(*masks):
        np.testing.assert_array_equal(one, other)
    assert (masks[0][1] != masks[0][2]).any()  # yet each kernel has random numbers of its own
