"""Files that are not what they should be: a clear error, whatever the bytes."""

import io
import random
import struct
import zipfile

import flatbuffers
import numpy as np
import pytest
from flat import Flat, chain, group_sparse, masked
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sbnn_tf.convert import convert, densify, flatbuffer, inspect
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.errors import SbnnError

DENSE = chain(group_sparse((8, 3, 3, 3), 4, 0.0), group_sparse((16, 1, 1, 8), 4, 0.5))
SPARSE = convert(DENSE, prune=0.75)


def rich() -> bytes:
    """What the rewrites look at: float16, computed shapes, graphs, signatures, control edges, a zip."""
    s = schema()
    flat = Flat()
    x = flat.input((1, 4, 4, 16))
    shape, values = flat.computed_shape(x, 8, 8, 16), group_sparse((16, 3, 3, 16), 4, 0.75)
    y = flat.transpose_conv(
        x, flat.float16("w", values), shape, bias=flat.float16("b", np.ones(16))
    )
    flat.output(flat.conv(y, flat.float16("v", values), bias=flat.float16("c", np.ones(16))))
    edges = flat.buffer(np.array([1, 1, 1, 0, 2], np.uint8))
    flat.model.metadata.append(s.MetadataT(name="model_control_dependencies", buffer=edges))
    signature = s.SignatureDefT(signatureKey="serve", subgraphIndex=0)
    signature.inputs = [s.TensorMapT(name="x", tensorIndex=x)]
    flat.model.signatureDefs.append(signature)
    flat.add_subgraph()
    x = flat.input((1, 64))
    flat.output(flat.dense(x, flat.constant("matrix", group_sparse((64, 64), 4, 0.8))))
    archive = io.BytesIO(flat.bytes())
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("labels.txt", "cat")
    return archive.getvalue()


RICH = rich()
MODELS = [DENSE, SPARSE, RICH, convert(RICH)]
MASKED = masked(true=(2, 3, 4), zeroed=True)


def survives(data: bytes) -> None:
    """Every entry point gives a result or SbnnError."""
    for work in (convert, densify, lambda d: str(inspect(d)), lambda d: convert(d, prune=0.5)):
        try:
            work(data)
        except SbnnError as error:
            assert str(error)


def test_the_models_used_here_are_good():
    convert(DENSE)
    for model in MODELS:
        assert any(row.pattern == "group4" for row in inspect(convert(model, prune=0.5)).tensors)


@given(st.sampled_from(MODELS), st.floats(0, 1))
@settings(deadline=None, max_examples=100)
def test_truncated(data, share):
    survives(data[: int(share * len(data))])


@given(st.binary(max_size=300))
@example(b"\x1c\0\0\0TFL3")
@settings(deadline=None)
def test_random_bytes(data):
    survives(data)
    survives(b"\x10\0\0\0TFL3" + data)


