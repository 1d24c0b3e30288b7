"""Java classes, and what they are compiled against."""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import subprocess
import zipfile
from collections.abc import Iterable

from delegate.android.make import maven
from delegate.android.make.native import BUILD, ROOT

TFLITE = "2.16.1"  # the last under this name on Maven Central
_GROUP = "org.tensorflow"
_ANNOTATIONS = (
    "org.jetbrains:annotations:24.1.0"  # kept in class files for Kotlin; not needed to run
)
SOURCES = ROOT / "delegate/android/java"
RELEASE = 8  # of the classes: Android from API 24 on runs them


def artifact(coordinates: str) -> pathlib.Path:
    return maven.artifact(coordinates, BUILD / "maven-files")


def aar(name: str) -> pathlib.Path:
    """The unpacked AAR of TensorFlow Lite: `tensorflow-lite` or `tensorflow-lite-api`."""
    folder = BUILD / "aar" / f"{name}-{TFLITE}"
    if not folder.is_dir():
        fresh = folder.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        with zipfile.ZipFile(artifact(f"{_GROUP}:{name}:{TFLITE}:aar")) as archive:
            archive.extractall(fresh)
        fresh.rename(folder)
    return folder


def api() -> list[pathlib.Path]:
    """What the delegate's classes need."""
    return [aar("tensorflow-lite-api") / "classes.jar", artifact(_ANNOTATIONS)]


def runtime() -> list[pathlib.Path]:
    """TensorFlow Lite's classes; its libraries are in `aar("tensorflow-lite")`."""
    return [aar(name) / "classes.jar" for name in ("tensorflow-lite", "tensorflow-lite-api")]


def sources(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(folder.rglob("*.java"))


def compile_(
    files: Iterable[pathlib.Path],
    classpath: Iterable[pathlib.Path],
    out: pathlib.Path,
    release: int = RELEASE,
) -> pathlib.Path:
    """Compiles into the folder `out`, which is made anew where anything has changed; a warning is an error."""
    files, classpath = list(files), list(classpath)
    made = hashlib.sha256(f"{release}\n{join(classpath)}\n{join(files)}".encode())
    for path in [*files, *(_stamp(path) for path in classpath if _stamp(path).is_file())]:
        made.update(path.read_bytes())
    if _stamp(out).is_file() and _stamp(out).read_text() == made.hexdigest():
        return out
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    options = ["-Xlint:all,-options,-classfile,-path", "-Werror", "-encoding", "UTF-8", "-d", out]
    run("javac", "--release", release, *options, "-cp", join(classpath), *files)
    _stamp(out).write_text(made.hexdigest())
    return out


def _stamp(folder: pathlib.Path) -> pathlib.Path:
    """What the classes in `folder` were made of."""
    return folder.with_name(f"{folder.name}.sha256")


def delegate_classes() -> pathlib.Path:
    return compile_(sources(SOURCES), api(), BUILD / "classes/delegate")


def join(paths: Iterable[pathlib.Path]) -> str:
    return os.pathsep.join(str(path) for path in paths)


def run(program: str, *arguments: object) -> str:
    """Its output; SystemExit where it fails."""
    if shutil.which(program) is None:
        raise SystemExit(f"{program} is missing: `make aar` installs what it needs")
    command = [program, *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode:
        raise SystemExit(f"{' '.join(command)}:\n{ran.stdout}{ran.stderr}")
    return ran.stdout
