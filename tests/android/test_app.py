"""The benchmark app on Android's classes (Robolectric), with TensorFlow Lite's library and ours."""

import json
import os
import pathlib
import shutil
import subprocess
import zipfile

import pytest

from delegate.android.make import apk, java, maven, native

HERE = pathlib.Path(__file__).resolve().parent / "robolectric"
ANDROID = "org.robolectric:android-all-instrumented:14-robolectric-10818077-i4"
PICTURES = native.BUILD / "screenshots"  # for people to look at


@pytest.fixture(scope="session")
def classpath() -> list[pathlib.Path]:
    folder = native.BUILD / "robolectric"
    jars = []
    for file in maven.dependencies(HERE / "pom.xml", folder / "jars"):
        if file.suffix == ".aar":
            with zipfile.ZipFile(file) as archive:
                jar = folder / f"{file.stem}.jar"
                jar.write_bytes(archive.read("classes.jar"))
            file = jar
        jars.append(file)
    app = apk.classes()
    delegate = native.BUILD / "classes/delegate"
    android = java.artifact(apk.ANDROID)  # for the names; Robolectric's own classes do the work
    needed = [app, delegate, *java.runtime(), *jars, *java.api(), android]
    out = native.BUILD / "classes/app-tests"
    tests = java.sources(HERE / "java")
    return [java.compile_(tests, needed, out, release=17), *needed]


@pytest.fixture(scope="session")
def assets(models) -> pathlib.Path:
    """Small networks beside their dense twins, as delegate/android/make/models.py lays them out."""
    from sbnn_tf.convert import densify

    folder = native.BUILD / "test-assets"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for source, name, zeros, title in (
        ("mobilenet_g4", "mobilenet_v1", 0.5, "MobileNet-v1"),
        ("mobilenet_int8_4x4", "mobilenet_v1_int8", 0.7, "MobileNet-v1 int8"),
    ):
        sparse = (models / f"{source}.tflite").read_bytes()
        stem, dense = f"{name}_{zeros:.0%}".rstrip("%"), f"{name}_dense.tflite"
        (folder / f"{stem}.tflite").write_bytes(sparse)
        (folder / dense).write_bytes(densify(sparse))
        about = {"title": f"{title}, {zeros * 100:.0f} % zeros", "zeros": zeros, "baseline": dense}
        (folder / f"{stem}.json").write_text(json.dumps(about))
    return folder


def run(test: str, classpath, package: pathlib.Path, libraries, models) -> None:
    """Runs a class of tests with the resources and assets of the app's `package`."""
    configured = native.BUILD / "robolectric/configured"
    shutil.rmtree(configured, ignore_errors=True)
    properties = configured / "com/android/tools/test_config.properties"
    properties.parent.mkdir(parents=True)
    properties.write_text(
        f"android_resource_apk={package}\n"
        f"android_merged_manifest={apk.HERE / 'AndroidManifest.xml'}\n"
        "android_custom_package=com.sbnn.benchmark\n"
    )
    PICTURES.mkdir(exist_ok=True)
    folder = maven.artifact(ANDROID, native.BUILD / "robolectric/android").parent
    ran = subprocess.run(
        [
            *("java", "-Xmx2g", f"-Djava.library.path={libraries}", "-Drobolectric.offline=true"),
            "--add-opens=java.base/java.io=ALL-UNNAMED",  # to it a file descriptor is a number
            *(f"-Drobolectric.dependency.dir={folder}", f"-Dsbnn.pictures={PICTURES}"),
            *(f"-Dsbnn.models={models}", "-cp", java.join([configured, *classpath])),
            *("org.junit.runner.JUnitCore", f"com.sbnn.benchmark.{test}"),
        ],
        env={**os.environ, "LD_LIBRARY_PATH": str(libraries)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0 and "\nOK (" in said, said[-20000:]


def test_the_app_lists_runs_and_shares(classpath, assets, x86_64, jvm_libraries, models):
    package = native.BUILD / "test.apk"
    apk.write_apk(package, {"x86_64": x86_64}, assets)
    run("AppTest", classpath, package, jvm_libraries, models)
    for picture in ("1-list", "2-running", "3-results", "4-landscape", "5-broken"):
        assert (PICTURES / f"{picture}.png").stat().st_size > 10000


def test_the_app_without_models(classpath, x86_64, jvm_libraries, models, tmp_path):
    package = native.BUILD / "empty.apk"
    apk.write_apk(package, {"x86_64": x86_64}, tmp_path)
    run("NoModelsTest", classpath, package, jvm_libraries, models)
    assert (PICTURES / "6-no-models.png").stat().st_size > 10000
