"""The engines that are compared: what each needs, and which zeros it is given."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from delegate.bench.peers import environment, graph

WORKERS = Path(__file__).parent / "workers"
GROUP4, UNSTRUCTURED = "group4", "unstructured"
INT8_GROUP4, INT8_BLOCK = "int8-group4", "int8-4x4"
# Of the zeros, the network of models.NETWORKS, and words for readers.
PATTERNS = {
    GROUP4: ("mobilenet_v1", "groups of 4"),
    UNSTRUCTURED: ("mobilenet_v1_unstructured", "unstructured"),
    INT8_GROUP4: ("mobilenet_v1_int8", "int8, groups of 4"),
    INT8_BLOCK: ("mobilenet_v1_int8_4x4", "int8, blocks 4x4"),
}
SPARSITIES = (0.0, 0.31, 0.5, 0.7, 0.9)


@dataclasses.dataclass(frozen=True)
class Case:
    """One `.tflite` file: its zeros (pattern and share), and where it is."""

    pattern: str
    sparsity: float
    path: Path


@dataclasses.dataclass(frozen=True)
class Rival:
    """One line of the picture.

    Attributes:
      name: for readers.
      command: of its worker; raises `Missing` if it cannot be had.
      pattern: of the zeros in its files.
      prepare: from a case to the file that the worker loads and what is known about it; may raise
        `Missing`.
    """

    name: str
    command: Callable[[], list]
    pattern: str
    prepare: Callable[[Case], tuple[Path, str]]

    @property
    def int8(self) -> bool:
        """Whether it runs the quantized network."""
        return self.pattern.startswith("int8")


class Missing(Exception):
    """An engine or one of its files cannot be had here: why not."""


def rivals(library: Path, mnn_source: Path | None, mnn_build: Path | None) -> list[Rival]:
    """All engines, TensorFlow Lite first: it is what the others are compared with.

    Args:
      library: of the delegate.
      mnn_source, mnn_build: of an MNN built from source (its headers, its libMNN.so), or None.
    """
    isa = _isa(library)
    found = [
        Rival("TFLite XNNPACK", _tflite, GROUP4, as_is),
        Rival(f"SparseByteNN, {isa}", lambda: _tflite(library), GROUP4, as_is),
        Rival(f"SparseByteNN, {isa}", lambda: _tflite(library), UNSTRUCTURED, as_is),
        Rival("TFLite XNNPACK int8", _tflite, INT8_GROUP4, as_is),
        Rival(f"SparseByteNN int8, {isa}", lambda: _tflite(library), INT8_GROUP4, as_is),
        Rival(f"SparseByteNN int8, {isa}", lambda: _tflite(library), INT8_BLOCK, as_is),
    ]
    if isa == "avx512":
        found += [
            Rival("SparseByteNN, avx2", lambda: _tflite(library, "avx2"), pattern, as_is)
            for pattern in (GROUP4, UNSTRUCTURED)
        ]
    engines = [("MNN 3.6.1, PyPI", lambda: _python("mnn", "run_mnn.py"))]
    if mnn_build is not None:
        engines.append(("MNN, built here", lambda: [_built_mnn(mnn_source, mnn_build)]))
    found += [
        Rival(name, command, pattern, as_mnn)
        for name, command in engines
        for pattern in (GROUP4, UNSTRUCTURED)
    ]
    return found + [
        Rival(
            "DeepSparse 1.8",
            lambda: _python("deepsparse", "run_deepsparse.py"),
            UNSTRUCTURED,
            as_onnx,
        ),
        Rival("OpenVINO", lambda: _python("openvino", "run_openvino.py"), GROUP4, as_onnx),
        Rival(
            "ONNX Runtime", lambda: _python("onnxruntime", "run_onnxruntime.py"), GROUP4, as_onnx
        ),
        Rival("ncnn", lambda: _python("ncnn", "run_ncnn.py"), GROUP4, as_ncnn),
        Rival(
            "OpenVINO int8", lambda: _python("openvino", "run_openvino.py"), INT8_GROUP4, as_onnx
        ),
        Rival(
            "ONNX Runtime int8",
            lambda: _python("onnxruntime", "run_onnxruntime.py"),
            INT8_GROUP4,
            as_onnx,
        ),
    ]


def as_is(case: Case) -> tuple[Path, str]:
    return case.path, ""


def as_onnx(case: Case) -> tuple[Path, str]:
    target, chain = case.path.with_suffix(".onnx"), case.path.with_suffix(".npz")
    if not target.is_file():
        model = case.path.read_bytes()
        graph.save(graph.chain(model), _size(case), chain, graph.input_quantization(model))
        _run([*_python("onnxruntime", "to_onnx.py"), chain, target])
    return target, ""


def as_ncnn(case: Case) -> tuple[Path, str]:
    target = case.path.with_suffix(".param")
    if not target.is_file():
        graph.save_ncnn(graph.chain(case.path.read_bytes()), target)
    return target, ""


def as_mnn(case: Case) -> tuple[Path, str]:
    """An MNN file; as evidence, how many operators it marks for MNN's sparse kernels."""
    onnx, _ = as_onnx(case)
    target = case.path.with_suffix(".mnn")
    if not target.is_file():
        group = {GROUP4: "4", UNSTRUCTURED: "1"}[case.pattern] if case.sparsity else "0"
        _run([*_python("mnn", "to_mnn.py"), onnx, target, case.path.with_suffix(".json"), group])
    content = target.read_bytes()
    # An attribute that every operator with sparse weights has.
    count = content.count(b"NNZElement")
    return target, f"{count} operators stored sparsely, {len(content) / 1e6:.1f} MB"


def _size(case: Case) -> int:
    from delegate.bench.work import layers

    first = layers(case.path.read_bytes())[0]
    return first.height


def _isa(library: Path) -> str:
    from sbnn_tf.run.runtime import open_library

    return open_library(library).sbnn_isa().decode()


def _tflite(*arguments) -> list:
    return [sys.executable, WORKERS / "run_tflite.py", *arguments]


def _python(engine: str, script: str) -> list:
    python = environment.python_of(engine)
    if python is None:
        raise Missing(f"the package {engine} could not be installed")
    return [python, WORKERS / script]


def _built_mnn(source: Path, build: Path) -> Path:
    """The worker for an MNN of one's own, compiled against it."""
    target = Path("build/bench/peers/run_mnn").absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    options = ["-O2", "-std=c++17", f"-I{source / 'include'}", f"-L{build}", "-lMNN"]
    _run(["g++", WORKERS / "run_mnn.cc", "-o", target, *options, f"-Wl,-rpath,{build.absolute()}"])
    return target


def _run(command: list) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise Missing(f"{Path(str(command[1])).name} failed: {reason[-1]}")
    return done.stdout
