"""Calibration data from files: arrays, a folder of images, or noise where there is none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sbnn_tf.convert.calibration import Input, spread
from sbnn_tf.errors import SbnnError
from sbnn_tf.naming import printable

RANDOM = "random"
LABELS = "labels"
IMAGES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
_MODES = {1: "L", 3: "RGB"}  # Pillow's, by the number of channels


@dataclass(frozen=True)
class CalibrationFiles:
    """Where calibration data come from.

    Attributes:
      path: a `.npy` file, whose first axis counts the samples; an `.npz` file of such arrays by the
        inputs' names; a folder of images (`IMAGES`, those in its subfolders too), which needs
        Pillow; or "random": uniform noise in [-1, 1), which gives no ranges worth having.
      mean, std: an image is resized to the input's height and width (bilinear, without regard to
        its proportions), brought to its number of channels, and becomes (pixel - mean) / std, its
        pixels being 0 to 255. An input of uint8 takes the pixels themselves.
      seed: of the noise.
    """

    path: str
    mean: float = 0.0
    std: float = 255.0
    seed: int = 0

    def read(self, inputs: list[Input], limit: int):
        """The dataset, for `calibration.samples`; at most `limit` samples are made.

        Raises:
          FileNotFoundError: no such path.
          SbnnError: a file that cannot be read, a model that takes no images, Pillow missing.
        """
        path = os.fspath(self.path)
        if path == RANDOM:
            return self._noise(inputs, limit)
        if os.path.isdir(path):
            return self._images(path, inputs, limit)
        return self._arrays()

    def read_labelled(self) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Inputs and labels, for `calibration.labelled`: of an `.npz` file, whose `labels` they are.

        Raises:
          SbnnError: it is none, or has no labels.
        """
        arrays = self._arrays()
        if not isinstance(arrays, dict) or LABELS not in arrays:
            found = f"arrays {', '.join(arrays)}" if isinstance(arrays, dict) else "one array"
            raise SbnnError(
                f"{self.path} cannot validate: expected an .npz file of the inputs and an array "
                f"{LABELS!r}, found {found}"
            )
        return {name: values for name, values in arrays.items() if name != LABELS}, arrays[LABELS]

    def _arrays(self) -> np.ndarray | dict[str, np.ndarray]:
        if not os.path.exists(self.path):
            raise FileNotFoundError(
                f"no such file or folder: {self.path} (expected a .npy or .npz file, a folder of "
                "images, or random)"
            )
        try:
            loaded = np.load(self.path, allow_pickle=False)
            return dict(loaded) if isinstance(loaded, np.lib.npyio.NpzFile) else loaded
        except (OSError, ValueError, EOFError) as error:
            raise SbnnError(
                f"cannot read {self.path}: expected a .npy or .npz file of numbers, or a folder of "
                "images"
            ) from error

    def _noise(self, inputs: list[Input], limit: int) -> Iterator[dict[str, np.ndarray]]:
        rng = np.random.default_rng(self.seed)
        for _ in range(limit):
            sample = {}
            for entry in inputs:
                shape = [entry.batch, *(max(n, 1) for n in entry.shape[1:])] if entry.shape else []
                noise = rng.uniform(-1, 1, shape)
                # Whole numbers may be indices of a table: 0 and 1 are in every one.
                sample[entry.name] = (noise > 0 if entry.dtype.kind in "iub" else noise).astype(
                    entry.dtype
                )
            yield sample

    def _images(self, folder: str, inputs: list[Input], limit: int) -> Iterator[np.ndarray]:
        entry = inputs[0]
        shape = entry.shape[1:]
        if len(inputs) > 1 or len(shape) != 3 or min(shape) < 1 or shape[2] not in _MODES:
            raise SbnnError(
                "a folder of images calibrates models of one input of a fixed height and width and "
                f"1 or 3 channels; this one has {', '.join(map(str, inputs))}: give a .npy or .npz "
                "file"
            )
        if not self.std:
            raise SbnnError("std: expected a number other than 0, found 0")
        try:
            from PIL import Image, UnidentifiedImageError  # noqa: PLC0415
        except ImportError as error:
            raise SbnnError(
                "reading images needs Pillow, which is not installed: pip install pillow, or give a "
                ".npy file"
            ) from error
        names = sorted(
            os.path.join(parent, name)
            for parent, _, files in os.walk(folder)
            for name in files
            if name.lower().endswith(IMAGES)
        )
        if not names:
            raise SbnnError(
                f"{folder} is a folder without images: expected files that end with "
                f"{', '.join(IMAGES)}"
            )
        height, width, channels = shape

        def images() -> Iterator[np.ndarray]:
            for i in spread(len(names), limit):
                try:
                    with Image.open(names[i]) as image:
                        pixels = image.convert(_MODES[channels]).resize(
                            (width, height), Image.Resampling.BILINEAR
                        )
                except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
                    raise SbnnError(
                        f"cannot read {printable(names[i])} as an image: {error}"
                    ) from error
                values = np.asarray(pixels, entry.dtype).reshape(shape)
                yield values if entry.dtype == np.uint8 else (values - self.mean) / self.std

        return images()

    def remarks(self, inputs: list[Input]) -> list[str]:
        """What the user should know of how the samples were made."""
        if self.path == RANDOM:
            return [
                "warning: calibrated on random noise: the speed is real, the ranges and the "
                "accuracy are not"
            ]
        if os.path.isdir(self.path):
            height, width, channels = inputs[0].shape[1:]
            scaled = (
                "0 to 255"
                if inputs[0].dtype == np.uint8
                else f"(pixel - {self.mean:g}) / {self.std:g}"
            )
            return [f"images: resized to {height}x{width}, {_MODES[channels]}, {scaled}"]
        return []
