"""The trained networks in int8: their accuracy, and how long they take beside dense int8."""

from __future__ import annotations

import datetime

import sbnn_tf as sbnn
from experiments import latency
from experiments.prune_and_quantize.results import QUANTIZED, TIMED, TRAINED, timed_as
from experiments.prune_and_quantize.variants import NETWORK, untrained
from sbnn_tf.convert import densify

CALIBRATION = 256  # training images
ROUNDS = 1000
FLOATS = ("dense", "group4_50", "group4_75")  # that are timed in fp32, too


def quantize(setting, seeds, chosen) -> None:
    """Record the int8 accuracy of what is trained."""
    done = QUANTIZED.done()
    trained = [key for key in sorted(TRAINED.done(), key=lambda key: key[1]) if key[1] in seeds]
    by_name = {variant.name: variant for variant in chosen}
    for name, seed in trained:
        if (name, seed) in done or name not in by_name:
            continue
        model = by_name[name].train(setting, seed)
        content = _int8(setting, model, by_name[name].width, setting.data.shape[0])
        row = {
            "variant": name,
            "seed": seed,
            "accuracy": accuracy(content, setting.data.test()),
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
    """Record what is not timed yet: each file by turns with dense int8.

    Of networks that are pruned without training, to the same zeros: the time goes by how many there
    are, not by their values or the channels' order.
    """
    pixels, done = setting.numbers.pixels, TIMED.done()
    baseline = _int8(setting, setting.build(NETWORK), 1.0, pixels)
    for variant in chosen:
        name = timed_as(variant.name)
        for kind in ("int8", "fp32") if name in FLOATS else ("int8",):
            if (name, kind) in done:
                continue
            done.add((name, kind))
            model = untrained(setting, variant)
            if kind == "int8":
                content = _int8(setting, model, variant.width, pixels)
            else:
                content = setting.tflite(model, NETWORK, variant.width, pixels)
            options = {"floats": densify(content), "num_threads": 1, "rounds": ROUNDS}
            made = sbnn.benchmark(content, baseline, **options)
            row = {
                "variant": name,
                "type": kind,
                "pixels": pixels,
                "dense_int8_ms": made.baseline.min_ms,
                "delegate_ms": made.delegate.min_ms,
                "tflite_ms": made.floats.min_ms,
                "median_ms": [t.median_ms for t in (made.baseline, made.delegate, made.floats)],
                **latency.machine(),
            }
            TIMED.append(row)
            print(row, flush=True)


def _int8(setting, model, width: float, pixels: int) -> bytes:
    """A network in int8, at a size of images."""
    images, _ = setting.data.train(CALIBRATION, 0)[0]
    if pixels != setting.data.shape[0]:
        resized = setting.build(NETWORK, width, pixels)
        resized.set_weights(model.get_weights())
        model, times = resized, pixels // images.shape[1]
        images = images.repeat(times, axis=1).repeat(times, axis=2)
    return sbnn.convert(model, quantize="int8", representative_dataset=images, verbose=0)
