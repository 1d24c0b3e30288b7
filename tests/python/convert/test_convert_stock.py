"""Whatever is made sparse, stock TFLite computes as its dense twin; what it would not stays dense.

Seen without that: NaN, or whatever was in memory, from float16 filters behind DENSIFY and
DEQUANTIZE that XNNPACK does not take.
"""

import numpy as np
import pytest
from flat import Flat, group_sparse, ops
from models import assert_same_outputs

from sbnn_tf.cli import main
from sbnn_tf.convert import convert, densify, flatbuffer, inspect
from sbnn_tf.convert import sparsify as sparsify_module
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.convert.graph import text

C = 16
BIAS = np.linspace(-1, 1, C, dtype=np.float32)


def weights(*shape: int, seed: int = 0) -> np.ndarray:
    return group_sparse(shape, 4, 0.75, seed) * np.float32(0.3)


def activation(name: str) -> int:
    return getattr(schema().ActivationFunctionType, name)


def check(data: bytes, sparse: int, why: str = "", **options) -> bytes:
    """The model becomes `sparse` sparse tensors, is left dense for `why`, and computes the same."""
    made = convert(data)
    count = sum(ops(made, g).count("DENSIFY") for g in range(len(flatbuffer.read(made).subgraphs)))
    assert count == sparse
    reasons = [row.why_dense for row in inspect(made).tensors if row.why_dense]
    assert all(why in reason for reason in reasons) and bool(reasons) == bool(why)
    assert_same_outputs(densify(made), made, **options)
    return made


def stored(flat: Flat, name: str, values: np.ndarray, kind: str) -> int:
    return flat.float16(name, values) if kind == "float16" else flat.constant(name, values)


@pytest.mark.parametrize(
    "filter_, bias", [("float", "float"), ("float", "float16"), ("float16", "float16")]
)
@pytest.mark.parametrize("fused", ["NONE", "RELU", "RELU6", "RELU_N1_TO_1"])
def test_convolutions_with_a_clamp(filter_, bias, fused):
    flat = Flat()
    x = flat.input((1, 4, 4, C))
    w, b = stored(flat, "w", weights(C, 3, 3, C), filter_), stored(flat, "b", BIAS, bias)
    flat.output(flat.conv(x, w, bias=b, activation=activation(fused)))
    check(flat.bytes(), 1, batch=2)


@pytest.mark.parametrize("fused", ["TANH", "SIGN_BIT"])
@pytest.mark.parametrize("filter_", ["float", "float16"])
def test_convolutions_with_an_activation_that_is_no_clamp(filter_, fused):
    flat = Flat()
    x = flat.input((1, 4, 4, C))
    w = stored(flat, "w", weights(C, 3, 3, C), filter_)
    flat.output(flat.conv(x, w, bias=flat.float16("b", BIAS), activation=activation(fused)))
    why = "fused activation is no clamp" if filter_ == "float16" else ""
    check(flat.bytes(), 0 if why else 1, why)


@pytest.mark.parametrize("operator", ["conv", "dense"])
def test_a_float_bias_beside_a_float16_filter(operator):
    flat = Flat()
    x = flat.input((1, 4, 4, C) if operator == "conv" else (1, C))
    shape = (C, 3, 3, C) if operator == "conv" else (C, C)
    flat.output(getattr(flat, operator)(x, flat.float16("w", weights(*shape))))
    check(flat.bytes(), 0, "its bias is no float16 constant")


@pytest.mark.parametrize("bias", ["float16", "none"])
def test_dense_layers_of_float16(bias):
    flat = Flat()
    x = flat.input((1, C))
    b = -1 if bias == "none" else flat.float16("b", BIAS)
    flat.output(flat.dense(x, flat.float16("w", weights(C, C)), bias=b))
    check(flat.bytes(), 1, batch=3)


def test_a_float16_bias_that_others_read_too():
    """XNNPACK then reads it as float32, and takes no filter of another type."""
    flat = Flat()
    x = flat.input((1, 4, 4, C))
    bias = flat.float16("b", BIAS)
    y = flat.conv(x, flat.float16("w", weights(C, 1, 1, C)), bias=bias)
    total = flat.tensor("sum", (1, 4, 4, C))
    flat.node("ADD", [y, bias], [total], schema().AddOptionsT())
    flat.output(total)
    check(flat.bytes(), 0, "its bias is no float16 constant that only such nodes read")


@pytest.mark.parametrize("kind", ["float", "float16"])
@pytest.mark.parametrize("bias", ["float", "float16", "none"])
@pytest.mark.parametrize("computed", [False, True])
def test_transposed_convolutions(kind, bias, computed):
    flat = Flat()
    x = flat.input((1, 4, 4, C))
    shape = (
        flat.computed_shape(x, 8, 8, C)
        if computed
        else flat.constant("shape", np.array([1, 8, 8, C], np.int32))
    )
    b = -1 if bias == "none" else stored(flat, "b", BIAS, bias)
    w = stored(flat, "w", weights(C, 3, 3, C), kind)
    flat.output(flat.transpose_conv(x, w, shape, bias=b))
    why = "its output shape is computed" if computed and kind == "float16" else ""
    check(flat.bytes(), 0 if why else 1, why, batch=3 if computed else 1)


