"""What tests of several folders share, and what `make test` leaves to `make test-sweep`."""

from __future__ import annotations

import os
import struct
import zlib
from collections import defaultdict

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def pytest_addoption(parser):
    parser.addoption(
        "--sweep",
        action="store_true",
        help="run every case of a test in both versions of Keras, not half of them in each",
    )


def pytest_collection_modifyitems(config, items):
    """Of tests with cases, in both versions of Keras: without `--sweep` every case in one of them.

    Which is drawn, but always the same: parameters that alternate would meet one version only.
    """
    if config.getoption("--sweep"):
        return
    tests = defaultdict(lambda: defaultdict(dict))  # {test: {case: {version: item}}}
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        if "K" in parameters and len(parameters) > 1:
            case = item.callspec.id.split("-")
            case.remove(parameters["K"])
            test = item.nodeid.partition("[")[0]
            tests[test][zlib.crc32("-".join(case).encode())][parameters["K"]] = item
    left = set()
    for cases in tests.values():
        for i, case in enumerate(sorted(cases)):
            if len(cases[case]) > 1:
                left.add(cases[case][["keras", "tf_keras"][i % 2]])
    config.hook.pytest_deselected(items=[item for item in items if item in left])
    items[:] = [item for item in items if item not in left]


@pytest.fixture(scope="session")
def tiny_files(tmp_path_factory):
    """(dense, sparse): a small live network as `.tflite` files; the second has 50 % zeros."""
    import keras

    import sbnn_tf as sbnn
    from tests.python.models import bring_to_life

    keras.utils.set_random_seed(0)
    layers = [keras.Input((12, 12, 3)), keras.layers.Conv2D(16, 3, strides=2, padding="same")]
    for i in (1, 2):
        layers += [
            keras.layers.DepthwiseConv2D(3, padding="same"),
            keras.layers.Conv2D(32, 1, use_bias=False, name=f"pointwise_{i}"),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(6.0),
        ]
    layers += [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10)]
    model = keras.Sequential(layers)
    bring_to_life(model)
    folder = tmp_path_factory.mktemp("tiny")
    dense, sparse = folder / "dense.tflite", folder / "sparse.tflite"
    dense.write_bytes(sbnn.convert(model))
    sparse.write_bytes(sbnn.convert(dense, prune=0.5))
    return dense, sparse


@pytest.fixture
def foreign_library(tmp_path):
    """A file that begins like a shared library for a processor that is not this one: SPARC."""
    path = tmp_path / "libforeign.so"
    ident = b"\x7fELF" + bytes([2, 2, 1]) + bytes(9)  # 64 bits, big endian
    path.write_bytes(ident + struct.pack(">HHI", 3, 43, 1) + bytes(40))
    return path


@pytest.fixture(scope="session")
def application():
    """application(name) -> the `.tflite` of a small live `tf.keras.applications` network; made once."""
    import functools

    from sbnn_tf.convert.sources import load
    from tests.python.models import live_model

    options = {
        "MobileNet": {"input_shape": (64, 64, 3), "alpha": 0.25},
        "MobileNetV2": {"input_shape": (32, 32, 3), "alpha": 0.35, "classes": 16},
    }
    return functools.cache(
        lambda name: load(live_model(name, **options.get(name, {"input_shape": (32, 32, 3)})))
    )
