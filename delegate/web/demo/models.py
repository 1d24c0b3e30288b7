"""The models and sample images of the demo page: `make demo-web`.

MobileNet-v1 has random weights, pruned by magnitude: its times mean something, its answers do not.
The Fashion-MNIST network is the one of `make demo`, trained here where that has not run.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

MOBILENET_SPARSITIES = (0.0, 0.5, 0.75, 0.9)
FASHION_SPARSITIES = (0.0, 0.75)
SAMPLES = 12
LABELS = (
    "T-shirt",
    "trousers",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)


def main(out: Path) -> None:
    """Writes *.tflite, models.json (what each is) and samples.json (images and labels) to `out`."""
    out.mkdir(parents=True, exist_ok=True)
    entries = [
        {"file": f"mobilenet_v1_{s * 100:.0f}.tflite", "network": "MobileNet-v1", "zeros": s}
        for s in MOBILENET_SPARSITIES
    ] + [
        {"file": f"fashion_{s * 100:.0f}.tflite", "network": "Fashion-MNIST", "zeros": s}
        for s in FASHION_SPARSITIES
    ]
    if not all((out / entry["file"]).is_file() for entry in entries):
        mobilenets(out)
        fashion(out)
    (out / "models.json").write_text(json.dumps({"models": entries, "labels": LABELS}))
    samples(out)


def mobilenets(out: Path) -> None:
    from delegate.bench import models

    network = models.NETWORKS["mobilenet_v1"]
    dense = models.dense(network)
    for sparsity in MOBILENET_SPARSITIES:
        path = out / f"mobilenet_v1_{sparsity * 100:.0f}.tflite"
        path.write_bytes(models.pruned(network, dense, sparsity))


def fashion(out: Path, made: Path = Path("build/demo")) -> None:
    import sbnn_tf as sbnn
    from experiments import data
    from experiments.fashion_mnist import demo
    from experiments.fashion_mnist.train import fine_tune, pretrain

    dense = None
    train, _ = data.load()
    for sparsity in FASHION_SPARSITIES:
        name = f"fashion_{sparsity * 100:.0f}.tflite"
        if (made / name).is_file():
            (out / name).write_bytes((made / name).read_bytes())
            continue
        dense = dense or pretrain(train, demo.SEED, demo.PRETRAIN_EPOCHS, 2)
        model = fine_tune(dense, train, demo.SEED, sparsity, demo.FINE_TUNE_EPOCHS, 2)
        (out / name).write_bytes(sbnn.convert(model))


def samples(out: Path) -> None:
    from experiments import data

    _, test = data.load()
    images = (test.images[:SAMPLES, :, :, 0] * 255).round().astype(int)
    pictures = [
        {"pixels": image.ravel().tolist(), "label": int(label)}
        for image, label in zip(images, test.labels)
    ]
    (out / "samples.json").write_text(json.dumps(pictures))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
