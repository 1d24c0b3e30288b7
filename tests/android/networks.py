"""Networks that take every row of the engine's kernels, made where TensorFlow runs."""

from __future__ import annotations

import pathlib

PRUNINGS = {
    "g1": {"group": 1},
    "g2": {"group": 2},
    "g4": {"group": 4},
    "g8": {"group": 8},
    "g16": {"group": 16},
    "unstructured": {"pattern": "unstructured"},
}
INT8_PRUNINGS = {
    "dense": {},
    "g1": {"group": 1},
    "g2": {"group": 2},
    "g4": {"group": 4},
    "4x4": {"pattern": "block4x4"},
}
MOBILENETS = [f"mobilenet_{name}" for name in PRUNINGS]
INT8_NETWORKS = [*(f"mobilenet_int8_{name}" for name in INT8_PRUNINGS), "all_int8"]
# Seeds of tests/e2e/random_graph.py, among whose graphs is every operator (test_random_graphs).
GRAPHS = [*range(58), 68, 85]


def make(folder: pathlib.Path) -> None:
    """Writes what is not in `folder` yet."""
    names = [*MOBILENETS, *INT8_NETWORKS, *(f"graph_{seed}" for seed in GRAPHS)]
    if all((folder / f"{name}.tflite").is_file() for name in names):
        return
    import sbnn_tf
    from delegate.bench import models
    from tests.e2e import arm64_model, random_graph, test_int8_network

    folder.mkdir(parents=True, exist_ok=True)

    def write(name: str, content: bytes) -> None:
        (folder / f"{name}.tflite").write_bytes(content)

    dense = bytes(sbnn_tf.convert(arm64_model.mobilenet()))
    for name, pruning in PRUNINGS.items():
        write(f"mobilenet_{name}", sbnn_tf.convert(dense, prune=0.5, **pruning))
    quantized = bytes(models.quantized(models.live("MobileNet", 64)))
    for name, pruning in INT8_PRUNINGS.items():
        share = {"prune": 0.7} if pruning else {}
        write(f"mobilenet_int8_{name}", sbnn_tf.convert(quantized, **share, **pruning))
    write("all_int8", test_int8_network.Network().bytes())
    for seed in GRAPHS:
        write(f"graph_{seed}", random_graph.make(seed)[0])
