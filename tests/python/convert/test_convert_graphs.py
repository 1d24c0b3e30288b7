"""Several graphs, signatures and outputs; constants and buffers that many refer to."""

import contextlib
import io

import numpy as np
import pytest
from flat import Flat, chain, group_sparse, ops
from models import INTERPRETERS, assert_same_outputs, run_all, stock

from sbnn_tf.convert import convert, densify, flatbuffer, inspect
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.convert.graph import constant, text

SPARSE = group_sparse((64, 1, 1, 64), 4, 0.75)


def two_graphs(first: np.ndarray, second: np.ndarray) -> Flat:
    """Two graphs with the same two convolutions, whose filters are stored once."""
    flat = Flat()
    buffers = [flat.buffer(values) for values in (first, second)]
    for graph in range(2):
        if graph:
            flat.add_subgraph()
        x = flat.input((1, 4, 4, 64))
        for buffer in buffers:
            x = flat.conv(x, flat.tensor("w", first.shape, buffer=buffer))
        flat.output(x)
    return flat


def test_graphs_share_their_constants_before_and_after():
    dense_values = np.random.default_rng(0).normal(size=(2, 64, 1, 1, 64)).astype(np.float32)
    data = two_graphs(*dense_values).bytes()
    pruned = convert(data, prune=0.75)  # the second ones, of which there is one copy
    assert [ops(pruned, graph).count("DENSIFY") for graph in (0, 1)] == [1, 1]
    assert len(pruned) < 0.75 * len(data)
    assert len(densify(pruned)) < 1.05 * len(data)
    assert_same_outputs(densify(pruned), pruned)


def test_what_differs_after_pruning_is_no_longer_shared():
    """A buffer of zeros and small numbers, which two types read."""
    flat = Flat()
    values = np.random.default_rng(0).normal(size=(64, 1, 1, 32)).astype(np.float32)
    x = flat.input((1, 4, 4, 32))
    x = flat.conv(x, flat.constant("stem", group_sparse((32, 3, 3, 32), 1, 0)))
    buffer = flat.buffer(values)
    flat.output(flat.conv(x, flat.tensor("a", (64, 1, 1, 32), buffer=buffer)))
    flat.output(flat.conv(x, flat.tensor("b", (64, 1, 1, 32), buffer=buffer)))
    flat.output(flat.dense(flat.input((1, 32)), flat.tensor("c", (64, 32), buffer=buffer)))
    model = flatbuffer.read(densify(convert(flat.bytes(), prune=0.5)))
    tensors = {text(t.name): t for t in model.subgraphs[0].tensors}
    assert tensors["a"].buffer == tensors["b"].buffer != tensors["c"].buffer
    assert (constant(model, tensors["a"]) == 0).mean() == 0.5
    np.testing.assert_array_equal(constant(model, tensors["c"]), values.reshape(64, 32))


def test_a_first_buffer_that_is_not_empty():
    """To TFLite it is, and whatever refers to it is computed."""
    flat = Flat()
    flat.model.buffers = [schema().BufferT(data=SPARSE.reshape(-1).view(np.uint8))]
    x = flat.input((1, 4, 4, 64))
    flat.output(flat.conv(x, flat.constant("w", SPARSE)))
    filter_ = flat.tensor("filter", SPARSE.shape)  # an input, stored nowhere
    flat.graph.inputs = np.append(flat.graph.inputs, np.int32(filter_))
    flat.output(flat.conv(x, filter_))
    made = convert(flat.bytes())
    assert ops(made).count("DENSIFY") == 1
    assert_same_outputs(flat.bytes(), made)
    assert_same_outputs(flat.bytes(), densify(made))
    assert "filter" not in [row.name for row in inspect(made).tensors]


def test_a_custom_operator_of_a_builtin_name():
    flat = Flat()
    x = flat.input((1, 4, 4, 64))
    y = flat.tensor("y", (1, 4, 4, 64))
    flat.node("CUSTOM", [x, flat.constant("w", SPARSE), flat.bias(64)], [y])
    flat.model.operatorCodes[-1].customCode = "CONV_2D"
    flat.output(y)
    assert convert(flat.bytes()) == flat.bytes()
    assert ops(flat.bytes()) == ["custom CONV_2D"]


def test_a_filter_that_is_an_output_of_its_graph_too():
    """XNNPACK would take its DENSIFY away, and nobody would write the output."""
    flat = Flat()
    weight = flat.constant("w", SPARSE)
    flat.output(flat.conv(flat.input((1, 4, 4, 64)), weight))
    model = flatbuffer.read(convert(flat.bytes()))  # of a writer that does not look
    model.subgraphs[0].outputs = np.append(model.subgraphs[0].outputs, np.int32(weight))
    mended = convert(flatbuffer.write(model))
    assert "DENSIFY" not in ops(mended)
    flat.output(weight)
    assert convert(flat.bytes()) == flat.bytes()
    assert_same_outputs(flat.bytes(), mended)
    np.testing.assert_array_equal(run_all("litert", mended)[1], SPARSE)


