"""Masks on several replicas, and in training loops of one's own."""

import json
import os
import socket
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf

from sbnn_tf.patterns import Group
from sbnn_tf.plan.schedules import ConstantSparsity, OneShot, PolynomialDecay
from sbnn_tf.train.callback import Pruning

# Logical devices are chosen before TensorFlow starts: hence a process of its own.
TWO_REPLICAS = """
    import sys
    import numpy as np
    import tensorflow as tf
    import {keras} as K
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    import sbnn_tf as sbnn

    def train(strategy, make):
        K.utils.set_random_seed(0)
        with strategy.scope():
            dense = lambda name: K.layers.Dense(8, use_bias=False, name=name)  # names are seeds
            model = K.Sequential([K.Input((6,)), *map(dense, "abc")])
            model.compile(K.optimizers.SGD(0.1, momentum=0.9), "mse", jit_compile=False)
        x = np.random.default_rng(1).normal(size=(64, 6)).astype("float32")
        data = tf.data.Dataset.from_tensor_slices((x, np.tile(x, 2)[:, :8])).batch(16)
        options = tf.data.Options()
        options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
        seen = []

        class Watch(K.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                kernel = model.layers[1].kernel
                kernel = getattr(kernel, "_value", kernel)
                copies = strategy.experimental_local_results(kernel)
                seen.append([np.array(c.numpy() if hasattr(c, "numpy") else c) for c in copies])

        pruning = make()
        model.fit(data.with_options(options), epochs=3, verbose=0, callbacks=[pruning, Watch()])
        assert pruning.step == 12 and pruning.sparsity == 0.5
        constraints = [v.constraint for v in model.trainable_variables]
        assert not any(constraints), constraints
        return seen

    schedule = dict(initial_sparsity=0.0, final_sparsity=0.5, begin_step=2, end_step=10)
    methods = [
        lambda: sbnn.Pruning("group4", sbnn.PolynomialDecay(**schedule, frequency=2), score="taylor"),
        lambda: sbnn.ADMM("group4", 0.5, prune_step=8, rho=1.0, frequency=3),
        lambda: sbnn.RigL("group4", 0.5, update_every=3, end_step=10),
        lambda: sbnn.HebbianRewiring("group4", 0.5, update_every=3, end_step=10, window=2),
    ]
    for make in methods:
        single = train(tf.distribute.get_strategy(), make)
        mirrored = train(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]), make)
        assert len(single) == len(mirrored) == 12
        for (alone,), copies in zip(single, mirrored):
            assert len(copies) == 2, len(copies)
            for copy in copies:
                assert np.array_equal(copy == 0, alone == 0)
                assert np.allclose(copy, alone, atol=1e-4), np.abs(copy - alone).max()
            assert np.array_equal(*copies)
        assert (alone == 0).mean() == 0.5
    print("same")
"""

WORKER = """
    import json, os, sys
    os.environ["TF_CONFIG"] = sys.argv[1]
    import numpy as np
    import tensorflow as tf
    import {keras} as K
    import sbnn_tf as sbnn
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    K.utils.set_random_seed(0)
    with strategy.scope():
        model = K.Sequential([K.Input((6,)), *[K.layers.Dense(8) for _ in range(3)]])
        optimizer = K.optimizers.SGD(0.1)
        optimizer.build(model.trainable_variables)
        model.compile(optimizer, "mse", jit_compile=False)
    x = np.random.default_rng(1).normal(size=(64, 6)).astype("float32")
    data = tf.data.Dataset.from_tensor_slices((x, np.tile(x, 2)[:, :8])).batch(16).repeat()

    def gradients(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x) - y))
        return zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables)

    @tf.function
    def step(batch):
        strategy.run(lambda x, y: optimizer.apply_gradients(gradients(x, y)), args=batch)

    if K.__name__ == "tf_keras":
        pruning = sbnn.HebbianRewiring("group4", 0.5, update_every=2, window=2, state=sys.argv[2])
        model.fit(data, steps_per_epoch=8, verbose=0, callbacks=[pruning])
    else:
        pruning = sbnn.Pruning("group4", sbnn.ConstantSparsity(0.5, 0), state=sys.argv[2])
        batches = iter(strategy.experimental_distribute_dataset(data))
        for _ in range(4):
            step(next(batches))
            pruning.after_step(model)
    assert os.path.exists(sys.argv[2]) == (strategy.cluster_resolver.task_id == 0)
    kernel = np.array(model.layers[1].get_weights()[0])
    print("masks", json.dumps([pruning.sparsity, (kernel == 0).tolist(), float(kernel.sum())]))
"""


