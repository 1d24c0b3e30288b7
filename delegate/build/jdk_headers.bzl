"""jni.h of the machine's JDK."""

_BUILD = """
cc_library(
    name = "jni",
    hdrs = glob(["include/**/*.h"]),
    includes = ["include", "include/linux"],
    visibility = ["//visibility:public"],
)
"""

_MISSING = """
load("@sbnn//delegate/build:jdk_headers.bzl", "missing_jdk")

missing_jdk(name = "jni", visibility = ["//visibility:public"])
"""

def _missing_jdk_impl(ctx):
    fail("jni.h is part of a JDK: install openjdk-17-jdk-headless, or set JAVA_HOME to a JDK for Linux.")

missing_jdk = rule(implementation = _missing_jdk_impl, attrs = {})

def _jdk_headers_impl(repository_ctx):
    home = repository_ctx.os.environ.get("JAVA_HOME")
    javac = repository_ctx.which("javac")
    if not home and javac:
        home = str(javac.realpath.dirname.dirname)
    include = repository_ctx.path(home + "/include") if home else None
    if not include or not include.get_child("jni.h").exists:
        repository_ctx.file("BUILD", _MISSING)
        return
    repository_ctx.symlink(include, "include")
    repository_ctx.file("BUILD", _BUILD)

# Without a JDK, building what needs it is an error that says so.
jdk_headers = repository_rule(
    implementation = _jdk_headers_impl,
    environ = ["JAVA_HOME", "PATH"],
    local = True,
)
