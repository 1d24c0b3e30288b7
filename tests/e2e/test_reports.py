"""What the delegate reports to programs, inside the real TensorFlow Lite."""

from __future__ import annotations

import concurrent.futures
import ctypes
import gc
import json
import sys
import weakref

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.errors import SbnnError
from sbnn_tf.run import runtime
from sbnn_tf.run.reports import Sink
from sbnn_tf.run.running import Running
from tests.python.convert.flat import Flat, chain, group_sparse

FILTERS = group_sparse((8, 1, 1, 8), 4, 0.5)
SHAPE = (1, 4, 4, 8)
LOOPS = 3


class Records(list):
    """Receives records; may be waited for to be gone."""

    def __call__(self, record: dict) -> None:
        self.append(record)

    def of(self, kind: str) -> list[dict]:
        return [record for record in self if record["record"] == kind]


def convolution() -> bytes:
    return chain(FILTERS)


def parts(count: int) -> bytes:
    """Convolutions with what no delegate takes between them."""
    flat = Flat()
    x = flat.input(SHAPE)
    for i in range(count):
        if i > 0:
            sine = flat.tensor(f"sine{i}", SHAPE)
            flat.node("SIN", [x], [sine])
            x = sine
        x = flat.conv(x, flat.constant(f"filters{i}", FILTERS))
    flat.output(x)
    return flat.bytes()


def loop() -> bytes:
    """x = convolution(x), while n < 3; the body is subgraph 2."""
    flat = Flat()
    n, x = flat.input((), np.int32), flat.input(SHAPE)
    outputs = flat.tensor("n_out", (), np.int32), flat.tensor("x_out", SHAPE)
    options = schema().WhileOptionsT(condSubgraphIndex=1, bodySubgraphIndex=2)
    flat.node("WHILE", [n, x], outputs, options)
    for each in outputs:
        flat.output(each)
    flat.add_subgraph()
    n, less = flat.input((), np.int32), flat.tensor("less", (), np.bool_)
    flat.input(SHAPE)
    flat.node("LESS", [n, flat.constant("most", np.array(LOOPS, np.int32))], [less])
    flat.output(less)
    flat.add_subgraph()
    n, x = flat.input((), np.int32), flat.input(SHAPE)
    more = flat.tensor("more", (), np.int32)
    one = flat.constant("one", np.array(1, np.int32))
    flat.node("ADD", [n, one], [more], schema().AddOptionsT())
    flat.output(more)
    flat.output(flat.conv(x, flat.constant("filters", FILTERS)))
    return flat.bytes()


def delegated(tflite: bytes, **options):
    return runtime.interpreter(tflite, delegate=sbnn.load_delegate(claim="all", **options))


def test_a_function_is_called_as_long_as_the_delegate_lives():
    records = Records()
    made = delegated(convolution(), report=records, profile=True)
    (engine,) = records.of("engine")
    assert engine["isa"] == runtime.open_library().sbnn_isa().decode()
    assert engine["version"] == sbnn.__version__ and engine["num_threads"] == 1
    (node,) = records.of("node")
    assert node["op"] == "CONV_2D" and node["claimed"] and node["part"] == 0
    assert 0 < node["predicted_seconds"] < 1 and 0 < node["stock_seconds"] < 1
    assert not records.of("step_profile")
    made.invoke()
    made.invoke()
    del made
    (step,) = records.of("step_profile")
    assert step["runs"] == 2 and step["nodes"] == [0]
    assert 0 < step["least_seconds"] <= step["median_seconds"]
    assert len({record["id"] for record in records}) == 1

    kept = weakref.ref(records)
    del records
    gc.collect()
    assert kept() is None, "the delegate is gone, and its sink with it"


def test_a_file_has_the_same_records(tmp_path):
    records, path = Records(), tmp_path / "report.jsonl"
    delegated(convolution(), report=records)
    for _ in range(2):  # the second is appended
        delegated(convolution(), report=path)
    in_file = [json.loads(line) for line in path.open()]
    for record in (*records, *in_file):
        del record["id"]
    assert in_file == [*records, *records]


def test_people_read_the_texts(tmp_path, capfd):
    records, path = Records(), tmp_path / "explain.txt"
    delegated(parts(2), report=records, explain=path)
    texts = [record["text"] for record in records if "text" in record]
    assert path.read_text().splitlines() == texts and len(texts) > 5
    capfd.readouterr()
    delegated(parts(2), explain=True)
    assert capfd.readouterr().err.startswith("\n".join(texts[:5]))
    assert str(sbnn.explain(parts(2), claim="all")).splitlines() == texts


def test_a_failing_function_harms_nothing(monkeypatch):
    unraisable = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)

    def fail(record):
        raise KeyError(record["record"])

    made = delegated(convolution(), report=fail)
    made.invoke()
    assert {type(each.exc_value) for each in unraisable} == {KeyError}


@pytest.mark.parametrize("option", [{"isa": "none"}, {"explain": "/no/such/folder/file"}])
def test_a_delegate_that_is_refused_keeps_no_function(option):
    records = Records()
    kept = weakref.ref(records)
    with pytest.raises(ValueError, match=next(iter(option))):
        sbnn.load_delegate(report=records, **option)
    del records
    gc.collect()
    assert kept() is None