def _start(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )


@pytest.mark.parametrize("keras", ["keras", "tf_keras"])
def test_two_replicas_have_the_masks_of_one_device(keras):
    process = _start(TWO_REPLICAS.format(keras=keras))
    out, err = process.communicate(timeout=300)
    assert out.strip().endswith("same"), err[-3000:]


# In fit of tf_keras; that of Keras 3 fails there, with or without callbacks.
@pytest.mark.parametrize("keras", ["tf_keras", "keras"])
def test_two_workers_have_the_same_masks(keras, tmp_path):
    sockets = [socket.socket() for _ in range(2)]
    for each in sockets:
        each.bind(("localhost", 0))
    cluster = {"worker": [f"localhost:{s.getsockname()[1]}" for s in sockets]}
    for each in sockets:
        each.close()
    workers = [
        _start(
            WORKER.format(keras=keras),
            json.dumps({"cluster": cluster, "task": {"type": "worker", "index": i}}),
            str(tmp_path / f"state_{i}.npz"),
        )
        for i in range(2)
    ]
    try:
        (first, error), (second, _) = [worker.communicate(timeout=300) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    assert first.startswith("masks"), error[-3000:]
    assert first == second
    sparsity, zeros, _ = json.loads(first.removeprefix("masks"))
    assert sparsity == 0.5 and np.mean(zeros) == 0.5


def test_keras_3_is_warned_of_several_workers(monkeypatch):
    cluster = {"chief": ["localhost:1"], "worker": ["localhost:2"]}
    config = {"cluster": cluster, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    monkeypatch.delitem(sys.modules, "tf_keras", raising=False)
    with pytest.warns(UserWarning, match="names 2 workers.*tf_keras.*after_step"):
        Pruning("group4", ConstantSparsity(0.5, 0))


class TestOwnLoop:
    def model(self, K):
        return K.Sequential([K.Input((6,)), *[K.layers.Dense(8) for _ in range(3)]])

    def loop(self, K, model, pruning, steps, gradients=False):
        optimizer = K.optimizers.SGD(0.1, momentum=0.9)
        optimizer.build(model.trainable_variables)
        x = np.random.default_rng(1).normal(size=(16, 6)).astype("float32")
        seen = []

        @tf.function
        def step():
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(model(x) - np.tile(x, 2)[:, :8]))
            grads = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(grads, model.trainable_variables))
            return grads

        for _ in range(steps):
            grads = step()
            pruning.after_step(model, grads if gradients else None)
            seen.append(model.layers[1].get_weights()[0] == 0)
        return seen

    def test_one_call_a_step(self, K):
        pruning = Pruning("group4", PolynomialDecay(0.0, 0.5, 0, 8, power=1, frequency=4))
        seen = self.loop(K, self.model(K), pruning, 10)
        assert [round(zeros.mean(), 2) for zeros in seen] == [0.0] * 3 + [0.25] * 4 + [0.5] * 3
        assert all(after[before].all() for before, after in zip(seen, seen[1:]))
        assert pruning.step == 10

    def test_scores_from_gradients(self, K):
        pruning = Pruning("group4", OneShot(0.5, 4), score="taylor")
        seen = self.loop(K, self.model(K), pruning, 4, gradients=True)
        assert seen[-1].mean() == 0.5 and Group(4).explains(seen[-1])
        with pytest.raises(ValueError, match="no gradients of .*give after_step the"):
            again = Pruning("group4", OneShot(0.5, 4), score="taylor")
            self.loop(K, self.model(K), again, 4)
        with pytest.raises(ValueError, match="gradients: expected 6.*found 1"):
            Pruning("group4", ConstantSparsity(0.5, 0)).after_step(self.model(K), [None])
