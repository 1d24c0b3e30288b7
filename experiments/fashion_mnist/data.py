"""Fashion-MNIST: read it from Debian's package or through Keras, and augment it cheaply."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # package dataset-fashion-mnist


class Split(NamedTuple):
    """Images `[n, 28, 28, 1]` float32 in [0, 1] and labels `[n]` int64 in 0..9."""

    images: np.ndarray
    labels: np.ndarray


def load() -> tuple[Split, Split]:
    """Return (train: 60000 images, test: 10000 images).

    Takes the files of Debian's package `dataset-fashion-mnist` where it is installed; else Keras
    downloads them.
    """
    if DEBIAN.is_dir():
        arrays = [
            (
                _read_idx(DEBIAN / f"{name}-images-idx3-ubyte.gz"),
                _read_idx(DEBIAN / f"{name}-labels-idx1-ubyte.gz"),
            )
            for name in ("train", "t10k")
        ]
    else:
        arrays = keras.datasets.fashion_mnist.load_data()
    train, test = (
        Split(images[..., None].astype(np.float32) / 255, labels.astype(np.int64))
        for images, labels in arrays
    )
    return train, test


def _read_idx(path: Path) -> np.ndarray:
    """Read one gzipped IDX file of unsigned bytes: two zeros, type 8, rank, sizes, values."""
    raw = gzip.decompress(path.read_bytes())
    if raw[:3] != b"\0\0\x08":
        raise ValueError(f"{path}: expected an IDX file of unsigned bytes, found {raw[:4]!r}")
    rank = raw[3]
    shape = np.frombuffer(raw, ">i4", rank, offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)


class Augmented(keras.utils.PyDataset):
    """Endlessly reshuffled batches, each image flipped left-right or not.

    What epoch e shows, and in which order, depends on (seed, e) alone: two networks trained with
    the same seed see exactly the same batches.
    """

    def __init__(self, split: Split, batch: int, seed: int):
        super().__init__()
        self._split, self._batch, self._seed, self._epoch = split, batch, seed, 0
        self._shuffle()

    def __len__(self) -> int:
        return len(self._split.labels) // self._batch

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = self._order[index * self._batch : (index + 1) * self._batch]
        images = self._split.images[chosen]
        flipped = self._flips[chosen]
        images[flipped] = images[flipped][:, :, ::-1]
        return images, self._split.labels[chosen]

    def on_epoch_end(self) -> None:
        self._epoch += 1
        self._shuffle()

    def _shuffle(self) -> None:
        rng = np.random.default_rng((self._seed, self._epoch))
        self._order = rng.permutation(len(self._split.labels))
        self._flips = rng.random(len(self._split.labels)) < 0.5
