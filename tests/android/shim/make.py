"""Makes libraries of bionic's names over glibc, so that Android's run in a process of Linux."""

from __future__ import annotations

import pathlib
import subprocess

from elftools.elf.elffile import ELFFile

HERE = pathlib.Path(__file__).resolve().parent
COMPILERS = {"x86_64": "gcc", "arm64-v8a": "aarch64-linux-gnu-gcc"}
JUMPS = {"x86_64": "jmp *{0}@GOTPCREL(%rip)", "arm64-v8a": "b {0}"}
OWN = "bionic_"


def make(abi: str, libraries: list[pathlib.Path], folder: pathlib.Path) -> None:
    """Writes libc.so, libm.so, libdl.so and liblog.so with all that `libraries` import."""
    folder.mkdir(parents=True, exist_ok=True)
    provided = {name for library in libraries for name in exports(library)}
    names = {name for library in libraries for name in imports(library)} - provided
    names = {name for name in names if not name.startswith("__android_log")}

    def compile_(*arguments: str | pathlib.Path) -> None:
        subprocess.run([COMPILERS[abi], "-O2", "-fPIC", *arguments], check=True)

    compile_("-fno-builtin", "-Wall", "-Werror", "-c", HERE / "bionic.c", "-o", folder / "bionic.o")
    own = set(defined(folder / "bionic.o"))
    forward = [".text"]
    for name in sorted(names - {name.removeprefix(OWN) for name in own}):
        jump = JUMPS[abi].format(name)
        forward += [f".globl {OWN}{name}", f".type {OWN}{name}, %function", f"{OWN}{name}: {jump}"]
        forward.append(f".symver {OWN}{name}, {name}@LIBC")
    forward += [f".symver {name}, {name.removeprefix(OWN)}@LIBC" for name in sorted(own)]
    # .symver binds where the symbol is defined: one assembly has both.
    assembly = folder / "bionic.s"
    compile_("-fno-builtin", "-S", HERE / "bionic.c", "-o", assembly)
    forward.append('.section .note.GNU-stack,"",%progbits')
    assembly.write_text(assembly.read_text() + "\n".join(forward) + "\n")
    script = folder / "libc.lds"
    script.write_text("LIBC { global: *; };\n")
    link = ["-shared", "-Wl,-z,now", f"-Wl,--version-script={script}"]
    compile_(*link, "-Wl,-soname,libc.so", assembly, "-o", folder / "libc.so", "-lm", "-ldl")
    (folder / "empty.c").write_text("")
    for name in ("libm.so", "libdl.so"):
        compile_(*link, f"-Wl,-soname,{name}", folder / "empty.c", "-o", folder / name)
    compile_("-shared", "-Wl,-soname,liblog.so", HERE / "log.c", "-o", folder / "liblog.so")


def imports(library: pathlib.Path) -> list[str]:
    return _symbols(library, ".dynsym", undefined=True)


def exports(library: pathlib.Path) -> list[str]:
    return _symbols(library, ".dynsym", undefined=False)


def defined(object_: pathlib.Path) -> list[str]:
    return [name for name in _symbols(object_, ".symtab", undefined=False) if name.startswith(OWN)]


def _symbols(path: pathlib.Path, table: str, undefined: bool) -> list[str]:
    with path.open("rb") as file:
        return [
            symbol.name
            for symbol in ELFFile(file).get_section_by_name(table).iter_symbols()
            if symbol.name
            and symbol["st_info"]["bind"] == "STB_GLOBAL"
            and (symbol["st_shndx"] == "SHN_UNDEF") == undefined
        ]
