"""Importing sbnn_tf changes nothing for anyone. In processes of their own."""

import os
import subprocess
import sys
import textwrap

import pytest


def _python(code, **environment):
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        env={k: v for k, v in os.environ.items() if k != "TF_USE_LEGACY_KERAS"} | environment,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.split()[-1]


TRAINING = "[sbnn.Pruning, sbnn.Group, sbnn.PolynomialDecay, sbnn.Policy, sbnn.summary]"


def test_import_is_light():
    code = """
        import sys, sbnn_tf
        from sbnn_tf import Group, PolynomialDecay
        heavy = {"tensorflow", "keras", "tf_keras", "tensorflow_model_optimization"}
        print(sorted(heavy & set(sys.modules)))
    """
    assert _python(code) == "[]"


@pytest.mark.parametrize("legacy, package", [("0", "keras"), ("1", "tf_keras")])
def test_tf_keras_stays_what_it_was(legacy, package):
    code = f"""
        import os, sys
        import sbnn_tf as sbnn
        {TRAINING}
        assert "tensorflow_model_optimization" not in sys.modules
        assert "tf_keras" not in sys.modules or "{legacy}" == "1"  # then TensorFlow loads it
        assert os.environ["TF_USE_LEGACY_KERAS"] == "{legacy}"
        import tensorflow as tf
        print(tf.keras.Model.__module__.split(".")[0])
    """
    assert _python(code, TF_USE_LEGACY_KERAS=legacy) == package


def test_environment_is_left_alone():
    code = f"""
        import os
        before = dict(os.environ)
        import sbnn_tf as sbnn
        {TRAINING}
        changed = {{k for k in os.environ if os.environ[k] != before.get(k)}}
        print(any("KERAS" in k for k in changed))
    """
    assert _python(code) == "False"


@pytest.mark.parametrize(
    "keras, schedule",
    [("keras", "PolynomialDecay(0.0, 0.5, 0, 6)"), ("tf_keras", "ConstantSparsity(0.5, 3)")],
)
def test_schedules_of_tfmot(keras, schedule):
    code = f"""
        import numpy as np
        import {keras} as K
        import tensorflow_model_optimization as tfmot
        import sbnn_tf as sbnn
        model = K.Sequential([K.Input((8,)), *[K.layers.Dense(8) for _ in range(3)]])
        model.compile("sgd", "mse", jit_compile=False, steps_per_execution=4)
        x = np.random.default_rng(0).normal(size=(80, 8)).astype("float32")
        schedule = tfmot.sparsity.keras.{schedule}
        pruning = sbnn.Pruning("group4", schedule)
        model.fit(x, x, batch_size=10, verbose=0, callbacks=[pruning])
        print((model.layers[1].get_weights()[0] == 0).mean())
    """
    assert _python(code) == "0.5"
