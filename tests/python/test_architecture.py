"""The package's parts know those below them, and nobody knows those above."""

from __future__ import annotations

import ast
import pathlib
import re

import sbnn_tf

ROOT = pathlib.Path(sbnn_tf.__file__).parent

# From the ground up. What stands on one floor does not know its neighbours; what docs/architecture.md
# says of each is said there.
FLOORS = [
    {"errors", "naming", "version"},
    {"files", "interpreters", "patterns"},
    {"keras_model"},
    {"convert", "plan"},
    {"rearrange", "run", "topology", "train"},
    {"cli"},
]


def modules() -> dict[str, pathlib.Path]:
    found = {}
    for path in ROOT.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    del found[""]  # sbnn_tf itself fetches each name on first use
    return found


def imported(path: pathlib.Path, known: dict[str, pathlib.Path], everywhere: bool) -> set[str]:
    """The package's modules that a file imports; those in its functions too, if `everywhere`."""
    tree = ast.parse(path.read_text())
    names = []
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                names.append(inner if inner.removeprefix("sbnn_tf.") in known else node.module)
    return {name.removeprefix("sbnn_tf.") for name in names if name.startswith("sbnn_tf.")}


def part(module: str) -> str:
    return module.split(".")[0]


def test_every_part_has_a_floor_and_knows_only_those_below():
    known = modules()
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    assert {part(module) for module in known} == set(floor)
    up = [
        f"{module} imports {other}"
        for module, path in known.items()
        for other in imported(path, known, everywhere=True)
        if part(other) != part(module) and floor[part(other)] >= floor[part(module)]
    ]
    assert not up


def test_no_module_imports_itself_by_way_of_others():
    known = modules()
    arrows = {m: imported(path, known, everywhere=False) - {m} for m, path in known.items()}
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join((*way[way.index(module) :], module))
        if module not in done:
            for other in arrows.get(module, ()):
                visit(other, (*way, module))
            done.add(module)

    for module in arrows:
        visit(module, ())


def test_no_stream_is_in_what_goes_into_the_browser():
    """One alone brings the locales of the C++ library along: 12 kB of a module of 200."""
    delegate = ROOT.parent / "delegate"
    arm = {delegate / "kernels/arm_cpu.cc", delegate / "kernels/table.cc"}  # not of WebAssembly
    folders = ("format", "kernels", "engine", "report", "translation", "file", "web")
    streams = re.compile(r"#include <(\w*stream|iomanip|locale|regex)>")
    found = {
        path
        for folder in folders
        for kind in ("*.cc", "*.h")
        for path in (delegate / folder).rglob(kind)
        if "node_modules" not in path.parts and streams.search(path.read_text())
    }
    assert found <= arm
