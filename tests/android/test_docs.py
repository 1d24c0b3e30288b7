"""The examples of docs/android.md compile."""

import re

import pytest

from delegate.android.make import java, maven
from delegate.android.make.native import BUILD, ROOT

TEXT = (ROOT / "docs/android.md").read_text()


def snippet(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    return found


@pytest.fixture(scope="session")
def classpath():
    return [java.delegate_classes(), *java.runtime(), *java.api()]


def test_java(classpath, tmp_path):
    source = tmp_path / "Classifier.java"
    source.write_text(snippet("java"))
    java.compile_([source], classpath, tmp_path / "classes")


def test_kotlin(classpath, tmp_path):
    folder = ROOT / "tests/android/kotlin"
    jars = maven.dependencies(folder / "pom.xml", BUILD / "kotlin-jars")
    (stdlib,) = [jar for jar in jars if re.match(r"kotlin-stdlib-\d", jar.name)]
    source = tmp_path / "Classifier.kt"
    # Nullability that Kotlin reads from the annotations: a String, not a String?.
    source.write_text(snippet("kotlin") + "\nval words: String = SparseDelegate().reportText()\n")
    kotlin = ["-no-stdlib", "-no-reflect", "-Werror", "-Xjsr305=strict", "-d", tmp_path / "out"]
    main = ["-cp", java.join(jars), "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"]
    java.run("java", *main, *kotlin, "-cp", java.join([*classpath, stdlib]), source)
    # And what may not be null is checked.
    source.write_text("val x = com.sbnn.delegate.SparseDelegate(null)\n")
    with pytest.raises(SystemExit, match="null can not be a value of a non-null type"):
        java.run("java", *main, *kotlin, "-cp", java.join([*classpath, stdlib]), source)


def test_the_options_of_the_table_are_all_that_there_are():
    source = (java.SOURCES / "com/sbnn/delegate/SparseDelegate.java").read_text()
    options = set(re.findall(r"public Options (set\w+)", source))
    assert options == set(re.findall(r"`(set\w+)`", TEXT.split("| option |")[1].split("\n\n")[0]))
