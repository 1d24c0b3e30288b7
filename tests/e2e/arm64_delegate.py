"""The delegate in the aarch64 ai-edge-litert: python arm64_delegate.py FOLDER LIBRARY.

FOLDER holds the models of arm64_model.py. Fails where the delegate's outputs are not those of
stock TensorFlow Lite, or where it left them to TensorFlow Lite or to a kernel that is not NEON's; in
fp16, too, within what is promised of them.
"""

import ctypes
import json
import pathlib
import platform
import sys
import tempfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType, load_delegate

CONVOLUTIONS = 27  # of MobileNet-v1: the first, 13 depthwise, 13 pointwise
PRECISION = 2.0**13  # how many times finer float32 is than float16


def run(model: pathlib.Path, images: np.ndarray, **options) -> np.ndarray:
    interpreter = Interpreter(str(model), num_threads=1, **options)
    (entry,) = interpreter.get_input_details()
    interpreter.resize_tensor_input(entry["index"], images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(entry["index"], images)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def with_delegate(
    model: pathlib.Path, library: pathlib.Path, images: np.ndarray, **options: str
) -> tuple[np.ndarray, list[dict]]:
    """The outputs, and the delegate's records."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder, "report.jsonl")
        options = {"claim": "all", "report": str(report), **options}
        outputs = run(model, images, experimental_delegates=[load_delegate(str(library), options)])
        return outputs, [json.loads(line) for line in report.read_text().splitlines()]


def check_claims(records: list[dict]) -> str:
    nodes = [record for record in records if record["record"] == "node"]
    convolutions = [node for node in nodes if node["op"] in ("CONV_2D", "DEPTHWISE_CONV_2D")]
    left = [node["text"] for node in convolutions if not node["claimed"]]
    assert not left, f"convolutions were left to TFLite: {left}"
    assert len(convolutions) >= CONVOLUTIONS, f"convolutions are missing: {convolutions}"
    (whole,) = [record for record in records if record["record"] == "subgraph"]
    assert whole["parts"] == 1, f"expected one claimed part: {whole}"
    return whole["text"]


def check(model: pathlib.Path, library: pathlib.Path, images: np.ndarray) -> str:
    stock = run(model, images)
    plain = run(
        model,
        images,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    ours, records = with_delegate(model, library, images, num_threads="1")
    claims = check_claims(records)
    fp16, records = with_delegate(model, library, images, allow_fp16="1")

    largest = np.abs(stock).max()
    assert np.abs(stock[0] - stock[1]).max() > 0.01 * largest, "the model is dead to its input"
    difference = np.abs(ours - stock).max() / largest
    bar = min(1e-4, 4 * np.abs(plain - stock).max() / largest)
    assert difference <= bar, f"{model.name}: differs by {difference:.1e}, more than {bar:.1e}"
    steps = [record for record in records if record["record"] == "step"]
    count = sum(step["fp16"] for step in steps)
    assert count >= CONVOLUTIONS, f"{count} operators in fp16: {steps}"
    in_fp16 = np.abs(fp16 - stock).max() / largest
    fp16_bar = min(0.1, PRECISION * bar)
    message = f"{model.name}: in fp16 it differs by {in_fp16:.1e}, more than {fp16_bar:.1e}"
    assert 0 < in_fp16 <= fp16_bar, message
    return (
        f"{model.name} {images.shape}: {claims}; differs by {difference:.1e} (bar {bar:.1e}), "
        f"with {count} operators in fp16 by {in_fp16:.1e} (bar {fp16_bar:.1e})"
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