def test_a_transposed_convolution_with_gaps():
    """Windows smaller than the stride: XNNPACK leaves them."""
    flat = Flat()
    x = flat.input((1, 4, 4, C))
    shape = flat.constant("shape", np.array([1, 8, 8, C], np.int32))
    flat.output(flat.transpose_conv(x, flat.float16("w", weights(C, 1, 1, C)), shape))
    check(flat.bytes(), 0, "its output shape is not that of its input and strides")


@pytest.mark.parametrize("taken_first", [True, False])
@pytest.mark.parametrize("shared", ["filter", "constant", "buffer", "bias"])
def test_one_node_is_taken_and_one_is_left(shared, taken_first):
    flat = Flat()
    x = flat.input((1, 4, 4, C))
    bias = flat.float16("b", BIAS)
    first = flat.float16("w", weights(C, 1, 1, C))
    stored_ = flat.graph.operators[-1].inputs[0]
    if shared == "filter":
        second = first
    elif shared == "bias":
        second = flat.float16("v", weights(C, 1, 1, C, seed=1))
    else:
        if shared == "buffer":
            stored_ = flat.tensor(
                "twin", (C, 1, 1, C), np.float16, flat.graph.tensors[stored_].buffer
            )
        second = flat.tensor("v", (C, 1, 1, C))
        flat.node("DEQUANTIZE", [stored_], [second], schema().DequantizeOptionsT())
    kinds = ("NONE", "TANH") if taken_first else ("TANH", "NONE")
    for weight, fused in zip((first, second), kinds):
        x = flat.conv(x, weight, bias=bias, activation=activation(fused))
    flat.output(x)
    check(flat.bytes(), 1 if shared == "bias" else 0, "fused activation is no clamp")


def test_parts_of_a_graph_share_a_filter():
    flat = Flat()
    x = flat.input((1, 4, 4, C))
    weight, bias = flat.float16("w", weights(C, 1, 1, C)), flat.float16("b", BIAS)
    for _ in range(3):
        x = flat.conv(x, weight, bias=bias)
        y = flat.tensor("rest", (1, 4, 4, C))  # XNNPACK knows no FLOOR_MOD
        flat.node("FLOOR_MOD", [x, flat.constant("two", np.array(2, np.float32))], [y])
        x = y
    flat.output(x)
    check(flat.bytes(), 1)


@pytest.mark.parametrize("shape", [(1, 4, 4, C), ()])
def test_an_input_whose_shape_is_computed(shape):
    """Where even its rank is unknown, XNNPACK leaves the convolution."""
    flat = Flat()
    x = flat.input((1, 2, 8, C))
    reshaped = flat.tensor("reshaped", shape)
    flat.node("RESHAPE", [x, flat.computed_shape(x, 4, 4, C)], [reshaped])
    y = flat.tensor("y", shape)
    bias = flat.float16("b", BIAS)
    options = schema().Conv2DOptionsT(strideH=1, strideW=1)
    flat.node("CONV_2D", [reshaped, flat.float16("w", weights(C, 1, 1, C)), bias], [y], options)
    flat.output(y)
    data = flat.bytes()
    check(
        data, 1 if shape else 0, "" if shape else "its shape is not known before it runs", batch=2
    )


@pytest.mark.parametrize("kind", ["float", "float16"])
def test_branches_and_loops(kind):
    s = schema()
    flat = Flat()
    condition, x = flat.input(()), flat.input((1, 4, 4, C))
    flat.graph.tensors[condition].type = s.TensorType.BOOL
    y, z = (flat.tensor(name, (1, 4, 4, C)) for name in "yz")
    flat.node("IF", [condition, x], [y], s.IfOptionsT(thenSubgraphIndex=1, elseSubgraphIndex=2))
    count, end = flat.constant("zero", np.array(0, np.int32)), flat.tensor("end", (), np.int32)
    flat.node(
        "WHILE", [count, y], [end, z], s.WhileOptionsT(condSubgraphIndex=3, bodySubgraphIndex=4)
    )
    flat.output(z)

    def convolution(x: int, seed: int) -> int:
        weight = stored(flat, "w", weights(C, 1, 1, C, seed=seed), kind)
        return flat.conv(x, weight, bias=flat.float16("b", BIAS))

    for seed in (1, 2):
        flat.add_subgraph()
        flat.output(convolution(flat.input((1, 4, 4, C)), seed))
    flat.add_subgraph()
    count, _ = flat.input((), np.int32), flat.input((1, 4, 4, C))
    less = flat.tensor("less", ())
    flat.graph.tensors[less].type = s.TensorType.BOOL
    flat.node("LESS", [count, flat.constant("three", np.array(3, np.int32))], [less])
    flat.output(less)
    flat.add_subgraph()
    count, x = flat.input((), np.int32), flat.input((1, 4, 4, C))
    more = flat.tensor("more", (), np.int32)
    one = flat.constant("one", np.array(1, np.int32))
    flat.node("ADD", [count, one], [more], s.AddOptionsT())
    flat.output(more)
    flat.output(convolution(x, 3))
    check(flat.bytes(), 3)


