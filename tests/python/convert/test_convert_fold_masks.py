"""Masks by booleans become sums, which are next to what computes them, and compute what they did."""

import numpy as np
import pytest
from flat import masked, ops
from models import INTERPRETERS, stock

from sbnn_tf.convert import convert, flatbuffer
from sbnn_tf.convert.graph import Uses, constant, op_name, type_name
from sbnn_tf.convert.sources import load

TOKENS, WIDTH = 9, 12
NETWORKS = [
    "given",
    "causal",
    "embedded",
    "causal and embedded",
    "masking",
    "two inputs",
    "grouped",
]


def network(kind: str, dropout: float):
    """Two attentions of Keras; the dropout decides how they mask."""
    import keras
    from keras import layers

    def embedded(ids):
        return layers.Embedding(50, WIDTH, "uniform", mask_zero=True)(ids)

    def attention(x, y, **options):
        if kind == "grouped":
            layer = layers.GroupQueryAttention(4, 4, 2, dropout=dropout)
        else:
            layer = layers.MultiHeadAttention(3, 4, dropout=dropout)
        return layers.Add()([x, layer(x, y, **options)])

    keras.utils.set_random_seed(1)
    options = {"use_causal_mask": "causal" in kind}
    inputs = [keras.Input((TOKENS, WIDTH))]
    x = y = inputs[0]
    if kind == "given":
        inputs.append(keras.Input((TOKENS, TOKENS), dtype="bool"))
        options["attention_mask"] = inputs[1]
    elif kind == "masking":
        x = y = layers.Masking()(x)
    elif kind != "causal":
        inputs = [keras.Input((TOKENS,), dtype="int32")]
        x = y = embedded(inputs[0])
    if kind == "two inputs":
        inputs.append(keras.Input((TOKENS - 2,), dtype="int32"))
        y = embedded(inputs[1])
    x = attention(attention(x, y, **options), y, **options)
    return keras.Model(inputs, layers.Dense(5)(x))


@pytest.fixture(scope="module", params=NETWORKS)
def networks(request):
    """One without dropout and one with it."""
    return [load(network(request.param, dropout)) for dropout in (0, 0.1)]


def run(interpreter: str, data: bytes, batch: int, xnnpack: bool, size: float = 1) -> np.ndarray:
    """The output for numbers up to that size, with many zeros and rows of nothing else."""
    runner = stock(interpreter, data, xnnpack=xnnpack)
    rng = np.random.default_rng(batch)
    for entry in runner.get_input_details():
        runner.resize_tensor_input(entry["index"], (batch, *entry["shape"][1:]))
    runner.allocate_tensors()
    for entry in runner.get_input_details():
        shape, kind = entry["shape"], entry["dtype"]
        x = rng.uniform(-size, size, shape)
        if kind == np.int32:
            x = rng.integers(1, 50, shape) * rng.integers(0, 2, shape)
        elif kind == np.bool_:
            x = rng.integers(0, 2, shape)
        if len(shape) > 2:
            x = x * rng.integers(0, 2, (*shape[:2], 1))
        runner.set_tensor(entry["index"], x.astype(kind))
    runner.invoke()
    return runner.get_tensor(runner.get_output_details()[0]["index"])


def test_masks_need_nothing_that_layers_compute(networks):
    for data in networks:
        model = flatbuffer.read(convert(data))
        graph = model.subgraphs[0]
        makers = Uses(graph).producer
        layers = {"FULLY_CONNECTED", "BATCH_MATMUL", "SOFTMAX"}
        computed = set()  # tensors that need a layer
        for op in graph.operators:
            if op_name(model, op) in layers or computed & {int(t) for t in op.inputs}:
                computed |= {int(t) for t in op.outputs}
                kinds = {
                    type_name(graph.tensors[t]) for t in [*op.inputs, *op.outputs] if t in makers
                }
                assert kinds == {"FLOAT32"}, op_name(model, op)


