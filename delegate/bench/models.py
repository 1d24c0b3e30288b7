"""The networks that the benches time: how each is built and pruned. Dense files are kept."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path
from typing import Any

FOLDER = Path("build/bench/models")
SEED = 1


@dataclasses.dataclass(frozen=True)
class Network:
    """One row of the tables.

    Attributes:
      title: for readers, with what is pruned.
      architecture: of `keras.applications`, or one of OWN.
      pruning: options of `sbnn.convert` besides `prune`.
      sparsities: the columns, shares of zeros in the pruned filters.
      work: rough cost relative to MobileNet-v1; costly networks get fewer rounds.
      int8: all of it is quantized, inputs and outputs too.
      dynamic: its filters are, between floats.
    """

    title: str
    architecture: str
    pruning: dict[str, Any]
    sparsities: tuple[float, ...] = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9)
    work: float = 1.0
    int8: bool = False
    dynamic: bool = False


OWN = {  # modules and functions
    "EfficientNetLite0": ("efficientnet_lite", "efficientnet_lite0"),
    "ViT": ("transformers", "vit"),
    "MLPMixer": ("transformers", "mlp_mixer"),
}
DENSE = {"group": 4, "layers": ("*/MatMul*",)}
TAPS = 5 / 9  # the zeros of a filter that keeps 4 of 9 taps

NETWORKS = {
    "mobilenet_v1": Network("MobileNet-v1", "MobileNet", {"group": 4}),
    "mobilenet_v2": Network("MobileNet-v2", "MobileNetV2", {"group": 4}),
    "efficientnet_b0": Network("EfficientNet-B0", "EfficientNetB0", {"group": 4}),
    "efficientnet_lite0": Network("EfficientNet-Lite0", "EfficientNetLite0", {"group": 4}),
    "resnet50": Network(
        "ResNet-50, 1x1 and 3x3", "ResNet50", {"group": 4, "layers": ("1x1", "3x3")}, work=7
    ),
    "vgg16": Network(
        "VGG-16, 4-of-9 taps",
        "VGG16",
        {"pattern": "kernel4x8"},
        sparsities=(0.0, TAPS, 0.8, 0.9),
        work=30,
    ),
    "vit": Network("ViT, 6 blocks of 192, dense layers", "ViT", DENSE),
    "mlp_mixer": Network("MLP-Mixer, 6 blocks of 256, dense layers", "MLPMixer", DENSE),
    "mobilenet_v1_unstructured": Network(
        "MobileNet-v1, unstructured", "MobileNet", {"pattern": "unstructured"}
    ),
    "mobilenet_v1_int8": Network("MobileNet-v1 int8, 4x1", "MobileNet", {"group": 4}, int8=True),
    "mobilenet_v1_int8_4x4": Network(
        "MobileNet-v1 int8, 4x4", "MobileNet", {"pattern": "block4x4"}, int8=True
    ),
    "mobilenet_v1_dynamic": Network(
        "MobileNet-v1 dynamic range, 4x1", "MobileNet", {"group": 4}, dynamic=True
    ),
    "mobilenet_v1_dynamic_4x4": Network(
        "MobileNet-v1 dynamic range, 4x4", "MobileNet", {"pattern": "block4x4"}, dynamic=True
    ),
    "mobilenet_v2_int8_4x4": Network(
        "MobileNet-v2 int8, 4x4", "MobileNetV2", {"pattern": "block4x4"}, int8=True
    ),
    "efficientnet_lite0_int8_4x4": Network(
        "EfficientNet-Lite0 int8, 4x4", "EfficientNetLite0", {"pattern": "block4x4"}, int8=True
    ),
    "resnet50_int8_4x4": Network(
        "ResNet-50 int8, 1x1 and 3x3, 4x4",
        "ResNet50",
        {"pattern": "block4x4", "layers": ("1x1", "3x3")},
        work=7,
        int8=True,
    ),
}


def dense(network: Network, size: int = 224, batch: int = 1, folder: Path = FOLDER) -> bytes:
    """The dense `.tflite` of a network at size x size pixels; built once, then read from `folder`."""
    import sbnn_tf as sbnn

    kind = "_int8" if network.int8 else ""
    path = folder / f"{network.architecture}_{size}_{batch}{kind}.tflite"
    if not path.is_file():
        from sbnn_tf.convert import write_file

        folder.mkdir(parents=True, exist_ok=True)
        model = _fixed_batch(live(network.architecture, size), batch)
        write_file(path, quantized(model) if network.int8 else sbnn.convert(model))
    return path.read_bytes()


def pruned(network: Network, model: bytes, sparsity: float) -> bytes:
    """The network with its zeros, stored sparsely; `model` itself for a sparsity of 0.

    Where only its filters are quantized, that is done here, behind the zeros.
    """
    import sbnn_tf as sbnn

    options = {"prune": sparsity, **network.pruning} if sparsity else {}
    if network.dynamic:
        options |= {"quantize": "int8-dynamic", "verbose": 0}
    return sbnn.convert(model, **options) if options else model


def live(architecture: str, size: int):
    """A Keras network with random weights whose logits depend on its input.

    Untouched batch norms would let the activations fade; one pass in training mode sets them to
    the statistics of a batch, so that activations are as large as a trained network's.
    """
    import keras
    import numpy as np

    keras.utils.set_random_seed(SEED)
    shape = (size, size, 3)
    if architecture in OWN:
        module, function = OWN[architecture]
        model = getattr(importlib.import_module(f"delegate.bench.{module}"), function)(shape)
    else:
        model = getattr(keras.applications, architecture)(
            weights=None, classifier_activation=None, input_shape=shape
        )
    norms = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]
    for layer in norms:
        layer.momentum = 0.0
    if norms:
        model(np.random.default_rng(SEED).random((8, *shape), np.float32), training=True)
    return model


def quantized(model, inference_type: str = "int8") -> bytes:
    """A Keras model in int8, with ranges found on noise; inputs and outputs of `inference_type`."""
    import numpy as np

    import sbnn_tf as sbnn

    rng = np.random.default_rng(SEED)
    shape = (model.input_shape[0] or 1, *model.input_shape[1:])
    return sbnn.convert(
        model,
        quantize="int8",
        representative_dataset=lambda: ([rng.random(shape, np.float32)] for _ in range(4)),
        inference_input_type=inference_type,
        inference_output_type=inference_type,
        verbose=0,
    )


def _fixed_batch(model, batch: int):
    """The model for batches of one size; 1 is what the converter makes anyway."""
    if batch == 1:
        return model
    import keras

    image = keras.Input(model.input_shape[1:], batch_size=batch)
    return keras.Model(image, model(image))
