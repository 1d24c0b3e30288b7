"""Quantized models: the zeros of their filters stay, and what cannot be quantized is said."""

import numpy as np
import pytest
from flat import Flat, chain, group_sparse, ops
from models import run_stock

from sbnn_tf.convert import CalibrationFiles, Quantize, convert, densify, flatbuffer, rewrite
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.convert.graph import find_weights
from sbnn_tf.errors import SbnnError

pytest.importorskip("tensorflow")

PATTERNS = ("unstructured", "group4", "group8", "kernel4x8", "taps4group4", "2of4", "block4x4")
SIZE = 8
DATA = np.random.default_rng(0).uniform(-1, 1, (8, SIZE, SIZE, 4)).astype(np.float32)


def network() -> bytes:
    """Convolutions of 3 x 3 and 1 x 1, a depthwise one, and a dense layer."""
    flat = Flat()
    x = flat.input((1, SIZE, SIZE, 4))
    for i, shape in enumerate([(16, 3, 3, 4), (32, 1, 1, 16), (32, 3, 3, 32)]):
        x = flat.conv(x, flat.constant(f"f{i}", group_sparse(shape, 4, 0, seed=i)), activation=1)
    depthwise = flat.constant("depthwise", group_sparse((1, 5, 5, 32), 1, 0))
    y = flat.tensor("y", (1, SIZE, SIZE, 32))
    options = schema().DepthwiseConv2DOptionsT(strideH=1, strideW=1, depthMultiplier=1)
    flat.node("DEPTHWISE_CONV_2D", [x, depthwise, flat.bias(32)], [y], options)
    pooled = flat.tensor("pooled", (1, 32))
    axes = flat.constant("axes", np.array([1, 2], np.int32))
    flat.node("MEAN", [y, axes], [pooled], schema().ReducerOptionsT())
    flat.output(flat.dense(pooled, flat.constant("dense", group_sparse((32, 32), 4, 0))))
    return flat.bytes()


NETWORK = network()
FITTING = {
    "kernel4x8": ["f0", "f2"],
    "taps4group4": ["depthwise"],
}


def filters(data: bytes) -> list[np.ndarray]:
    """The values of the filters, in the operators' order, where they are sparse, too."""
    return [weight.values for weight in find_weights(flatbuffer.read(densify(data)))]


def assert_zeros_stay(floats: bytes, quantized: bytes) -> None:
    """All zeros of a model's filters are zeros of the other, and mean 0.0."""
    before, after = filters(floats), filters(quantized)
    assert [w.shape for w in before] == [w.shape for w in after]
    for a, b in zip(before, after):
        assert not b[a == 0].any()
        # Others become zeros only where they are below half a step of 1/127 of their output's.
        rounded = (a != 0) & (b == 0)
        assert np.all(np.abs(a[rounded]) <= 0.51 / 127 * np.abs(a).max())
    model = flatbuffer.read(densify(quantized))
    for weight in find_weights(model):
        quantization = model.subgraphs[0].tensors[weight.tensor].quantization
        if weight.values.dtype == np.int8:
            assert not np.any(quantization.zeroPoint)
            assert len(quantization.scale) == weight.values.shape[quantization.quantizedDimension]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_zeros_of_every_pattern_stay(pattern):
    layers = FITTING.get(pattern, ["f1", "f2", "dense"])
    floats = convert(NETWORK, prune=0.5, pattern=pattern, layers=layers)
    options = {"quantize": "int8", "representative_dataset": DATA, "verbose": 0}
    quantized = convert(floats, **options)
    assert_zeros_stay(floats, quantized)
    pruned = [w for w in filters(quantized) if np.mean(w == 0) >= 0.499]
    assert len(pruned) == len(layers)
    # On the way is the same as before it, and the file is as sparse.
    assert convert(NETWORK, prune=0.5, pattern=pattern, layers=layers, **options) == quantized
    if pattern in ("group4", "group8", "block4x4"):
        assert ops(quantized).count("DENSIFY") == 2  # of the convolutions
    for mode in ("int8-dynamic", "float16"):
        assert_zeros_stay(floats, convert(floats, quantize=mode, verbose=0))


