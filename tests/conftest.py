"""What tests of several folders share."""

from __future__ import annotations

import os
import struct

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


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
