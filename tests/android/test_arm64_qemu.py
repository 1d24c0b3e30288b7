"""The arm64 library with TensorFlow Lite's, on an emulated CPU; glibc stands in for bionic (shim/)."""

import json
import pathlib
import subprocess

import pytest

from delegate.android.make import native
from tests.android import conftest, networks
from tests.e2e.test_random_graphs import OPERATORS

HERE = pathlib.Path(__file__).resolve().parent
GLIBC = "/usr/aarch64-linux-gnu"
# As in tests/e2e/arm64_delegate.py and random_graphs.py: relative to the largest output, and to how far
# TensorFlow Lite without XNNPACK is from itself with it.
NEVER_ABOVE = 1e-4
NEVER_ABOVE_IN_FLOAT16 = 0.1
ROUNDING = 1e-5  # of small graphs
PRECISION = 2.0**13  # how many times finer float32 is than float16
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


def bar(found: dict, least: float = 0) -> float:
    return min(NEVER_ABOVE, max(least, 4 * found["own_difference"]))


def check(found: dict) -> None:
    assert found["nodes"] == found["claimed"], found
    assert found["spread"] > 0.1, "the outputs tell nothing"
    assert found["difference"] <= bar(found), found
    assert found["steps"] == 0, found


@pytest.mark.parametrize("name", networks.MOBILENETS)
@pytest.mark.parametrize("isa", ["neon", "scalar"])
def test_outputs_are_those_of_stock(compare, models, name, isa):
    found = run(compare, models / f"{name}.tflite", isa=isa)
    check(found)
    assert found["isa"] == "neon", "the best of this CPU"
    assert found["claimed"] > CONVOLUTIONS and found["difference"] > 0


@pytest.mark.parametrize("isa", ["neon", "scalar"])
def test_every_operator_computes_what_stock_computes(compare, models, isa):
    operators = set()
    for seed in networks.GRAPHS:
        found = run(compare, models / f"graph_{seed}.tflite", isa=isa, threads=1 + seed % 2)
        assert found["claimed"] > 0 and found["difference"] <= bar(found, ROUNDING), (seed, found)
        operators |= set(found["operators"])
    assert operators >= set(OPERATORS), set(OPERATORS) - operators


# The same name of float kernels stands for int8's with products of four, and those without.
@pytest.mark.parametrize("name", networks.INT8_NETWORKS)
@pytest.mark.parametrize("cpu, isa", [("max", "neon"), ("cortex-a72", "neon"), ("max", "scalar")])
def test_int8_outputs_are_the_bits_of_stock(compare, models, name, cpu, isa):
    check(run(compare, models / f"{name}.tflite", isa=isa, cpu=cpu))


@pytest.mark.parametrize("name", ["mobilenet_g4", "mobilenet_int8_4x4"])
@pytest.mark.parametrize("threads", [2, 4])
def test_threads_change_nothing(compare, models, name, threads):
    check(run(compare, models / f"{name}.tflite", threads=threads))


@pytest.mark.parametrize("name", networks.MOBILENETS)
def test_16_bit_floats(compare, models, name):
    found = run(compare, models / f"{name}.tflite", fp16=1)
    assert found["nodes"] == found["claimed"] and found["float16_steps"] >= CONVOLUTIONS
    highest = min(NEVER_ABOVE_IN_FLOAT16, PRECISION * bar(found))
    assert 0 < found["difference"] <= highest, found


def test_a_cpu_without_16_bit_floats(compare, models):
    found = run(compare, models / "mobilenet_g4.tflite", fp16=1, cpu="cortex-a72")
    check(found)
    assert found["isa"] == "neon" and found["float16_steps"] == 0
