"""Makes a stand-in for an Android NDK from public packages: python -m delegate.build.android.standin.make_ndk FOLDER.

FOLDER then looks like an NDK as far as ndk.bzl asks: the clang of PyPI's `ziglang`, musl's headers with
what Android's have otherwise, and libraries to link with that have bionic's names and no code, from the
symbol lists of Android 6 (API 23). What it compiles runs on Android's own libc, as tests show, but rests
on nobody's promise: it is for tests, and must not be published.

musl's types are used where Android's are as large or smaller, and laid out alike as far as they are
looked into: a mutex has more bytes here than Android's functions touch.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

from elftools.elf.elffile import ELFFile

from delegate.android.make import maven

ZIG = "ziglang==0.17.1"
BIONIC = "com.github.zhkl0228:unidbg-android:0.9.8"
LIBRARIES = ("libc.so", "libm.so", "libdl.so", "liblog.so")
API = 24
HERE = pathlib.Path(__file__).resolve().parent


def features(names: str) -> str:
    """Flags for LLVM's features of a processor, past zig's own opinion of them."""
    return " ".join(f"-Xclang -target-feature -Xclang {name}" for name in names.split())


# An NDK's clang compiles for NEON, passes floats in integer registers, and gives enums four bytes.
ARM_FLAGS = f"-mfloat-abi=softfp -mabi=aapcs-linux {features('-soft-float +vfp2 +neon')}"
VFPV4_FLAGS = features("+fp16 +vfp4 +vfp4d16 +vfp4d16sp +vfp4sp")


@dataclasses.dataclass(frozen=True)
class Abi:
    """One of Android's.

    Attributes:
      cpu, system: what zig calls its processor and system.
      clang: what an NDK's clang calls the processor.
      kernel: the folder of the kernel's headers.
      bionic: that of its libraries.
      flags: what zig compiles it with, where its choice is another than an NDK's.
    """

    cpu: str
    system: str
    clang: str
    kernel: str
    bionic: str
    flags: str = ""

    @property
    def bits(self) -> int:
        return 64 if self.bionic == "lib64" else 32


ABIS = {
    "arm64-v8a": Abi("aarch64", "linux-android", "aarch64", "aarch64-linux-any", "lib64"),
    "armeabi-v7a": Abi("arm", "linux-androideabi", "armv7a", "arm-linux-any", "lib", ARM_FLAGS),
    "x86_64": Abi("x86_64", "linux-android", "x86_64", "x86-linux-any", "lib64"),
}

# Header, what musl says, what Android says.
EDITS = [
    ("errno.h", "__errno_location", "__errno"),
    (
        "locale.h",
        "LC_ALL_MASK      0x7fffffff",
        "LC_ALL_MASK (LC_CTYPE_MASK | LC_NUMERIC_MASK | LC_TIME_MASK | LC_COLLATE_MASK |"
        " LC_MONETARY_MASK | LC_MESSAGES_MASK)",
    ),
    ("unistd.h", "_SC_PAGE_SIZE\t30", "_SC_PAGE_SIZE 0x28"),
    ("unistd.h", "_SC_PAGESIZE\t30", "_SC_PAGESIZE 0x27"),
    ("unistd.h", "_SC_NPROCESSORS_CONF\t83", "_SC_NPROCESSORS_CONF 0x60"),
    ("unistd.h", "_SC_NPROCESSORS_ONLN\t84", "_SC_NPROCESSORS_ONLN 0x61"),
    ("features.h", "#define _FEATURES_H", "#define _FEATURES_H\n#define __BIONIC__ 1"),
] + [
    (
        "stdlib.h",
        f"{kind} {name}_l(const char *__restrict, char **__restrict, struct __locale_struct *);",
        f"static inline {kind} {name}_l(const char* text, char** end, struct __locale_struct* locale)"
        f" {{ (void)locale; return {name}(text, end); }}",
    )
    for kind, name in (("float", "strtof"), ("double", "strtod"), ("long double", "strtold"))
]

# On 32 bits times and places in files have 32, but for a status and an entry of a folder.
EDITS_32 = [
    ("bits/alltypes.h", "#define _REDIR_TIME64 1", "#define _REDIR_TIME64 0"),
    ("bits/alltypes.h", "typedef _Int64 time_t;", "typedef long time_t;"),
    ("bits/alltypes.h", "typedef _Int64 suseconds_t;", "typedef long suseconds_t;"),
    ("bits/alltypes.h", "typedef _Int64 off_t;", "typedef long off_t;"),
    ("bits/dirent.h", "off_t d_off;", "long long d_off;"),
    ("bits/stat.h", "off_t st_size;", "long long st_size;"),
    (
        "link.h",
        "#include <bits/link.h>",
        "#include <bits/link.h>\ntypedef unsigned _Unwind_Ptr;\n"
        "_Unwind_Ptr dl_unwind_find_exidx(_Unwind_Ptr, int*);",
    ),
    (
        "bits/stat.h",
        "struct {\n\t\tlong tv_sec;\n\t\tlong tv_nsec;\n\t} __st_atim32, __st_mtim32, __st_ctim32;",
        "struct timespec st_atim, st_mtim, st_ctim;",
    ),
    (
        "bits/stat.h",
        "ino_t st_ino;\n\tstruct timespec st_atim;\n\tstruct timespec st_mtim;\n\tstruct timespec st_ctim;",
        "ino_t st_ino;",
    ),
]

# What Android's linker and the C++ runtime look for at the beginning of a shared library.
CRT_BEGIN = f"""\
.section .note.android.ident,"a",%note
.balign 4
.long 8, 4, 1
.asciz "Android"
.long {API}
.hidden __dso_handle
.globl __dso_handle
.data
.balign 8
__dso_handle: .{{word}} __dso_handle
"""

COMPILER = """\
#!/bin/sh
# A stand-in for an NDK's clang++: zig's, told of Android's headers and libraries. The first link compiles the
# C++ library: a minute.
toolchain=$(cd "$(dirname "$0")/.." && pwd)
count=$#
while [ $count -gt 0 ]; do  # arguments that a file lists
  case $1 in
    @*) while IFS= read -r line; do set -- "$@" "$line"; done < "${1#@}" ;;
    *) set -- "$@" "$1" ;;
  esac
  shift
  count=$((count - 1))
