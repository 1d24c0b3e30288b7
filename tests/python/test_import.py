"""`import sbnn_tf` is cheap and leaves everybody's TensorFlow alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = "tensorflow keras tf_keras tensorflow_model_optimization ai_edge_litert numpy matplotlib"


def python(code: str, *arguments: str) -> str:
    """Run code in a fresh interpreter; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_import_loads_nothing_heavy():
    code = f"""
import sys, sbnn_tf, sbnn_tf.cli
print([name for name in {HEAVY.split()} if name in sys.modules])"""
    assert python(code) == "[]"


def test_training_leaves_tf_keras_what_it_was():
    code = """
import os
import sbnn_tf as sbnn
sbnn.Pruning(sbnn.Group(4), sbnn.ConstantSparsity(0.5, begin_step=0))
import tensorflow as tf
print("TF_USE_LEGACY_KERAS" in os.environ, tf.keras.__version__.split(".")[0])"""
    assert python(code) == "False 3"


def test_every_name_is_there():
    code = """
import sbnn_tf as sbnn
assert set(sbnn.__all__) <= set(dir(sbnn))
print([name for name in sbnn.__all__ if getattr(sbnn, name) is None])"""
    assert python(code) == "[]"


def test_unknown_name():
    import sbnn_tf

    with pytest.raises(AttributeError, match="no attribute 'prune_everything'"):
        sbnn_tf.prune_everything


@pytest.mark.parametrize(
    "first", ["pass", "import sbnn_tf.convert", "from sbnn_tf.convert import densify"]
)
def test_functions_win_over_modules_of_their_name(first):
    code = f"""
{first}
import sbnn_tf as sbnn
for name in ("convert", "rearrange"):
    __import__("sbnn_tf." + name)
    assert callable(getattr(sbnn, name)), name
from sbnn_tf.convert import densify
assert callable(densify)"""
    python(code)


def test_tflite_needs_no_tensorflow(tiny_files, tmp_path):
    code = """
import sys
for name in ("tensorflow", "keras", "tf_keras"):
    sys.modules[name] = None  # any import of it fails
import sbnn_tf as sbnn
from sbnn_tf.cli import main
dense, out = sys.argv[1:]
assert main(["convert", dense, out, "--prune", "0.5"]) == 0
assert main(["inspect", out]) == 0
assert main(["verify", out, out]) == 0"""
    python(code, str(tiny_files[0]), str(tmp_path / "out.tflite"))
