"""Makes the models of arm64_delegate.py, where TensorFlow runs: python arm64_model.py FOLDER."""

import pathlib
import sys

import numpy as np
import tensorflow as tf

import sbnn_tf

GROUPS = (1, 2, 4, 8, 16)


def mobilenet() -> tf.keras.Model:
    """MobileNet-v1 0.25/96 with random weights, whose logits depend on its input.

    The batch norms get the statistics of one batch: untouched, they would let next to nothing of
    the input through, and a wrong kernel would go unseen.
    """
    tf.keras.utils.set_random_seed(7)
    model = tf.keras.applications.MobileNet(
        input_shape=(96, 96, 3), alpha=0.25, weights=None, classifier_activation=None
    )
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.momentum = 0.0
    images = np.random.default_rng(7).uniform(-1, 1, (16, 96, 96, 3)).astype(np.float32)
    model(images, training=True)
    return model


def main(folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    dense = bytes(sbnn_tf.convert(mobilenet()))
    for group in GROUPS:
        sparse = sbnn_tf.convert(dense, prune=0.5, group=group)
        path = folder / f"mobilenet_g{group}.tflite"
        path.write_bytes(sparse)
        print(f"{path}: {len(sparse)} bytes of {len(dense)}")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
