"""Which package has TensorFlow Lite's interpreter."""

from __future__ import annotations

import importlib

from sbnn_tf.errors import SbnnError


def interpreter_module():
    """`ai_edge_litert`'s where it is installed, else TensorFlow's; raises SbnnError without both."""
    for name in ("ai_edge_litert.interpreter", "tensorflow.lite.python.interpreter"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    raise SbnnError(
        "running a model needs the package ai-edge-litert or tensorflow, and found neither: "
        "pip install ai-edge-litert"
    )
