"""What `benchmark`, `explain`, `profile` and `latency` run: which graph, in which size. No times."""

from __future__ import annotations

import json

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf.cli import main
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.errors import SbnnError
from tests.python.convert.flat import Flat, group_sparse

SHAPE = {"image": (1, 6, 5, 8)}


def convolution(flat: Flat, shape, outputs: int, seed: int) -> tuple[int, int]:
    """A half sparse 1x1 convolution of the graph that was added last; its input and output."""
    x = flat.input(shape, name="image")
    filters = flat.constant("filters", group_sparse((outputs, 1, 1, 8), 4, 0.5, seed))
    y = flat.conv(x, filters, "features")
    if -1 in shape:
        flat.graph.tensors[y].shapeSignature = np.array([-1, -1, -1, outputs], np.int32)
    flat.output(y)
    return x, y


@pytest.fixture(scope="module")
def any_size() -> bytes:
    """Two signatures on images of any size, 8 and 16 outputs: the second is the first graph."""
    flat = Flat()
    for key, outputs in (("wide", 16), ("narrow", 8)):
        if key == "narrow":
            flat.add_subgraph()
        x, y = convolution(flat, (-1, -1, -1, 8), outputs, seed=outputs)
        flat.signature(key, {"image": x}, {"features": y})
    flat.model.signatureDefs.reverse()
    return flat.bytes()


@pytest.fixture(scope="module")
def network_in_a_loop() -> bytes:
    """WHILE n < 3: x = convolution(x)."""
    flat = Flat()
    n, x = flat.input((), np.int32), flat.input((1, 6, 5, 8), name="image")
    outputs = flat.tensor("n_out", (), np.int32), flat.tensor("x_out", (1, 6, 5, 8))
    options = schema().WhileOptionsT(condSubgraphIndex=1, bodySubgraphIndex=2)
    flat.node("WHILE", [n, x], outputs, options)
    for each in outputs:
        flat.output(each)
    flat.add_subgraph()
    n, less = flat.input((), np.int32), flat.tensor("less", (), bool)
    flat.input((1, 6, 5, 8))
    flat.node("LESS", [n, flat.constant("three", np.array(3, np.int32))], [less])
    flat.output(less)
    flat.add_subgraph()
    n, more = flat.input((), np.int32), flat.tensor("more", (), np.int32)
    flat.node(
        "ADD", [n, flat.constant("one", np.array(1, np.int32))], [more], schema().AddOptionsT()
    )
    flat.output(more)
    convolution(flat, (1, 6, 5, 8), 8, seed=0)
    return flat.bytes()


def test_any_size_is_refused_with_a_hint(any_size):
    for run in (sbnn.benchmark, sbnn.explain, sbnn.profile):
        with pytest.raises(SbnnError, match=r"any size.*--shape image=1,128,128,8"):
            run(any_size)


def test_first_graph_is_timed(any_size):
    result = sbnn.benchmark(any_size, shapes=SHAPE, rounds=2, claim="all")
    assert result.graph == "signature 'wide'" and result.inputs == SHAPE
    assert result.signatures == ("narrow", "wide")
    assert (result.claimed_nodes, result.total_nodes) == (1, 1)
    assert result.max_abs_diff < 1e-5


def test_signature_is_timed(any_size):
    result = sbnn.benchmark(any_size, signature="narrow", shapes={0: SHAPE["image"]}, rounds=2)
    assert result.graph == "signature 'narrow'" and result.inputs == SHAPE
    with pytest.raises(SbnnError, match="no signature 'none'"):
        sbnn.benchmark(any_size, signature="none", shapes=SHAPE)


def test_size_of_the_dense_model_will_do(any_size):
    fixed = Flat()
    convolution(fixed, (1, 4, 4, 8), 16, seed=16)
    assert sbnn.benchmark(any_size, fixed.bytes(), rounds=2).inputs == {"image": (1, 4, 4, 8)}
    other = Flat()
    convolution(other, (1, 4, 4, 8), 8, seed=0)
    report = sbnn.benchmark(any_size, other.bytes(), rounds=2)
    assert np.isinf(report.max_abs_diff)  # other shapes


