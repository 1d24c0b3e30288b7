"""Dense layers on sequences become one FULLY_CONNECTED each, and compute what they did."""

import numpy as np
import pytest
from flat import Flat, ops
from models import INTERPRETERS, run_stock

from sbnn_tf.convert import convert, flatbuffer
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.convert.sources import load

COMPUTED = {"SHAPE", "GATHER", "REDUCE_PROD", "PACK", "CONCATENATION"}


@pytest.fixture(scope="module")
def transformer():
    """A block of one, of a dynamic batch, and a mixer's."""
    import keras
    from keras import layers

    x = inputs = keras.Input((7, 12))
    y = layers.LayerNormalization()(x)
    x = layers.Add()([x, layers.MultiHeadAttention(3, 4)(y, y)])
    y = layers.Dense(20, activation="gelu")(layers.LayerNormalization()(x))
    x = layers.Add()([x, layers.Dense(12)(y)])
    y = layers.Dense(20, activation="relu")(layers.LayerNormalization()(x))
    x = layers.Add()([x, layers.Dense(12, activation="relu6")(y)])
    y = layers.Permute((2, 1))(x)
    y = layers.Permute((2, 1))(layers.Dense(7, activation="relu")(y))
    return load(keras.Model(inputs, layers.Dense(5)(layers.Add()([x, y]))))


def test_no_shape_is_computed_in_a_transformer_of_keras(transformer):
    assert ops(transformer).count("REDUCE_PROD") == 12
    folded = convert(transformer)
    assert not COMPUTED & set(ops(folded))
    assert ops(folded).count("FULLY_CONNECTED") == ops(transformer).count("FULLY_CONNECTED")
    # Those that are left part the heads and join them.
    assert ops(folded).count("RESHAPE") == ops(transformer).count("RESHAPE") - 12


@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_a_transformer_computes_what_it_did(transformer, interpreter):
    folded = convert(transformer)
    for xnnpack in (True, False):
        for batch in (1, 3):
            before = run_stock(interpreter, transformer, batch=batch, xnnpack=xnnpack)
            after = run_stock(interpreter, folded, batch=batch, xnnpack=xnnpack)
            np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-5)


def dense_model(
    x=(2, 3, 4), rows=6, y=(2, 3, 5), readers=1, also=None, batch=False, then=None
) -> bytes:
    """RESHAPE from `x` to (rows, 4), a layer of 5 outputs, RESHAPE to `y`, by so many readers.

    `also`: the tensor that is an output, too: "matrix" or "product". `batch`: it is dynamic.
    `then`: a shape that the product gets before a second layer.
    """
    s = schema()
    flat = Flat()

    def reshape(of: int, *shape: int) -> int:
        made = flat.tensor("reshaped", [-1 if batch and i == 0 else n for i, n in enumerate(shape)])
        numbers = [-1, *shape[1:]] if batch else shape
        to = flat.constant("shape", np.array(numbers, np.int32))
        flat.node("RESHAPE", [of, to], [made], s.ReshapeOptionsT())
        return made

    start = flat.input(x)
    if batch:
        flat.graph.tensors[start].shapeSignature = np.array([-1, *x[1:]], np.int32)
    matrix = reshape(start, rows, 4)
    rng = np.random.default_rng(0)
    for _ in range(readers):
        weights = flat.constant("w", rng.uniform(-1, 1, (5, 4)).astype(np.float32))
        bias = flat.constant("b", rng.uniform(-1, 1, 5).astype(np.float32))
        product = flat.tensor("product", (-1 if batch else rows, 5))
        options = s.FullyConnectedOptionsT(fusedActivationFunction=1)
        flat.node("FULLY_CONNECTED", [matrix, weights, bias], [product], options)
        last = product
        if then is not None:
            weights = flat.constant("w2", rng.uniform(-1, 1, (5, then[-1])).astype(np.float32))
            bias = flat.constant("b2", rng.uniform(-1, 1, 5).astype(np.float32))
            last = flat.tensor("last", (-1 if batch else then[0], 5))
            options = s.FullyConnectedOptionsT()
            flat.node("FULLY_CONNECTED", [reshape(product, *then), weights, bias], [last], options)
        flat.output(reshape(last, *y))
    if also is not None:
        flat.output({"matrix": matrix, "product": product}[also])
    return flat.bytes()


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize(("readers", "then"), [(1, None), (2, None), (1, (6, 5))])
def test_reshapes_around_layers_go(batch, readers, then):
    before = dense_model(x=(1, 6, 4), y=(1, 6, 5), readers=readers, batch=batch, then=then)
    after = convert(before)
    assert ops(after) == ["FULLY_CONNECTED"] * (readers if then is None else 2)
    model = flatbuffer.read(after)
    graph = model.subgraphs[0]
    assert graph.operators[0].builtinOptions.fusedActivationFunction == 1
    for op in graph.operators:
        assert op.builtinOptions.keepNumDims
        assert list(graph.tensors[op.outputs[0]].shape) == [1, 6, 5]
        assert model.operatorCodes[op.opcodeIndex].version == 5
    for n in (1, 4) if batch else (1,):
        np.testing.assert_array_equal(
            run_stock("litert", before, batch=n), run_stock("litert", after, batch=n)
        )


@pytest.mark.parametrize(
    "options",
    [
        {"y": (3, 2, 5)},
        {"y": (2, 15)},
        {"x": (2, 12), "y": (6, 5)},
        {"also": "product"},
        {"x": (1, 2, 12), "y": (1, 6, 5)},
        {"x": (1, 6, 4), "y": (1, 3, 5), "then": (3, 10)},
    ],
)
def test_what_is_more_than_that_stays(options):
    before = dense_model(**options)
    assert ops(convert(before)) == ops(before)


def test_a_matrix_that_others_read_stays_for_them():
    assert ops(convert(dense_model(also="matrix"))) == ["RESHAPE", "FULLY_CONNECTED"]
