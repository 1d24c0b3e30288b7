"""The rows and the table of `inspect`."""

import json

import numpy as np
from flat import Flat, chain, group_sparse

from sbnn_tf.convert import convert, inspect
from sbnn_tf.convert.flatbuffer import schema


def test_rows_of_a_sparse_file():
    first, second = group_sparse((16, 3, 3, 8), 4, 0.0), group_sparse((64, 1, 1, 16), 4, 0.75)
    result = inspect(convert(chain(first, second)))
    rows = {row.name: row for row in result.tensors if row.name != "bias"}
    assert (rows["f0"].pattern, rows["f0"].sparsity) == ("dense", 0.0)
    assert rows["f0"].dense_bytes == rows["f0"].stored_bytes == first.nbytes
    sparse = rows["f1/sparse"]
    assert (sparse.pattern, sparse.sparsity, sparse.shape) == ("group4", 0.75, (64, 1, 1, 16))
    columns = 64 // 4 * 16 // 4
    # Per column 4 values and an 8-bit index; one 8-bit segment a row, and one more.
    assert sparse.stored_bytes == columns * (4 * 4 + 1) + (64 // 4 + 1)
    assert sparse.dense_bytes == second.nbytes
    assert [(n.op, n.pattern, n.sparsity) for n in result.nodes] == [
        ("DENSIFY", "", None),
        ("CONV_2D", "dense", 0.0),
        ("CONV_2D", "group4", 0.75),
    ]
    biases = sum(r.stored_bytes for r in result.tensors if r.name == "bias")
    assert result.stored_bytes == first.nbytes + sparse.stored_bytes + biases
    assert result.dense_bytes == first.nbytes + second.nbytes + biases


def test_shared_buffers_count_once():
    flat = Flat()
    values = group_sparse((8, 1, 1, 8), 4, 0.0)
    x = flat.input((1, 2, 2, 8))
    a = flat.constant("a", values)
    b = flat.tensor("b", values.shape, buffer=flat.graph.tensors[a].buffer)
    flat.output(flat.conv(flat.conv(x, a), b))
    result = inspect(flat.bytes())
    biases = sum(r.stored_bytes for r in result.tensors if r.name == "bias")
    assert result.stored_bytes == values.nbytes + biases


def test_tables_of_tensors_that_share_their_values_count_each():
    flat = Flat()
    values = group_sparse((64, 1, 1, 64), 4, 0.75)
    x = flat.input((1, 2, 2, 64))
    a = flat.constant("a", values)
    b = flat.tensor("b", values.shape, buffer=flat.graph.tensors[a].buffer)
    flat.output(flat.conv(flat.conv(x, a), b))
    result = inspect(convert(flat.bytes()))
    sparse = [row.stored_bytes for row in result.tensors if row.pattern == "group4"]
    biases = sum(row.stored_bytes for row in result.tensors if row.name == "bias")
    assert len(sparse) == 2 and sparse[0] == sparse[1]
    assert result.stored_bytes == sum(sparse) - values.nbytes // 4 + biases
    assert result.dense_bytes == values.nbytes + biases


def test_patterns_of_other_writers():
    """A block over the inputs is neither a group nor unstructured."""
    s = schema()
    flat = Flat()
    x = flat.input((1, 8))
    weight = flat.constant("w", np.ones((4, 8), np.float32))
    flat.output(flat.dense(x, weight))
    levels = [s.DimensionMetadataT(s.DimensionType.DENSE, n) for n in (4, 2, 4)]
    flat.graph.tensors[weight].sparsity = s.SparsityParametersT(
        np.arange(3, dtype=np.int32), np.array([1], np.int32), levels
    )
    row = next(r for r in inspect(flat.bytes()).tensors if r.name == "w")
    assert (row.pattern, row.sparsity) == ("block 1x4", 0.0)


def test_names_that_a_terminal_would_obey_are_escaped():
    flat = Flat()
    weight = flat.constant("w", group_sparse((64, 1, 1, 64), 4, 0.75))
    flat.graph.tensors[weight].name = b"\xff\x1b[2J\n"
    flat.output(flat.conv(flat.input((1, 4, 4, 64)), weight, "a\nb\t\x1b[31mc\u202e\xe9"))
    result = inspect(convert(flat.bytes()))
    table = str(result)
    assert all(line.isprintable() for line in table.splitlines())
    assert len(table.splitlines()) == 10
    assert "\\x1b[2J\\n" in table and "a\\nb\\t\\x1b[31mc\\u202e\xe9" in table
    assert any(node.name == "a\nb\t\x1b[31mc\u202e\xe9" for node in result.nodes)


def test_table_and_json():
    result = inspect(convert(chain(group_sparse((64, 1, 1, 64), 8, 0.5))))
    table = str(result)
    assert "group8" in table and "50.0%" in table and "CONV_2D" in table
    assert all(line == line.rstrip() for line in table.splitlines())
    assert json.loads(json.dumps(result.to_dict()))["stored_bytes"] == result.stored_bytes
