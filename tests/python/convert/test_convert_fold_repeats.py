"""Pixels repeated by TILE become one RESIZE_NEAREST_NEIGHBOR, and nothing else does."""

import numpy as np
import pytest
from flat import Flat, ops
from models import INTERPRETERS, run_stock

from sbnn_tf.convert import convert
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.convert.sources import load

LEFTOVERS = {"EXPAND_DIMS", "SHAPE", "STRIDED_SLICE", "PACK", "TILE"}


@pytest.fixture(scope="module")
def decoder():
    """A U-Net's way up, of a dynamic batch: sizes follow from those of what was enlarged before."""
    import keras
    from keras import layers

    def conv(x, channels, **options):
        return layers.Conv2D(channels, 3, padding="same", **options)(x)

    image = keras.Input((16, 24, 3))
    wide = conv(image, 4, activation="relu")
    half = conv(wide, 8, strides=2, activation="relu")
    x = layers.AveragePooling2D(2)(half)
    x = layers.UpSampling2D(2)(x)
    x = layers.Concatenate()([layers.LeakyReLU()(conv(x, 8)), half])
    x = layers.UpSampling2D(2)(layers.MaxPooling2D(3, strides=1, padding="same")(x))
    x = layers.Add()([conv(x, 4), wide])
    x = layers.UpSampling2D((2, 3))(layers.ZeroPadding2D(1)(x))
    return load(keras.Model(image, conv(x, 2)))


def test_nothing_is_computed_in_a_decoder_of_keras(decoder):
    assert ops(decoder).count("TILE") == 6
    folded = convert(decoder)
    assert ops(folded).count("RESIZE_NEAREST_NEIGHBOR") == 3
    assert not LEFTOVERS & set(ops(folded))


@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_a_decoder_computes_what_it_did(decoder, interpreter):
    folded = convert(decoder)
    for batch in (1, 3):
        before = run_stock(interpreter, decoder, batch=batch, xnnpack=False)
        after = run_stock(interpreter, folded, batch=batch, xnnpack=False)
        np.testing.assert_array_equal(before, after)


def repeating(*steps, shape=(2, 3, 4, 5), kind=np.float32, read_too: int | None = None) -> bytes:
    """Steps from `shape`: ("reshape", shape) or ("tile", multiples).

    The result of step number `read_too` is an output as well.
    """
    flat = Flat()
    x = flat.input(shape, kind)
    for number, (name, values) in enumerate(steps):
        numbers = flat.constant(f"numbers{number}", np.array(values, np.int32))
        before = flat.graph.tensors[x].shape
        after = np.multiply(before, values) if name == "tile" else values
        y = flat.tensor(f"y{number}", list(after), kind)
        options = schema().ReshapeOptionsT() if name == "reshape" else schema().TileOptionsT()
        flat.node(name.upper(), [x, numbers], [y], options)
        if number == read_too:
            flat.output(y)
        x = y
    flat.output(x)
    return flat.bytes()


ROWS = [("reshape", (2, 3, 1, 4, 5)), ("tile", (1, 1, 3, 1, 1)), ("reshape", (2, 9, 4, 5))]
COLUMNS = [("reshape", (2, 9, 4, 1, 5)), ("tile", (1, 1, 1, 2, 1)), ("reshape", (2, 9, 8, 5))]


@pytest.mark.parametrize("kind", [np.float32, np.int8, np.uint8])
@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_rows_and_columns(interpreter, kind):
    for steps, shape in (
        (ROWS, (2, 3, 4, 5)),
        (COLUMNS, (2, 9, 4, 5)),
        (ROWS + COLUMNS, (2, 3, 4, 5)),
        # One channel, one row: axes of size 1 have nothing to repeat.
        (
            [("reshape", (1, 1, 6, 1)), ("tile", (1, 1, 1, 4)), ("reshape", (1, 1, 24, 1))],
            (1, 1, 6, 1),
        ),
        ([("tile", (1, 5, 1, 1))], (1, 1, 6, 3)),
    ):
        dense = repeating(*steps, shape=shape, kind=kind)
        folded = convert(dense)
        assert ops(folded) == ["RESIZE_NEAREST_NEIGHBOR"]
        np.testing.assert_array_equal(
            run_stock(interpreter, dense, batch=shape[0]),
            run_stock(interpreter, folded, batch=shape[0]),
        )


@pytest.mark.parametrize(
    "steps",
    [
        # The whole image again, not each row.
        [("reshape", (2, 1, 3, 4, 5)), ("tile", (1, 3, 1, 1, 1)), ("reshape", (2, 9, 4, 5))],
        [("tile", (1, 3, 1, 1))],
        # Channels, and the batch.
        [("reshape", (2, 3, 4, 5, 1)), ("tile", (1, 1, 1, 1, 2)), ("reshape", (2, 3, 4, 10))],
        [("tile", (2, 1, 1, 1))],
        # Rows and columns are parted anew.
        [("reshape", (2, 4, 1, 3, 5)), ("tile", (1, 1, 3, 1, 1)), ("reshape", (2, 12, 3, 5))],
        # What repeats a row becomes part of the columns.
        [("reshape", (2, 3, 1, 4, 5)), ("tile", (1, 1, 3, 1, 1)), ("reshape", (2, 3, 12, 5))],
        # Nothing is repeated.
        [("reshape", (2, 3, 1, 4, 5)), ("tile", (1, 1, 1, 1, 1)), ("reshape", (2, 3, 4, 5))],
        # No image comes out.
        ROWS[:2],
    ],
)
def test_what_does_something_else_stays(steps):
    dense = repeating(*steps)
    assert ops(convert(dense)) == ops(dense)


def test_what_others_read_stays():
    dense = repeating(*ROWS, read_too=1)
    assert ops(convert(dense)) == ops(dense)
    # The columns alone can go.
    dense = repeating(*ROWS, *COLUMNS, read_too=2)
    assert ops(convert(dense)).count("RESIZE_NEAREST_NEIGHBOR") == 2


def test_other_types_stay():
    dense = repeating(*ROWS, kind=np.int32)
    assert ops(convert(dense)) == ops(dense)
