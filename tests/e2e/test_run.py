"""The runner that links no TensorFlow computes the delegate's bits, or says why it can't."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf.run import runtime
from tests.e2e import random_graphs
from tests.e2e.test_operators import Model
from tests.python.convert.flat import Flat

ROOT = pathlib.Path(__file__).parents[2]
RUNNER = pathlib.Path(os.environ.get("SBNN_RUN", ROOT / "bazel-bin/delegate/run/sbnn_run"))
GRAPHS = 60


def run(*arguments) -> subprocess.CompletedProcess:
    assert RUNNER.exists(), f"no {RUNNER}: `make test-python` builds it"
    command = [str(RUNNER), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def outputs(folder: pathlib.Path, tflite: bytes, inputs: list[np.ndarray], *options: str):
    """What the runner computes of a model."""
    (folder / "model.tflite").write_bytes(tflite)
    arguments = []
    for i, value in enumerate(inputs):
        np.save(folder / f"in{i}.npy", value)
        arguments += ["--input", f"{i}={folder / f'in{i}.npy'}"]
    done = run(folder / "model.tflite", *arguments, "--output-dir", folder, "--rounds", 0, *options)
    assert done.returncode == 0, done.stderr
    count = len(re.findall("^output ", done.stdout, re.MULTILINE))
    return [np.load(folder / f"{i}.npy") for i in range(count)]


@pytest.mark.parametrize("first", range(0, GRAPHS, 20))
def test_the_delegates_bits(first, tmp_path):
    """Every operator that the delegate knows is among the graphs: see test_random_graphs."""
    rng = np.random.default_rng(first)
    for seed in range(first, first + 20):
        tflite, _ = random_graphs.make(seed)
        isa = random_graphs.isas()[seed % len(random_graphs.isas())]
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
