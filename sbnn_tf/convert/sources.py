"""Whatever the user has, as the bytes of a `.tflite` file. TensorFlow is imported only for Keras
models and SavedModels."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile
import zipfile
from pathlib import Path

from sbnn_tf.convert.converter_errors import cause, first_line
from sbnn_tf.errors import SbnnError
from sbnn_tf.files import read_file

KERAS_SUFFIXES = (".keras", ".h5", ".hdf5")
# How a Keras file begins that comes under another name, out of a pipe say.
KERAS_STARTS = {b"PK\x03\x04": ".keras", b"\x89HDF\r\n\x1a\n": ".h5"}


def load(source) -> bytes:
    """The `.tflite` bytes of a model.

    Args:
      source: `.tflite` bytes; a path of a `.tflite` file, a `.keras` file or a SavedModel folder;
        or a Keras model (Keras 3 or tf_keras), which TFLite's converter turns into float32.

    Raises:
      FileNotFoundError: no such path.
      TypeError: none of these.
      SbnnError: an empty name, a file that cannot be read as what it claims to be, a Keras model
        never built, or TensorFlow missing where it is needed.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source)
    if isinstance(source, (str, os.PathLike)):
        return _load_path(os.fspath(source))
    if _is_keras_model(source):
        return _from_keras(source)
    raise TypeError(
        "expected a Keras model, .tflite bytes, or the path of a .tflite file, a .keras file or a "
        f"SavedModel folder; found {type(source).__name__}"
    )


def _load_path(name: str) -> bytes:
    if os.path.isdir(name):
        if not os.path.exists(os.path.join(name, "saved_model.pb")):
            raise SbnnError(f"{name} is a folder without saved_model.pb: expected a SavedModel")
        return _from_saved_model(name)
    if Path(name).suffix in KERAS_SUFFIXES and os.path.isfile(name):
        return _from_keras(_load_keras(name, Path(name)))
    content = read_file(name)
    for start, suffix in KERAS_STARTS.items():
        if content.startswith(start):
            _refuse_bundle(name, content)
            with tempfile.TemporaryDirectory() as folder:
                copy = Path(folder, "model" + suffix)
                copy.write_bytes(content)
                return _from_keras(_load_keras(name, copy))
    return content


def _refuse_bundle(name: str, content: bytes) -> None:
    """Refuse an archive with `.tflite` files in it, such as MediaPipe's `.task`."""
    with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(content)) as archive:
        inside = [entry for entry in archive.namelist() if entry.endswith(".tflite")]
        if inside:
            raise SbnnError(
                f"{name} is an archive of models: unpack it, and convert {' or '.join(inside)}"
            )


def tensorflow(what: str, instead: str = ""):
    """The module; raises SbnnError where `what` needs it and it is not installed."""
    try:
        import tensorflow  # noqa: PLC0415
    except ImportError as error:
        raise SbnnError(
            f"{what} needs tensorflow, which is not installed: pip install tensorflow{instead}"
        ) from error
    return tensorflow


def _tensorflow():
    return tensorflow("converting a Keras model or a SavedModel", ", or pass a .tflite file")


def _is_keras_model(source) -> bool:
    """Whether this is a model of any Keras that is loaded; loads none itself."""
    for name in ("keras", "tf_keras"):
        module = sys.modules.get(name)
        if module is not None and isinstance(source, module.Model):
            return True
    return False


def _load_keras(name: str, path: Path):
    """Load a Keras file, `name` in messages, with the Keras that wrote it."""
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
            f"{name} was written by Keras 2, which needs tf_keras: pip install tf-keras"
        ) from error
    except (zipfile.BadZipFile, OSError, KeyError, TypeError, ValueError) as error:
        raise SbnnError(
            f"cannot load {name} as a Keras model ({first_line(error)}); if it has custom "
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


def _from_saved_model(path: str) -> bytes:
    converter = _tensorflow().lite.TFLiteConverter
    return _run(lambda: converter.from_saved_model(path), f"the SavedModel {path}")


def _run(make_converter, what: str) -> bytes:
    try:
        # Keras prints pages on stdout here, and stdout belongs to our caller.
        with contextlib.redirect_stdout(io.StringIO()):
            return make_converter().convert()
    except Exception as error:  # The converter raises many types, without a common base.
        known = cause(str(error))
        raise SbnnError(
            f"TensorFlow's converter does not convert {what}: {known or first_line(error)}"
        ) from (None if known else error)
