"""Every field of every claimed operator's parameters: the delegate against stock TensorFlow Lite.

The delegate reads TensorFlow Lite's parameter structs by a header of its own: a field that it took
from the wrong place shows here. Each model is a convolution, which makes a part worth claiming,
and the operator in question behind it; where an operator is left to TensorFlow Lite the report
must say so.
"""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.patterns import DepthwiseTaps
from sbnn_tf.run import runtime
from sbnn_tf.run.explaining import Explanation
from tests.e2e import runner
from tests.python.convert.flat import Flat, group_sparse, ops

SAME, VALID = 0, 1
ACTIVATIONS = {"NONE": 0, "RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3}


class Model(Flat):
    """An input, a convolution behind it, and what a test adds; shapes are found out by running."""

    def __init__(self, *shape: int, seed: int = 0):
        super().__init__()
        self.rng = np.random.default_rng(seed)
        self.start = self.input(shape)
        channels = shape[-1]
        if len(shape) == 4:
            self.image = self.conv(self.start, self.random(channels, 1, 1, channels))
        else:
            self.image = self.dense(self.start, self.random(channels, channels))

    def random(self, *shape: int) -> int:
        return self.constant("random", self.rng.uniform(-1, 1, shape).astype(np.float32))

    def filters(self, *shape: int) -> int:
        """Random, and such that sums are not much larger than the limits of activations."""
        values = self.rng.uniform(-1, 1, shape) / np.sqrt(np.prod(shape[1:]))
        return self.constant("filters", values.astype(np.float32))

    def numbers(self, *values: int) -> int:
        return self.constant("numbers", np.array(values, np.int32))

    def add(self, name: str, inputs: list[int], options=None, rank: int = 4) -> int:
        """Append an operator on `inputs`; its output is the model's."""
        y = self.tensor(f"{name}_out", [1] * rank)
        self.node(name, inputs, [y], options)
        return y

    def finished(self, *outputs: int) -> bytes:
        self.graph.outputs = np.array(outputs, np.int32)
        made = runtime.interpreter(self.bytes(), xnnpack=False)
        shapes = {each["index"]: each["shape"] for each in made.get_tensor_details()}
        for index, tensor in enumerate(self.graph.tensors):
            if tensor.buffer == 0:
                tensor.shape = np.array(shapes[index], np.int32)
        return self.bytes()


def check(tflite: bytes, name: str, *, left: str | None = None) -> np.ndarray:
    """The last operator, `name`, is claimed (or left, for a reason that says `left`), and right.

    What is claimed whole, the runner without TensorFlow runs, too, and gives the same bits.
    """
    records = []
    delegate = sbnn.load_delegate(num_threads=2, claim="all", report=records.append)
    ours = runtime.interpreter(tflite, delegate=delegate)
    nodes = Explanation(tuple(records)).nodes
    node = nodes[-1]
    assert node["op"] == name
    if left is None:
        assert node["claimed"], node["reason"]
    else:
        assert left in node["reason"]
    stock = runtime.interpreter(tflite, xnnpack=False)
    (entry,) = stock.get_input_details()
    x = np.random.default_rng(1).uniform(-8, 8, entry["shape"]).astype(np.float32)
    want, found = (runtime.run(made, [x])[0] for made in (stock, ours))
    assert found.shape == want.shape
    np.testing.assert_allclose(found, want, rtol=1e-5, atol=1e-5 * max(1e-3, np.abs(want).max()))
    assert want.size == 1 or want.std() > 0, "a constant shows nothing"
    if all(node["claimed"] for node in nodes):
        with tempfile.TemporaryDirectory() as folder:
            (ran,) = runner.outputs(Path(folder), tflite, [x], "--num_threads=2")
        np.testing.assert_array_equal(ran, found)
    return want


def distinct(results: list[np.ndarray]) -> None:
    """No two of them are the same: the field that was varied mattered."""
    for a, b in itertools.combinations(results, 2):
        assert a.shape != b.shape or not np.array_equal(a, b)


def conv_options(kind: str, **fields):
    options = getattr(schema(), f"{kind}OptionsT")(strideW=1, strideH=1, padding=SAME)
    for name, value in fields.items():
        assert hasattr(options, name)
        setattr(options, name, value)
    return options


WINDOWS = [
    {},
    {"padding": VALID},
    {"strideW": 2},
    {"strideH": 2},
    {"strideW": 3, "strideH": 2, "padding": VALID},
    {"dilationWFactor": 2},
    {"dilationHFactor": 3},
    {"dilationWFactor": 3, "dilationHFactor": 2, "padding": VALID},
    {"dilationWFactor": 2, "dilationHFactor": 2, "strideW": 2, "strideH": 3},
]


def test_convolution_windows():
    results = []
    for fields in WINDOWS:
        model = Model(2, 11, 13, 3)
        inputs = [model.image, model.random(5, 3, 2, 3), model.bias(5)]
        y = model.add("CONV_2D", inputs, conv_options("Conv2D", **fields))
        results.append(check(model.finished(y), "CONV_2D"))
    distinct(results)


def sparse(model: Flat, y: int, layers: int = 1) -> bytes:
    """The finished model with so many filters behind DENSIFY."""
    tflite = sbnn.convert(model.finished(y))
    assert ops(tflite).count("DENSIFY") == layers
    return tflite


@pytest.mark.parametrize("kernel", range(1, 8))
def test_convolutions(kernel):
    """Kernels, strides, dilations and paddings, with all else at random."""
    rng = np.random.default_rng(kernel)
    windows = [(1, d) for d in (1, 2, 3)] + [(s, 1) for s in (2, 3)]
    for (stride, dilation), padding in itertools.product(windows, (SAME, VALID)):
        other = int(rng.integers(1, 8)) if rng.random() < 0.3 else kernel
        reach = 6 * dilation + 1
        shape = (int(rng.integers(1, 4)), *(int(n) for n in rng.integers(reach, reach + 17, 2)))
        groups, inputs, outputs = (
            int(rng.choice(each)) for each in ((1, 1, 2, 4), (1, 3, 8), (1, 3, 8))
        )
        model = Model(*shape, groups * inputs, seed=kernel)
        filters = model.filters(groups * outputs, kernel, other, inputs)
        fields = {"strideH": stride, "strideW": int(rng.integers(1, 4)) if stride > 1 else 1}
        fields |= {"dilationHFactor": dilation, "dilationWFactor": dilation, "padding": padding}
        fields["fusedActivationFunction"] = int(rng.integers(0, 4))
        node = [model.image, filters, model.bias(groups * outputs)]
        y = model.add("CONV_2D", node, conv_options("Conv2D", **fields))
        check(model.finished(y), "CONV_2D")


@pytest.mark.parametrize("group", [1, 4, 8])
@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("parts", [1, 2])
def test_sparse_convolutions(kernel, group, parts):
    for stride, size in itertools.product((1, 2), ((9, 7), (32, 33))):
        model = Model(2, *size, 16, seed=group)
        filters = group_sparse((32, kernel, kernel, 16 // parts), group, 0.8, seed=kernel)
        node = [model.image, model.constant("filters", filters), model.bias(32)]
        y = model.add("CONV_2D", node, conv_options("Conv2D", strideH=stride, strideW=stride))
        check(sparse(model, y), "CONV_2D")


def transposed(model: Model, filters: int, shape, bias: bool = True, **fields) -> int:
    node = [model.numbers(*shape), filters, model.image] + [model.bias(shape[3])] * bias
    return model.add("TRANSPOSE_CONV", node, conv_options("TransposeConv", **fields))


@pytest.mark.parametrize("kernel", range(1, 8))
def test_transposed_convolutions(kernel):
    rng = np.random.default_rng(kernel)
    for stride, padding, more in itertools.product((1, 2, 3), (SAME, VALID), (0, 1)):
        h, w, batch = int(rng.integers(1, 18)), int(rng.integers(2, 18)), int(rng.integers(1, 3))
        inputs, outputs = (int(rng.choice((1, 3, 8, 9))) for _ in range(2))
        other = int(rng.integers(1, 4))

        def size(n, k, s):  # as a convolution leads back from it, and one less or more
            return (
                n * s - (more if s > 1 else 0)
                if padding == SAME
                else (n - 1) * s + k + more * (s > 1)
            )

        model = Model(batch, h, w, inputs, seed=kernel)
        shape = (batch, size(h, kernel, stride), size(w, kernel, other), outputs)
        fields = {"strideH": stride, "strideW": other, "padding": padding}
        fields["fusedActivationFunction"] = int(rng.integers(0, 4))
        filters = model.filters(outputs, kernel, kernel, inputs)
        y = transposed(model, filters, shape, bias=bool(rng.integers(0, 2)), **fields)
        check(model.finished(y), "TRANSPOSE_CONV")


@pytest.mark.parametrize("group", [1, 4, 8])
def test_sparse_transposed_convolutions(group):
    for stride, padding in itertools.product((1, 2), (SAME, VALID)):
        model = Model(2, 9, 11, 16, seed=group)
        filters = model.constant("filters", group_sparse((32, 3, 3, 16), group, 0.8))
        extra = 3 - stride if padding == VALID else 0
        shape = (2, 9 * stride + extra, 11 * stride + extra, 32)
        y = transposed(model, filters, shape, strideH=stride, strideW=stride, padding=padding)
        check(sparse(model, y), "TRANSPOSE_CONV")


@pytest.mark.parametrize("multiplier", [1, 2])
def test_depthwise_windows(multiplier):
    results = []
    # (Stock TensorFlow Lite dilates depthwise convolutions only where the stride is 1.)
    for fields in WINDOWS[:-1]:
        model = Model(2, 11, 13, 3)
        channels = 3 * multiplier
        inputs = [model.image, model.random(1, 3, 2, channels), model.bias(channels)]
        fields = {**fields, "depthMultiplier": multiplier}
        y = model.add("DEPTHWISE_CONV_2D", inputs, conv_options("DepthwiseConv2D", **fields))
        results.append(check(model.finished(y), "DEPTHWISE_CONV_2D"))
    distinct(results)


def test_depthwise_3x3():
    results = []
    for stride, padding in itertools.product((1, 2), (SAME, VALID)):
        model = Model(2, 11, 14, 3)
        inputs = [model.image, model.random(1, 3, 3, 3), model.bias(3)]
        fields = {"strideW": stride, "strideH": stride, "padding": padding, "depthMultiplier": 1}
        y = model.add("DEPTHWISE_CONV_2D", inputs, conv_options("DepthwiseConv2D", **fields))
        results.append(check(model.finished(y), "DEPTHWISE_CONV_2D"))
    distinct(results)


@pytest.mark.parametrize("kernel, kept, skipped", [(3, 2, True), (3, 4, False), (5, 9, True)])
def test_depthwise_taps(kernel, kept, skipped):
    """As training leaves them: a group of channels shares its taps."""
    results = []
    for fields in ({}, {"padding": VALID}, {"strideW": 2, "strideH": 2}):
        model = Model(2, 21, 19, 24)
        values = np.random.default_rng(kept).normal(size=(kernel, kernel, 1, 24))
        values *= DepthwiseTaps(kept, 4).mask(values, 1 - kept / kernel**2)
        taps = model.constant("taps", values.transpose(2, 0, 1, 3).astype(np.float32))
        options = conv_options("DepthwiseConv2D", depthMultiplier=1, **fields)
        y = model.add("DEPTHWISE_CONV_2D", [model.image, taps, model.bias(24)], options)
        tflite = sbnn.convert(model.finished(y))
        results.append(check(tflite, "DEPTHWISE_CONV_2D"))
        skips = skipped and "strideW" not in fields
        how = "the others are skipped" if skips else "computed with the zeros"
        told = f"{kept}.0 of {kernel**2} taps are not zero, {how}"
        step = sbnn.explain(tflite, claim="all").of_kind("step")[-1]
        assert step["label"].endswith("DEPTHWISE_CONV_2D") and step["remark"].startswith(told)
    distinct(results)


def with_activation(operator: str, activation: int) -> bytes:
    """A model whose last operator is this one with this fused activation."""
    flat = operator == "FULLY_CONNECTED"
    model = Model(3, 8) if flat else Model(2, 5, 7, 4)
    s, x = schema(), model.image
    if operator == "CONV_2D":
        inputs, options = [x, model.random(6, 3, 3, 4), model.bias(6)], conv_options("Conv2D")
    elif operator == "DEPTHWISE_CONV_2D":
        inputs = [x, model.random(1, 3, 3, 4), model.bias(4)]
        options = conv_options("DepthwiseConv2D", depthMultiplier=1)
    elif flat:
        inputs, options = [x, model.random(6, 8), model.bias(6)], s.FullyConnectedOptionsT()
    elif operator.endswith("POOL_2D"):
        inputs, options = [x], conv_options("Pool2D", filterWidth=2, filterHeight=2)
    elif operator == "CONCATENATION":
        inputs, options = [x, model.start], s.ConcatenationOptionsT()
        options.axis = 3
    else:
        inputs = [x, model.start]
        options = getattr(s, f"{operator.title()}OptionsT")()
    options.fusedActivationFunction = activation
    return model.finished(model.add(operator, inputs, options, rank=2 if flat else 4))


FUSING = [
    "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "AVERAGE_POOL_2D", "MAX_POOL_2D",
    "CONCATENATION", "ADD", "SUB", "MUL", "DIV",
]  # fmt: skip


@pytest.mark.parametrize("operator", FUSING)
def test_fused_activations(operator):
    # Stock TensorFlow Lite takes concatenations without an activation only.
    kinds = ["NONE"] if operator == "CONCATENATION" else list(ACTIVATIONS)
    distinct([check(with_activation(operator, ACTIVATIONS[kind]), operator) for kind in kinds])


@pytest.mark.parametrize("bias", [[], [-1]], ids=["short", "optional"])
def test_left_out_bias(bias):
    """Stock TensorFlow Lite allows it for fully connected layers only."""
    model = Model(3, 8)
    inputs = [model.image, model.random(6, 8), *bias]
    y = model.add("FULLY_CONNECTED", inputs, schema().FullyConnectedOptionsT(), rank=2)
    check(model.finished(y), "FULLY_CONNECTED")


def test_an_activation_that_is_not_claimed():
    tanh = 4
    model = Model(2, 5, 7, 4)
    options = conv_options("Conv2D", fusedActivationFunction=tanh)
    model.add("CONV_2D", [model.image, model.random(6, 3, 3, 4), model.bias(6)], options)
    # TensorFlow Lite's own convolution does not know it either: only the report is looked at.
    model.graph.outputs = np.array([len(model.graph.tensors) - 1], np.int32)
    model.graph.tensors[-1].shape = np.array([2, 5, 7, 6], np.int32)
    node = sbnn.explain(model.bytes(), claim="all").nodes[-1]
    assert node["op"] == "CONV_2D" and "activation" in node["reason"]


@pytest.mark.parametrize("shape", [(3, 8), (2, 3, 8), (2, 2, 2, 8)])
@pytest.mark.parametrize("keep", [False, True])
def test_fully_connected_keeps_dimensions(shape, keep):
    model = Model(*shape) if len(shape) == 2 else Model(int(np.prod(shape[:-1])), 8)
    x = model.image
    if len(shape) > 2:
        x = model.add("RESHAPE", [x, model.numbers(*shape)], schema().ReshapeOptionsT())
    options = schema().FullyConnectedOptionsT()
    options.keepNumDims = keep
    y = model.add("FULLY_CONNECTED", [x, model.random(6, 8), model.bias(6)], options)
    want = check(model.finished(y), "FULLY_CONNECTED")
    assert want.ndim == (len(shape) if keep else 2)


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("axes", [(1, 2), (2, 1), (-2, -3), (1, 2, 1)])
def test_mean(axes, keep):
    model = Model(2, 5, 7, 4)
    options = schema().ReducerOptionsT()
    options.keepDims = keep
    y = model.add("MEAN", [model.image, model.numbers(*axes)], options)
    assert check(model.finished(y), "MEAN").ndim == (4 if keep else 2)


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("axes", [(1,), (3,), (-1,), (0,), (0, 1, 2), (2, 3), (1, 2, 3), ()])
def test_means_over_other_axes(axes, keep):
    model = Model(2, 5, 7, 4)
    options = schema().ReducerOptionsT()
    options.keepDims = keep
    y = model.add("MEAN", [model.image, model.numbers(*axes)], options)
    assert check(model.finished(y), "MEAN").ndim == (4 if keep else 4 - len(axes))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_means_of_two_dimensions(axis):
    model = Model(3, 8)
    y = model.add("MEAN", [model.image, model.numbers(axis)], schema().ReducerOptionsT(), rank=1)
    check(model.finished(y), "MEAN")


@pytest.mark.parametrize("shape", [(3, 8), (2, 5, 7, 4), (2, 1, 1, 4)])
def test_softmax(shape):
    results = []
    for beta in (1.0, 0.5, 3.0):
        model = Model(*shape)
        options = schema().SoftmaxOptionsT()
        options.beta = beta
        y = model.add("SOFTMAX", [model.image], options, rank=len(shape))
        results.append(check(model.finished(y), "SOFTMAX"))
    distinct(results)


@pytest.mark.parametrize("shape", [(3, 8), (2, 5, 7, 4), (2, 1, 9, 4)])
@pytest.mark.parametrize("constant", ["none", "first", "second", "stack"])
def test_batch_matmul(shape, constant):
    for x, y in itertools.product((False, True), repeat=2):
        model = Model(*shape)
        *batch, rows, columns = shape
        inner = {"first": columns if y else rows}.get(constant, rows if x else columns)
        stack = batch if constant == "stack" else []
        if constant == "none":
            if x == y:
                continue  # the factors would not fit
            inputs = [model.image, model.image]
        elif constant == "first":
            inputs = [model.random(*((inner, 6) if x else (6, inner))), model.image]
        else:
            inputs = [model.image, model.random(*stack, *((6, inner) if y else (inner, 6)))]
        options = schema().BatchMatMulOptionsT()
        options.adjX, options.adjY = x, y
        output = model.add("BATCH_MATMUL", inputs, options, rank=len(shape))
        check(model.finished(output), "BATCH_MATMUL")


SIZES = [(5, 7), (10, 14), (9, 23), (3, 2), (1, 1), (1, 30), (17, 1)]


@pytest.mark.parametrize("shape", [(2, 5, 7, 4), (2, 1, 1, 4), (1, 9, 1, 3)])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["ResizeBilinear", "ResizeNearestNeighbor"])
def test_resize(kind, size, shape):
    name = {"ResizeBilinear": "RESIZE_BILINEAR"}.get(kind, "RESIZE_NEAREST_NEIGHBOR")
    results = []
    for align, half in ((False, False), (True, False), (False, True), (True, True)):
        if kind == "ResizeBilinear" and align and half:
            continue  # TensorFlow Lite refuses it
        model = Model(*shape)
        options = getattr(schema(), f"{kind}OptionsT")()
        options.alignCorners, options.halfPixelCenters = align, half
        y = model.add(name, [model.image, model.numbers(*size)], options)
        results.append(check(model.finished(y), name))
    if shape == (2, 5, 7, 4) and size == (9, 23):
        distinct(results[:3])


@pytest.mark.parametrize("target", [(2, 140), (-1, 140), (2, 7, 5, 4), (4, 70), (-1,), (2, 5, 28)])
@pytest.mark.parametrize("where", ["tensor", "options", "both"])
def test_reshape(target, where):
    model = Model(2, 5, 7, 4)
    options = schema().ReshapeOptionsT()
    if where != "tensor":
        options.newShape = np.array(target, np.int32)
    inputs = [model.image] + ([] if where == "options" else [model.numbers(*target)])
    y = model.add("RESHAPE", inputs, options)
    want = check(model.finished(y), "RESHAPE")
    assert all(d in (-1, size) for d, size in zip(target, want.shape))


@pytest.mark.parametrize("rows", [(0, 0), (1, 2)])
@pytest.mark.parametrize("columns", [(0, 1), (3, 0)])
def test_pad(rows, columns):
    model = Model(2, 5, 7, 4)
    table = np.array([(0, 0), rows, columns, (0, 0)], np.int32)
    y = model.add("PAD", [model.image, model.constant("pads", table)], schema().PadOptionsT())
    check(model.finished(y), "PAD")
    for kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):  # which take the padding over
        model = Model(2, 5, 7, 4)
        x = model.add("PAD", [model.image, model.constant("pads", table)], schema().PadOptionsT())
        if kind == "CONV_2D":
            weights, options = model.random(4, 3, 3, 4), conv_options("Conv2D", padding=VALID)
        else:
            weights = model.random(1, 3, 3, 4)
            options = conv_options("DepthwiseConv2D", padding=VALID, depthMultiplier=1)
        y = model.add(kind, [x, weights, model.bias(4)], options)
        check(model.finished(y), kind)


@pytest.mark.parametrize("kind", ["AVERAGE_POOL_2D", "MAX_POOL_2D"])
def test_pools(kind):
    results = []
    for fields in (
        {},
        {"padding": VALID},
        {"filterWidth": 2},
        {"filterHeight": 5},
        {"strideW": 2},
        {"strideH": 3},
        {"strideW": 3, "strideH": 2, "filterWidth": 2, "padding": VALID},
    ):
        model = Model(2, 9, 11, 3)
        options = conv_options("Pool2D", **{"filterWidth": 3, "filterHeight": 3, **fields})
        results.append(check(model.finished(model.add(kind, [model.image], options)), kind))
    distinct(results)


BINARY = ["ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE"]


def binary_options(kind: str):
    name = "MaximumMinimum" if kind in ("MAXIMUM", "MINIMUM") else kind.title().replace("_", "")
    return getattr(schema(), f"{name}OptionsT")()


@pytest.mark.parametrize("kind", BINARY)
def test_binary_operands(kind):
    """Both change; a constant per channel or of one value, on either side; spread over pixels."""
    results = []
    for case in ("both", "channels", "channels first", "one", "one first", "gate", "gate first"):
        model = Model(2, 5, 7, 4)
        if kind == "DIV":  # away from zero, where quotients say nothing
            hundred = model.constant("hundred", np.array([100], np.float32))
            model.image = model.add("ADD", [model.image, hundred], schema().AddOptionsT())
        other = model.start
        if case.startswith("channels"):
            other = model.random(4)
        elif case.startswith("one"):
            other = model.random(1)
        elif case.startswith("gate"):
            options = schema().ReducerOptionsT()
            options.keepDims = True
            other = model.add("MEAN", [model.image, model.numbers(1, 2)], options)
        operands = [other, model.image] if case.endswith("first") else [model.image, other]
        y = model.add(kind, operands, binary_options(kind))
        results.append(check(model.finished(y), kind))
    if kind in ("SUB", "DIV"):
        distinct(results)


@pytest.mark.parametrize(
    "shape", [(5, 7, 1), (7, 4), (7, 1), (1, 5, 7, 4), (2, 1, 1, 4), (5, 1, 4), (2, 5, 7, 4), ()]
)
@pytest.mark.parametrize("kind", BINARY)
def test_constants_of_any_shape(kind, shape):
    results = []
    for first in (False, True):
        model = Model(2, 5, 7, 4)
        if kind == "DIV":
            model.image = model.add("RELU6", [model.image])
            one = model.constant("one", np.array([1], np.float32))
            model.image = model.add("ADD", [model.image, one], schema().AddOptionsT())
        constant = model.constant("c", model.rng.uniform(1, 2, shape).astype(np.float32))
        operands = [constant, model.image] if first else [model.image, constant]
        y = model.add(kind, operands, binary_options(kind))
        results.append(check(model.finished(y), kind))
    if kind in ("SUB", "DIV"):
        distinct(results)


@pytest.mark.parametrize("shape", [(1, 1, 4), (5, 7, 4), (5, 1, 1), (1, 7, 4)])
def test_prelu(shape):
    model = Model(2, 5, 7, 4)
    check(model.finished(model.add("PRELU", [model.image, model.random(*shape)])), "PRELU")


UNARY = [
    "ELU", "HARD_SWISH", "LOGISTIC", "NEG", "RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1", "TANH",
]  # fmt: skip


@pytest.mark.parametrize("shape", [(2, 5, 7, 4), (3, 8)])
@pytest.mark.parametrize("kind", UNARY)
def test_activations(kind, shape):
    model = Model(*shape)
    check(model.finished(model.add(kind, [model.image])), kind)


@pytest.mark.parametrize("shape", [(2, 5, 7, 4), (3, 8)])
@pytest.mark.parametrize("kind", ["RSQRT", "SQRT"])
def test_square_roots(kind, shape):
    model = Model(*shape)
    one = model.constant("one", np.array([1], np.float32))
    squares = model.add(
        "SQUARED_DIFFERENCE",
        [model.image, one],
        schema().SquaredDifferenceOptionsT(),
        rank=len(shape),
    )
    x = model.add("ADD", [squares, one], schema().AddOptionsT(), rank=len(shape))
    check(model.finished(model.add(kind, [x], rank=len(shape))), kind)


@pytest.mark.parametrize("gate_first", [False, True])
@pytest.mark.parametrize("activation", ["NONE", "RELU"])
@pytest.mark.parametrize("shape", [(2, 5, 7, 4), (3, 8)])
def test_swish(shape, activation, gate_first):
    """LOGISTIC and MUL of its input become one operator, and that a part of the convolution."""
    model = Model(*shape)
    gate = model.add("LOGISTIC", [model.image], rank=len(shape))
    options = schema().MulOptionsT()
    options.fusedActivationFunction = ACTIVATIONS[activation]
    factors = [gate, model.image] if gate_first else [model.image, gate]
    check(model.finished(model.add("MUL", factors, options, rank=len(shape))), "MUL")


@pytest.mark.parametrize("shape", [(2, 5, 7, 4), (3, 8)])
def test_gelu(shape):
    results = []
    for approximate in (False, True):
        model = Model(*shape)
        options = schema().GeluOptionsT()
        options.approximate = approximate
        y = model.add("GELU", [model.image], options, rank=len(shape))
        results.append(check(model.finished(y), "GELU"))
    distinct(results)


def test_leaky_relu():
    results = []
    for alpha in (0.0, 0.25, 2.0):
        model = Model(2, 5, 7, 4)
        options = schema().LeakyReluOptionsT()
        options.alpha = alpha
        y = model.add("LEAKY_RELU", [model.image], options)
        results.append(check(model.finished(y), "LEAKY_RELU"))
    distinct(results)
