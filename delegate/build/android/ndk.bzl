"""Toolchains of the Android NDK that ANDROID_NDK_HOME names."""

# Android's names of processors: Bazel's, and clang's with the least API that we build for.
ABIS = {
    "arm64-v8a": ("aarch64", "aarch64-linux-android24"),
    "armeabi-v7a": ("armv7", "armv7a-linux-androideabi24"),
    "x86_64": ("x86_64", "x86_64-linux-android24"),
}

_OLDEST = 25  # its clang is 14, the oldest that `make test-clang` builds with

_BUILD = """load("@sbnn//delegate/build:cross.bzl", "android_toolchain", "missing_toolchain")
"""

_TOOLS = {
    "ar": "llvm-ar",
    "cpp": "clang++",
    "dwp": "llvm-dwp",
    "gcc": "clang++",
    "gcov": "llvm-cov",
    "ld": "ld.lld",
    "llvm-cov": "llvm-cov",
    "nm": "llvm-nm",
    "objcopy": "llvm-objcopy",
    "objdump": "llvm-objdump",
    "strip": "llvm-strip",
}

def _why_not(repository_ctx, home):
    """Why nothing can be built with the NDK in the folder `home`; None, if it can."""
    expected = "expected the folder of an Android NDK, r%d or newer" % _OLDEST
    if not home:
        return "ANDROID_NDK_HOME is not set: " + expected
    properties = repository_ctx.path(home + "/source.properties")
    if not properties.exists:
        return "ANDROID_NDK_HOME: %s, found %s, which has no source.properties" % (expected, home)
    for line in repository_ctx.read(properties).splitlines():
        name, _, value = line.partition("=")
        if name.strip() != "Pkg.Revision":
            continue
        version = value.strip().split(".")[0]
        if not version.isdigit() or int(version) < _OLDEST:
            return "ANDROID_NDK_HOME: %s, found version %s in %s" % (expected, value.strip(), home)
        return None
    return "ANDROID_NDK_HOME: %s, found no Pkg.Revision in %s" % (expected, properties)

def _include_directories(repository_ctx, compiler, target):
    """Where the compiler looks for headers, and why it does not compile; one is None."""
    ran = repository_ctx.execute([compiler, "--target=" + target, "-E", "-x", "c++", "/dev/null", "-v"])
    if ran.return_code:
        return None, "%s does not compile for %s: %s" % (compiler, target, ran.stderr.strip()[-500:])
    listed = ran.stderr.split("search starts here:")[-1].split("End of search list")[0]
    return [line.strip() for line in listed.splitlines() if line.startswith(" ")], None

def _android_ndk_impl(repository_ctx):
    home = repository_ctx.os.environ.get("ANDROID_NDK_HOME", "").rstrip("/")
    folder = home + "/toolchains/llvm/prebuilt/linux-x86_64/bin/"
    why_not = _why_not(repository_ctx, home)
    if not why_not and not repository_ctx.path(folder + "clang++").exists:
        why_not = "ANDROID_NDK_HOME: expected an NDK for Linux on x86-64, found no %sclang++" % folder
    tools = {name: folder + program for name, program in _TOOLS.items()}
    build = _BUILD
    for abi, (cpu, target) in ABIS.items():
        includes, missing = None, why_not
        if not why_not:
            includes, missing = _include_directories(repository_ctx, tools["cpp"], target)
        if missing:
            build += "missing_toolchain(%r, %r, %r)\n" % (abi, cpu, missing)
        else:
            build += "android_toolchain(%r, %r, %r, %r, %r)\n" % (abi, cpu, target, tools, includes)
    repository_ctx.file("BUILD", build)

# Toolchains named as the ABIs. Where one can't be had, choosing it is an error that says why. Bazel does not
# see that an NDK has been replaced in its place: ANDROID_NDK_STAMP, which is not read, may tell it.
android_ndk = repository_rule(
    implementation = _android_ndk_impl,
    environ = [
        "ANDROID_NDK_HOME",
        "ANDROID_NDK_STAMP",
    ],
    local = True,
)
