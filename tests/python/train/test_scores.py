"""Scores: magnitudes, and what is gathered from gradients inside the train step."""

import numpy as np
import pytest
import tensorflow as tf

from sbnn_tf.patterns import Group
from sbnn_tf.plan import importance
from sbnn_tf.plan.importance import Magnitude, Movement, Random, Taylor
from sbnn_tf.plan.policy import Policy
from sbnn_tf.plan.schedules import ConstantSparsity, OneShot
from sbnn_tf.train.callback import Pruning

WEIGHTS = np.array([[1.0, -2.0], [0.0, 4.0]], np.float32)
ONES = np.ones(2)


class _Norm:
    def __init__(self, gamma, variance):
        array = lambda v: v if v is None else type("V", (), {"numpy": lambda self: np.array(v)})()
        self.gamma, self.moving_variance, self.epsilon = array(gamma), array(variance), 1.0


class TestMagnitude:
    def test_orders(self):
        np.testing.assert_array_equal(Magnitude()(WEIGHTS, ONES, None, 0), np.abs(WEIGHTS))
        squared = np.square(Magnitude(1)(WEIGHTS, ONES, None, 0))
        np.testing.assert_allclose(squared, np.abs(WEIGHTS))

    def test_groups_count_by_the_norm_of_that_order(self):
        # One large weight beats four middling ones in L2, not in L1.
        weights = np.array([[5, 0.1, 0.1, 0.1, 2, 2, 2, 2]], np.float32)
        for order, first in ((2, True), (1, False)):
            scores = Magnitude(order)(weights, np.ones(8), None, 0)
            assert Group(4).mask(scores, 0.5)[0, 0] == first

    def test_batch_norm_is_folded_in(self):
        np.testing.assert_array_equal(importance.fold(2, None), [1, 1])
        np.testing.assert_allclose(importance.fold(2, _Norm([-6.0, 1.0], [3.0, 0.0])), [3, 1])
        np.testing.assert_allclose(importance.fold(2, _Norm(None, [3.0, 0.0])), [0.5, 1])
        scores = Magnitude()(WEIGHTS, np.array([3.0, 1.0]), None, 0)
        np.testing.assert_array_equal(scores, [[3, 2], [0, 4]])

    @pytest.mark.parametrize("gamma", [[0.0, 0.0], [0.0, 1.0], [np.nan, 1.0]])
    def test_no_factor_is_zero(self, gamma):
        assert (importance.fold(2, _Norm(gamma, [3.0, 0.0])) > 0).all()


def test_random_depends_on_seed_and_kernel_only():
    one = Random(3)(WEIGHTS, ONES, None, 0)
    np.testing.assert_array_equal(one, Random(3)(WEIGHTS * 2, ONES, None, 0))
    assert not np.isclose(one, Random(4)(WEIGHTS, ONES, None, 0)).any()
    assert not np.isclose(one, Random(3)(WEIGHTS, ONES, None, 1)).any()
    assert ((one > 0) & (one <= 1)).all()


def test_names():
    assert importance.get("l1").order == 1 and importance.get("L2").order == 2
    assert isinstance(importance.get("taylor"), Taylor)
    assert importance.get(Random(7)).seed == 7
    with pytest.raises(ValueError, match="Unknown score 'l3'.*l1, l2, taylor, movement, random"):
        Pruning("group4", OneShot(0.5), score="l3")
    with pytest.raises(TypeError, match="Expected a score"):
        importance.get(2)
    with pytest.raises(ValueError, match="order must be 1 or 2"):
        Magnitude(3)


def _linear(K, optimizer, **options):
    """Three dense layers; the middle one is pruned."""
    model = K.Sequential([K.Input((6,)), *[K.layers.Dense(8, use_bias=False) for _ in range(3)]])
    model.compile(optimizer, "mse", **{"jit_compile": False, **options})
    return model


def _xy():
    x = np.random.default_rng(1).normal(size=(48, 6)).astype("float32")
    return x, np.tile(x, 2)[:, :8]


def _by_hand(model, x, y, rate=0.1):
    """The middle kernel and its gradient in each step of plain SGD, in batches of 12."""
    kernels = [tf.Variable(np.array(w)) for w in model.get_weights()]
    steps = []
    for i in range(0, len(x), 12):
        with tf.GradientTape() as tape:
            out = x[i : i + 12]
            for kernel in kernels:
                out = out @ kernel
            loss = tf.reduce_mean(tf.square(out - y[i : i + 12]))
        gradients = tape.gradient(loss, kernels)
        steps.append((kernels[1].numpy(), gradients[1].numpy()))
        for kernel, gradient in zip(kernels, gradients):
            kernel.assign_sub(rate * gradient)
    return steps


