"""The runner that links no TensorFlow computes the delegate's bits, or says why it can't."""

from __future__ import annotations

import re

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.run import runtime
from tests.e2e import random_graph
from tests.e2e.random_graphs import isas
from tests.e2e.runner import ROOT, outputs, run
from tests.e2e.test_operators import Model
from tests.e2e.test_random_graphs import OPERATORS
from tests.python.convert.flat import Flat

GRAPHS = 60


@pytest.mark.parametrize("first", range(0, GRAPHS, 20))
def test_the_delegates_bits(first, tmp_path):
    """Every operator that the delegate knows is among the graphs: see test_random_graphs. Models of
    single operators run here in test_operators and test_moving_operators."""
    rng = np.random.default_rng(first)
    for seed in range(first, first + 20):
        tflite, _ = random_graph.make(seed)
        isa = isas()[seed % len(isas())]
        delegate = sbnn.load_delegate(claim="all", isa=isa)
        interpreter = runtime.interpreter(tflite, delegate=delegate, xnnpack=False)
        x = rng.uniform(-1, 1, interpreter.get_input_details()[0]["shape"]).astype(np.float32)
        found = outputs(tmp_path, tflite, [x], f"--isa={isa}")
        for i, want in enumerate(runtime.run(interpreter, [x])):
            np.testing.assert_array_equal(found[i], want, err_msg=f"seed {seed}, output {i}")


def other_shape(tmp_path, *options):
    model = Model(1, 8, 8, 4)
    model.output(model.image)
    (tmp_path / "model.tflite").write_bytes(model.bytes())
    return run(tmp_path / "model.tflite", *options)


def test_another_shape(tmp_path):
    done = other_shape(tmp_path, "--shape", "0=2,5,7,4", "--rounds", 3)
    assert done.returncode == 0, done.stderr
    assert "[2,5,7,4]" in done.stdout
    assert "3 runs: least" in done.stdout


def test_list(tmp_path):
    assert re.match(r"input 0 .* \[1,8,8,4\]\noutput 0 ", other_shape(tmp_path, "--list").stdout)


def test_profile_and_explain(tmp_path):
    done = other_shape(tmp_path, "--explain=1", "--profile=1")
    assert "CONV_2D claimed" in done.stderr
    assert re.search(r"us .*CONV_2D", done.stderr)


def integers() -> bytes:
    flat = Flat()
    start = flat.tensor("x", (1, 4), np.int32)
    flat.graph.inputs = np.array([start], np.int32)
    made = flat.tensor("y", (1, 4), np.int32)
    flat.node("ADD", [start, flat.constant("one", np.ones(4, np.int32))], [made])
    flat.output(made)
    return flat.bytes()


def two_unknown() -> bytes:
    model = Model(1, 4, 4, 4)
    found = model.image
    for name in ("SIN", "COS"):
        made = model.tensor(name, (1, 4, 4, 4))
        model.node(name, [found], [made])
        found = made
    model.output(found)
    return model.bytes()