@given(st.sampled_from([*MODELS, MASKED]), st.integers(0, 2**32), st.integers(1, 6))
@settings(deadline=None, max_examples=150)
def test_mutated(data, seed, count):
    rng = random.Random(seed)
    data = bytearray(data)
    for _ in range(count):
        at = rng.randrange(len(data) - 4)
        if rng.random() < 0.5:
            data[at] ^= 1 << rng.randrange(8)
        else:
            word = rng.choice([0, 1, 127, 2**31 - 1, 2**31, 2**32 - 1, rng.randrange(2**32)])
            struct.pack_into("<I", data, at // 4 * 4, word)
    survives(bytes(data))


def test_not_a_model():
    with pytest.raises(SbnnError, match="not a .tflite model: .* found b'xxxx'"):
        convert(b"x" * 100)
    with pytest.raises(SbnnError, match="in 0 bytes"):
        convert(b"")


def test_cut_in_the_middle():
    with pytest.raises(SbnnError, match=f"truncated .tflite model of {len(DENSE) // 2} bytes"):
        convert(DENSE[: len(DENSE) // 2])


def test_paths(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file: .*missing.tflite"):
        convert(tmp_path / "missing.tflite")
    with pytest.raises(SbnnError, match="is a folder without .*: expected a SavedModel"):
        convert(tmp_path)
    with pytest.raises(SbnnError, match="expected the name of a file, found an empty one"):
        convert("")
    path = tmp_path / "good.tflite"
    path.write_bytes(DENSE)
    assert convert(path) == convert(str(path)) == convert(DENSE)


def test_other_objects():
    with pytest.raises(TypeError, match="expected a Keras model, .* found int"):
        convert(3)


def broken(change) -> bytes:
    model = flatbuffer.read(DENSE)
    change(model)
    return flatbuffer.write(model)


def set_buffer(model):
    model.subgraphs[0].tensors[1].buffer = 99


def set_input(model):
    model.subgraphs[0].operators[0].inputs = np.array([0, 77, 2], np.int32)


def set_output(model):
    model.subgraphs[0].operators[0].outputs = np.array([-1], np.int32)


def no_outputs(model):
    model.subgraphs[0].operators[1].outputs = np.zeros(0, np.int32)


def set_operator_code(model):
    model.subgraphs[0].operators[1].opcodeIndex = 5


def set_graph_output(model):
    model.subgraphs[0].outputs = np.array([-5], np.int32)


def set_shape(model):
    model.subgraphs[0].tensors[1].shape = np.array([2**30, 2**30, 2**30, 3], np.int32)


def set_negative_shape(model):
    model.subgraphs[0].tensors[1].shape = np.array([-8, 3, 3, -3], np.int32)


def set_signature(model):
    s = schema()
    model.signatureDefs = [s.SignatureDefT(inputs=[s.TensorMapT(tensorIndex=1000)])]


def set_metadata(model):
    model.metadata = [schema().MetadataT(name="m", buffer=50)]


def no_subgraph(model):
    model.subgraphs = []


CHANGES = [f for name, f in sorted(globals().items()) if name.startswith(("set_", "no_"))]


@pytest.mark.parametrize("change", CHANGES, ids=lambda f: f.__name__)
def test_indices_that_point_nowhere(change):
    with pytest.raises(SbnnError):
        convert(broken(change))


def test_unknown_options_are_not_dropped_silently():
    """A file of a newer TFLite has tables that the installed schema cannot carry over."""
    model = flatbuffer.read(DENSE)
    known = schema().BuiltinOptions.Conv2DOptions
    model.subgraphs[0].operators[0].builtinOptionsType = 250
    with pytest.raises(SbnnError, match="unknown kind 250.*upgrade"):
        convert(flatbuffer.write(model))
    assert known != 250


def test_parts_that_are_referred_to_over_and_over():
    """A few kilobytes that stand for millions of tensors: refused, before they are all made."""
    s = schema()
    builder = flatbuffers.Builder(0)

    def repeated(part: int, times: int) -> int:
        builder.StartVector(4, times, 4)
        for _ in range(times):
            builder.PrependUOffsetTRelative(part)
        return builder.EndVector()

    name = builder.CreateString("x" * 1000)
    s.TensorStart(builder)
    s.TensorAddName(builder, name)
    tensors = repeated(s.TensorEnd(builder), 1000)
    s.SubGraphStart(builder)
    s.SubGraphAddTensors(builder, tensors)
    graphs = repeated(s.SubGraphEnd(builder), 1000)
    s.ModelStart(builder)
    s.ModelAddSubgraphs(builder, graphs)
    builder.Finish(s.ModelEnd(builder), b"TFL3")
    with pytest.raises(SbnnError, match="referred to over and over"):
        inspect(bytes(builder.Output()))


def test_many_small_parts_are_no_reason_to_refuse():
    flat = Flat()
    flat.model.buffers += [schema().BufferT() for _ in range(3000)]
    flat.output(flat.input((1, 4)))
    assert convert(flat.bytes()) == flat.bytes()
    for _ in range(3000):
        flat.tensor("", (1,))
    assert convert(flat.bytes()) == flat.bytes()


def test_too_large_to_write():
    flat = Flat()
    # Never touched, so it takes no memory.
    flat.model.buffers.append(schema().BufferT(data=np.zeros(2**31, np.uint8)))
    with pytest.raises(SbnnError, match="split the model"):
        flat.bytes()
