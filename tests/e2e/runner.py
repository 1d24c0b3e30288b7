"""The command-line runner, which links no TensorFlow, for tests."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
RUNNER = pathlib.Path(os.environ.get("SBNN_RUN", ROOT / "bazel-bin/delegate/run/sbnn_run"))


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
