"""The x86_64 library with TensorFlow Lite's and XNNPACK, as a native app has them; glibc stands in for bionic (shim/)."""

import json
import os
import pathlib
import subprocess

import pytest

from delegate.android.make import native
from tests.android import conftest, networks
from tests.android.test_arm64_qemu import HERE, check


@pytest.fixture(scope="session")
def folder(x86_64) -> pathlib.Path:
    folder = conftest.loadable("x86_64", x86_64, native.BUILD / "native-app")
    command = ["gcc", "-O1", "-Wall", "-Werror", f"-I{native.ROOT}", "-o", folder / "compare"]
    subprocess.run([*command, HERE / "qemu/compare.c", "-ldl", "-lm"], check=True)
    return folder


@pytest.mark.parametrize("isa", ["-", "scalar"])
@pytest.mark.parametrize("name", [*networks.MOBILENETS, *networks.INT8_NETWORKS])
def test_outputs_are_those_of_stock(folder, models, name, isa):
    libraries = [folder / each for each in (conftest.tflite("x86_64").name, native.LIBRARY)]
    said = subprocess.check_output(
        [folder / "compare", *libraries, models / f"{name}.tflite", "2", "0", isa],
        env={**os.environ, "LD_LIBRARY_PATH": str(folder)},
        text=True,
    )
    found = json.loads(said.splitlines()[-1])
    assert found["isa"] in ("avx512", "avx2", "scalar")
    check(found)