@pytest.fixture(scope="module")
def keras_model():
    import keras
    from models import bring_to_life

    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 4), name="image"),
            layers.Conv2D(16, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(6.0),
            layers.Conv2D(32, 1, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(40),
        ]
    )
    bring_to_life(model)
    return model


@pytest.mark.parametrize("mode", ["int8", "int8-dynamic"])
def test_the_same_numbers_as_tflite_converter(keras_model, mode):
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(keras_model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if mode == "int8":
        converter.representative_dataset = lambda: ([x[None]] for x in DATA)
    expected = converter.convert()
    found = convert(
        keras_model,
        quantize=mode,
        representative_dataset={"image": DATA} if mode == "int8" else None,
        verbose=0,
    )
    if mode == "int8":
        assert [op for op in ops(found) if op != "RESHAPE"] == ops(expected)
        for a, b in zip(filters(expected), filters(found)):
            np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(run_stock("tf", found), run_stock("tf", expected))


def test_float16_halves_the_file_and_computes_in_float32():
    floats, halves = convert(NETWORK), convert(NETWORK, quantize="float16", verbose=0)
    assert len(halves) < 0.6 * len(floats)
    assert {w.dtype for w in filters(halves)} == {np.dtype(np.float16)}
    a, b = run_stock("tf", floats), run_stock("tf", halves)
    assert 0 < np.abs(a - b).max() < 1e-2 * np.abs(a).max()


def test_float16_leaves_what_it_cannot_hold():
    large = group_sparse((8, 1, 1, 8), 4, 0) * np.float32(1e5)
    halves = convert(chain(large, large * 1e-5), quantize="float16", verbose=0)
    assert [w.dtype for w in filters(halves)] == [np.float32, np.float16]


@pytest.mark.parametrize("kinds", [("int8", "int8"), ("uint8", "float32"), ("float32", "uint8")])
def test_types_of_inputs_and_outputs(kinds):
    made = convert(
        NETWORK,
        quantize="int8",
        representative_dataset=DATA,
        inference_input_type=kinds[0],
        inference_output_type=np.dtype(kinds[1]),
        verbose=0,
    )
    model = flatbuffer.read(made)
    graph = model.subgraphs[0]
    types = {getattr(schema().TensorType, kind.upper()) for kind in kinds}
    assert {graph.tensors[t].type for t in (*graph.inputs, *graph.outputs)} == types


def test_what_lies_behind_the_model_stays():
    made = convert(NETWORK + b"labels", quantize="int8", representative_dataset=DATA, verbose=0)
    assert made.endswith(b"labels")


def test_what_is_printed(capsys):
    made = convert(NETWORK, prune=0.5, quantize="int8", representative_dataset=DATA)
    out, err = capsys.readouterr()
    zeros = int(0.5 * 32 * 16)
    assert f"int8, 8 samples: all {zeros} zeros of its filters stay" in out
    assert "calibrating: 8 samples\n" in err
    quiet = convert(NETWORK, prune=0.5, quantize="int8", representative_dataset=DATA, verbose=0)
    assert quiet == made and "calibrating" not in "".join(capsys.readouterr())


def test_remarks_of_noise_and_of_floats_that_stay():
    flat = Flat()
    x = flat.input((1, 4, 4, 8))
    y = flat.conv(x, flat.constant("f", group_sparse((8, 1, 1, 8), 4, 0.5)))
    z = flat.tensor("z", (1, 4, 4, 8))
    flat.node("ATAN2", [y, y], [z])
    flat.output(z)
    made = rewrite(
        flat.bytes(), None, None, None, None, Quantize("int8", CalibrationFiles("random"))
    )
    remarks = "\n".join(made.remarks())
    assert "warning: calibrated on random noise" in remarks
    assert "still computed in floats: 1 ATAN2" in remarks


INT8 = convert(NETWORK, quantize="int8", representative_dataset=DATA, verbose=0)
BAD = {
    "an unknown mode": ({"quantize": "int4"}, "expected one of int8, int8-dynamic, float16"),
    "no data": ({"quantize": "int8"}, "needs calibration data.*representative_dataset="),
    "data without a mode": ({"representative_dataset": DATA}, "expected quantize= with it"),
    "data for weights alone": (
        {"quantize": "float16", "representative_dataset": DATA},
        "'float16' takes no calibration data",
    ),
    "int8 inputs of floats": (
        {"quantize": "int8-dynamic", "inference_input_type": "int8"},
        "inputs and outputs of float32 alone",
    ),
    "an unknown type": (
        {"quantize": "int8", "inference_output_type": "int16"},
        "output_type: expected one of float32, int8, uint8, found 'int16'",
    ),
    "no samples": (
        {"quantize": "int8", "representative_dataset": DATA, "samples": 0},
        "samples: expected a whole number of at least 1",
    ),
    "data that do not fit": (
        {"quantize": "int8", "representative_dataset": DATA[:, :2]},
        "expected samples of the shape of input",
    ),
    "NaN in the data": (
        {"quantize": "int8", "representative_dataset": DATA * np.nan},
        "sample 1 of input .* has NaN",
    ),
}


@pytest.mark.parametrize("mistake", BAD)
def test_mistakes(mistake):
    options, message = BAD[mistake]
    with pytest.raises(SbnnError, match=message):
        convert(NETWORK, verbose=0, **options)


def test_a_quantized_model_is_not_quantized_again():
    for mode, data in (("int8", DATA), ("int8-dynamic", None), ("float16", None)):
        with pytest.raises(
            SbnnError, match="expected a model of float32, found the filter .* int8"
        ):
            convert(INT8, quantize=mode, representative_dataset=data)
    halves = convert(NETWORK, quantize="float16", verbose=0)
    with pytest.raises(SbnnError, match="found the filter .* float16"):
        convert(halves, quantize="int8", representative_dataset=DATA)


def test_a_filter_with_nan():
    values = group_sparse((32, 1, 1, 32), 4, 0.5)
    values[0] = np.nan
    with pytest.raises(SbnnError, match="f0 cannot be quantized: it has NaN or infinity"):
        convert(chain(values), quantize="int8-dynamic")


def fake_quantized(zero_point: int) -> bytes:
    """A convolution with trained ranges, symmetric ones (zero point 128 of uint8) or others."""
    s = schema()
    flat = Flat()

    def ranged(t: int, scale: float, zero: int, name: str) -> int:
        shape = flat.graph.tensors[t].shape
        q, y = flat.tensor(f"{name}/q", shape, np.uint8), flat.tensor(name, shape)
        flat.graph.tensors[q].quantization = s.QuantizationParametersT(
            scale=np.array([scale], np.float32), zeroPoint=np.array([zero], np.int64)
        )
        flat.node("QUANTIZE", [t], [q], s.QuantizeOptionsT())
        flat.node("DEQUANTIZE", [q], [y], s.DequantizeOptionsT())
        return y

    x = ranged(flat.input((1, 4, 4, 8)), 2 / 255, 128, "x")
    values = group_sparse((8, 1, 1, 8), 4, 0.5)
    w = ranged(flat.constant("f", values), 3 / 255, zero_point, "w")
    flat.output(ranged(flat.conv(x, w), 20 / 255, 128, "y"))
    return flat.bytes()


def test_trained_ranges_need_no_data():
    made = rewrite(fake_quantized(128), None, None, None, None, Quantize("int8"))
    assert made.quantized.samples == 0 and not made.quantized.ranges
    assert made.remarks()[0].startswith(
        "int8, ranges of its training: all 32 zeros of its filters stay"
    )
    for mode in ("int8-dynamic", "float16"):
        with pytest.raises(SbnnError, match="trained with fake quantization, for int8"):
            convert(fake_quantized(128), quantize=mode)


def test_zeros_that_would_be_other_numbers_are_refused():
    with pytest.raises(SbnnError, match="zeros of the filter f would not be zeros.*symmetric=True"):
        convert(fake_quantized(100), quantize="int8")
