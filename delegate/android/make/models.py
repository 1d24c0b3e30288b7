"""The models of the benchmark app: made here, with random weights."""

from __future__ import annotations

import json
import pathlib

from delegate.android.make.native import BUILD

SPARSITIES = (0.5, 0.75, 0.9)
FOLDER = BUILD / "models"

# File's name: what delegate.bench.models calls it, and what the app does.
NETWORKS = {
    "mobilenet_v1": ("mobilenet_v1", "MobileNet-v1"),
    "mobilenet_v1_int8": ("mobilenet_v1_int8_4x4", "MobileNet-v1 int8"),
}


def make(folder: pathlib.Path = FOLDER) -> pathlib.Path:
    """MobileNet-v1 at 224 x 224 in floats and int8, dense and pruned, with what app.Model reads beside them."""
    for name, (network, title) in NETWORKS.items():
        _make(folder, name, network, title)
    return folder


def _make(folder: pathlib.Path, name: str, network: str, title: str) -> None:
    from delegate.bench import models

    row = models.NETWORKS[network]
    dense = f"{name}_dense.tflite"
    folder.mkdir(parents=True, exist_ok=True)
    for sparsity in (0.0, *SPARSITIES):
        percent = round(100 * sparsity)
        path = folder / (f"{name}_{percent}.tflite" if sparsity else dense)
        if path.is_file():
            continue
        content = models.dense(row, folder=BUILD / "keras-models")
        path.write_bytes(models.pruned(row, content, sparsity))
        if sparsity:
            about = {
                "title": f"{title}, random weights, {percent} % zeros",
                "zeros": sparsity,
                "baseline": dense,
            }
            path.with_suffix(".json").write_text(json.dumps(about) + "\n")
