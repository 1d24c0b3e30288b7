"""The delegate in the aarch64 ai-edge-litert: python arm64_delegate.py FOLDER LIBRARY.

FOLDER holds the models of arm64_model.py. Fails where the delegate's outputs are not those of
stock TensorFlow Lite, or where it left them to TensorFlow Lite or to a kernel that is not NEON's; in
halves, too, within what is promised of them.
"""

import ctypes
import pathlib
import platform
import re
import sys
import tempfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType, load_delegate

CONVOLUTIONS = 27  # of MobileNet-v1: the first, 13 depthwise, 13 pointwise
PRECISION = 2.0**13  # how many times finer floats are than halves


def run(model: pathlib.Path, images: np.ndarray, **options) -> np.ndarray:
    interpreter = Interpreter(str(model), num_threads=1, **options)
    (entry,) = interpreter.get_input_details()
    interpreter.resize_tensor_input(entry["index"], images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(entry["index"], images)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def check_claims(report: str) -> str:
    nodes = re.findall(r"^node \d+ (\w+) (claimed|left)", report, re.MULTILINE)
    convolutions = [claim for op, claim in nodes if op in ("CONV_2D", "DEPTHWISE_CONV_2D")]
    assert convolutions.count("left") == 0, f"a convolution was left to TFLite:\n{report}"
    assert convolutions.count("claimed") >= CONVOLUTIONS, f"convolutions are missing:\n{report}"
    summary = re.search(r"^claimed \d+ of \d+ nodes in (\d+) parts?$", report, re.MULTILINE)
    assert summary and summary[1] == "1", f"expected one claimed part:\n{report}"
    return summary[0]


def run_in_halves(
    model: pathlib.Path, library: pathlib.Path, images: np.ndarray, report: pathlib.Path
) -> tuple[np.ndarray, str]:
    options = {"allow_fp16": "1", "explain": str(report), "claim": "all"}
    outputs = run(model, images, experimental_delegates=[load_delegate(str(library), options)])
    return outputs, report.read_text()


def check(model: pathlib.Path, library: pathlib.Path, images: np.ndarray) -> str:
    stock = run(model, images)
    plain = run(
        model,
        images,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder, "report.txt")
        options = {"num_threads": "1", "explain": str(report), "claim": "all"}
        ours = run(model, images, experimental_delegates=[load_delegate(str(library), options)])
        claims = check_claims(report.read_text())

        halves, report = run_in_halves(model, library, images, pathlib.Path(folder, "halves.txt"))

    largest = np.abs(stock).max()
    assert np.abs(stock[0] - stock[1]).max() > 0.01 * largest, "the model is dead to its input"
    difference = np.abs(ours - stock).max() / largest
    bar = min(1e-4, 4 * np.abs(plain - stock).max() / largest)
    assert difference <= bar, f"{model.name}: differs by {difference:.1e}, more than {bar:.1e}"
    count = len(re.findall(r"^node .* in halves$", report, re.MULTILINE))
    assert count >= CONVOLUTIONS, f"{count} operators in halves:\n{report}"
    in_halves = np.abs(halves - stock).max() / largest
    half_bar = min(0.1, PRECISION * bar)
    message = f"{model.name}: in halves it differs by {in_halves:.1e}, more than {half_bar:.1e}"
    assert 0 < in_halves <= half_bar, message
    return (
        f"{model.name} {images.shape}: {claims}; differs by {difference:.1e} (bar {bar:.1e}), "
        f"with {count} operators in halves by {in_halves:.1e} (bar {half_bar:.1e})"
    )


def main(folder: pathlib.Path, library: pathlib.Path) -> None:
    assert platform.machine() == "aarch64", platform.machine()
    isa = ctypes.CDLL(str(library)).sbnn_isa
    isa.restype = ctypes.c_char_p
    assert isa() == b"neon", f"expected the NEON kernels, found {isa()!r}"

    models = sorted(folder.glob("mobilenet_g*.tflite"))
    assert models, f"no models in {folder}: make them with arm64_model.py"
    random = np.random.default_rng(11)
    for model in models:
        print(check(model, library, random.uniform(-1, 1, (2, 96, 96, 3)).astype(np.float32)))
    # Another size: rows that no vector divides, and SAME padding that differs by side.
    print(check(models[0], library, random.uniform(-1, 1, (3, 112, 76, 3)).astype(np.float32)))
    print(f"{len(models) + 1} passed, 0 failed")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
