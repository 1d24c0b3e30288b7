"""Which NDKs the build takes, and what it says of the others: made-up folders."""

import os
import pathlib
import subprocess

import pytest

from delegate.android.make import native

# Says what clang says of its headers, and compiles nothing.
COMPILER = """#!/bin/sh
case "$*" in *armv7a*) echo "no such target" >&2; exit 1;; esac
printf '#include <...> search starts here:\\n /usr/include\\nEnd of search list.\\n' >&2
"""


def made_up(folder: pathlib.Path, properties: str | None, compiler: bool = True) -> pathlib.Path:
    tools = folder / "toolchains/llvm/prebuilt/linux-x86_64/bin"
    tools.mkdir(parents=True)
    if properties is not None:
        (folder / "source.properties").write_text(properties)
    if compiler:
        (tools / "clang++").write_text(COMPILER)
        (tools / "clang++").chmod(0o755)
    return folder


def analyse(
    home: pathlib.Path | None, config: str = "android_arm64", stamp: str = ""
) -> tuple[int, str]:
    """Bazel's exit code and messages, up to where it would compile."""
    environment = {k: v for k, v in os.environ.items() if k != "ANDROID_NDK_HOME"}
    environment["ANDROID_NDK_STAMP"] = stamp
    if home is not None:
        environment["ANDROID_NDK_HOME"] = str(home)
    bazel = os.environ.get("SBNN_BAZEL", "bazel")
    ran = subprocess.run(
        [bazel, "build", "--nobuild", f"--config={config}", native.TARGET],
        cwd=native.ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    return ran.returncode, ran.stderr


@pytest.mark.parametrize(
    "properties, message",
    [
        ("Pkg.Revision = 21.4.7075529\n", "found version 21.4.7075529"),
        ("Pkg.Revision = newest\n", "found version newest"),
        ("Pkg.Desc = Android NDK\n", "found no Pkg.Revision"),
        (None, "which has no source.properties"),
    ],
)
def test_what_is_no_ndk_from_r25_on_is_refused(tmp_path, properties, message):
    code, said = analyse(made_up(tmp_path / "ndk", properties))
    assert code != 0
    assert "expected the folder of an Android NDK, r25 or newer" in said and message in said


def test_without_an_ndk_the_build_says_so():
    code, said = analyse(None)
    assert code != 0 and "ANDROID_NDK_HOME is not set" in said


def test_an_ndk_of_another_system_is_refused(tmp_path):
    home = made_up(tmp_path / "ndk", "Pkg.Revision = 27.0.12077973\n", compiler=False)
    code, said = analyse(home)
    assert code != 0 and "expected an NDK for Linux on x86-64" in said


@pytest.mark.parametrize("revision", ["25.0.8775105", "27.0.12077973"])
def test_any_ndk_from_r25_on_is_taken(tmp_path, revision):
    home = made_up(tmp_path / "ndk", f"Pkg.Desc = Android NDK\nPkg.Revision = {revision}\n")
    code, said = analyse(home)
    assert code == 0, said
    # What one architecture lacks is said for that one.
    code, said = analyse(home, "android_arm")
    assert code != 0 and "does not compile for armv7a-linux-androideabi24: no such target" in said


def test_one_that_is_replaced_in_its_place_is_looked_at_anew(tmp_path, monkeypatch):
    home = made_up(tmp_path / "ndk", "Pkg.Revision = 27.0.12077973\n")
    monkeypatch.setenv("ANDROID_NDK_HOME", str(home))
    before = native.ndk()
    code, said = analyse(home, stamp=before.stamp)
    assert code == 0, said
    (home / "source.properties").write_text("Pkg.Revision = 21.4.7075529\n")
    code, said = analyse(home, stamp=native.ndk().stamp)
    assert code != 0 and "found version 21.4.7075529" in said


def test_the_packager_reads_the_same(tmp_path, monkeypatch):
    properties = "Pkg.Desc = Android NDK\nPkg.Revision = 27.0.12077973\n"
    monkeypatch.setenv("ANDROID_NDK_HOME", str(made_up(tmp_path / "ndk", properties)))
    ndk = native.ndk()
    assert ndk.version == "27.0.12077973" and not ndk.stands_in
    assert ndk.abis == ("arm64-v8a", "x86_64")
    monkeypatch.setenv("ANDROID_NDK_HOME", str(tmp_path))
    with pytest.raises(SystemExit, match="ANDROID_NDK_HOME: expected the folder"):
        native.ndk()