# Of what it can't run, every node and the reason.
REFUSED = {
    "integers": (integers, ["node 0 ADD: "]),
    "operators": (
        two_unknown,
        ["node 1 SIN: the operator is not supported", "node 2 COS: the operator is not supported"],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_every_reason(case, tmp_path):
    make, reasons = REFUSED[case]
    (tmp_path / "model.tflite").write_bytes(make())
    done = run(tmp_path / "model.tflite")
    assert done.returncode == 1
    assert done.stderr.count("\n  node ") == len(reasons)
    for reason in reasons:
        assert reason in done.stderr


LEFT_OUT = {
    "ADD": lambda model: [model.image, model.start],
    "MUL": lambda model: [model.image, model.random(4)],
    "CONCATENATION": lambda model: [model.image, model.start],
    "MEAN": lambda model: [model.image, model.numbers(1, 2)],
    "RESHAPE": lambda model: [model.image, model.numbers(1, 8, 4, 1, 2)],
    "STRIDED_SLICE": lambda model: [
        model.image, model.numbers(0, 1, 0, 0), model.numbers(1, 4, 2, 4), model.numbers(1, 1, 1, 1)
    ],
}  # fmt: skip
RANKS = {"MEAN": 2, "RESHAPE": 5}


@pytest.mark.parametrize("name", LEFT_OUT)
@pytest.mark.parametrize("options", [None, "another's"])
def test_parameters_that_a_file_leaves_out_are_zero(name, options, tmp_path):
    """As TensorFlow Lite takes them; those of another operator count as left out, too."""
    model = Model(1, 4, 4, 4)
    given = None if options is None else schema().LeakyReluOptionsT(alpha=0.5)
    y = model.add(name, LEFT_OUT[name](model), given, RANKS.get(name, 4))
    tflite = model.finished(y)
    x = np.random.default_rng(0).uniform(-1, 1, (1, 4, 4, 4)).astype(np.float32)
    delegate = sbnn.load_delegate(claim="all")
    (want,) = runtime.run(runtime.interpreter(tflite, delegate=delegate, xnnpack=False), [x])
    (found,) = outputs(tmp_path, tflite, [x])
    np.testing.assert_array_equal(found, want)


def with_version(name: str, version: int) -> bytes:
    """A convolution and RELU, of which the operator `name` has this version."""
    model = Model(1, 4, 4, 4)
    model.output(model.add("RELU", [model.image]))
    number = getattr(schema().BuiltinOperator, name)
    for code in model.model.operatorCodes:
        if code.builtinCode == number:
            code.version = version
    return model.bytes()


@pytest.mark.parametrize("name, newest", [("CONV_2D", 8), ("RELU", 3)])
def test_versions_that_nobody_knows_are_refused(name, newest, tmp_path):
    for version in (1, newest, newest + 1, 0):
        (tmp_path / "model.tflite").write_bytes(with_version(name, version))
        done = run(tmp_path / "model.tflite", "--rounds", 1)
        assert done.returncode == (0 if version in (1, newest) else 1), done.stderr
        if done.returncode:
            told = f"{name}: version {version} of the operator is not known, expected 1 to {newest}"
            assert told in done.stderr


def test_the_versions_are_those_of_tensorflow_lite():
    """Each newest one is known there, and the next is not."""
    files = (ROOT / "delegate/translation/ops").glob("*.cc")
    source = "".join(file.read_text() for file in files)
    table = dict(re.findall(r"Operator\(kTfLiteBuiltin(\w+), (\d+)", source))
    names = {name.replace("_", ""): name for name in OPERATORS}
    names |= {name: name for name in ("QUANTIZE", "DEQUANTIZE")}  # of other graphs than those
    assert {name.upper() for name in table} == set(names)
    for name, newest in table.items():
        for version in (int(newest), int(newest) + 1):
            flat = Flat()
            flat.node(names[name.upper()], [flat.input((1, 4))], [flat.tensor("y", (1, 4))])
            flat.model.operatorCodes[0].version = version
            try:
                runtime.construct(runtime.read_model(flat.bytes()), num_threads=1)
                known = True
            except (ValueError, RuntimeError) as error:
                known = "Didn't find op" not in str(error)
            assert known == (version == int(newest)), (name, version)


def test_an_input_of_any_size_is_reported(tmp_path):
    model = Model(1, 4, 4, 4)
    tensor = model.graph.tensors[model.start]
    tensor.shape, tensor.shapeSignature = (
        np.array(each, np.int32) for each in ((1, 1, 1, 4), (1, -1, -1, 4))
    )
    model.output(model.image)
    (tmp_path / "model.tflite").write_bytes(model.bytes())
    done = run(tmp_path / "model.tflite", "--explain=1", "--shape", "0=1,6,5,4")
    assert '"input" may have any size: claimed and packed for 1x224x224x4' in done.stderr


BAD = {
    "no model": ([], "expected a model"),
    "no file": (["none.tflite"], "none.tflite: can't be read"),
    "no option": (["MODEL", "--fast"], "unknown option --fast"),
    "no delegate option": (["MODEL", "--speed=1"], 'unknown option "speed"'),
    "no input": (["MODEL", "--input", "z=MODEL"], "no input 'z'; there are: "),
    "no array": (["MODEL", "--input", "0=MODEL"], "no .npy file"),
    "no shape": (["MODEL", "--shape", "0=1,x"], "expected sizes such as 1,224,224,3"),
    "wrong shape": (["MODEL", "--shape", "0=1,8,8,3"], "channels"),
    "no signature": (["MODEL", "--signature", "z"], "no signature 'z'"),
    "no model's bytes": (["TEXT"], "no .tflite file"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_use(case, tmp_path):
    arguments, message = BAD[case]
    model = Model(1, 8, 8, 4)
    model.output(model.image)
    (tmp_path / "m.tflite").write_bytes(model.bytes())
    (tmp_path / "t.tflite").write_text("some text, which is no model")
    files = {"MODEL": str(tmp_path / "m.tflite"), "TEXT": str(tmp_path / "t.tflite")}
    for name, path in files.items():
        arguments = [argument.replace(name, path) for argument in arguments]
    done = run(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("sbnn_run: ")
    assert message in done.stderr


def test_help():
    assert run("--help").stdout.startswith("usage: sbnn_run MODEL.tflite")
