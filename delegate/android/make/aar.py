"""`make aar`: the delegate as an AAR, in a folder that Gradle and Maven take for a repository."""

from __future__ import annotations

import hashlib
import json
import pathlib
import shutil
import string

from delegate.android.make import java, native
from delegate.android.make.archive import Archive
from delegate.android.make.native import BUILD, LIBRARY, ROOT
from sbnn_tf.version import __version__

HERE = ROOT / "delegate/android"
GROUP, NAME = "com.sbnn", "sparse-delegate"
MODULE = "sbnn_delegate"  # as CMake calls it
API = 24
HEADERS = ("delegate/tflite/sbnn_delegate.h", "delegate/report/sbnn_report.h")
REPOSITORY = ROOT / "build/maven"


def version(ndk: native.Ndk) -> str:
    return __version__ + ("-standin" if ndk.stands_in else "")


def filled(template: pathlib.Path, ndk: native.Ndk) -> str:
    """A file's text with what it asks for."""
    name = f"{ndk.description} {ndk.version}".strip()
    return string.Template(template.read_text()).substitute(
        version=version(ndk), abis=" ".join(ndk.abis), ndk=name, tflite=java.TFLITE
    )


def write_aar(path: pathlib.Path, ndk: native.Ndk, libraries: dict[str, pathlib.Path]) -> None:
    classes = BUILD / "classes.jar"
    with Archive(classes) as jar:
        jar.add_folder(java.delegate_classes())
    with Archive(path) as archive:
        archive.add("AndroidManifest.xml", filled(HERE / "AndroidManifest.xml", ndk))
        archive.add("classes.jar", classes)
        archive.add("R.txt", "")
        archive.add("proguard.txt", HERE / "consumer-rules.pro")
        for abi, library in libraries.items():
            archive.add(f"jni/{abi}/{LIBRARY}", library)
        add_prefab(archive, ndk, libraries)


def add_prefab(archive: Archive, ndk: native.Ndk, libraries: dict[str, pathlib.Path]) -> None:
    """What CMake and ndk-build need, by Prefab's schema, version 2."""
    about = {"schema_version": 2, "name": MODULE, "version": __version__, "dependencies": []}
    archive.add("prefab/prefab.json", json.dumps(about))
    folder = f"prefab/modules/{MODULE}"
    module = {"export_libraries": [], "android": {}, "library_name": f"lib{MODULE}"}
    archive.add(f"{folder}/module.json", json.dumps(module))
    for header in HEADERS:
        archive.add(f"{folder}/include/sbnn/{pathlib.Path(header).name}", ROOT / header)
    major = int(ndk.version.split(".")[0])
    for abi, library in libraries.items():
        # The C++ library is inside, and the interface is C.
        about = {"abi": abi, "api": API, "ndk": major, "stl": "none", "static": False}
        archive.add(f"{folder}/libs/android.{abi}/abi.json", json.dumps(about))
        archive.add(f"{folder}/libs/android.{abi}/{LIBRARY}", library)


def write_javadoc(path: pathlib.Path) -> None:
    folder = BUILD / "javadoc"
    shutil.rmtree(folder, ignore_errors=True)
    options = ["-quiet", "-notimestamp", "-Xdoclint:all,-missing", "-Werror", "-encoding", "UTF-8"]
    source = ["--release", java.RELEASE, "-cp", java.join(java.api()), "-d", folder]
    java.run("javadoc", *options, *source, *java.sources(java.SOURCES))
    with Archive(path) as jar:
        jar.add_folder(folder)


def write_sums(path: pathlib.Path) -> None:
    for kind in ("md5", "sha1", "sha256", "sha512"):
        sum_ = hashlib.new(kind, path.read_bytes()).hexdigest()
        path.with_name(f"{path.name}.{kind}").write_text(sum_)


def publish(ndk: native.Ndk, libraries: dict[str, pathlib.Path], repository: pathlib.Path) -> None:
    """Writes all files of this version; others of the repository stay."""
    artifact = repository.joinpath(*GROUP.split("."), NAME)
    folder = artifact / version(ndk)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    stem = f"{NAME}-{version(ndk)}"
    write_aar(folder / f"{stem}.aar", ndk, libraries)
    write_javadoc(folder / f"{stem}-javadoc.jar")
    with Archive(folder / f"{stem}-sources.jar") as jar:
        jar.add_folder(java.SOURCES)
    (folder / f"{stem}.pom").write_text(filled(HERE / "pom.xml", ndk))
    metadata = artifact / "maven-metadata.xml"
    versions = sorted(each.name for each in artifact.iterdir() if each.is_dir())
    listed = "".join(f"<version>{each}</version>" for each in versions)
    metadata.write_text(
        f"<metadata><groupId>{GROUP}</groupId><artifactId>{NAME}</artifactId><versioning>"
        f"<release>{version(ndk)}</release><versions>{listed}</versions></versioning></metadata>\n"
    )
    for path in [metadata, *folder.iterdir()]:
        write_sums(path)


def main() -> None:
    ndk = native.ndk()
    libraries = {abi: native.build(ndk, abi) for abi in ndk.abis}
    publish(ndk, libraries, REPOSITORY)
    print(f"{GROUP}:{NAME}:{version(ndk)} in {REPOSITORY}, for {', '.join(libraries)}")
    missing = [abi for abi in native.CONFIGS if abi not in libraries]
    if missing:
        print(f"without {', '.join(missing)}, which this NDK does not make")
    if ndk.stands_in:
        print("made with a stand-in for an NDK: for tests only, it must not be published")


if __name__ == "__main__":
    main()