done
cpu=none
links=yes
count=$#
while [ $count -gt 0 ]; do
  case $1 in
    --target=*) cpu=${1#--target=}; cpu=${cpu%%-*} ;;
    -march=armv8.2-a*)  # zig has its own names of architectures and what they add
      set -- "$@" "-mcpu=generic+v8_2a$(echo "${1#-march=armv8.2-a}" | sed s/fp16/fullfp16/)"
      ;;
    -mfpu=neon-vfpv4) set -- "$@" @VFPV4@ ;;
    -c | -E | -S) links=; set -- "$@" "$1" ;;
    *) set -- "$@" "$1" ;;
  esac
  shift
  count=$((count - 1))
done
sysroot=$toolchain/sysroot/$cpu
if [ ! -d "$sysroot" ]; then
  echo "the stand-in NDK makes nothing for this target: $cpu" >&2
  exit 1
fi
[ -z "$links" ] || set -- "$@" -O2 "-L$sysroot/lib" "$sysroot/lib/runtime.a"
export ZIG_LIBC="$sysroot/libc.txt" ZIG_GLOBAL_CACHE_DIR="$toolchain/cache" ZIG_LOCAL_CACHE_DIR="$toolchain/cache"
# shellcheck disable=SC2046
exec "$toolchain/zig/zig" c++ $(cat "$sysroot/flags") -fno-sanitize=all "$@"
"""

PROPERTIES = """\
Pkg.Desc = Stand-in for an Android NDK, for tests: must not be published
Pkg.Revision = 25.0.0
"""


def edited(name: str, text: str, edits: list[tuple[str, str, str]]) -> str:
    """The text of the header `name` of musl, as Android has it."""
    for header, musl, android in edits:
        if name == header:
            if musl not in text:
                raise SystemExit(f"{header} of {ZIG} has no {musl!r}: make_ndk.py knows another")
            text = text.replace(musl, android)
    return text


def write_headers(zig: pathlib.Path, abi: Abi, include: pathlib.Path) -> None:
    for folder in ("generic-musl", f"{abi.cpu}-linux-musl", "any-linux-any", abi.kernel):
        shutil.copytree(zig / "lib/libc/include" / folder, include, dirs_exist_ok=True)
    edits = EDITS + (EDITS_32 if abi.bits == 32 else [])
    for header in {name for name, _, _ in edits}:
        path = include / header
        path.write_text(edited(header, path.read_text(), edits))
    (include / "xlocale.h").write_text("")  # what it would declare is in locale.h
    shutil.copytree(HERE / "headers", include, dirs_exist_ok=True)
    shutil.copy(java_home() / "include/jni.h", include)
    shutil.copy(java_home() / "include/linux/jni_md.h", include)


def java_home() -> pathlib.Path:
    javac = shutil.which("javac")
    if javac is None:
        raise SystemExit("javac is missing: install a JDK")
    return pathlib.Path(javac).resolve().parents[1]


def compile_(zig: pathlib.Path, abi: Abi, source: pathlib.Path, *arguments: str) -> None:
    target = f"{abi.cpu}-linux-none"
    subprocess.run(
        [zig / "zig", "cc", "-target", target, "-nostdlib", *arguments, source], check=True
    )


def write_stub(zig: pathlib.Path, abi: Abi, library: pathlib.Path, out: pathlib.Path) -> None:
    """A library without code that exports what `library`, maybe of another ABI, does."""
    work = out.parent / "stubs"
    work.mkdir(exist_ok=True)
    assembly, versioned = [".text"], set()
    with library.open("rb") as file:
        for symbol in ELFFile(file).get_section_by_name(".dynsym").iter_symbols():
            kind, bind = symbol["st_info"]["type"], symbol["st_info"]["bind"]
            if symbol["st_shndx"] in ("SHN_UNDEF", "SHN_ABS") or bind == "STB_LOCAL":
                continue
            if symbol.name in versioned or kind == "STT_SECTION":
                continue
            versioned.add(symbol.name)
            data = kind == "STT_OBJECT"
            size = max(symbol["st_size"], 4) if data else 4
            assembly += [
                f".globl {symbol.name}",
                f".type {symbol.name}, %{'object' if data else 'function'}",
                f".size {symbol.name}, {size}",
                f"{symbol.name}: .space {size}",
            ]
    source, script = work / f"{out.name}.s", work / f"{out.name}.lds"
    source.write_text("\n".join(assembly) + "\n")
    script.write_text(f"LIBC {{ global: {'; '.join(sorted(versioned))}; }};\n")
    compile_(
        zig,
        abi,
        source,
        "-shared",
        f"-Wl,-soname,{out.name}",
        f"-Wl,--version-script={script}",
        "-o",
        str(out),
    )


def runtime(abi: Abi, folder: pathlib.Path) -> list[pathlib.Path]:
    """Objects that zig's runtime library lacks: of `__builtin_cpu_supports`, as GCC's has it."""
    if abi.cpu != "x86_64":
        return []
    archive = subprocess.check_output(["gcc", "-print-libgcc-file-name"], text=True).strip()
    subprocess.run(["ar", "x", archive, "cpuinfo.o"], cwd=folder, check=True)
    return [folder / "cpuinfo.o"]


def write_sysroot(zig: pathlib.Path, abi: Abi, bionic: pathlib.Path, sysroot: pathlib.Path) -> None:
    library = sysroot / "lib"
    library.mkdir(parents=True)
    write_headers(zig, abi, sysroot / "include")
    for name in LIBRARIES:
        write_stub(zig, abi, bionic / abi.bionic / name, library / name)
    begin = CRT_BEGIN.format(word="quad" if abi.bits == 64 else "long")
    for name, text in (("crtbegin_so", begin), ("crtend_so", "")):
        source = library / f"{name}.s"
        source.write_text(text)
        compile_(zig, abi, source, "-c", "-o", str(library / f"{name}.o"))
    subprocess.run(["ar", "rc", library / "runtime.a", *runtime(abi, library)], check=True)
    folders = {name: sysroot / "include" for name in ("include_dir", "sys_include_dir")}
    folders |= {name: library for name in ("crt_dir", "cc_dir")}
    folders |= dict.fromkeys(("msvc_lib_dir", "kernel32_lib_dir", "darwin_sdk_dir"), "")
    (sysroot / "libc.txt").write_text("".join(f"{k}={v}\n" for k, v in folders.items()))
    (sysroot / "flags").write_text(f"-target {abi.cpu}-{abi.system}.{API} {abi.flags}")


def main(ndk: pathlib.Path) -> None:
    ndk = ndk.absolute()
    sources = [*sorted((HERE / "headers").rglob("*.h")), pathlib.Path(__file__)]
    made = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    done = ndk / "made"
    if done.is_file() and done.read_text() == made:
        return
    print(f"making a stand-in NDK in {ndk}", flush=True)
    shutil.rmtree(ndk, ignore_errors=True)
    toolchain = ndk / "toolchains/llvm/prebuilt/linux-x86_64"
    tools = toolchain / "bin"
    for folder in (tools, toolchain / "cache"):
        folder.mkdir(parents=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*pip, "--target", ndk / "pip", ZIG], check=True)
    zig = toolchain / "zig"
    (ndk / "pip/ziglang").rename(zig)
    shutil.rmtree(ndk / "pip")
    with zipfile.ZipFile(maven.artifact(BIONIC, ndk / "maven")) as jar:
        for folder in {abi.bionic for abi in ABIS.values()}:
            for name in LIBRARIES:
                path = ndk / "bionic" / folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(jar.read(f"android/sdk23/{folder}/{name}"))
    for abi in ABIS.values():
        write_sysroot(zig, abi, ndk / "bionic", toolchain / "sysroot" / abi.clang)
    for name, text_ in (
        ("clang++", COMPILER.replace("@VFPV4@", VFPV4_FLAGS)),
        ("llvm-ar", f'#!/bin/sh\nexec "{zig}/zig" ar "$@"\n'),
        ("llvm-strip", '#!/bin/sh\nexec strip "$@"\n'),
    ):
        (tools / name).write_text(text_)
        (tools / name).chmod(0o755)
    (ndk / "source.properties").write_text(PROPERTIES + f"Pkg.Made = {made}\n")
    done.write_text(made)


if __name__ == "__main__":
    os.umask(0o022)
    main(pathlib.Path(sys.argv[1]))