def test_layers_share_what_is_made_of_a_mask():
    folded = ops(convert(load(network("given", 0.1))))
    assert folded.count("SELECT_V2") == folded.count("REDUCE_ANY") == 1
    assert folded.count("SOFTMAX") == 2


@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_networks_compute_what_they_did(networks, interpreter):
    for data in networks:
        folded = convert(data)
        for xnnpack in (True, False):
            for batch, size in ((1, 1), (3, 1), (3, 1e3)):
                before = run(interpreter, data, batch, xnnpack, size)
                assert np.isfinite(before).all()
                after = run(interpreter, folded, batch, xnnpack, size)
                np.testing.assert_array_equal(after, before)


def test_a_causal_mask_becomes_one_constant():
    for dropout in (0, 0.1):
        folded = convert(load(network("causal", dropout)))
        assert not {"SELECT_V2", "FILL", "SHAPE", "LOGICAL_AND"} & set(ops(folded))
        model = flatbuffer.read(folded)
        values = [constant(model, tensor) for tensor in model.subgraphs[0].tensors]
        floats = [v.shape for v in values if v is not None and v.dtype == np.float32]
        shapes = [shape for shape in floats if shape[-2:] == (TOKENS, TOKENS)]
        assert shapes == [(1, 1, TOKENS, TOKENS)]


SEEN = np.array([[[1, 0, 1, 0], [0, 1, 1, 1], [1, 1, 1, 1]]], bool)
BLIND = np.array([[[1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]]], bool)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ["SELECT_V2", "ADD", "SOFTMAX"]),
        ({"swapped": True}, ["SELECT_V2", "ADD", "SOFTMAX"]),
        ({"hidden": -3.4e38}, ["SELECT_V2", "ADD", "SOFTMAX"]),
        ({"true": (2, 3, 4)}, ["SELECT_V2", "ADD", "SOFTMAX"]),
        ({"true": (2, 3, 4), "joined": SEEN}, ["LOGICAL_AND", "SELECT_V2", "ADD", "SOFTMAX"]),
        ({"less": True, "hidden": -5.0}, ["SELECT_V2", "ADD", "SOFTMAX"]),
        ({"less": True, "swapped": True}, ["SELECT_V2", "ADD", "SOFTMAX"]),
        ({"mask": SEEN}, ["ADD", "SOFTMAX"]),
        ({"mask": BLIND, "true": (2, 3, 4)}, ["ADD", "SOFTMAX"]),
        ({"mask": BLIND, "swapped": True}, ["ADD", "SOFTMAX"]),
        ({"mask": SEEN, "zeroed": True}, ["ADD", "SOFTMAX", "BATCH_MATMUL"]),
        ({"mask": BLIND, "zeroed": True}, ["ADD", "SOFTMAX", "BATCH_MATMUL", "MUL"]),
        (
            {"zeroed": True},
            ["REDUCE_ANY", "CAST", "SELECT_V2", "ADD", "SOFTMAX", "BATCH_MATMUL", "MUL"],
        ),
    ],
)
def test_what_becomes_a_sum(options, names):
    before = masked(**options)
    after = convert(before)
    assert ops(after) == names
    for interpreter in INTERPRETERS:
        for xnnpack in (True, False):
            for size in (1, 1e3):
                results = [run(interpreter, data, 2, xnnpack, size) for data in (before, after)]
                np.testing.assert_array_equal(results[1], results[0])


@pytest.mark.parametrize(
    "options",
    [
        {"hidden": -1e4},  # not beyond every score
        {"hidden": -np.inf},  # of a row that sees nothing the softmax is NaN
        {"hidden": 1e9},
        {"also_read": True},
        {"softmax": False},
        {"beta": 1e-9},
        {"shape": (2, 1, 1, 3, 4)},
    ],
)
def test_what_is_something_else_stays(options):
    before = masked(**options)
    assert ops(convert(before)) == ops(before)
