"""Sparse tensors that cannot be read: the delegate refuses them with a reason, and never crashes."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from sbnn_tf.convert.flatbuffer import read, schema

# Each in a process of its own, since a crash is what is looked for. Nothing is run.
CODE = """
import sys
import sbnn_tf as sbnn
from sbnn_tf.run import runtime

delegate = sbnn.load_delegate(report=sys.argv[2], claim="all")
try:
    runtime.interpreter(sys.argv[1], delegate=delegate)
except sbnn.SbnnError as error:
    print("refused:", error)
"""


def decreasing_segments(sparsity, csr):
    csr.arraySegments.values[2] = 0


def segments_past_the_end(sparsity, csr):
    csr.arraySegments.values[-1] += 100


def negative_segment(sparsity, csr):
    csr.arraySegments.values = csr.arraySegments.values.astype(np.int32)
    csr.arraySegmentsType = schema().SparseIndexVector.Int32Vector
    csr.arraySegments.values[0] = -5


def index_past_the_end(sparsity, csr):
    csr.arrayIndices.values[3] = 200


def no_indices(sparsity, csr):
    csr.arrayIndices.values = csr.arrayIndices.values[:0]


def too_few_segments(sparsity, csr):
    csr.arraySegments.values = csr.arraySegments.values[:3]


def block_that_does_not_divide(sparsity, csr):
    sparsity.dimMetadata[-1].denseSize = 3


def block_of_nothing(sparsity, csr):
    sparsity.dimMetadata[-1].denseSize = 0


def huge_dimension(sparsity, csr):
    sparsity.dimMetadata[0].denseSize = 2**31 - 1


def negative_dimension(sparsity, csr):
    sparsity.dimMetadata[0].denseSize = -8


def block_of_no_dimension(sparsity, csr):
    sparsity.blockMap = np.array([7], np.int32)


def traversal_out_of_range(sparsity, csr):
    sparsity.traversalOrder = np.array([0, 1, 2, 3, 9], np.int32)


def traversal_twice_the_same(sparsity, csr):
    sparsity.traversalOrder = np.array([0, 1, 1, 3, 4], np.int32)


DAMAGES = [
    decreasing_segments,
    segments_past_the_end,
    negative_segment,
    index_past_the_end,
    no_indices,
    too_few_segments,
    block_that_does_not_divide,
    block_of_nothing,
    huge_dimension,
    negative_dimension,
    block_of_no_dimension,
    traversal_out_of_range,
    traversal_twice_the_same,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damaged_sparse_tensor(damage, tiny_files, tmp_path):
    path, report = tmp_path / "damaged.tflite", tmp_path / "report.jsonl"
    path.write_bytes(damaged(tiny_files[1].read_bytes(), damage))
    done = in_a_process(path, report)
    # Not left to TensorFlow Lite: its own DENSIFY trusts the encoding, and crashes on some of these.
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("refused: ") and "damaged" in done.stdout + done.stderr
    assert [json.loads(line)["record"] for line in report.open()] == ["engine"]


def in_a_process(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", CODE, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def damaged(tflite: bytes, damage) -> bytes:
    """The model with its first sparse tensor damaged."""
    model = read(tflite)
    tensor = next(each for each in model.subgraphs[0].tensors if each.sparsity is not None)
    (csr,) = (
        each
        for each in tensor.sparsity.dimMetadata
        if each.format == schema().DimensionType.SPARSE_CSR
    )
    for vector in (csr.arraySegments, csr.arrayIndices):
        vector.values = np.array(vector.values)  # a copy that can be changed
    damage(tensor.sparsity, csr)
    import flatbuffers

    builder = flatbuffers.Builder(len(tflite))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
