"""Whatever the user has, as the bytes of a `.tflite` file. TensorFlow is imported only for Keras
models and SavedModels."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import zipfile
from pathlib import Path

from sbnn_tf.errors import SbnnError

KERAS_SUFFIXES = (".keras", ".h5", ".hdf5")


def load(source) -> bytes:
    """The `.tflite` bytes of a model.

    Args:
      source: `.tflite` bytes; a path of a `.tflite` file, a `.keras` file or a SavedModel folder;
        or a Keras model (Keras 3 or tf_keras), which TFLite's converter turns into float32.

    Raises:
      FileNotFoundError: no such path.
      TypeError: none of these.
      SbnnError: a file that cannot be read as what it claims to be, a Keras model never built, or
        TensorFlow missing where it is needed.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source)
    if isinstance(source, (str, os.PathLike)):
        return _load_path(Path(source))
    if _is_keras_model(source):
        return _from_keras(source)
    raise TypeError(
        "expected a Keras model, .tflite bytes, or the path of a .tflite file, a .keras file or a "
        f"SavedModel folder; found {type(source).__name__}"
    )


def _load_path(path: Path) -> bytes:
    if not path.exists():
        raise FileNotFoundError(f"no such file: {path}")
    if path.is_dir():
        if not (path / "saved_model.pb").exists():
            raise SbnnError(f"{path} is a folder without saved_model.pb: expected a SavedModel")
        return _from_saved_model(path)
    if path.suffix in KERAS_SUFFIXES:
        return _from_keras(_load_keras(path))
    try:
        return path.read_bytes()
    except OSError as error:
        raise SbnnError(f"cannot read {path}: {error.strerror}") from error


def _tensorflow():
    try:
        import tensorflow  # noqa: PLC0415
    except ImportError as error:
        raise SbnnError(
            "converting a Keras model or a SavedModel needs tensorflow, which is not installed: "
            "pip install tensorflow, or pass a .tflite file"
        ) from error
    return tensorflow


def _is_keras_model(source) -> bool:
    """Whether this is a model of any Keras that is loaded; loads none itself."""
    for name in ("keras", "tf_keras"):
        module = sys.modules.get(name)
        if module is not None and isinstance(source, module.Model):
            return True
    return False


def _load_keras(path: Path):
    """Load a Keras file with the Keras that wrote it."""
    tf = _tensorflow()
    load_model = tf.keras.models.load_model
    try:
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as archive:
                metadata = json.loads(archive.read("metadata.json"))
            if metadata.get("keras_version", "").startswith("2."):
                import tf_keras  # noqa: PLC0415

                load_model = tf_keras.models.load_model
        return load_model(path, compile=False)
    except ImportError as error:
        raise SbnnError(
            f"{path} was written by Keras 2, which needs tf_keras: pip install tf-keras"
        ) from error
    except (zipfile.BadZipFile, OSError, KeyError, TypeError, ValueError) as error:
        raise SbnnError(
            f"cannot load {path} as a Keras model ({_first_line(error)}); if it has custom "
            "objects, load it yourself and pass the model"
        ) from error


def _from_keras(model) -> bytes:
    if not model.built:
        raise SbnnError(
            f"the model {model.name!r} was never built, so its shapes are unknown: call it on a "
            "batch, or model.build(input_shape), before converting it"
        )
    converter = _tensorflow().lite.TFLiteConverter
    return _run(lambda: converter.from_keras_model(model), f"the model {model.name!r}")


def _from_saved_model(path: Path) -> bytes:
    converter = _tensorflow().lite.TFLiteConverter
    return _run(lambda: converter.from_saved_model(str(path)), f"the SavedModel {path}")


def _run(make_converter, what: str) -> bytes:
    try:
        # Keras prints pages on stdout here, and stdout belongs to our caller.
        with contextlib.redirect_stdout(io.StringIO()):
            return make_converter().convert()
    except Exception as error:  # The converter raises many types, without a common base.
        raise SbnnError(
            f"TensorFlow's converter does not convert {what}: {_first_line(error)}"
        ) from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
