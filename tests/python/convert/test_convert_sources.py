"""Every kind of model that goes in, and what is imported for it."""

import subprocess
import sys

import numpy as np
import pytest
from flat import chain, group_sparse, ops
from models import run_stock

from sbnn_tf.convert import convert
from sbnn_tf.errors import SbnnError


def keras_of(name: str):
    return pytest.importorskip(name)


def sequential(keras):
    layers = keras.layers
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(8, 3),
            layers.Conv2D(32, 1),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(5),
        ]
    )


def functional(keras):
    layers = keras.layers
    keras.utils.set_random_seed(1)
    x = inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(8, 3, padding="same")(x)
    x = layers.Add()([x, layers.Conv2D(8, 1)(x)])
    return keras.Model(inputs, layers.Dense(5)(layers.Flatten()(x)))


def subclassed(keras):
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.stem = keras.layers.Conv2D(8, 3)
            self.point = keras.layers.Conv2D(16, 1)
            self.pool = keras.layers.GlobalAveragePooling2D()

        def call(self, x):
            return self.pool(self.point(self.stem(x)))

    keras.utils.set_random_seed(1)
    return Net()


@pytest.mark.parametrize("name", ["keras", "tf_keras"])
@pytest.mark.parametrize("make", [sequential, functional, subclassed])
def test_keras_models(name, make):
    model = make(keras_of(name))
    x = np.random.default_rng(0).uniform(-1, 1, (1, 8, 8, 3)).astype(np.float32)
    expected = np.asarray(model(x))
    found = run_stock("litert", convert(model))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert "DENSIFY" in ops(convert(model, prune=0.75, layers=["*"]))


@pytest.mark.parametrize("name", ["keras", "tf_keras"])
def test_a_model_never_built(name):
    with pytest.raises(SbnnError, match="never built.*call it on a batch"):
        convert(subclassed(keras_of(name)))


@pytest.mark.parametrize("name", ["keras", "tf_keras"])
@pytest.mark.parametrize("form", ["model.keras", "model.h5", "saved_model"])
def test_saved_models(name, form, tmp_path, capfd):
    model = sequential(keras_of(name))
    path = tmp_path / form
    model.export(path) if form == "saved_model" else model.save(path)
    capfd.readouterr()
    np.testing.assert_array_equal(
        run_stock("litert", convert(path)), run_stock("litert", convert(model))
    )
    assert capfd.readouterr().out == ""


def test_files_that_are_no_models(tmp_path):
    keras_of("keras")
    (tmp_path / "bad.keras").write_bytes(b"junk")
    with pytest.raises(SbnnError, match="cannot load .*bad.keras"):
        convert(tmp_path / "bad.keras")
    (tmp_path / "saved_model.pb").write_bytes(b"junk")
    with pytest.raises(SbnnError, match="SavedModel"):
        convert(tmp_path)


def test_a_tflite_file_needs_no_tensorflow(tmp_path):
    """With a .tflite in hand, only numpy, flatbuffers and ai-edge-litert are there (on ARM)."""
    path = tmp_path / "in.tflite"
    path.write_bytes(chain(group_sparse((8, 3, 3, 8), 4, 0), group_sparse((64, 1, 1, 8), 4, 0.5)))
    program = f"""
import sys
for name in ("tensorflow", "keras", "tf_keras", "tensorflow_model_optimization", "matplotlib"):
    sys.modules[name] = None  # Any import of it fails.
from sbnn_tf.convert import convert, densify, inspect
sparse = convert({str(path)!r}, prune=0.75)
densify(sparse), str(inspect(sparse))
try:
    convert({str(tmp_path / "m.keras")!r})
except FileNotFoundError:
    pass
open({str(tmp_path / "m.keras")!r}, "w").close()
try:
    convert({str(tmp_path / "m.keras")!r})
except ValueError as error:
    assert "needs tensorflow" in str(error), error
else:
    raise AssertionError("converted without TensorFlow")
"""
    subprocess.run([sys.executable, "-c", program], check=True)
