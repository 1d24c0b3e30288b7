"""The delegate's library for Android, by the NDK that ANDROID_NDK_HOME names."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pathlib
import shlex
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = ROOT / "build/android"
LIBRARY = "libsbnn_delegate.so"
TARGET = "//delegate/android:sbnn_delegate"

# ABI: the configuration in .bazelrc, and clang's target.
CONFIGS = {
    "arm64-v8a": ("android_arm64", "aarch64-linux-android24"),
    "armeabi-v7a": ("android_arm", "armv7a-linux-androideabi24"),
    "x86_64": ("android_x86_64", "x86_64-linux-android24"),
}


@dataclasses.dataclass(frozen=True)
class Ndk:
    """An Android NDK, or what stands in for one.

    Attributes:
      home: its folder.
      description, version: as its source.properties has them.
      abis: that its compiler compiles for, of ours.
      stamp: tells it from another in the same folder.
    """

    home: pathlib.Path
    description: str
    version: str
    abis: tuple[str, ...]
    stamp: str

    @property
    def stands_in(self) -> bool:
        """Whether what it makes must not be published."""
        return "must not be published" in self.description


def ndk() -> Ndk:
    """That of ANDROID_NDK_HOME; where that is not set, a stand-in, which is made first."""
    named = os.environ.get("ANDROID_NDK_HOME", "")
    home = pathlib.Path(named or BUILD / "ndk")
    if not named:
        from delegate.build.android.standin import make_ndk

        make_ndk.main(home)
    properties = home / "source.properties"
    if not properties.is_file():
        raise SystemExit(
            "ANDROID_NDK_HOME: expected the folder of an Android NDK, r25 or newer, "
            f"found {named}, which has no source.properties"
        )
    text = properties.read_text()
    lines = (line.partition("=") for line in text.splitlines())
    values = {name.strip(): value.strip() for name, _, value in lines}
    abis = tuple(abi for abi, (_, target) in CONFIGS.items() if _compiles(home, target))
    stamp = hashlib.sha256(text.encode()).hexdigest()
    return Ndk(home, values.get("Pkg.Desc", ""), values.get("Pkg.Revision", ""), abis, stamp)


def _compiles(home: pathlib.Path, target: str) -> bool:
    compiler = home / "toolchains/llvm/prebuilt/linux-x86_64/bin/clang++"
    command = [compiler, f"--target={target}", "-E", "-x", "c++", "/dev/null"]
    return compiler.is_file() and not subprocess.run(command, capture_output=True).returncode


def build(ndk: Ndk, abi: str, target: str = TARGET, library: str = LIBRARY) -> pathlib.Path:
    """Has Bazel build a library for `abi`, and returns the path of a copy.

    Args:
      ndk: to build with.
      abi: one of `ndk.abis`.
      target: Bazel's label.
      library: the file that it makes, in its package's folder.
    """
    flags = [f"--config={CONFIGS[abi][0]}"]
    if ndk.stands_in:  # its compiler keeps what it has compiled
        cache = ndk.home / "toolchains/llvm/prebuilt/linux-x86_64/cache"
        flags.append(f"--sandbox_writable_path={cache}")
    named = {"ANDROID_NDK_HOME": str(ndk.home), "ANDROID_NDK_STAMP": ndk.stamp}
    source = _bazel(flags, target, library, {**os.environ, **named})
    copy = BUILD / "native" / abi / library
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.unlink(missing_ok=True)
    shutil.copyfile(source, copy)
    return copy


def build_for_linux() -> pathlib.Path:
    """The same library for this machine, where tests run it."""
    return _bazel([], TARGET, LIBRARY, dict(os.environ))


def _bazel(
    flags: list[str], target: str, library: str, environment: dict[str, str]
) -> pathlib.Path:
    """Where Bazel has put it; the next build may put another there."""
    bazel = os.environ.get("SBNN_BAZEL", "bazel")
    flags = [*shlex.split(os.environ.get("SBNN_BAZEL_FLAGS", "")), *flags]
    try:
        subprocess.run([bazel, "build", *flags, target], cwd=ROOT, env=environment, check=True)
        built = subprocess.check_output(
            [bazel, "info", *flags, "bazel-bin"], cwd=ROOT, env=environment, text=True
        ).strip()
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"Bazel could not build {target}: see above ({error}).") from None
    return pathlib.Path(built, target.removeprefix("//").partition(":")[0], library)