def test_a_file_that_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(ValueError, match='report: cannot write to ".*missing/file": No such file'):
        sbnn.load_delegate(report=tmp_path / "missing" / "file")


def test_a_library_without_reports_says_so():
    with pytest.raises(SbnnError, match="too old to report"):
        Sink(ctypes.CDLL(None), print)


def test_interpreters_of_many_threads_report_to_one_function():
    records = Records()
    tflite = parts(2)

    def load_and_run(_: int) -> None:
        delegated(tflite, report=records, profile=True).invoke()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(load_and_run, range(12)))
    ids = [record["id"] for record in records]
    assert len(set(ids)) == 12 and len({ids.count(each) for each in ids}) == 1


def test_a_body_of_a_loop_runs_as_often_as_the_loop():
    records = Records()
    made = delegated(loop(), report=records, profile=True)
    nodes = {(node["subgraph"], node["node"]): node for node in records.of("node")}
    names = {key: node["op"] for key, node in nodes.items()}
    assert names == {(0, 0): "WHILE", (1, 0): "LESS", (2, 0): "ADD", (2, 1): "CONV_2D"}
    assert [key for key, node in nodes.items() if node["claimed"]] == [(2, 1)]
    assert nodes[0, 0]["text"].startswith("node 0 WHILE left: ")
    assert nodes[2, 1]["text"].startswith("subgraph 2: node 1 CONV_2D claimed")
    (part,) = records.of("part")
    assert (part["subgraph"], part["nodes"]) == (2, [1])
    inputs = [np.array(0, np.int32), np.zeros(SHAPE, np.float32)]
    for _ in range(4):
        Running.first(made).run(inputs)
    del made
    (step,) = records.of("step_profile")
    assert (step["subgraph"], step["nodes"], step["runs"]) == (2, [1], 4 * LOOPS)


def test_every_signature_is_reported():
    flat = Flat()
    for key in ("first", "second"):
        if key == "second":
            flat.add_subgraph()
        x = flat.input(SHAPE)
        y = flat.conv(x, flat.constant("filters", FILTERS))
        flat.output(y)
        flat.signature(key, {"x": x}, {"y": y})
    records = Records()
    made = delegated(flat.bytes(), report=records, profile=True)
    assert [each["subgraph"] for each in records.of("subgraph")] == [0, 1]
    made.get_signature_runner("second")(x=np.zeros(SHAPE, np.float32))
    assert [each["subgraph"] for each in records.of("part")] == [0, 1]
    del made
    assert [each["subgraph"] for each in records.of("step_profile")] == [1], "the first never ran"


def test_an_explanation_says_what_subgraphs_are():
    explanation = sbnn.explain(loop(), claim="all")
    assert explanation.subgraphs == ("'graph0'", "'graph1'", "'graph2'")
    *lines, first, second, third = str(explanation).splitlines()
    assert lines == [record["text"] for record in explanation.records if "text" in record]
    assert third == "subgraph 2 is 'graph2'"
    flat = Flat()
    x = flat.input(SHAPE)
    y = flat.conv(x, flat.constant("filters", FILTERS))
    flat.output(y)
    for key in ("one\n", "two"):
        flat.signature(key, {"x": x}, {"y": y})
    assert sbnn.explain(flat.bytes()).subgraphs == ("signature 'one\\n' and signature 'two'",)


def test_many_parts():
    records = Records()
    made = delegated(parts(4), report=records, profile=True)
    (whole,) = records.of("subgraph")
    assert (whole["nodes"], whole["claimed"], whole["parts"]) == (7, 4, 4)
    assert [node.get("part") for node in records.of("node")] == [0, None, 1, None, 2, None, 3]
    assert [part["nodes"] for part in records.of("part")] == [[0], [2], [4], [6]]
    assert [part["inputs"] for part in records.of("part")] == [[list(SHAPE)]] * 4
    made.invoke()
    del made
    steps = {step["part"]: step["nodes"] for step in records.of("step_profile")}
    assert steps == {0: [0], 1: [2], 2: [4], 3: [6]}


def test_other_shapes_are_another_plan():
    records = Records()
    flat = Flat()
    x = flat.input((-1, 4, 4, 8))
    flat.output(flat.conv(x, flat.constant("filters", FILTERS)))
    made = delegated(flat.bytes(), report=records, profile=True)
    for batch in (2, 1, 2):
        made.resize_tensor_input(x, (batch, 4, 4, 8))
        made.allocate_tensors()
        made.invoke()
    assert [(part["plan"], part["inputs"][0][0]) for part in records.of("part")] == [(0, 1), (1, 2)]
    del made
    assert [(each["plan"], each["runs"]) for each in records.of("part_profile")] == [(0, 1), (1, 2)]


def test_what_is_not_to_be_had_is_warned_of():
    records = Records()
    delegated(convolution(), report=records, allow_fp16=True, isa="scalar")
    (warning,) = records.of("warning")
    assert warning["kind"] == "no_fp16" and not records.of("engine")[0]["fp16"]
