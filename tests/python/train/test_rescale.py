"""A sparse start has the variance of a dense one."""

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf import topology


def started(keras, callback, connect=None, frozen=False):
    """The kernel before and after the callback has begun."""
    inputs = keras.Input((96,))
    layer = keras.layers.Dense(64, name="layer", trainable=not frozen)
    model = keras.Model(inputs, keras.layers.Dense(4, name="last")(layer(inputs)))
    model.compile("sgd", "mse", jit_compile=False)
    if connect is not None:
        topology.connect(model, {"layer": connect})
    before = model.get_layer("layer").get_weights()[0]
    callback.start(model)
    return before, model.get_layer("layer").get_weights()[0]


POLICY = sbnn.Policy("layer", first_and_last=True)


@pytest.mark.parametrize("pattern", ["unstructured", "group4"])
def test_what_is_kept_makes_up_for_what_is_not(K, pattern):
    before, after = started(K, sbnn.SET(pattern, 0.75, update_every=9, policy=POLICY, end_step=99))
    keep = after != 0
    assert keep.mean() == pytest.approx(0.25, abs=0.01)
    factor = np.sqrt(96 / np.broadcast_to(keep.sum(axis=0), keep.shape))
    np.testing.assert_allclose(after[keep], (before * factor)[keep], rtol=1e-6)


def test_not_where_it_is_not_asked_for(K):
    options = {"update_every": 9, "policy": POLICY, "end_step": 99}
    before, after = started(K, sbnn.RigL("group4", 0.75, rescale=False, **options))
    np.testing.assert_array_equal(after[after != 0], before[after != 0])


def test_connections_that_are_there_already_stay_as_they_are(K):
    graph = topology.group_to_group((96, 64), 4, seed=1)[0]
    callback = sbnn.SET(
        "unstructured",
        1 - graph.density,
        update_every=9,
        end_step=99,
        budget="present",
        policy=POLICY,
    )
    before, after = started(K, callback, graph)
    np.testing.assert_array_equal(after, before)


def test_frozen_weights_stay_as_they_are(K):
    callback = sbnn.SET("group4", 0.75, update_every=9, policy=POLICY, end_step=99)
    before, after = started(K, callback, frozen=True)
    assert (after == 0).mean() == 0.75
    np.testing.assert_array_equal(after[after != 0], before[after != 0])