@pytest.fixture(scope="module")
def signatures(tmp_path_factory) -> bytes:
    """Signatures that share weights: plain ones, a variable, a branch and a loop."""
    tf = pytest.importorskip("tensorflow")
    image, vector = tf.TensorSpec([1, 8, 8, 16]), tf.TensorSpec([1, 16])

    class Model(tf.Module):
        def __init__(self):
            self.window = tf.Variable(np.moveaxis(group_sparse((32, 3, 3, 16), 4, 0.75), 0, -1))
            self.matrix = tf.Variable(group_sparse((32, 16), 4, 0.75).T)
            self.bias = tf.Variable(np.ones(32, np.float32))
            self.calls = tf.Variable(0.0)

        @tf.function(input_signature=[image])
        def features(self, x):
            return {"map": tf.nn.relu(tf.nn.conv2d(x, self.window, 1, "SAME") + self.bias)}

        @tf.function(input_signature=[image])
        def classify(self, x):
            found = tf.nn.relu(tf.nn.conv2d(x, self.window, 1, "SAME") + self.bias)
            means = tf.reduce_mean(found, [1, 2])
            return {"scores": tf.matmul(means, self.matrix, transpose_b=True), "map": found}

        @tf.function(input_signature=[vector])
        def count(self, x):
            self.calls.assign_add(1.0)
            return {"y": tf.matmul(x, self.matrix) * self.calls}

        @tf.function(input_signature=[vector])
        def loop(self, x):
            def body(i, y):
                return i + 1, tf.tanh(
                    tf.matmul(tf.matmul(y, self.matrix), self.matrix, transpose_b=True)
                )

            return {"y": tf.while_loop(lambda i, _: i < 3, body, [0, x])[1]}

        @tf.function(input_signature=[vector])
        def branch(self, x):
            def longer():
                return tf.concat([x, x], 1)

            return {"y": tf.cond(x[0, 0] > 0, lambda: tf.matmul(x, self.matrix), longer)}

    model = Model()
    folder = str(tmp_path_factory.mktemp("signatures"))
    names = ("features", "classify", "count", "loop", "branch")
    tf.saved_model.save(model, folder, {name: getattr(model, name) for name in names})
    converter = tf.lite.TFLiteConverter.from_saved_model(folder)
    converter.experimental_enable_resource_variables = True
    with contextlib.redirect_stdout(io.StringIO()):
        return converter.convert()


def run_signatures(interpreter: str, data: bytes, xnnpack: bool) -> dict:
    """By signature, call and name: the outputs for noise; each signature is called twice."""
    runner = stock(interpreter, data, xnnpack=xnnpack)
    rng = np.random.default_rng(0)
    found = {}
    for key in sorted(runner.get_signature_list()):
        signature = runner.get_signature_runner(key)
        for call in range(2):
            inputs = {
                name: rng.uniform(-1, 1, detail["shape"]).astype(np.float32)
                for name, detail in sorted(signature.get_input_details().items())
            }
            found.update({(key, call, n): y for n, y in signature(**inputs).items()})
    return found


@pytest.mark.parametrize("options", [{}, {"prune": 0.8}, {"prune": 0.8, "layers": ["*"]}])
def test_every_signature_computes_the_same(signatures, options):
    made = convert(signatures, **options)
    graphs = range(len(flatbuffer.read(made).subgraphs))
    assert sum(ops(made, graph).count("DENSIFY") for graph in graphs) >= 6
    for interpreter in INTERPRETERS:
        for xnnpack in (True, False):
            expected = run_signatures(interpreter, densify(made), xnnpack)
            found = run_signatures(interpreter, made, xnnpack)
            assert len(found) == 12 and found.keys() == expected.keys()
            for key in found:
                np.testing.assert_array_equal(found[key], expected[key], str(key))


def test_two_outputs_and_two_inputs():
    flat = Flat()
    outputs = [
        flat.conv(flat.input((1, 4, 4, 64)), flat.constant("w", group_sparse(SPARSE.shape, 4, s)))
        for s in (0.5, 0.75)
    ]
    flat.output(outputs[1])
    flat.output(outputs[0])
    made = convert(flat.bytes())
    assert ops(made) == ["DENSIFY", "DENSIFY", "CONV_2D", "CONV_2D"]
    assert_same_outputs(flat.bytes(), made)
    assert len(run_all("litert", made)) == 2


def test_nothing_to_do():
    s = schema()
    empty = convert(flatbuffer.write(s.ModelT(subgraphs=[s.SubGraphT()], buffers=[])))
    assert convert(empty) == empty == densify(empty)
    no_inputs = chain(SPARSE[..., :0])
    assert convert(no_inputs) == no_inputs == densify(no_inputs)
