"""`sbnn convert --quantize`: one line from a float model to a sparse int8 one, and its mistakes."""

from __future__ import annotations

import numpy as np
import pytest

from sbnn_tf.cli import main
from sbnn_tf.convert import flatbuffer
from sbnn_tf.convert.flatbuffer import schema

pytest.importorskip("tensorflow")

DATA = np.random.default_rng(0).uniform(-1, 1, (8, 12, 12, 3)).astype(np.float32)


def types(path) -> list[int]:
    graph = flatbuffer.read(path.read_bytes()).subgraphs[0]
    return [graph.tensors[t].type for t in (*graph.inputs, *graph.outputs)]


def test_prune_and_quantize_with_arrays(tiny_files, tmp_path, capsys):
    out = tmp_path / "out.tflite"
    np.save(tmp_path / "data.npy", DATA)
    command = ["convert", str(tiny_files[0]), str(out), "--prune", "0.5", "--quantize", "int8"]
    command += ["--calibrate", str(tmp_path / "data.npy"), "--samples", "5"]
    assert main([*command, "--input-type", "uint8", "--output-type", "int8"]) == 0
    printed, progress = capsys.readouterr()
    assert "int8, 5 samples: all 768 zeros of its filters stay" in printed
    assert "calibrating: 5 samples" in progress
    assert types(out) == [schema().TensorType.UINT8, schema().TensorType.INT8]
    assert main(["verify", str(out), str(out), "--delegate", "--tolerance", "0"]) == 0


def test_a_sparse_file_and_images(tiny_files, tmp_path, capsys):
    image = pytest.importorskip("PIL.Image")
    (tmp_path / "images").mkdir()
    for i, pixels in enumerate(DATA):
        shown = image.fromarray(np.uint8((pixels + 1) * 127.5))
        shown.save(tmp_path / "images" / f"{i}.png")
    out = tmp_path / "out.tflite"
    command = ["convert", str(tiny_files[1]), str(out), "--quantize", "int8"]
    command += ["--calibrate", str(tmp_path / "images"), "--mean", "127.5", "--std", "127.5"]
    assert main(command) == 0
    assert "images: resized to 12x12, RGB, (pixel - 127.5) / 127.5" in capsys.readouterr().out
    assert main(["inspect", str(out)]) == 0
    rows = [row for row in capsys.readouterr().out.splitlines() if "INT8" in row]
    assert sum("group4" in row for row in rows) == 2


def test_weights_alone_and_noise(tiny_files, tmp_path, capsys):
    dense, out = str(tiny_files[0]), str(tmp_path / "out.tflite")
    for mode in ("float16", "int8-dynamic"):
        assert main(["convert", dense, out, "--quantize", mode]) == 0
    assert main(["convert", dense, out, "--quantize", "int8", "--calibrate", "random"]) == 0
    assert "warning: calibrated on random noise" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--quantize", "int8"], "needs calibration data"),
        (["--quantize", "int4"], "expected one of int8, int8-dynamic, float16"),
        (["--calibrate", "random"], "--calibrate: expected --quantize with it"),
        (["--validate", "data.npz"], "--validate: expected --quantize with it"),
        (["--quantize", "float16", "--validate", "none"], "no such file or folder: none"),
        (["--quantize", "int8", "--calibrate", "none/"], "no such file or folder: none/"),
        (["--quantize", "float16", "--calibrate", "random"], "takes no calibration data"),
        (["--quantize", "int8", "--calibrate", "random", "--samples", "0"], "at least 1, found 0"),
        (["--quantize", "int8", "--calibrate", "random", "--input-type", "int4"], "input_type"),
    ],
)
def test_mistakes(options, message, tiny_files, tmp_path, capsys):
    out = tmp_path / "out.tflite"
    assert main(["convert", str(tiny_files[0]), str(out), *options]) == 2
    printed, error = capsys.readouterr()
    assert printed == "" and error.startswith("sbnn: ") and error.count("\n") == 1
    assert message in error and not out.exists()
