"""What the tests of Android share: an NDK or its stand-in, libraries, models, a JVM that loads them."""

from __future__ import annotations

import pathlib
import shutil

import pytest

from delegate.android.make import java, native
from tests.android import networks
from tests.android.shim import make as shim


@pytest.fixture(scope="session")
def ndk() -> native.Ndk:
    """That of ANDROID_NDK_HOME; without one a stand-in."""
    return native.ndk()


@pytest.fixture(scope="session")
def x86_64(ndk: native.Ndk) -> pathlib.Path:
    return native.build(ndk, "x86_64")


@pytest.fixture(scope="session")
def arm64(ndk: native.Ndk) -> pathlib.Path:
    return native.build(ndk, "arm64-v8a")


@pytest.fixture(scope="session")
def models() -> pathlib.Path:
    """The folder of networks.py."""
    folder = native.BUILD / "test-models"
    networks.make(folder)
    return folder


def tflite(abi: str) -> pathlib.Path:
    return java.aar("tensorflow-lite") / "jni" / abi / "libtensorflowlite_jni.so"


def loadable(abi: str, delegate: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """`folder` with TensorFlow Lite's library for Android, ours, and libraries that both find there."""
    folder.mkdir(parents=True, exist_ok=True)
    libraries = [tflite(abi), delegate]
    for library in libraries:
        (folder / library.name).unlink(missing_ok=True)  # it may be running
        shutil.copyfile(library, folder / library.name)
    shim.make(abi, libraries, folder)
    return folder


@pytest.fixture(scope="session")
def jvm_libraries(x86_64: pathlib.Path) -> pathlib.Path:
    """What a JVM here needs in LD_LIBRARY_PATH and java.library.path."""
    return loadable("x86_64", x86_64, native.BUILD / "jvm")
