"""What lies behind the flatbuffer stays: labels in a zip, data of large models, anything else."""

import io
import shutil
import subprocess
import zipfile

import numpy as np
import pytest
from flat import Flat, chain, group_sparse
from models import assert_same_outputs

from sbnn_tf.convert import convert, densify, flatbuffer
from sbnn_tf.convert.flatbuffer import schema

DENSE = chain(group_sparse((64, 1, 1, 64), 4, 0.75))
SPARSE = convert(DENSE)
LABELS = {"labels.txt": b"cat\ndog\n", "vocabulary.txt": b"word\n" * 1000}


def zipped(model: bytes, *, comment: bytes = b"", alone: bool = False) -> bytes:
    """The model with the labels behind it: appended by `zipfile`, or as a zip of its own."""
    buffer = io.BytesIO(b"" if alone else model)
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, content in LABELS.items():
            kind = zipfile.ZIP_DEFLATED if len(content) > 100 else zipfile.ZIP_STORED
            archive.writestr(name, content, kind)
        archive.comment = comment
    return (model if alone else b"") + buffer.getvalue()


def check_zip(data: bytes, folder) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == LABELS
        first = min(archive.infolist(), key=lambda entry: entry.header_offset)
        assert data[first.header_offset :][:4] == b"PK\3\4"  # counted from the file's beginning
    if shutil.which("unzip"):  # it warns of offsets that only zipfile puts right
        (folder / "zip").write_bytes(data)
        subprocess.run(["unzip", "-t", folder / "zip"], check=True, capture_output=True)


@pytest.mark.parametrize("options", [{}, {"alone": True}, {"comment": b"PK, made by a test"}])
@pytest.mark.parametrize("long", [False, True])
def test_labels_stay_and_are_found(options, long, monkeypatch, tmp_path):
    if long:  # as if the file were larger than 4 GB
        monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 0)
    original = zipped(DENSE, **options)
    monkeypatch.undo()
    sparse = convert(original)
    assert len(sparse) < len(original)
    assert sparse.startswith(SPARSE)
    for made in (sparse, densify(sparse), convert(original, prune=0.9, layers=["f0"])):
        check_zip(made, tmp_path)
    assert convert(sparse) == sparse
    assert_same_outputs(original, sparse)


def test_an_empty_zip_stays():
    empty = io.BytesIO(DENSE)
    zipfile.ZipFile(empty, "a").close()
    sparse = convert(empty.getvalue())
    assert sparse[len(SPARSE) :][:4] == b"PK\5\6"
    assert zipfile.ZipFile(io.BytesIO(sparse)).namelist() == []


@pytest.mark.parametrize(
    "tail",
    [
        b"anything",
        b"PK\3\4 begins like a zip",
        b"ends like one PK\5\6",
        b"PK\5\6" + b"\xff" * 18,
        zipped(b"")[:-30],
        bytes(100) + b"zeros first",
        bytes(40),
    ],
)
def test_other_bytes_stay_as_they_are(tail):
    for model in (DENSE, SPARSE):
        made = convert(model + tail)
        assert made[: len(SPARSE)] == SPARSE
        assert made[len(SPARSE) :] == tail
        assert convert(made) == made


def test_nothing_is_behind_most_models():
    for model in (DENSE, SPARSE):
        assert flatbuffer.read(model).behind == []


def test_the_flatbuffer_ends_where_its_last_part_does():
    """Whatever comes last in it: what is written first is the last in the file."""
    s = schema()
    for options in (
        {},
        {"operatorCodes": [s.OperatorCodeT(customCode="x" * 21)]},
        {"buffers": [s.BufferT(), s.BufferT()]},
        {"subgraphs": [s.SubGraphT(inputs=np.zeros(0, np.int32))]},
        {"description": "of a model"},
    ):
        parts = {"subgraphs": [s.SubGraphT()], "buffers": [s.BufferT()], **options}
        model = s.ModelT(**parts)
        data = flatbuffer.write(model)
        assert flatbuffer.read(data).behind == []
        assert flatbuffer.read(data + b"behind").behind == [b"behind"]


def outside(values: np.ndarray, *, labels: bool) -> bytes:
    """A model whose filter lies behind its flatbuffer, as those of 2 GB and more have it."""
    flat = Flat()
    x = flat.input((1, 4, 4, 64))
    weight = flat.constant("w", values)
    flat.output(flat.conv(x, weight))
    location = flat.buffer(np.frombuffer(b"outside flatbuffers", np.uint8))
    flat.model.metadata = [schema().MetadataT(name="buffer_location", buffer=location)]
    buffer = flat.model.buffers[flat.graph.tensors[weight].buffer]
    start = 2**14
    buffer.data, buffer.offset, buffer.size = None, start, values.nbytes
    data = flat.bytes()
    data += bytes(start - len(data)) + values.tobytes()
    data += bytes(16)  # writers fill up even where nothing is missing
    return zipped(data) if labels else data


@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("sparsity", [0.0, 0.75])
def test_data_of_large_models_is_brought_in(sparsity, labels, tmp_path):
    data = outside(group_sparse((64, 1, 1, 64), 4, sparsity), labels=labels)
    made = convert(data)
    assert_same_outputs(data, made)
    model = flatbuffer.read(made)
    assert all(not buffer.offset for buffer in model.buffers)
    assert model.metadata == []  # it said that the data is outside
    assert len(made) < 64 * 64 * 4 * (0.4 if sparsity else 1) + 8000
    if labels:
        check_zip(made, tmp_path)
    else:
        assert model.behind == []
