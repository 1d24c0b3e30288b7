"""Makes a stand-in for an Android NDK from public packages: python -m delegate.build.android.standin.make_ndk FOLDER.

FOLDER then looks like an NDK as far as ndk.bzl asks: the clang of PyPI's `ziglang`, musl's headers with
what Android's have otherwise, and libraries to link with that have bionic's names and no code, from the
symbol lists of Android 6 (API 23). What it compiles runs on Android's own libc, as tests show, but rests
on nobody's promise: it is for tests, and must not be published. It makes arm64-v8a and x86_64;
armeabi-v7a's types differ in size from musl's.
"""

from __future__ import annotations

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

# What clang calls the processor, and where the kernel's headers for it are.
ABIS = {"arm64-v8a": ("aarch64", "aarch64-linux-any"), "x86_64": ("x86_64", "x86-linux-any")}

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
__dso_handle: .quad __dso_handle
"""

COMPILER = f"""\
#!/bin/sh
# A stand-in for an NDK's clang++: zig's, told of Android's headers and libraries.
toolchain=$(cd "$(dirname "$0")/.." && pwd)
count=$#
while [ $count -gt 0 ]; do  # arguments that a file lists
  case $1 in
    @*) while IFS= read -r line; do set -- "$@" "$line"; done < "${{1#@}}" ;;
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
    --target=*) cpu=${{1#--target=}}; cpu=${{cpu%%-*}} ;;
    -march=armv8.2-a*)  # zig has its own names of architectures and what they add
      set -- "$@" "-mcpu=generic+v8_2a$(echo "${{1#-march=armv8.2-a}}" | sed s/fp16/fullfp16/)"
      ;;
    -c | -E | -S) links=; set -- "$@" "$1" ;;
    *) set -- "$@" "$1" ;;
  esac
  shift
  count=$((count - 1))
done
sysroot=$toolchain/sysroot/$cpu
if [ ! -d "$sysroot" ]; then
  echo "the stand-in NDK makes arm64-v8a and x86_64 only, not this target: $cpu" >&2
  exit 1
fi
[ -z "$links" ] || set -- "$@" -O2 "-L$sysroot/lib" "$sysroot/lib/runtime.a"
export ZIG_LIBC="$sysroot/libc.txt" ZIG_GLOBAL_CACHE_DIR="$toolchain/cache" ZIG_LOCAL_CACHE_DIR="$toolchain/cache"
exec "$toolchain/zig/zig" c++ -target "$cpu-linux-android.{API}" -fno-sanitize=all "$@"
"""

PROPERTIES = """\
Pkg.Desc = Stand-in for an Android NDK, for tests: must not be published
Pkg.Revision = 25.0.0
"""


def edited(header: str, text: str) -> str:
    for name, musl, android in EDITS:
        if name == header:
            if musl not in text:
                raise SystemExit(f"{header} of {ZIG} has no {musl!r}: make_ndk.py knows another")
            text = text.replace(musl, android)
    return text


def write_headers(zig: pathlib.Path, cpu: str, kernel: str, include: pathlib.Path) -> None:
    for folder in ("generic-musl", f"{cpu}-linux-musl", "any-linux-any", kernel):
        shutil.copytree(zig / "lib/libc/include" / folder, include, dirs_exist_ok=True)
    for header in {name for name, _, _ in EDITS}:
        path = include / header
        path.write_text(edited(header, path.read_text()))
    (include / "xlocale.h").write_text("")  # what it would declare is in locale.h
    shutil.copytree(HERE / "headers", include, dirs_exist_ok=True)
    shutil.copy(java_home() / "include/jni.h", include)
    shutil.copy(java_home() / "include/linux/jni_md.h", include)


def java_home() -> pathlib.Path:
    javac = shutil.which("javac")
    if javac is None:
        raise SystemExit("javac is missing: install a JDK")
    return pathlib.Path(javac).resolve().parents[1]


def compile_(zig: pathlib.Path, cpu: str, source: pathlib.Path, *arguments: str) -> None:
    target = f"{cpu}-linux-none"
    subprocess.run(
        [zig / "zig", "cc", "-target", target, "-nostdlib", *arguments, source], check=True
    )


def write_stub(zig: pathlib.Path, cpu: str, library: pathlib.Path, out: pathlib.Path) -> None:
    """A library without code that exports what `library`, of arm64, does."""
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
        cpu,
        source,
        "-shared",
        f"-Wl,-soname,{out.name}",
        f"-Wl,--version-script={script}",
        "-o",
        str(out),
    )


def runtime(cpu: str, folder: pathlib.Path) -> list[pathlib.Path]:
    """Objects that zig's runtime library lacks: of `__builtin_cpu_supports`, as GCC's has it."""
    if cpu != "x86_64":
        return []
    archive = subprocess.check_output(["gcc", "-print-libgcc-file-name"], text=True).strip()
    subprocess.run(["ar", "x", archive, "cpuinfo.o"], cwd=folder, check=True)
    return [folder / "cpuinfo.o"]


def write_sysroot(
    zig: pathlib.Path, cpu: str, kernel: str, bionic: pathlib.Path, sysroot: pathlib.Path
) -> None:
    library = sysroot / "lib"
    library.mkdir(parents=True)
    write_headers(zig, cpu, kernel, sysroot / "include")
    for name in LIBRARIES:
        write_stub(zig, cpu, bionic / name, library / name)
    for name, text in (("crtbegin_so", CRT_BEGIN), ("crtend_so", "")):
        source = library / f"{name}.s"
        source.write_text(text)
        compile_(zig, cpu, source, "-c", "-o", str(library / f"{name}.o"))
    subprocess.run(["ar", "rc", library / "runtime.a", *runtime(cpu, library)], check=True)
    folders = {name: sysroot / "include" for name in ("include_dir", "sys_include_dir")}
    folders |= {name: library for name in ("crt_dir", "cc_dir")}
    folders |= dict.fromkeys(("msvc_lib_dir", "kernel32_lib_dir", "darwin_sdk_dir"), "")
    (sysroot / "libc.txt").write_text("".join(f"{k}={v}\n" for k, v in folders.items()))


def main(ndk: pathlib.Path) -> None:
    ndk = ndk.absolute()
    done = ndk / "made"
    text = "".join(
        p.read_text() for p in sorted(HERE.rglob("*")) if p.is_file() and p.suffix in (".py", ".h")
    )
    if done.is_file() and done.read_text() == text:
        return
    print(f"making a stand-in NDK in {ndk}", flush=True)
    shutil.rmtree(ndk, ignore_errors=True)
    toolchain = ndk / "toolchains/llvm/prebuilt/linux-x86_64"
    tools = toolchain / "bin"
    tools.mkdir(parents=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*pip, "--target", ndk / "pip", ZIG], check=True)
    zig = toolchain / "zig"
    (ndk / "pip/ziglang").rename(zig)
    shutil.rmtree(ndk / "pip")
    with zipfile.ZipFile(maven.artifact(BIONIC, ndk / "maven")) as jar:
        for name in LIBRARIES:
            path = ndk / "bionic" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(jar.read(f"android/sdk23/lib64/{name}"))
    for cpu, kernel in ABIS.values():
        write_sysroot(zig, cpu, kernel, ndk / "bionic", toolchain / "sysroot" / cpu)
    for name, text_ in (
        ("clang++", COMPILER),
        ("llvm-ar", f'#!/bin/sh\nexec "{zig}/zig" ar "$@"\n'),
        ("llvm-strip", '#!/bin/sh\nexec strip "$@"\n'),
    ):
        (tools / name).write_text(text_)
        (tools / name).chmod(0o755)
    (ndk / "source.properties").write_text(PROPERTIES)
    # The C++ library is compiled at the first link: a minute, here rather than in a test.
    for cpu, _ in ABIS.values():
        source = ndk / "empty.cc"
        source.write_text("#include <iostream>\nvoid F() { std::cout << 1; throw 1; }\n")
        subprocess.run(
            [
                tools / "clang++",
                f"--target={cpu}-linux-android{API}",
                "-shared",
                "-fPIC",
                "-O2",
                source,
            ]
            + ["-o", ndk / f"empty-{cpu}.so"],
            check=True,
        )
    done.write_text(text)


if __name__ == "__main__":
    os.umask(0o022)
    main(pathlib.Path(sys.argv[1]))
