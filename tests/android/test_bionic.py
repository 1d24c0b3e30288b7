"""The libraries for ARM on Android's own libc, in an emulator (unidbg)."""

import json
import pathlib
import subprocess

import pytest

from delegate.android.make import java, maven, native
from tests.android import conftest

HERE = pathlib.Path(__file__).resolve().parent / "unidbg"
BAR = 1e-4  # relative to the largest output


# The emulated CPU of 32 bits has no fused multiply-add, which the NEON kernels need.
@pytest.mark.parametrize(
    "abi, bits, isa", [("arm64-v8a", 64, "neon"), ("armeabi-v7a", 32, "scalar")]
)
def test_outputs_and_reports_are_right(ndk, models, abi, bits, isa):
    if abi not in ndk.abis:
        pytest.skip(f"{ndk.description or ndk.home} makes no {abi}")
    jars = maven.dependencies(HERE / "pom.xml", native.BUILD / "unidbg-jars")
    classes = java.compile_(java.sources(HERE / "java"), jars, native.BUILD / "classes/unidbg", 17)
    libraries = conftest.tflite(abi), native.build(ndk, abi)
    ran = subprocess.run(
        [
            *("java", "-Xmx2g", "-cp", java.join([classes, *jars]), "Bionic"),
            *(str(bits), *libraries, models / "mobilenet_g4.tflite"),
        ],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    assert 0 < found["difference"] <= BAR * found["largest"], found
    assert found["refused"] == "num_threads: expected 1 to 256, found '0'"
    records = found["report"]
    assert records[0]["record"] == "engine" and records[0]["isa"] == isa
    nodes = [record for record in records if record["record"] == "node"]
    assert len(nodes) > 27 and all(node["claimed"] for node in nodes)