def int8_model(operator: str, fused: str = "NONE", *, channels: int = 0) -> bytes:
    """A "conv" or "dense" layer in int8, or a "hybrid" one: a convolution of floats by int8."""
    s = schema()
    flat = Flat()
    kind = np.float32 if operator == "hybrid" else np.int8

    def quantized(tensor: int, *scale: float) -> int:
        flat.graph.tensors[tensor].quantization = s.QuantizationParametersT(
            scale=np.array(scale, np.float32), zeroPoint=np.zeros(len(scale), np.int64)
        )
        return tensor

    image = operator != "dense"
    values = weights(C, 5, 5, C) if image else weights(C, 512)
    scales = [0.01 + 0.001 * i for i in range(channels)] or [0.01]
    weight = quantized(flat.constant("w", np.round(values * 200).astype(np.int8)), *scales)
    x = flat.input((1, 4, 4, C) if image else (1, 512), kind)
    y = flat.tensor("y", (1, 4, 4, C) if image else (1, C), kind)
    bias = flat.bias(C)
    if operator != "hybrid":
        quantized(x, 0.01), quantized(y, 0.02)
        bias = flat.constant("b", np.arange(C, dtype=np.int32))
        quantized(bias, *(0.01 * scale for scale in scales))
    options = s.Conv2DOptionsT(strideH=1, strideW=1) if image else s.FullyConnectedOptionsT()
    options.fusedActivationFunction = activation(fused)
    flat.node("CONV_2D" if image else "FULLY_CONNECTED", [x, weight, bias], [y], options)
    flat.output(y)
    return flat.bytes()


@pytest.mark.parametrize("channels", [0, C])
@pytest.mark.parametrize("fused", ["NONE", "RELU6", "TANH"])
def test_int8_convolutions(fused, channels):
    check(int8_model("conv", fused, channels=channels), 1)


@pytest.mark.parametrize("group", [1, 2, 4])
def test_int8_blocks_of_inputs(group):
    """Zeros in blocks of four inputs are stored as such, and stock computes the same."""
    model = flatbuffer.read(int8_model("conv", channels=C))
    tensor = next(t for t in model.subgraphs[0].tensors if text(t.name) == "w")
    data = np.array(model.buffers[tensor.buffer].data, np.uint8).view(np.int8)
    values = data.reshape(C, 5, 5, C).copy()
    rng = np.random.default_rng(group)
    kept = rng.random((C // group, 5, 5, C // 4)) < 0.3
    values[values == 0] = 1
    values *= np.repeat(np.repeat(kept, group, axis=0), 4, axis=3)
    model.buffers[tensor.buffer].data = values.reshape(-1).view(np.uint8)
    sparse = flatbuffer.read(check(flatbuffer.write(model), 1)).subgraphs[0].tensors
    maps = [list(t.sparsity.blockMap) for t in sparse if t.sparsity is not None]
    assert maps == [[3] if group == 1 else [0, 3]]


@pytest.mark.parametrize("operator", ["dense", "hybrid"])
def test_int8_that_xnnpack_cannot_prepare(operator):
    check(int8_model(operator), 0, "but prepares CONV_2D in int8 alone")


def test_a_bad_file_of_another_writer_is_mended(monkeypatch):
    """One that has such a chain already."""
    flat = Flat()
    x = flat.input((1, 4, 4, C))
    weight = flat.float16("w", weights(C, 3, 3, C))
    flat.output(flat.conv(x, weight, bias=flat.float16("b", BIAS), activation=activation("TANH")))
    with monkeypatch.context() as patch:
        patch.setattr(sparsify_module, "refusal", lambda *_: "")
        bad = convert(flat.bytes())
    assert "DENSIFY" in ops(bad)
    check(bad, 0, "fused activation is no clamp")


def test_the_command_says_what_it_left_dense(tmp_path, capsys):
    flat = Flat()
    x = flat.input((1, 4, 4, C))
    flat.output(flat.conv(x, flat.float16("w", weights(C, 3, 3, C)), "out"))
    (tmp_path / "in.tflite").write_bytes(flat.bytes())
    assert main(["convert", str(tmp_path / "in.tflite"), str(tmp_path / "out.tflite")]) == 0
    reason = (
        "left dense: w/float16: XNNPACK may leave CONV_2D 'out': its bias is no float16 constant"
    )
    assert reason in capsys.readouterr().out
    assert main(["inspect", str(tmp_path / "out.tflite")]) == 0
    assert reason in capsys.readouterr().out
