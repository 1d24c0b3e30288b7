"""The data sets: Fashion-MNIST and CIFAR as arrays, ImageNet through `tf.data`."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # package dataset-fashion-mnist
SHIFT = 4  # pixels that a CIFAR image moves at most


class Split(NamedTuple):
    """Images `[n, height, width, channels]` float32 in [0, 1] and labels `[n]` int64."""

    images: np.ndarray
    labels: np.ndarray

    def batches(self, size: int = 500) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """All images in order."""
        for start in range(0, len(self.labels), size):
            yield self.images[start : start + size], self.labels[start : start + size]


class Data(NamedTuple):
    """A data set as the experiments use it.

    Attributes:
      name: one of `NAMES`.
      shape: of an image, (height, width, channels).
      classes: number of labels, 0 to `classes` - 1.
      train: `train(batch, seed)` gives endlessly reshuffled, augmented batches; the same seed gives
        the same batches. Its length is the number of steps in an epoch.
      test: `test()` gives batches of all test images, once.
    """

    name: str
    shape: tuple[int, int, int]
    classes: int
    train: Callable[[int, int], Any]
    test: Callable[[], Iterable]


NAMES = ("fashion_mnist", "cifar10", "cifar100", "imagenet")


def get(name: str, folder: Path | None = None) -> Data:
    """The data set of this name.

    Args:
      name: one of `NAMES`.
      folder: of ImageNet: holds `train/` and `val/`, in each of which are 1000 folders of JPEGs, one
        a class. The others are downloaded by Keras (Fashion-MNIST only where Debian's package
        `dataset-fashion-mnist` is not installed).

    Raises:
      SystemExit: the data is not there.
    """
    if name == "imagenet":
        return _imagenet(folder)
    train, test = load(name)
    shift = SHIFT if name.startswith("cifar") else 0
    return Data(
        name,
        train.images.shape[1:],
        int(train.labels.max()) + 1,
        lambda batch, seed: Augmented(train, batch, seed, shift),
        test.batches,
    )


def load(name: str = "fashion_mnist") -> tuple[Split, Split]:
    """Return (training images, test images) of Fashion-MNIST, CIFAR-10 or CIFAR-100.

    Raises:
      SystemExit: the data is not there and could not be downloaded.
    """
    if name == "fashion_mnist" and DEBIAN.is_dir():
        arrays = [
            (
                _read_idx(DEBIAN / f"{part}-images-idx3-ubyte.gz"),
                _read_idx(DEBIAN / f"{part}-labels-idx1-ubyte.gz"),
            )
            for part in ("train", "t10k")
        ]
    else:
        try:
            arrays = getattr(keras.datasets, name).load_data()
        except Exception as error:  # Keras wraps whatever the download raised
            raise SystemExit(f"{name}: not on this machine, and no download: {error}") from None
    train, test = (
        Split(
            images.reshape(*images.shape[:3], -1).astype(np.float32) / 255,
            labels.reshape(-1).astype(np.int64),
        )
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
    """Endlessly reshuffled batches, each image flipped left-right or not, and moved a little.

    What epoch e shows, and in which order, depends on (seed, e) alone: two networks trained with
    the same seed see exactly the same batches.

    Args:
      split: the images.
      batch: images of a batch.
      seed: of order, flips and moves.
      shift: pixels that an image moves at most, up or down and left or right; zeros come in.
      flip: whether images are flipped at all.
    """

    def __init__(self, split: Split, batch: int, seed: int, shift: int = 0, flip: bool = True):
        super().__init__()
        self._split, self._batch, self._seed, self._shift = split, batch, seed, shift
        self._flip = flip
        self._epoch = 0
        self._shuffle()

    def __len__(self) -> int:
        return len(self._split.labels) // self._batch

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        drawn = slice(index * self._batch, (index + 1) * self._batch)
        chosen = self._order[drawn]
        images = self._split.images[chosen]
        flipped = self._flips[chosen]
        images[flipped] = images[flipped][:, :, ::-1]
        if self._shift:
            images = _moved(images, self._moves[drawn], self._shift)
        return images, self._split.labels[chosen]

    def on_epoch_end(self) -> None:
        self._epoch += 1
        self._shuffle()

    def _shuffle(self) -> None:
        rng = np.random.default_rng((self._seed, self._epoch))
        count = len(self._split.labels)
        self._order = rng.permutation(count)
        self._flips = (rng.random(count) < 0.5) & self._flip
        if self._shift:
            self._moves = rng.integers(0, 2 * self._shift + 1, (count, 2))


def _moved(images: np.ndarray, moves: np.ndarray, shift: int) -> np.ndarray:
    """Each image cut out of itself with a frame of zeros; `moves` [n, 2] in 0 to 2 * shift."""
    height, width = images.shape[1:3]
    framed = np.pad(images, ((0, 0), (shift, shift), (shift, shift), (0, 0)))
    cut = zip(framed, moves)
    return np.stack([image[y : y + height, x : x + width] for image, (y, x) in cut])


def _imagenet(folder: Path | None) -> Data:
    """ImageNet at 224x224: random crops in training, the central crop in testing."""
    import tensorflow as tf

    size, classes = 224, 1000
    parts = {part: Path(folder or "imagenet") / part for part in ("train", "val")}
    for path in parts.values():
        found = sum(each.is_dir() for each in path.iterdir()) if path.is_dir() else 0
        if found != classes:
            raise SystemExit(
                f"imagenet: expected {classes} folders of images, one a class, in {path}, found "
                f"{found}; say where it is with --data-folder."
            )

    def read(path, label):
        return tf.io.decode_jpeg(tf.io.read_file(path), channels=3), label

    def central(image, label):
        shape = tf.shape(image)[:2]
        side = tf.cast(tf.reduce_min(shape), tf.float32) * 0.875
        image = tf.image.resize_with_crop_or_pad(image, *2 * [tf.cast(side, tf.int32)])
        return tf.image.resize(image, (size, size)) / 255.0, label

    def listed(part: str) -> tuple[list[str], list[int]]:
        names = sorted(each for each in parts[part].iterdir() if each.is_dir())
        pairs = [(str(f), i) for i, name in enumerate(names) for f in sorted(name.iterdir())]
        return [f for f, _ in pairs], [i for _, i in pairs]

    def train(batch: int, seed: int):
        paths, labels = listed("train")

        def crop(index, item):
            image, label = read(*item)
            begin, shape, _ = tf.image.stateless_sample_distorted_bounding_box(
                tf.shape(image),
                tf.zeros((1, 0, 4)),
                seed=tf.stack([seed, index]),
                area_range=(0.25, 1.0),
                use_image_if_no_bounding_boxes=True,
            )
            image = tf.image.resize(tf.slice(image, begin, shape), (size, size)) / 255.0
            return tf.image.stateless_random_flip_left_right(image, (seed, index)), label

        data = tf.data.Dataset.from_tensor_slices((paths, labels))
        data = data.shuffle(len(paths), seed=seed).enumerate()
        data = data.map(crop, num_parallel_calls=tf.data.AUTOTUNE)
        return data.batch(batch, drop_remainder=True).prefetch(tf.data.AUTOTUNE)

    def test():
        data = tf.data.Dataset.from_tensor_slices(listed("val")).map(read).map(central)
        return data.batch(100).prefetch(tf.data.AUTOTUNE)

    return Data("imagenet", (size, size, 3), classes, train, test)
