"""The models of the benchmark app: made here, with random weights."""

from __future__ import annotations

import json
import pathlib

from delegate.android.make.native import BUILD

SPARSITIES = (0.5, 0.75, 0.9)
FOLDER = BUILD / "models"


def make(folder: pathlib.Path = FOLDER) -> pathlib.Path:
    """MobileNet-v1 at 224 x 224, dense and pruned in groups of 4, with what app.Model reads beside them."""
    from delegate.bench import models as networks

    network = networks.NETWORKS["mobilenet_v1"]
    dense = "mobilenet_v1_dense.tflite"
    folder.mkdir(parents=True, exist_ok=True)
    for sparsity in (0.0, *SPARSITIES):
        percent = round(100 * sparsity)
        path = folder / (f"mobilenet_v1_{percent}.tflite" if sparsity else dense)
        if path.is_file():
            continue
        content = networks.dense(network, folder=BUILD / "keras-models")
        path.write_bytes(networks.pruned(network, content, sparsity))
        if sparsity:
            about = {
                "title": f"MobileNet-v1, random weights, {percent} % zeros",
                "zeros": sparsity,
                "baseline": dense,
            }
            path.with_suffix(".json").write_text(json.dumps(about) + "\n")
    return folder
