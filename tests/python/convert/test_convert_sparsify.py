"""Zeros become sparse tensors; stock TFLite computes the same; nothing else changes."""

import numpy as np
import pytest
from ai_edge_litert.schema_py_generated import Model
from flat import Flat, chain, group_sparse, ops
from models import assert_same_outputs, run_stock

from sbnn_tf.convert import convert, densify, flatbuffer, inspect
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.convert.graph import text


def patterns(data: bytes) -> list[str]:
    return [row.pattern for row in inspect(data).tensors if row.pattern != "dense"]


@pytest.mark.parametrize("group", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("sparsity", [0.5, 0.75, 0.9])
def test_the_group_is_found_in_the_zeros(group, sparsity):
    dense = chain(group_sparse((64, 1, 1, 48), group, sparsity))
    sparse = convert(dense)
    assert patterns(sparse) == [f"group{group}" if group > 1 else "unstructured"]
    assert ops(sparse) == ["DENSIFY", "CONV_2D"]
    assert_same_outputs(dense, sparse)


@pytest.mark.parametrize("shape", [(32, 3, 3, 20), (16, 1, 5, 40)])
def test_larger_kernels(shape):
    dense = chain(group_sparse(shape, 8, 0.7))
    sparse = convert(dense)
    assert patterns(sparse) == ["group8"]
    assert_same_outputs(dense, sparse, batch=2)


def test_outputs_that_no_power_of_two_divides():
    dense = chain(group_sparse((33, 1, 1, 64), 1, 0.8))
    sparse = convert(dense)
    assert patterns(sparse) == ["unstructured"]
    assert_same_outputs(dense, sparse)


def test_fully_connected():
    flat = Flat()
    x = flat.input((1, 64))
    weight = flat.constant("w", group_sparse((32, 64), 4, 0.75))
    flat.output(flat.dense(x, weight))
    sparse = convert(flat.bytes())
    assert patterns(sparse) == ["group4"]
    assert_same_outputs(flat.bytes(), sparse, batch=3)


def test_size_at_three_quarters():
    """At 75 % sparsity and group 4, float32 weights take at most 30 % of their dense bytes."""
    shapes = [(1024, 1, 1, 1024), (128, 1, 1, 64), (64, 1, 1, 128), (1000, 1, 1, 64)]
    filters = [group_sparse(shape, 4, 0.75) for shape in shapes]
    for values in filters:
        row = next(r for r in inspect(convert(chain(values))).tensors if r.pattern == "group4")
        assert row.dense_bytes == values.nbytes
        assert row.stored_bytes <= 0.30 * values.nbytes
    # The whole file, tables and all: no dense copy is left.
    assert len(convert(chain(filters[0]))) <= 0.30 * filters[0].nbytes


@pytest.mark.parametrize("sparsity", [0.0, 0.05])
def test_a_filter_that_would_not_shrink_is_left(sparsity):
    dense = chain(group_sparse((64, 1, 1, 64), 4, sparsity))
    assert convert(dense) == dense


def test_tiny_filter_is_left():
    dense = chain(group_sparse((4, 1, 1, 8), 4, 0.75))
    assert convert(dense) == dense


def test_minus_zero_is_found():
    values = group_sparse((64, 1, 1, 64), 4, 0.75)
    values[values == 0] = -0.0
    assert np.signbit(values[values == 0]).all()
    sparse = convert(chain(values))
    assert patterns(sparse) == ["group4"]
    assert_same_outputs(chain(values), sparse)


def test_already_sparse_is_left():
    once = convert(chain(group_sparse((64, 1, 1, 64), 4, 0.75)))
    assert convert(once) == once


def test_densify_undoes_it():
    dense = chain(group_sparse((64, 1, 1, 64), 4, 0.75), group_sparse((32, 3, 3, 64), 2, 0.6))
    twin = flatbuffer.read(densify(convert(dense)))
    assert ops(densify(convert(dense))) == ["CONV_2D", "CONV_2D"]
    original = flatbuffer.read(dense)
    assert len(twin.subgraphs[0].tensors) == len(original.subgraphs[0].tensors)
    for a, b in zip(twin.subgraphs[0].tensors, original.subgraphs[0].tensors):
        assert (a.name, list(a.shape), a.sparsity) == (b.name, list(b.shape), None)
        before, after = original.buffers[b.buffer].data, twin.buffers[a.buffer].data
        assert (before is None) == (after is None)
        if before is not None:
            np.testing.assert_array_equal(before, after)


def test_one_densify_serves_all_readers_of_a_tensor():
    flat = Flat()
    x = flat.input((1, 4, 4, 64))
    weight = flat.constant("w", group_sparse((64, 1, 1, 64), 4, 0.75))
    flat.output(flat.conv(flat.conv(x, weight), weight))
    sparse = convert(flat.bytes())
    assert ops(sparse) == ["DENSIFY", "CONV_2D", "CONV_2D"]
    assert_same_outputs(flat.bytes(), sparse)


def test_tensors_that_share_a_buffer_still_share_it():
    flat = Flat()
    values = group_sparse((64, 1, 1, 64), 4, 0.75)
    x = flat.input((1, 4, 4, 64))
    buffer = flat.buffer(values)
    a = flat.tensor("a", values.shape, buffer=buffer)
    b = flat.tensor("b", values.shape, buffer=buffer)
    flat.output(flat.conv(flat.conv(x, a), b))
    sparse = convert(flat.bytes())
    assert ops(sparse) == ["DENSIFY", "DENSIFY", "CONV_2D", "CONV_2D"]
    assert len(sparse) < 0.5 * values.nbytes  # Two copies would take more.
    assert_same_outputs(flat.bytes(), sparse)
    assert_same_outputs(flat.bytes(), densify(sparse))


@pytest.mark.parametrize("other", ["metadata", "output", "bias"])
def test_a_buffer_that_something_else_reads_stays(other):
    flat = Flat()
    values = group_sparse((64, 1, 1, 64), 4, 0.75)
    x = flat.input((1, 4, 4, 64))
    weight = flat.constant("w", values)
    buffer = flat.graph.tensors[weight].buffer
    y = flat.conv(x, weight)
    if other == "metadata":
        flat.model.metadata.append(schema().MetadataT(name="copy", buffer=buffer))
    elif other == "output":
        flat.output(weight)
    else:
        twin = flat.tensor("constant", (1, 64, 8, 8), buffer=buffer)
        total = flat.tensor("sum", (1, 64, 8, 8))
        flat.node("ADD", [twin, twin], [total], schema().AddOptionsT())
        flat.output(total)
    flat.output(y)
    assert convert(flat.bytes()) == flat.bytes()


def test_every_subgraph_is_converted():
    flat = Flat()
    for seed in range(2):
        graph = flat.graph if seed == 0 else flat.add_subgraph()
        x = flat.input((1, 4, 4, 64))
        weight = flat.constant("w", group_sparse((64, 1, 1, 64), 4, 0.75, seed))
        flat.output(flat.conv(x, weight))
        assert flat.model.subgraphs[seed] is graph
    sparse = convert(flat.bytes())
    assert ops(sparse, 0) == ops(sparse, 1) == ["DENSIFY", "CONV_2D"]


def test_everything_else_is_kept():
    s = schema()
    flat = Flat()
    x = flat.input((1, 4, 4, 64))
    weight = flat.constant("w", group_sparse((64, 1, 1, 64), 4, 0.75))
    y = flat.conv(x, weight)
    y2 = flat.tensor("custom output", (1, 4, 4, 64))
    flat.node("CUSTOM", [y], [y2])
    flat.model.operatorCodes[-1].customCode = "MyOwn"
    flat.graph.operators[-1].customOptions = np.arange(9, dtype=np.uint8)
    state = flat.tensor("state", (1, 4))
    flat.graph.tensors[state].isVariable = True
    flat.graph.tensors[y].shapeSignature = np.array([-1, 4, 4, 64], np.int32)
    quantized = flat.constant("q", np.arange(8, dtype=np.int8))
    flat.graph.tensors[quantized].quantization = s.QuantizationParametersT(
        scale=np.array([0.5], np.float32), zeroPoint=np.array([3], np.int64)
    )
    flat.output(y2)
    note = flat.buffer(np.frombuffer(b"made by a test", np.uint8))
    flat.model.metadata.append(s.MetadataT(name="note", buffer=note))
    signature = s.SignatureDefT(signatureKey="serve", subgraphIndex=0)
    signature.inputs = [s.TensorMapT(name="x", tensorIndex=x)]
    signature.outputs = [s.TensorMapT(name="y", tensorIndex=y2)]
    flat.model.signatureDefs.append(signature)

    model = flatbuffer.read(convert(flat.bytes()))
    graph = model.subgraphs[0]
    assert text(model.description) == "made by a test"
    assert text(graph.name) == "graph0"
    assert bytes(model.buffers[model.metadata[0].buffer].data) == b"made by a test"
    kept = model.signatureDefs[0]
    assert (text(kept.signatureKey), kept.inputs[0].tensorIndex) == ("serve", x)
    assert kept.outputs[0].tensorIndex == y2
    assert ops(convert(flat.bytes())) == ["DENSIFY", "CONV_2D", "MyOwn"]
    assert list(graph.operators[2].customOptions) == list(range(9))
    assert graph.tensors[state].isVariable
    assert list(graph.tensors[y].shapeSignature) == [-1, 4, 4, 64]
    assert graph.tensors[quantized].quantization.zeroPoint[0] == 3
    assert text(graph.tensors[weight].name) == "w"


def test_data_is_aligned_as_tflite_expects():
    data = convert(chain(group_sparse((64, 1, 1, 64), 4, 0.75), group_sparse((7, 1, 1, 64), 1, 0)))
    root = Model.GetRootAs(data, 0)
    start = np.frombuffer(data, np.uint8).ctypes.data
    found = 0
    for i in range(root.BuffersLength()):
        if root.Buffers(i).DataLength():
            assert (root.Buffers(i).DataAsNumpy().ctypes.data - start) % 16 == 0
            found += 1
    assert found == 4  # Two filters and their biases.
    assert data[4:8] == b"TFL3"


def test_control_edges_follow_their_nodes():
    """Ordering constraints between nodes are kept by index, in a metadata entry."""
    flat = Flat()
    x = flat.input((1, 4, 4, 64))
    weight = flat.constant("w", group_sparse((64, 1, 1, 64), 4, 0.75))
    flat.output(flat.conv(flat.conv(x, weight), weight))
    # version 1, one subgraph, one edge: 0 -> 1, signed numbers in zigzag.
    edges = flat.buffer(np.array([1, 1, 1, 0, 2], np.uint8))
    flat.model.metadata.append(schema().MetadataT(name="model_control_dependencies", buffer=edges))
    model = flatbuffer.read(convert(flat.bytes()))
    assert list(model.buffers[model.metadata[0].buffer].data) == [1, 1, 1, 2, 4]


def test_weights_behind_the_flatbuffer_are_read():
    """Files of 2 GB and more keep their buffers behind the flatbuffer, by offset."""
    values = group_sparse((64, 1, 1, 64), 4, 0.75)
    flat = Flat()
    x = flat.input((1, 4, 4, 64))
    weight = flat.constant("w", values)
    flat.output(flat.conv(x, weight))
    plain = flat.bytes()
    buffer = flat.model.buffers[flat.graph.tensors[weight].buffer]
    buffer.data, buffer.offset, buffer.size = None, 2**20, values.nbytes
    outside = flat.bytes()
    outside += bytes(2**20 - len(outside)) + values.tobytes()
    assert convert(outside) == convert(plain)


@pytest.fixture(scope="module")
def quantized():
    """A small network in every form that TFLite's converter writes, with all its zeros."""
    import contextlib
    import io

    import keras
    import tensorflow as tf
    from models import bring_to_life

    keras.utils.set_random_seed(0)
    layers = keras.layers
    x = inputs = keras.Input((12, 12, 3))
    for conv in (
        layers.Conv2D(16, 3, strides=2, padding="same"),
        layers.DepthwiseConv2D(3, padding="same"),
        layers.Conv2D(64, 1),
        layers.Conv2D(48, 3),
        layers.Conv2D(32, 1, groups=2),
    ):
        x = layers.ReLU(6.0)(layers.BatchNormalization()(conv(x)))
    x = layers.Dense(64, activation="relu")(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, layers.Dense(12)(x))
    bring_to_life(model)
    rng = np.random.default_rng(1)

    def make(kind: str) -> bytes:
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        if kind != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if kind == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if kind == "int8":
            converter.representative_dataset = lambda: (
                [rng.uniform(-1, 1, (1, 12, 12, 3)).astype(np.float32)] for _ in range(8)
            )
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
        with contextlib.redirect_stdout(io.StringIO()):
            return converter.convert()

    return {kind: make(kind) for kind in ("float32", "float16", "dynamic", "int8")}


@pytest.mark.parametrize("prune, group", [(0.75, 4), (0.6, 1), (0.7, 16)])
@pytest.mark.parametrize("kind", ["float32", "float16", "dynamic", "int8"])
def test_stock_tflite_computes_the_same(quantized, kind, prune, group):
    sparse = convert(quantized[kind], prune=prune, group=group, layers=["*"])
    dense = densify(sparse)
    assert len(sparse) < len(dense)
    assert "DENSIFY" in ops(sparse) and "DENSIFY" not in ops(dense)
    for batch in (1, 3):
        assert_same_outputs(dense, sparse, batch=batch)
    # The comparison means something: another input gives other outputs.
    assert not np.array_equal(
        run_stock("litert", sparse, seed=0), run_stock("litert", sparse, seed=1)
    )