def test_floats_beside_a_quantized_model(any_size, tmp_path, capsys):
    """Sizes are those of the others; types may differ."""
    result = sbnn.benchmark(any_size, floats=any_size, shapes=SHAPE, rounds=2)
    assert result.floats.min_ms > 0
    assert sbnn.benchmark(any_size, shapes=SHAPE, rounds=2).floats is None
    small = Flat()
    convolution(small, (1, 4, 4, 8), 16, seed=16)
    with pytest.raises(SbnnError, match="expected inputs of 1x6x5x8, found 1x4x4x8"):
        sbnn.benchmark(any_size, floats=small.bytes(), shapes=SHAPE, rounds=2)
    path = tmp_path / "any.tflite"
    path.write_bytes(any_size)
    command = ["benchmark", str(path), "--floats", str(path), "--rounds", "2"]
    assert main([*command, "--shape", "image=1,6,5,8"]) == 0
    told = capsys.readouterr().out
    assert "floats, TFLite XNNPACK" in told and "over the floats" in told


def test_explanation_of_all_signatures(any_size):
    nodes = sbnn.explain(any_size, shapes=SHAPE).nodes
    assert [(node["subgraph"], node["op"]) for node in nodes] == [(0, "CONV_2D"), (1, "CONV_2D")]


def test_positions_of_a_cost_table(any_size):
    table = sbnn.profile(any_size, "group4", sparsities=[0.5], shapes=SHAPE, rounds=2)
    assert list(table.layers) == [("conv", (1, 1, 8, 16), 6 * 5)]
    options = {"signature": "narrow", "shapes": SHAPE, "rounds": 2}
    narrow = sbnn.profile(any_size, "group4", sparsities=[0.5], **options)
    assert list(narrow.layers) == [("conv", (1, 1, 8, 8), 6 * 5)]
    report = sbnn.latency(any_size, narrow, **options)
    half = narrow.layers["conv", (1, 1, 8, 8), 30]
    assert report.predicted_ms == pytest.approx(narrow.dense_ms + half[0.5] - half[0.0])


def test_network_in_a_loop(network_in_a_loop):
    table = sbnn.profile(network_in_a_loop, "group4", sparsities=[0.5], rounds=2)
    assert list(table.layers) == [("conv", (1, 1, 8, 8), 6 * 5)]
    report = sbnn.latency(network_in_a_loop, table, rounds=2)
    half = table.layers["conv", (1, 1, 8, 8), 30]
    assert report.predicted_ms == pytest.approx(table.dense_ms + half[0.5] - half[0.0])
    result = sbnn.benchmark(network_in_a_loop, rounds=2, claim="all")
    assert result.total_nodes == 4 and result.claimed_nodes >= 1


def test_commands(any_size, tmp_path, capsys):
    path, table = tmp_path / "any.tflite", tmp_path / "costs.json"
    path.write_bytes(any_size)
    benchmark = ["benchmark", str(path), "--rounds", "2"]
    assert main(benchmark) == 2
    capsys.readouterr()
    shape = ["--shape", "image=1,6,5,8"]
    assert main([*benchmark, *shape]) == 0
    assert "timed: signature 'wide' of 2, image 1x6x5x8\n" in capsys.readouterr().out
    assert main([*benchmark, "--shape", "0=1,6,5,8", "--signature", "narrow", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["graph"] == "signature 'narrow'" and told["inputs"] == {"image": [1, 6, 5, 8]}
    assert main(["explain", str(path), *shape]) == 0
    assert "CONV_2D" in capsys.readouterr().out
    profile = ["profile", str(path), str(table), "--rounds", "2"]
    assert main(profile) == 2 and not table.exists()
    assert main([*profile, *shape, "--signature", "narrow"]) == 0
    assert "conv 1x1x8x8" in capsys.readouterr().out
