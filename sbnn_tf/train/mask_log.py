"""Masks for TensorBoard."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from sbnn_tf.keras_model.plotting import mask_picture
from sbnn_tf.train.masks import Mask


def _plugin(name: str, data_class: int) -> tf.compat.v1.SummaryMetadata:
    """What tf.summary.scalar and .image say to TensorBoard; they are only there with it."""
    metadata = tf.compat.v1.SummaryMetadata(data_class=data_class)
    metadata.plugin_data.plugin_name = name
    return metadata


_SCALARS, _IMAGES = _plugin("scalars", 1), _plugin("images", 3)


class MaskLog:
    """Writes what becomes of masks. The step is that of the pruning.

    Args:
      log_dir: the folder that TensorBoard is to show.
    """

    def __init__(self, log_dir: str | os.PathLike):
        self._log_dir = os.fspath(log_dir)

    @functools.cached_property
    def _writer(self) -> tf.summary.SummaryWriter:
        return tf.summary.create_file_writer(self._log_dir)

    def __getstate__(self) -> dict[str, str]:  # a writer can't be copied
        return {"_log_dir": self._log_dir}

    def write(self, step: int, masks: Sequence[Mask]) -> None:
        """The metrics of each mask: sparsity, churn, ..."""
        with self._writer.as_default(step):
            for mask in masks:
                for what, value in mask.metrics().items():
                    value = tf.constant(value, tf.float32)
                    tf.summary.write(f"{what}/{mask.name}", value, metadata=_SCALARS)
        self._writer.flush()

    def pictures(self, step: int, masks: Sequence[Mask]) -> None:
        """Each mask as a picture: see `mask_picture`."""
        with self._writer.as_default(step):
            for mask in masks:
                pixels = mask_picture(mask.keep).astype(np.uint8) * 255
                png = tf.io.encode_png(pixels[:, :, None])
                size = [tf.strings.as_string(n) for n in reversed(pixels.shape)]
                image = tf.stack([*size, png])
                tf.summary.write(f"mask/{mask.name}", image, metadata=_IMAGES)
        self._writer.flush()