class _Spy(Movement):
    """Keeps what it was given."""

    def __call__(self, weights, scale, gathered, number):
        self.gathered = gathered
        return super().__call__(weights, scale, gathered, number)


@pytest.mark.parametrize("how", ["plain", "jit", "executions", "eager", "float16", "legacy"])
def test_gathers_weight_times_gradient_of_every_step(K, set_policy, how):
    make = K.optimizers.SGD
    if how == "legacy":
        if K.__name__ == "keras":
            pytest.skip("Keras 3 has no legacy optimizers")
        make = K.optimizers.legacy.SGD
    if how == "float16":
        set_policy(K, "mixed_float16")
    options = {"jit": {"jit_compile": True}, "executions": {"steps_per_execution": 4}}
    options["eager"] = {"run_eagerly": True}
    model = _linear(K, make(0.1), **options.get(how, {}))
    steps = _by_hand(model, *_xy())
    spy = _Spy()
    pruning = Pruning("group4", OneShot(0.5, 4), score=spy)
    model.fit(*_xy(), batch_size=12, shuffle=False, verbose=0, callbacks=[pruning])
    expected = np.mean([-w * g for w, g in steps], axis=0)
    tolerance = {"rtol": 0.05, "atol": 2e-4} if how == "float16" else {"rtol": 1e-3, "atol": 1e-6}
    np.testing.assert_allclose(spy.gathered, expected, **tolerance)
    assert (model.layers[1].get_weights()[0] == 0).mean() == 0.5
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    assert not {"update_step", "_resource_apply_dense"} & set(vars(optimizer))


def test_taylor_prunes_what_the_loss_feels_least(K):
    model = _linear(K, K.optimizers.SGD(0.1))
    steps = _by_hand(model, *_xy())
    pruning = Pruning("group4", OneShot(0.5, 4), score="taylor")
    model.fit(*_xy(), batch_size=12, shuffle=False, verbose=0, callbacks=[pruning])
    scores = np.sqrt(np.mean([np.square(w * g) for w, g in steps], axis=0))
    expected = Group(4).mask(scores, 0.5)
    np.testing.assert_array_equal(model.layers[1].get_weights()[0] != 0, expected)


def test_movement_keeps_what_is_pruned_pruned(K):
    model = _linear(K, K.optimizers.SGD(0.1))
    before = None
    pruning = Pruning(
        "unstructured", lambda step: (int(step) > 0, int(step) / 10), score="movement"
    )
    for _ in range(2):
        model.fit(*_xy(), batch_size=12, verbose=0, callbacks=[pruning])
        zeros = model.layers[1].get_weights()[0] == 0
        assert before is None or zeros[before].all()
        before = zeros
    assert before.mean() == pytest.approx(0.8, abs=0.01)


def test_nothing_is_left_after_an_exception(K):
    model = _linear(K, K.optimizers.SGD(0.1))

    class Stop(K.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise RuntimeError("stop")

    pruning = Pruning(
        "group4", OneShot(0.5, 1), score="taylor", teacher=K.models.clone_model(model)
    )
    with pytest.raises(RuntimeError, match="stop"):
        model.fit(*_xy(), verbose=0, callbacks=[pruning, Stop()])
    assert "update_step" not in vars(model.optimizer)
    assert "compute_loss" not in vars(model)
    model.fit(*_xy(), verbose=0)
    assert np.count_nonzero(model.layers[1].get_weights()[0] == 0) == 0


class TestMistakes:
    def test_no_gradients_yet(self, K):
        model = _linear(K, K.optimizers.SGD(0.1))
        pruning = Pruning("group4", ConstantSparsity(0.5, 0), score="taylor")
        with pytest.raises(
            ValueError, match="Step 0: .*no gradients of .*begin at step 1 or later"
        ):
            model.fit(*_xy(), verbose=0, callbacks=[pruning])

    def test_training_that_diverges_leaves_the_last_good_masks(self, K):
        model = _linear(K, K.optimizers.SGD(1e30))
        schedule = lambda step: (int(step) in (0, 3), 0.25 if int(step) < 3 else 0.5)
        pruning = Pruning("group4", schedule, Policy(first_and_last=True))
        with pytest.raises(ValueError, match="Step 3: cannot prune to 0.500. The scores of .*NaN"):
            model.fit(*_xy(), batch_size=12, verbose=0, callbacks=[pruning])
        assert pruning.sparsity == 0.25
        for kernel in model.get_weights():
            assert (kernel == 0).mean() == 0.25
