"""The trained networks in int8: their accuracy, and how long they take beside dense int8."""

from __future__ import annotations

import datetime

import numpy as np

import sbnn_tf as sbnn
from experiments import latency
from experiments.prune_and_quantize.results import QUANTIZED, TIMED, TRAINED
from experiments.prune_and_quantize.variants import NETWORK

CALIBRATION = 256  # training images
ROUNDS = 400
FLOATS = ("dense", "group4_50_plain", "group4_75_plain")  # that are timed in fp32, too


def quantize(setting, seeds, chosen) -> None:
    """Record the int8 accuracy of what is trained."""
    done = QUANTIZED.done()
    trained = [key for key in sorted(TRAINED.done(), key=lambda key: key[1]) if key[1] in seeds]
    by_name = {variant.name: variant for variant in chosen}
    for name, seed in trained:
        if (name, seed) in done or name not in by_name:
            continue
        content = _int8(setting, by_name[name], seed, setting.data.shape[0])
        row = {
            "variant": name,
            "seed": seed,
            "accuracy": accuracy(sbnn.convert(content), setting.data.test()),
            "date": datetime.date.today().isoformat(),
        }
        QUANTIZED.append(row)
        print(row, flush=True)


def accuracy(content: bytes, batches) -> float:
    """Fraction of the images that a file classifies right, in stock TensorFlow Lite."""
    from sbnn_tf.run import runtime

    interpreter = runtime.interpreter(content)
    image = interpreter.get_input_details()[0]["index"]
    right = count = 0
    for images, labels in batches:
        interpreter.resize_tensor_input(image, images.shape)
        interpreter.allocate_tensors()
        (logits,) = runtime.run(interpreter, [images])
        right += int((logits.argmax(axis=1) == labels).sum())
        count += len(labels)
    return right / count


def time_all(setting, seeds, chosen) -> None:
    """Record the times of the first seed's networks: each by turns with dense int8."""
    seed, pixels = seeds[0], setting.numbers.pixels
    trained, done = TRAINED.done(), TIMED.done()
    dense = next(variant for variant in chosen if variant.name == "dense")
    baseline = _int8(setting, dense, seed, pixels)
    for variant in chosen:
        for kind in ("int8", "fp32"):
            skipped = kind == "fp32" and variant.name not in FLOATS
            if skipped or (variant.name, seed) not in trained or (variant.name, kind) in done:
                continue
            if kind == "int8":
                content = _int8(setting, variant, seed, pixels)
            else:
                model = variant.train(setting, seed)
                content = setting.tflite(model, NETWORK, variant.width, pixels)
            made = sbnn.benchmark(
                content, baseline, floats=_densely(content), num_threads=1, rounds=ROUNDS
            )
            row = {
                "variant": variant.name,
                "type": kind,
                "pixels": pixels,
                "dense_int8_ms": made.baseline.median_ms,
                "delegate_ms": made.delegate.median_ms,
                "tflite_ms": made.floats.median_ms,
                **latency.machine(),
            }
            TIMED.append(row)
            print(row, flush=True)


def _densely(content: bytes) -> bytes:
    from sbnn_tf.convert import densify

    return densify(content)


def _int8(setting, variant, seed: int, pixels: int) -> bytes:
    """A trained network in int8, at a size of images."""
    model = variant.train(setting, seed)
    images, _ = setting.data.train(CALIBRATION, seed)[0]
    if pixels != setting.data.shape[0]:
        resized = setting.build(NETWORK, variant.width, pixels)
        resized.set_weights(model.get_weights())
        model = resized
        images = images.repeat(pixels // images.shape[1], axis=1)
        images = images.repeat(pixels // images.shape[2], axis=2)
    return sbnn.convert(
        model, quantize="int8", representative_dataset=images.astype(np.float32), verbose=0
    )
