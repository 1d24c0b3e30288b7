"""What computing in float16 costs in accuracy: python fp16.py LIBRARY MODEL... [--images N]

For each model, the delegate with `allow_fp16=1` against the delegate in float32: on Fashion-MNIST's
test images where the model takes these, with their labels, else on uniform noise. Runs where
ai-edge-litert does, so that `make bench-fp16` can run it for aarch64 under qemu: it times nothing.
"""

from __future__ import annotations

import argparse
import gzip
import pathlib

import numpy as np
from ai_edge_litert.interpreter import Interpreter, load_delegate

FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")


def read_idx(name: str, header: int) -> np.ndarray:
    with gzip.open(FASHION / name) as file:
        return np.frombuffer(file.read()[header:], np.uint8)


def inputs_for(shape: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Images, and their labels where there are any."""
    if list(shape[1:]) == [28, 28, 1] and FASHION.exists():
        images = read_idx("t10k-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28, 1)[:count]
        return images.astype(np.float32) / 255, read_idx("t10k-labels-idx1-ubyte.gz", 8)[:count]
    noise = np.random.default_rng(3).uniform(-1, 1, (count, *shape[1:]))
    return noise.astype(np.float32), None


def outputs_of(model: str, library: str, images: np.ndarray, fp16: bool) -> np.ndarray:
    options = {"claim": "all", "allow_fp16": "1" if fp16 else "0"}
    interpreter = Interpreter(
        model, num_threads=1, experimental_delegates=[load_delegate(library, options)]
    )
    interpreter.allocate_tensors()
    (entry,) = interpreter.get_input_details()
    output = interpreter.get_output_details()[0]["index"]
    rows = []
    for image in images:
        interpreter.set_tensor(entry["index"], image[None])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(output).ravel().copy())
    return np.stack(rows)


def compare(model: str, library: str, count: int) -> str:
    (entry,) = Interpreter(model).get_input_details()
    images, labels = inputs_for(entry["shape"], count)
    float32 = outputs_of(model, library, images, fp16=False)
    float16 = outputs_of(model, library, images, fp16=True)
    same = np.mean(float32.argmax(1) == float16.argmax(1))
    error = np.abs(float16 - float32).max(1) / np.abs(float32).max(1)
    accuracy = ["", ""]
    if labels is not None:
        accuracy = [f"{np.mean(x.argmax(1) == labels):.2%}" for x in (float32, float16)]
    cells = [pathlib.Path(model).stem, str(len(images)), f"{same:.2%}", *accuracy]
    return " | ".join(["", *cells, f"{np.median(error):.1e}", f"{error.max():.1e}", ""]).strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--images", type=int, default=200)
    args = parser.parse_args()
    print(
        "| model | images | same first class | right, float32 | right, float16 | error, median | largest |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|")
    for model in args.models:
        print(compare(model, args.library, args.images), flush=True)


if __name__ == "__main__":
    main()
