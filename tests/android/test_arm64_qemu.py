"""The arm64 library with TensorFlow Lite's, on an emulated CPU; glibc stands in for bionic (shim/)."""

import json
import math
import pathlib
import subprocess

import pytest

from delegate.android.make import native
from tests.android import conftest

HERE = pathlib.Path(__file__).resolve().parent
GLIBC = "/usr/aarch64-linux-gnu"
BAR = 1e-4  # of float32, relative to the largest output, as in tests/e2e/arm64_delegate.py
FLOAT16_BAR = 0.1
CONVOLUTIONS = 27  # of MobileNet-v1


@pytest.fixture(scope="session")
def libraries(arm64) -> pathlib.Path:
    return conftest.loadable("arm64-v8a", arm64, native.BUILD / "qemu")


@pytest.fixture(scope="session")
def compare(libraries) -> pathlib.Path:
    program = libraries / "compare"
    subprocess.run(
        [
            *("aarch64-linux-gnu-gcc", "-O1", "-Wall", "-Werror", f"-I{native.ROOT}"),
            *("-o", program, HERE / "qemu/compare.c", "-ldl", "-lm"),
        ],
        check=True,
    )
    return program


def emulate(folder: pathlib.Path, cpu: str, *command: object) -> str:
    ran = subprocess.run(
        [
            *("qemu-aarch64-static", "-cpu", cpu, "-L", GLIBC, "-E", f"LD_LIBRARY_PATH={folder}"),
            *map(str, command),
        ],
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def run(compare, model, threads=1, fp16=0, isa="-", cpu="max") -> dict:
    folder = compare.parent
    names = [conftest.tflite("arm64-v8a").name, native.LIBRARY]
    paths = [folder / name for name in names]
    said = emulate(folder, cpu, compare, *paths, model, threads, fp16, isa)
    return json.loads(said.splitlines()[-1])


@pytest.mark.parametrize("group", conftest.GROUPS)
def test_outputs_are_those_of_stock(compare, models, group):
    found = run(compare, models / f"mobilenet_g{group}.tflite")
    assert found["isa"].startswith("neon")
    assert found["nodes"] == found["claimed"] > CONVOLUTIONS
    assert found["spread"] > 0.1 * found["largest"], "the outputs tell nothing"
    assert 0 < found["difference"] <= BAR * found["largest"], found


@pytest.mark.parametrize("threads", [2, 4])
def test_threads_change_nothing(compare, models, threads):
    found = run(compare, models / "mobilenet_g4.tflite", threads=threads)
    assert found["difference"] <= BAR * found["largest"], found


def test_16_bit_floats(compare, models):
    found = run(compare, models / "mobilenet_g4.tflite", fp16=1)
    assert found["float16_steps"] >= CONVOLUTIONS
    assert 0 < found["difference"] <= FLOAT16_BAR * found["largest"], found


def test_a_cpu_without_16_bit_floats(compare, models):
    found = run(compare, models / "mobilenet_g4.tflite", fp16=1, cpu="cortex-a72")
    assert found["isa"].startswith("neon") and found["float16_steps"] == 0
    assert found["difference"] <= BAR * found["largest"], found


def test_plain_code(compare, models):
    found = run(compare, models / "mobilenet_g4.tflite", isa="scalar")
    assert math.isfinite(found["difference"])
    assert found["difference"] <= BAR * found["largest"], found
