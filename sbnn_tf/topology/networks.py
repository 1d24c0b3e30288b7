"""Group-to-group networks as Keras models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from sbnn_tf.patterns import Pattern
from sbnn_tf.topology import graphs
from sbnn_tf.topology.connecting import connect


def g2gnet_mlp(
    density: float | None = 0.25,
    units: Sequence[int] = (160, 160),
    ensembles: int = 20,
    graph: Callable[..., graphs.Graph] = graphs.random,
    *,
    input_shape: Sequence[int] = (28, 28, 1),
    classes: int = 10,
    pattern: Pattern | str = "group4",
    seed: int = 0,
    keras: ModuleType | None = None,
) -> Any:
    """A group-to-group multilayer perceptron, our reading of G2GNet's (see `sbnn_tf.topology`).

    Images to logits. Every hidden layer, "block_1" and so on, is connected ensemble to ensemble,
    also the first: it has the image's values in their order, and so ensembles of rows. The last,
    "logits", is dense.

    Args:
      density: of the edges between ensembles, in (0, 1]; None for the dense network.
      units: of the hidden layers.
      ensembles: in each layer, at most its units.
      graph: makes a layer's graph: `random`, `nearest`, `small_world`, or what takes
        (sources, targets, density, seed=...) as they do. Each layer has a seed of its own.
      input_shape, classes: of the images; number of logits.
      pattern: as of `mask`.
      seed: of the graphs.
      keras: which one: the module `keras` (the default) or `tf_keras`.

    Returns:
      A built model, not compiled.

    Raises:
      ValueError: as `connect`, and as the graphs.
    """
    keras = keras or _keras()
    inputs = keras.Input(tuple(input_shape))
    x = keras.layers.Flatten()(inputs)
    names = [f"block_{i}" for i in range(1, len(units) + 1)]
    for name, width in zip(names, units):
        x = keras.layers.Dense(width, activation="relu", name=name)(x)
    model = keras.Model(inputs, keras.layers.Dense(classes, name="logits")(x), name="g2gnet_mlp")
    return _connected(model, names, density, ensembles, graph, pattern, seed)


def g2gnet_cnn(
    density: float | None = 0.25,
    channels: Sequence[int] = (40, 80),
    ensembles: int = 10,
    graph: Callable[..., graphs.Graph] = graphs.random,
    *,
    stem: int = 24,
    input_shape: Sequence[int] = (28, 28, 1),
    classes: int = 10,
    pattern: Pattern | str = "group4",
    seed: int = 0,
    keras: ModuleType | None = None,
) -> Any:
    """A small group-to-group convolutional network, our reading of G2GNet's.

    Images to logits: a dense stem of patches, 4x4 with stride 4; 3x3 convolutions with stride 2,
    "block_1" and so on, that are connected ensemble to ensemble of channels; a batch norm and a
    ReLU behind each; a global average and a dense layer "logits". 0.3 M multiply-adds as it is.

    Args:
      channels: of the connected convolutions.
      ensembles: in each layer, at most its channels.
      stem: channels of the first convolution.
      others: as of `g2gnet_mlp`.

    Returns, Raises: as `g2gnet_mlp`.
    """
    keras = keras or _keras()
    inputs = x = keras.Input(tuple(input_shape))
    names = [f"block_{i}" for i in range(1, len(channels) + 1)]
    for name, width in zip(["stem", *names], [stem, *channels]):
        window, stride = (4, 4) if name == "stem" else (3, 2)
        x = keras.layers.Conv2D(width, window, stride, padding="same", use_bias=False, name=name)(x)
        x = keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
        x = keras.layers.ReLU(name=f"{name}_relu")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, keras.layers.Dense(classes, name="logits")(x), name="g2gnet_cnn")
    return _connected(model, names, density, ensembles, graph, pattern, seed)


def _connected(
    model: Any,
    names: list[str],
    density: float | None,
    ensembles: int,
    graph: Callable,
    pattern: Pattern | str,
    seed: int,
) -> Any:
    if density is not None:
        made = {
            name: graph(ensembles, ensembles, density, seed=seed + i)
            for i, name in enumerate(names)
        }
        connect(model, made, pattern)
    return model


def _keras() -> ModuleType:
    import keras

    return keras
