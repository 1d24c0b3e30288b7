"""The `sbnn` command: what it does, and how it fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sbnn_tf.cli import main
from sbnn_tf.convert.flatbuffer import schema
from tests.python.convert.flat import Flat


@pytest.fixture
def fails(capsys):
    """fails(arguments...) -> the one line on stderr of a command that ends with exit code 2."""

    def run(*arguments: object) -> str:
        assert main([str(a) for a in arguments]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("sbnn: ") and err.count("\n") == 1, err
        return err

    return run


@pytest.mark.parametrize("command", [[], ["convert"], ["verify"], ["benchmark"], ["explain"]])
def test_help(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([*command, "--help"])
    assert end.value.code == 0
    assert "sbnn convert" in (text := capsys.readouterr().out) or "sbnn " + command[0] in text


def test_convert_prunes_and_verify_tells(tiny_files, tmp_path, capsys):
    dense, _ = tiny_files
    out = tmp_path / "out.tflite"
    assert main(["convert", str(dense), str(out), "--prune", "0.75", "--group", "8"]) == 0
    assert out.stat().st_size < dense.stat().st_size
    assert main(["inspect", str(out)]) == 0
    assert "group8" in capsys.readouterr().out
    assert main(["verify", str(dense), str(out)]) == 1
    assert "BEYOND" in capsys.readouterr().out
    assert main(["verify", str(dense), str(out), "--tolerance", "1000"]) == 0
    assert main(["verify", str(out), str(out), "--tolerance", "0"]) == 0


def test_convert_only_named_layers(tiny_files, tmp_path, capsys):
    out = tmp_path / "out.tflite"
    command = [
        "convert",
        str(tiny_files[0]),
        str(out),
        "--prune",
        "0.5",
        "--layer",
        "*pointwise_1*",
    ]
    assert main(command) == 0
    capsys.readouterr()
    assert main(["inspect", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    (densify,) = (line for line in lines if "DENSIFY" in line)
    assert "pointwise_1" in densify


def test_convert_by_pattern_and_kernel_size(tiny_files, tmp_path, capsys, fails):
    out = tmp_path / "out.tflite"
    options = ["--prune", "0.5", "--pattern", "group2", "--layer", "1x1"]
    assert main(["convert", str(tiny_files[0]), str(out), *options]) == 0
    assert main(["inspect", str(out)]) == 0
    rows = [row for row in capsys.readouterr().out.splitlines() if "DENSIFY" in row]
    assert len(rows) == 2 and all("pointwise" in row for row in rows)
    both = fails("convert", tiny_files[0], out, *options, "--group", 4)
    assert "expected one of them, found both" in both
    # All its K x K convolutions are the first one.
    none = fails("convert", tiny_files[0], out, "--prune", 0.8, "--pattern", "kernel4x8")
    assert "nothing to prune: expected K x K" in none


def test_convert_keeps_a_file_that_is_in_the_way(tiny_files, tmp_path, fails):
    out = tmp_path / "out.tflite"
    out.write_text("precious")
    fails("convert", tiny_files[0], out, "--prune", "1.5")
    assert out.read_text() == "precious"
    assert os.listdir(tmp_path) == ["out.tflite"]


def test_dead_network_is_pointed_out(tmp_path, capsys):
    import keras

    import sbnn_tf as sbnn

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, kernel_initializer="zeros")])
    path = tmp_path / "dead.tflite"
    path.write_bytes(sbnn.convert(model))
    assert main(["verify", str(path), str(path)]) == 0
    assert "shows little" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options",
    [
        ["--prune", "1"],
        ["--prune", "-0.1"],
        ["--prune", "nan"],
        ["--prune", "0.5", "--group", "0"],
        ["--layer", "*"],
    ],
)
def test_convert_bad_options(options, tiny_files, tmp_path, fails):
    fails("convert", tiny_files[0], tmp_path / "out.tflite", *options)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("content", [None, b"", b"hello", b"\x20\0\0\0TFL3" + bytes(50)])
@pytest.mark.parametrize("command", ["convert", "inspect", "verify", "benchmark", "explain"])
def test_bad_files(command, content, tmp_path, fails):
    path = tmp_path / "model.tflite"
    if content is not None:
        path.write_bytes(content)
    more = {"convert": [tmp_path / "out.tflite"], "verify": [path]}.get(command, [])
    fails(command, path, *more)
    assert not (tmp_path / "out.tflite").exists()


@pytest.mark.parametrize("command", ["convert", "inspect", "verify", "benchmark", "explain"])
def test_truncated_file(command, tiny_files, tmp_path, fails):
    path = tmp_path / "model.tflite"
    content = tiny_files[1].read_bytes()
    more = {"convert": [tmp_path / "out.tflite"], "verify": [path]}.get(command, [])
    for length in (9, len(content) // 3, len(content) - 1):
        path.write_bytes(content[:length])
        fails(command, path, *more)
    assert not (tmp_path / "out.tflite").exists()


def test_output_in_a_missing_folder(tiny_files, tmp_path, fails):
    assert "out.tflite" in fails("convert", tiny_files[0], tmp_path / "no" / "out.tflite")


def test_library_for_another_processor(tiny_files, foreign_library, monkeypatch, fails):
    monkeypatch.setenv("SBNN_DELEGATE", str(foreign_library))
    assert "ELF machine 43" in fails("benchmark", tiny_files[1])
    assert "ELF machine 43" in fails("verify", tiny_files[1], tiny_files[1], "--delegate")
    assert "ELF machine 43" in fails("explain", tiny_files[1])


def test_unknown_option_and_bad_number():
    for arguments in (
        ["inspect", "x", "--nope"],
        ["verify", "a", "b", "--tolerance", "-1"],
        ["verify", "a", "b", "--tolerance", "nan"],
        ["prune", "x"],
        [],
    ):
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert end.value.code == 2


@pytest.mark.parametrize("name", ["none.tflite", "cut.tflite", "text.keras"])
@pytest.mark.parametrize("command", ["inspect", "verify", "convert"])
def test_as_a_program(command, name, tiny_files, tmp_path):
    """A user error of a fresh process: one line, exit code 2, no trace, whatever TensorFlow logs."""
    (tmp_path / "cut.tflite").write_bytes(tiny_files[0].read_bytes()[:-40])
    (tmp_path / "text.keras").write_text("no model")
    more = {"convert": [tmp_path / "out.tflite"], "verify": [tiny_files[0]]}.get(command, [])
    done = subprocess.run(
        [sys.executable, "-m", "sbnn_tf.cli", command, tmp_path / name, *more],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("sbnn: ") and done.stderr.count("\n") == 1, done.stderr
    assert not (tmp_path / "out.tflite").exists()


def test_interrupted(tmp_path):
    """Ctrl-C while a model runs that never ends."""
    flat = Flat()
    x, y = flat.input((1,)), flat.tensor("y", (1,))
    flat.node("WHILE", [x], [y], schema().WhileOptionsT(condSubgraphIndex=1, bodySubgraphIndex=2))
    flat.output(y)
    flat.add_subgraph()
    flat.input((1,))
    flat.output(flat.constant("true", np.array([True])))
    flat.add_subgraph()
    flat.output(flat.input((1,)))
    path = tmp_path / "endless.tflite"
    path.write_bytes(flat.bytes())
    command = [sys.executable, "-m", "sbnn_tf.cli", "verify", path, path]
    # Tests that run in the background inherit that SIGINT is ignored.
    heed = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heed) as running:
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
        while not (child := children.read_text()):
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        assert running.stderr.read() == "sbnn: interrupted\n"
        assert running.wait() == 130
    for _ in range(1000):
        if not Path("/proc", child.strip()).exists():
            return
        time.sleep(0.01)
    pytest.fail("its process still lives")
