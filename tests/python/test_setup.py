"""The build: what is pinned is pinned once, what is built is what is shipped."""

import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "sbnn_tf/lib/libsbnn_delegate.so"
MAKEFILE = (ROOT / "Makefile").read_text()


def tracked_files() -> list[pathlib.Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def holding(text: str) -> list[str]:
    return [
        str(path.relative_to(ROOT))
        for path in tracked_files()
        if text.encode() in path.read_bytes()
    ]


def test_the_headers_archive_is_pinned_once():
    rule = (ROOT / "delegate/build/tflite_headers.bzl").read_text()
    coordinates = re.search(r'"(org\.tensorflow:tensorflow-lite:[\d.]+)', rule)[1]
    digest = re.search(r'_SHA256 = "([0-9a-f]{64})"', rule)[1]
    # (The page for Android names what a user's own build takes.)
    assert set(holding(coordinates)) == {"delegate/build/tflite_headers.bzl", "docs/android.md"}
    assert holding(digest) == ["delegate/build/tflite_headers.bzl"]


def test_the_version_stands_in_one_place():
    from sbnn_tf.version import __version__

    printed = subprocess.run(
        [sys.executable, "setup.py", "--version"], cwd=ROOT, capture_output=True, text=True
    )
    assert printed.stdout.split()[-1] == __version__
    assert holding(f'"{__version__}"') == ["sbnn_tf/version.py"]


def test_make_help_lists_every_target_that_a_user_calls():
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = set(re.findall(r"^  ([a-z0-9-]+) ", listed.stdout, re.MULTILINE))
    phony = re.search(r"\.PHONY:((?:.*\\\n)*.*)", MAKEFILE)[1].replace("\\", "").split()
    assert names == set(phony) - {"packages", "test-packages", "android-packages"}
    assert {"setup", "demo", "test", "test-arm64", "accuracy", "bench"} <= names


def test_what_make_runs_exists():
    for module in re.findall(r"\$\(PYTHON\) -m ((?:experiments|delegate)[\w.]*)", MAKEFILE):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module
    for script in re.findall(r"(?:delegate|tests)/[\w/]+\.(?:py|sh)", MAKEFILE):
        assert (ROOT / script).is_file(), script


def test_missing_packages_are_named_with_the_command_that_installs_them(tmp_path):
    # A machine where nothing is installed, and whose user is not root.
    for name, body in {"dpkg-query": "exit 1", "id": "echo 1000", "sudo": "exit 1"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    result = subprocess.run(
        ["/bin/sh", ROOT / "delegate/build/packages.sh", "maven", "g++"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert "packages are missing: maven g++" in result.stderr
    assert "apt-get install --no-install-recommends maven g++" in result.stderr


def test_without_bazel_the_error_says_what_to_install():
    result = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--inplace"],
        cwd=ROOT,
        env={"PATH": "/nonexistent", "SBNN_BAZEL": "no-such-bazel"},
        capture_output=True,
        text=True,
    )
    assert result.returncode != 0
    assert "install Bazel, maven and a C++17 compiler" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_wheel_holds_the_delegate_for_any_python_of_this_platform(tmp_path):
    """Built from a copy: `pip install .` must not depend on what lies about in the checkout."""
    copy = tmp_path / "checkout"
    for path in tracked_files():
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
        target.chmod(path.stat().st_mode)
    # `make setup` has built the delegate: a stand-in for Bazel that has it is enough, and quick.
    (tmp_path / "bin/delegate/tflite").mkdir(parents=True)
    shutil.copy(LIBRARY, tmp_path / "bin/delegate/tflite")
    bazel = tmp_path / "bazel"
    bazel.write_text(f'#!/bin/sh\n[ "$1" = info ] && echo "{tmp_path}/bin"\nexit 0\n')
    bazel.chmod(0o755)

    subprocess.run(
        [sys.executable, "setup.py", "-q", "bdist_wheel", "--dist-dir", tmp_path / "dist"],
        cwd=copy,
        env={"PATH": "/usr/bin:/bin", "SBNN_BAZEL": str(bazel)},
        check=True,
    )
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    assert re.search(r"-py3-none-linux_\w+\.whl$", wheel.name)
    with zipfile.ZipFile(wheel) as contents:
        assert contents.read("sbnn_tf/lib/libsbnn_delegate.so") == LIBRARY.read_bytes()
        names = contents.namelist()
    modules = {str(path.relative_to(ROOT)) for path in tracked_files()}
    assert {name for name in modules if name.startswith("sbnn_tf/")} <= set(names)
    assert not [name for name in names if name.startswith(("tests/", "experiments/"))]


def test_the_delegate_needs_only_what_every_linux_has():
    dynamic = subprocess.run(
        ["objdump", "-p", LIBRARY], capture_output=True, text=True, check=True
    ).stdout
    needed = {name.split(".so")[0] for name in re.findall(r"NEEDED +(\S+)", dynamic)}
    assert needed <= {"libc", "libm", "libpthread", "ld-linux-x86-64", "ld-linux-aarch64"}
    symbols = subprocess.run(
        ["nm", "-D", "--defined-only", LIBRARY], capture_output=True, text=True, check=True
    ).stdout
    exported = {line.split()[-1] for line in symbols.splitlines()}
    assert exported == {
        "tflite_plugin_create_delegate",
        "tflite_plugin_destroy_delegate",
        "sbnn_add_report_sink",
        "sbnn_delegate_create",
        "sbnn_delegate_delete",
        "sbnn_delegate_options_default",
        "sbnn_isa",
        "sbnn_peak_gflops",
        "sbnn_remove_report_sink",
        "sbnn_version",
    }
