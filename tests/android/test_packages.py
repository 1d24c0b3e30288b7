"""The AAR in its repository, and the app's package."""

import hashlib
import io
import json
import pathlib
import struct
import subprocess
import xml.etree.ElementTree as ElementTree
import zipfile

import pytest

from delegate.android.make import aar, apk, java, maven, native
from sbnn_tf.version import __version__

ANDROID = "{http://schemas.android.com/apk/res/android}"
POM = "{http://maven.apache.org/POM/4.0.0}"


@pytest.fixture(scope="session")
def libraries(ndk) -> dict[str, pathlib.Path]:
    return {abi: native.build(ndk, abi) for abi in ndk.abis}


@pytest.fixture(scope="session")
def repository(ndk, libraries, tmp_path_factory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("maven")
    aar.publish(ndk, libraries, folder)
    return folder


@pytest.fixture(scope="session")
def version(ndk) -> str:
    return aar.version(ndk)


@pytest.fixture(scope="session")
def stem(repository, version) -> pathlib.Path:
    """The path of its files, up to what tells them apart."""
    return repository / f"com/sbnn/sparse-delegate/{version}/sparse-delegate-{version}"


@pytest.fixture(scope="session")
def archive(stem) -> zipfile.ZipFile:
    return zipfile.ZipFile(f"{stem}.aar")


def test_what_a_stand_in_made_is_marked(ndk, version, archive):
    manifest = archive.read("AndroidManifest.xml").decode()
    assert ndk.stands_in == version.endswith("-standin") == ("must not be published" in manifest)
    assert version.removesuffix("-standin") == __version__


def test_the_archive_has_what_gradle_reads(archive, ndk, libraries):
    names = set(archive.namelist())
    assert {"AndroidManifest.xml", "classes.jar", "R.txt", "proguard.txt"} <= names
    for abi, library in libraries.items():
        assert archive.read(f"jni/{abi}/{native.LIBRARY}") == library.read_bytes()
    assert {n.split("/")[1] for n in names if n.startswith("jni/")} == set(ndk.abis)
    manifest = ElementTree.fromstring(archive.read("AndroidManifest.xml"))
    assert manifest.get("package") == "com.sbnn.delegate"
    assert manifest.find("uses-sdk").get(f"{ANDROID}minSdkVersion") == "24"
    values = {
        each.get(f"{ANDROID}name"): each.get(f"{ANDROID}value")
        for each in manifest.iter("meta-data")
    }
    assert values["com.sbnn.delegate.abis"].split() == list(ndk.abis)
    assert not list(manifest.iter("uses-permission"))


def test_its_classes_run_on_android_from_api_24_on(archive):
    classes = zipfile.ZipFile(io.BytesIO(archive.read("classes.jar")))
    names = [name for name in classes.namelist() if name.endswith(".class")]
    assert "com/sbnn/delegate/SparseDelegate.class" in names
    for name in names:
        assert name.startswith("com/sbnn/delegate/")
        magic, _, major = struct.unpack(">IHH", classes.read(name)[:8])
        assert magic == 0xCAFEBABE and major == 52, name  # Java 8


def test_rules_keep_what_the_library_looks_up(archive):
    rules = archive.read("proguard.txt").decode()
    native_source = (native.ROOT / "delegate/android/jni.cc").read_text()
    assert "onReport" in native_source and "void onReport(java.lang.String)" in rules
    assert "-keep class com.sbnn.delegate.NativeDelegate { native <methods>; }" in rules


def test_prefab_describes_the_library_to_cmake(archive, libraries):
    about = json.loads(archive.read("prefab/prefab.json"))
    assert about["schema_version"] == 2 and about["name"] == "sbnn_delegate"
    module = "prefab/modules/sbnn_delegate"
    assert json.loads(archive.read(f"{module}/module.json"))["library_name"] == "libsbnn_delegate"
    for abi, library in libraries.items():
        folder = f"{module}/libs/android.{abi}"
        described = json.loads(archive.read(f"{folder}/abi.json"))
        assert described["abi"] == abi and described["api"] == 24 and not described["static"]
        assert archive.read(f"{folder}/libsbnn_delegate.so") == library.read_bytes()


def test_the_headers_compile_by_themselves(archive, tmp_path):
    prefix = "prefab/modules/sbnn_delegate/include/"
    headers = [name for name in archive.namelist() if name.startswith(prefix) and name[-1] != "/"]
    archive.extractall(tmp_path, headers)
    includes = "".join(f"#include <{name.removeprefix(prefix)}>\n" for name in headers)
    assert "#include <sbnn/sbnn_delegate.h>" in includes
    for language in ("c", "c++"):
        command = ["gcc", "-x", language, "-Wall", "-Werror", f"-I{tmp_path / prefix}"]
        subprocess.run([*command, "-fsyntax-only", "-"], input=includes, text=True, check=True)


def test_checksums_are_those_of_the_files(repository):
    files = [
        path for path in repository.rglob("*") if path.suffix in (".aar", ".jar", ".pom", ".xml")
    ]
    assert len(files) == 5
    for path in files:
        for kind in ("md5", "sha1", "sha256", "sha512"):
            sum_ = hashlib.new(kind, path.read_bytes()).hexdigest()
            assert path.with_name(f"{path.name}.{kind}").read_text() == sum_


def test_sources_and_javadoc_are_beside_it(stem):
    sources = zipfile.ZipFile(f"{stem}-sources.jar").namelist()
    assert "com/sbnn/delegate/SparseDelegate.java" in sources
    javadoc = zipfile.ZipFile(f"{stem}-javadoc.jar").namelist()
    assert "com/sbnn/delegate/SparseDelegate.Options.html" in javadoc
    assert not any("NativeDelegate" in name for name in javadoc), "what is not public"


def test_maven_reads_the_pom(repository, version, tmp_path):
    pom = tmp_path / "pom.xml"
    pom.write_text(
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>t</groupId><artifactId>t</artifactId><version>1</version>"
        f"<repositories><repository><id>sbnn</id><url>{repository.as_uri()}</url></repository>"
        "</repositories><dependencies><dependency><groupId>com.sbnn</groupId>"
        f"<artifactId>sparse-delegate</artifactId><version>{version}</version><type>aar</type>"
        "</dependency></dependencies></project>"
    )
    # What an earlier run left in Maven's own cache would do instead.
    cached = pathlib.Path.home() / ".m2/repository/com/sbnn/sparse-delegate" / version
    for path in cached.glob("*"):
        path.unlink()
    files = {path.name for path in maven.dependencies(pom, tmp_path / "jars")}
    assert f"sparse-delegate-{version}.aar" in files
    assert f"tensorflow-lite-api-{java.TFLITE}.aar" in files and len(files) == 2


def test_two_builds_are_the_same(ndk, libraries, stem, tmp_path):
    aar.publish(ndk, libraries, tmp_path)
    again = tmp_path / stem.relative_to(stem.parents[4])
    for kind in (".aar", "-sources.jar", ".pom"):
        first, second = (pathlib.Path(f"{path}{kind}") for path in (stem, again))
        assert first.read_bytes() == second.read_bytes(), kind


def test_a_second_time_nothing_is_fetched(
    ndk, libraries, stem, package, models, tmp_path, monkeypatch
):
    def fetch(*arguments: str) -> None:
        raise AssertionError(f"mvn {arguments}")

    monkeypatch.setattr(maven, "_mvn", fetch)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert native.ndk() == ndk
    aar.publish(ndk, libraries, tmp_path)
    apk.write_apk(tmp_path / "app.apk", libraries, models)


@pytest.fixture(scope="session")
def package(libraries, models, tmp_path_factory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("apk") / "app.apk"
    apk.write_apk(path, libraries, models)
    return path


def test_the_app_is_signed(package):
    said = java.run("apksigner", "verify", "--verbose", package)
    assert "Verified using v2 scheme (APK Signature Scheme v2): true" in said
    assert "Verified using v3 scheme (APK Signature Scheme v3): true" in said


def test_android_reads_the_app(package, libraries):
    said = java.run("aapt2", "dump", "badging", package)
    assert f"package: name='com.sbnn.benchmark' versionCode='1' versionName='{__version__}'" in said
    assert "sdkVersion:'24'" in said
    assert "launchable-activity: name='com.sbnn.benchmark.BenchmarkActivity'" in said
    assert "uses-permission" not in said
    (code,) = [line for line in said.splitlines() if line.startswith("native-code:")]
    assert all(f"'{abi}'" in code for abi in libraries)
    tree = java.run("aapt2", "dump", "xmltree", "--file", "AndroidManifest.xml", package)
    (extract,) = [line for line in tree.splitlines() if "extractNativeLibs" in line]
    assert "true" in extract, "libraries are compressed, and only some are aligned for 16 KB pages"


def test_the_app_has_all_classes_libraries_and_models(package, libraries, models):
    with zipfile.ZipFile(package) as archive:
        dex = archive.read("classes.dex")
        for name in (
            *(b"Lcom/sbnn/benchmark/BenchmarkActivity;", b"Lcom/sbnn/delegate/SparseDelegate;"),
            *(b"Lorg/tensorflow/lite/Interpreter;", b"Lorg/tensorflow/lite/InterpreterApi;"),
        ):
            assert name in dex, name
        for abi, library in libraries.items():
            assert archive.read(f"lib/{abi}/{native.LIBRARY}") == library.read_bytes()
            assert f"lib/{abi}/{apk.TFLITE_LIBRARY}" in archive.namelist()
        for model in models.glob("*.tflite"):
            info = archive.getinfo(f"assets/models/{model.name}")
            assert info.compress_type == zipfile.ZIP_STORED, "it is mapped into memory"
