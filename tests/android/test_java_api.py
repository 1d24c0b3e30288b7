"""The Java API on a JVM, with TensorFlow Lite's own Android library and ours."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from delegate.android.make import java, native
from sbnn_tf.version import __version__

HERE = pathlib.Path(__file__).resolve().parent
CPUINFO = pathlib.Path("/proc/cpuinfo")
JUNIT = ("junit:junit:4.13.2", "org.hamcrest:hamcrest-core:1.3")


@pytest.fixture(scope="session")
def classpath() -> list[pathlib.Path]:
    junit = [java.artifact(name) for name in JUNIT]
    delegate = java.delegate_classes()
    needed = [delegate, *java.runtime(), *junit, *java.api()]
    tests = java.sources(HERE / "java")
    return [java.compile_(tests, needed, native.BUILD / "classes/tests", release=11), *needed]


def instruction_sets(cpuinfo: str) -> list[str]:
    """Those that the library must find in a CPU, best first, by what Linux says of it."""
    flags = set(re.search(r"^flags\s*:(.*)$", cpuinfo, re.MULTILINE)[1].split())
    wanted = {
        "avx512": {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx2", "fma"},
        "avx2": {"avx2", "fma"},
    }
    return [name for name, needed in wanted.items() if needed <= flags] + ["scalar"]


def run(test: str, classpath, libraries: pathlib.Path, models: pathlib.Path) -> str:
    """What JUnit and the libraries say."""
    ran = subprocess.run(
        [
            *("java", "-Xcheck:jni", "-Xmx512m", f"-Djava.library.path={libraries}"),
            *(f"-Dsbnn.models={models}", f"-Dsbnn.version={__version__}"),
            f"-Dsbnn.isas={','.join(instruction_sets(CPUINFO.read_text()))}",
            *(
                "-cp",
                java.join(classpath),
                "org.junit.runner.JUnitCore",
                f"com.sbnn.delegate.{test}",
            ),
        ],
        env={**os.environ, "LD_LIBRARY_PATH": str(libraries)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said
    assert "\nOK (" in said, said
    # The JVM warns of TensorFlow Lite's library, too, which is not ours to mend. Ours calls back
    # into Java by CallVoidMethod only.
    warnings = re.findall(r"WARNING in native method:.*\n.*", said)
    own = ("com.sbnn.delegate.NativeDelegate.", "CallVoidMethod")
    ours = [text for text in warnings if any(name in text for name in own)]
    assert not ours, ours
    assert "FATAL ERROR in native method" not in said, said
    return said


@pytest.fixture(scope="session")
def linux_libraries(jvm_libraries) -> pathlib.Path:
    """The same with the library as it is built for Linux."""
    folder = native.BUILD / "jvm-linux"
    shutil.copytree(jvm_libraries, folder, dirs_exist_ok=True)
    (folder / native.LIBRARY).unlink()
    shutil.copyfile(native.build_for_linux(), folder / native.LIBRARY)
    return folder


def test_what_the_cpu_has_is_found_in_what_linux_says():
    for flags, isas in (
        ("fpu sse4_2", ["scalar"]),
        ("avx avx2 fma", ["avx2", "scalar"]),
        ("fma avx2 avx512f avx512dq", ["avx2", "scalar"]),
        ("fma avx2 avx512f avx512dq avx512bw avx512vl", ["avx512", "avx2", "scalar"]),
    ):
        assert instruction_sets(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t:\n") == isas


@pytest.mark.parametrize("test", ["OptionsTest", "LifetimeTest", "OutputsTest"])
def test_api(test, classpath, jvm_libraries, models):
    run(test, classpath, jvm_libraries, models)


@pytest.mark.parametrize("test", ["OptionsTest", "LifetimeTest", "OutputsTest", "ReportTest"])
def test_api_of_the_library_for_linux(test, classpath, linux_libraries, models):
    said = run(test, classpath, linux_libraries, models)
    assert "logcat I/SparseByteNN" not in said


def test_reports_reach_listeners_and_the_log(classpath, jvm_libraries, models):
    said = run("ReportTest", classpath, jvm_libraries, models)
    assert "logcat I/SparseByteNN: SparseByteNN " in said
    assert "logcat I/SparseByteNN: node 0 " in said
    assert "logcat W/SparseByteNN: warning: nothing computes in 16-bit floats" in said
    assert "logcat W/SparseByteNN: the report listener has thrown:" in said


def test_a_missing_library_is_an_error_that_says_so(classpath, tmp_path):
    ran = subprocess.run(
        [
            *("java", f"-Djava.library.path={tmp_path}", "-cp", java.join(classpath)),
            *("org.junit.runner.JUnitCore", "com.sbnn.delegate.ReportTest"),
        ],
        capture_output=True,
        text=True,
    )
    assert ran.returncode != 0
    message = (
        "IllegalStateException: libsbnn_delegate.so can't be loaded: expected an app with a library"
    )
    assert message in ran.stdout, ran.stdout
