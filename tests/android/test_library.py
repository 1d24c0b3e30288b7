"""The native libraries as files: what Android's linker and stores ask of them."""

import pathlib
import re
import zipfile

import pytest
from elftools.elf.elffile import ELFFile

from delegate.android.make import maven, native
from delegate.build.android.standin import make_ndk
from tests.android.shim import make as shim

PAGE = 16384
BITS = {"arm64-v8a": 64, "armeabi-v7a": 32, "x86_64": 64}
MACHINES = {"arm64-v8a": "EM_AARCH64", "armeabi-v7a": "EM_ARM", "x86_64": "EM_X86_64"}


@pytest.fixture(scope="session", params=["x86_64", "arm64-v8a", "armeabi-v7a"])
def library(request, ndk) -> tuple[str, pathlib.Path]:
    if request.param not in ndk.abis:
        pytest.skip(f"{ndk.description or ndk.home} makes no {request.param}")
    return request.param, native.build(ndk, request.param)


def bionic(bits: int) -> set[str]:
    """What Android 6 (API 23) exports, the oldest whose libraries a package has; we need API 24."""
    names = set()
    with zipfile.ZipFile(maven.artifact(make_ndk.BIONIC, native.BUILD / "maven-files")) as jar:
        for name in make_ndk.LIBRARIES:
            folder = "lib64" if bits == 64 else "lib"
            path = native.BUILD / "bionic" / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(jar.read(f"android/sdk23/{folder}/{name}"))
            names |= set(shim.exports(path))
    return names


def dynamic(path: pathlib.Path, tag: str) -> list[str]:
    with path.open("rb") as file:
        entries = ELFFile(file).get_section_by_name(".dynamic").iter_tags(tag)
        return [getattr(e, "needed", getattr(e, "soname", None)) for e in entries]


def test_it_has_its_name_and_needs_the_system_only(library):
    _, path = library
    assert dynamic(path, "DT_SONAME") == ["libsbnn_delegate.so"]
    assert set(dynamic(path, "DT_NEEDED")) <= set(make_ndk.LIBRARIES)


def test_it_imports_nothing_that_android_lacks(library):
    abi, path = library
    missing = set(shim.imports(path)) - bionic(BITS[abi])
    assert not missing, sorted(missing)


def test_it_exports_the_entry_points_only(library):
    _, path = library
    exports = set(shim.exports(path))
    prefixes = ("sbnn_", "tflite_plugin_", "Java_com_sbnn_delegate_")
    assert all(name.startswith(prefixes) for name in exports), exports
    declared = {name for name in exports if name.startswith("Java_")}
    source = native.ROOT / "delegate/android/java/com/sbnn/delegate/NativeDelegate.java"
    names = re.findall(r"static native \S+ (\w+)\(", source.read_text())
    assert len(names) > 5
    assert declared == {f"Java_com_sbnn_delegate_NativeDelegate_{name}" for name in names}
    assert {"tflite_plugin_create_delegate", "sbnn_delegate_create"} <= exports


def test_it_loads_where_pages_have_16_kilobytes(library):
    abi, path = library
    with path.open("rb") as file:
        elf = ELFFile(file)
        assert elf["e_machine"] == MACHINES[abi]
        segments = [s.header for s in elf.iter_segments("PT_LOAD")]
        assert all(s.p_align >= PAGE for s in segments)
        assert all((s.p_vaddr - s.p_offset) % PAGE == 0 for s in segments)


def test_it_is_stripped(library):
    _, path = library
    assert path.stat().st_size < 3e6
    with path.open("rb") as file:
        sections = [section.name for section in ELFFile(file).iter_sections()]
    assert ".symtab" not in sections and not any(name.startswith(".debug") for name in sections)
