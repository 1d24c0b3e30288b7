"""Models that TensorFlow's converter refuses: the message names the remedy, and is no MLIR."""

import numpy as np
import pytest
from models import run_stock

from sbnn_tf.convert import convert
from sbnn_tf.convert.converter_errors import cause, first_line
from sbnn_tf.errors import SbnnError


@pytest.fixture(params=["keras", "tf_keras"])
def keras(request):
    return pytest.importorskip(request.param)


def refusal(model) -> str:
    with pytest.raises(SbnnError) as error:
        convert(model)
    assert error.value.__cause__ is None  # a traceback would print all its pages
    message = str(error.value)
    assert "loc(" not in message and "\n" not in message and len(message) < 500
    return message


def test_a_recurrent_layer_needs_a_fixed_batch(keras):
    layers = keras.layers
    model = keras.Sequential([keras.Input((6, 4)), layers.LSTM(3)])
    assert "keras.Input(batch_shape=(1, ...))" in refusal(model)
    # The remedy works, for a model that was trained with an open batch.
    inputs = keras.Input(batch_shape=(1, 6, 4))
    fixed = convert(keras.Model(inputs, model(inputs)))
    x = np.random.default_rng(0).uniform(-1, 1, (1, 6, 4)).astype(np.float32)
    np.testing.assert_allclose(run_stock("tf", fixed), np.asarray(model(x)), atol=1e-6)


@pytest.mark.parametrize(
    "policy, kind", [("mixed_float16", "float16"), ("mixed_bfloat16", "bfloat16")]
)
def test_mixed_precision(keras, policy, kind):
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4, dtype=policy)])
    assert f"it computes in {kind}, which TensorFlow Lite does not: " in refusal(model)


def test_double_precision(keras):
    layers = [keras.Input((8,), dtype="float64"), keras.layers.Dense(4, dtype="float64")]
    assert "it computes in float64" in refusal(keras.Sequential(layers))


def test_an_operator_that_tflite_does_not_have(keras):
    import tensorflow as tf

    class Values(keras.layers.Layer):
        def call(self, x):
            return tf.linalg.svd(x, compute_uv=False)

    message = refusal(keras.Sequential([keras.Input((4, 4)), Values()]))
    assert "has no operator for tf.Svd" in message and "SELECT_TF_OPS" in message


def test_what_is_not_known_is_said_without_its_place():
    place = 'loc(callsite(fused["A:", "a/b@f_1"] at fused["C:", "c"])): '
    error = f"<unknown>:0: error: {place}'tf.New' op has a flaw\n<unknown>:0: note: {place}called"
    assert cause(error) == ""
    assert first_line(ValueError(error)) == "'tf.New' op has a flaw"
    assert first_line(ValueError("plain words\nand more")) == "plain words"
    assert first_line(KeyError()) == "KeyError"
