"""Pinned files of Maven's repositories, copied once into a folder; what is there is not asked for again."""

from __future__ import annotations

import hashlib
import pathlib
import shutil
import subprocess

_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"


def artifact(coordinates: str, folder: pathlib.Path) -> pathlib.Path:
    """The file of `group:artifact:version[:type]`, type `jar` where none is said."""
    _, name, version, *kind = coordinates.split(":")
    path = folder / f"{name}-{version}.{kind[0] if kind else 'jar'}"
    if not path.is_file():
        _mvn(f"{_PLUGIN}:copy", f"-Dartifact={coordinates}", f"-DoutputDirectory={folder}")
    return path


def dependencies(pom: pathlib.Path, folder: pathlib.Path) -> list[pathlib.Path]:
    """The files of all dependencies that `pom` names, and of theirs, in `folder`."""
    stamp = folder / "of-pom.sha256"
    wanted = hashlib.sha256(pom.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        _mvn("-f", str(pom), f"{_PLUGIN}:copy-dependencies", f"-DoutputDirectory={folder}")
        stamp.write_text(wanted)
    return sorted(folder.glob("*.jar")) + sorted(folder.glob("*.aar"))


def _mvn(*arguments: str) -> None:
    mvn = shutil.which("mvn")
    if mvn is None:
        raise SystemExit("mvn is missing: install maven")
    command = [mvn, "--batch-mode", "--quiet", "--strict-checksums", *arguments]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"mvn {' '.join(arguments)}:\n{run.stdout}{run.stderr}")
