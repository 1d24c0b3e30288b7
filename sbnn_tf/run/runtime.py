"""Run `.tflite` models: load the delegate, make interpreters.

Needs a TensorFlow Lite interpreter only: `ai_edge_litert` where it is installed, else the one in
TensorFlow.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sbnn_tf.errors import SbnnError
from sbnn_tf.files import read_file
from sbnn_tf.interpreters import interpreter_module
from sbnn_tf.run.child import doing
from sbnn_tf.run.reports import Record, Sink
from sbnn_tf.run.running import Running, named


class File(NamedTuple):
    """A `.tflite` file that was read, and what messages call it."""

    name: str
    content: bytes


Model = str | os.PathLike | bytes | File


def with_delegate(file: File) -> File:
    """The file, for messages that say that it runs in the delegate."""
    return File(f"{file.name} with the delegate", file.content)


LIBRARY = "libsbnn_delegate.so"
OPTIONS = (
    "num_threads",
    "explain",
    "report",
    "isa",
    "profile",
    "claim",
    "cache_path",
    "allow_fp16",
)
_MACHINES = {"x86_64": 62, "aarch64": 183, "i386": 3, "arm": 40, "riscv64": 243}  # ELF's e_machine
_ALIASES = {"amd64": "x86_64", "arm64": "aarch64", "i686": "i386", "armv7l": "arm"}


def load_delegate(
    *,
    num_threads: int = 1,
    explain: bool | str | os.PathLike = False,
    report: Callable[[Record], object] | str | os.PathLike | None = None,
    library: str | os.PathLike | None = None,
    **options: Any,
) -> Any:
    """Load the SparseByteNN delegate for `experimental_delegates=[...]` of an interpreter.

    The result serves `tf.lite.Interpreter` and `ai_edge_litert.interpreter.Interpreter` alike.
    Give each interpreter its own.

    Args:
      num_threads: threads that the delegate computes with, at least 1.
      explain: True prints to stderr, for each node, whether it was claimed and why; a path appends
        this report to a file.
      report: a function that is called with each record of the delegate, a dict, as long as the
        delegate lives; or a path: the file to append them to, one JSON object a line.
        `delegate/report/README.md` says what they tell.
      library: the delegate's shared library; default is `$SBNN_DELEGATE`, else the one in the
        installed package, else the one that Bazel built in this source tree.
      **options: further options of the delegate: `isa` (force an instruction set: "avx512", "avx2",
        "neon", "scalar"), `claim` ("faster", the default, claims the parts of a network that it
        expects to run faster than TensorFlow Lite; "all" whatever it can run), `profile` (True
        tells the time of each operator beside the predicted one when the interpreter goes: to
        `report`, or to stderr where there is none), `cache_path` (a file that keeps the packed
        weights, so that the next interpreter of this model starts faster; made where it is missing
        or does not fit the model) and `allow_fp16` (True computes in 16-bit floats where the CPU
        has arithmetic on them).

    Raises:
      FileNotFoundError: no such library.
      ValueError: an unknown option or value, or a library that is not for this machine.
    """
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown:
        raise SbnnError(
            f"unknown delegate option {unknown[0]!r}: expected one of {', '.join(OPTIONS)}"
        )
    at_least(1, num_threads=num_threads)
    opened = open_library(library)  # a clearer error than that of an interpreter
    sink = Sink(opened, report) if callable(report) else None
    strings = {"num_threads": str(num_threads)}
    told = {"report": report} if sink is None else {"report_sink": str(sink.number)}
    for name, value in {"explain": explain, **told, **options}.items():
        if value is not False and value is not None:
            strings[name] = str(int(value)) if isinstance(value, int) else os.fspath(value)
    try:
        delegate = interpreter_module().load_delegate(str(find_library(library)), strings)
    except BaseException:
        if sink is not None:
            sink.remove()
        raise
    if sink is not None:
        weakref.finalize(delegate, sink.remove)
    return delegate


def at_least(least: int, **options: Any) -> None:
    """Refuse options that are no integers of at least this size.

    Raises:
      SbnnError: names the option.
    """
    for name, value in options.items():
        whole = hasattr(value, "__index__") and not isinstance(value, bool)
        if not whole or value < least:
            raise SbnnError(f"{name}: expected an integer of at least {least}, got {value!r}")


def find_library(library: str | os.PathLike | None = None) -> Path:
    """Return the path of the delegate's shared library, checked to be for this machine.

    Raises:
      FileNotFoundError: it is not there.
      ValueError: the file is no shared library, or one for another processor.
    """
    package = Path(__file__).parents[1]
    named = library or os.environ.get("SBNN_DELEGATE")
    places = (
        [Path(named)]
        if named
        else [
            package / "lib" / LIBRARY,
            package.parent / "bazel-bin" / "delegate" / "tflite" / LIBRARY,
        ]
    )
    for path in places:
        if path.is_file():
            _check_machine(path)
            return path.resolve()
    raise FileNotFoundError(
        f"no delegate library at {' or '.join(map(str, places))}: install the package with "
        "`pip install .`, build it with `bazel build //delegate/tflite:sbnn_delegate`, or name "
        "another with SBNN_DELEGATE"
    )


def _check_machine(path: Path) -> None:
    """Refuse what the loader would refuse too, with a message that a user understands."""
    with path.open("rb") as file:
        head = file.read(20)
    if len(head) < 20 or head[:4] != b"\x7fELF":
        raise SbnnError(f"{path} is not a shared library: expected an ELF file")
    found = struct.unpack_from("<H" if head[5] == 1 else ">H", head, 18)[0]
    here = _ALIASES.get(platform.machine().lower(), platform.machine().lower())
    if found != _MACHINES.get(here, found):
        names = {number: name for name, number in _MACHINES.items()}
        raise SbnnError(
            f"{path} is built for {names.get(found, f'ELF machine {found}')}, this Python runs "
            f"on {here}: install the package for {here}, or build it there"
        )


def open_library(library: str | os.PathLike | None = None) -> ctypes.CDLL:
    """Open the delegate library for its plain C functions (`sbnn_isa`, `sbnn_peak_gflops`).

    Raises:
      FileNotFoundError: it is not there.
      ValueError: it cannot be loaded, or is not this package's delegate.
    """
    path = find_library(library)
    try:
        opened = ctypes.CDLL(str(path))
        opened.sbnn_isa.restype = ctypes.c_char_p
        opened.sbnn_version.restype = ctypes.c_char_p
        opened.sbnn_peak_gflops.restype = ctypes.c_double
        opened.sbnn_peak_gflops.argtypes = []
        opened.tflite_plugin_create_delegate, opened.tflite_plugin_destroy_delegate
    except (OSError, AttributeError) as error:
        raise SbnnError(f"{path} is not a usable delegate library: {error}") from None
    return opened


def interpreter(
    model: Model, *, num_threads: int = 1, delegate: Any = None, xnnpack: bool = True
) -> Any:
    """Make a TensorFlow Lite interpreter, tensors allocated.

    Args:
      model: a `.tflite` file's path or its bytes.
      num_threads: threads of TensorFlow Lite itself.
      delegate: what `load_delegate` returned, or None for stock TensorFlow Lite.
      xnnpack: whether stock TensorFlow Lite may apply its XNNPACK delegate.

    Raises:
      FileNotFoundError, ValueError: the model cannot be read, or the delegate refuses it.
    """
    file = read_model(model)
    made = construct(file, num_threads=num_threads, delegate=delegate, xnnpack=xnnpack)
    with named(file.name):
        made.allocate_tensors()
    return made


def construct(
    file: File, *, num_threads: int = 1, delegate: Any = None, xnnpack: bool = True
) -> Any:
    """As `interpreter`, before any tensor is allocated."""
    module = interpreter_module()
    kinds = module.OpResolverType
    doing(f"loading {file.name}")
    with named(file.name):
        return module.Interpreter(
            model_content=file.content,
            num_threads=num_threads,
            experimental_delegates=[delegate] if delegate is not None else None,
            experimental_op_resolver_type=(
                kinds.AUTO if xnnpack else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
            ),
        )


def read_model(model: Model) -> File:
    """Read a `.tflite` model, checked to be one.

    Raises:
      FileNotFoundError: no such file.
      ValueError: it cannot be read, or is not a `.tflite` file.
    """
    if isinstance(model, File):
        return model
    if isinstance(model, bytes):
        name, content = "the model", model
    else:
        name, content = os.fspath(model), read_file(model)
    # A flatbuffer: offset of the root table, then the file identifier.
    if content[4:8] != b"TFL3":
        raise SbnnError(f"{name} is not a .tflite file: expected TFL3 at byte 4")
    return File(name, content)


def run(made: Any, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Run an interpreter once; return copies of its outputs.

    Raises:
      ValueError: wrong inputs, or the model fails on them.
    """
    return Running.first(made).run(inputs)
