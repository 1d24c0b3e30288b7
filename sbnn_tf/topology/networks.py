"""Group-to-group networks as Keras models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from sbnn_tf.patterns import Pattern
from sbnn_tf.topology.connecting import connect
from sbnn_tf.topology.graphs import Graph
from sbnn_tf.topology.groups import group_to_group

# Of the units of each layer, the input's first, and a seed: a graph for each layer but the input.
Connections = Callable[..., Sequence[Graph]]


def g2gnet_mlp(
    connections: Connections | None = group_to_group,
    units: Sequence[int] = (1024, 1024, 1024),
    *,
    input_shape: Sequence[int] = (28, 28, 1),
    classes: int = 10,
    pattern: Pattern | str = "unstructured",
    seed: int = 0,
    keras: ModuleType | None = None,
) -> Any:
    """A group-to-group multilayer perceptron: G2GNet's, as it is (see `sbnn_tf.topology`).

    Images to logits. Every hidden layer, "block_1" and so on, is connected group to group, also the
    first: it has the image's values in their order. The last, "logits", is dense. Weights start
    Kaiming-uniform, by the inputs that a unit has.

    Args:
      connections: `connections(layers, seed=...)` makes the graphs: `group_to_group`, with other
        numbers by `functools.partial(group_to_group, groups=4)`, or a function of your own. None
        for the dense network.
      units: of the hidden layers.
      input_shape, classes: of the images; number of logits.
      pattern: as of `mask`. With "group4", `group_to_group` needs `outputs=4`.
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
    layers = [x.shape[-1], *units]
    names = [f"block_{i}" for i in range(1, len(layers))]
    for name, width in zip(names, units):
        x = keras.layers.Dense(
            width, activation="relu", kernel_initializer="he_uniform", name=name
        )(x)
    model = keras.Model(inputs, keras.layers.Dense(classes, name="logits")(x), name="g2gnet_mlp")
    return _connected(model, names, layers, connections, pattern, seed)


def g2gnet_cnn(
    connections: Connections | None = group_to_group,
    channels: Sequence[int] = (40, 80),
    *,
    stem: int = 24,
    input_shape: Sequence[int] = (28, 28, 1),
    classes: int = 10,
    pattern: Pattern | str = "unstructured",
    seed: int = 0,
    keras: ModuleType | None = None,
) -> Any:
    """A small group-to-group convolutional network.

    Images to logits: a dense stem of patches, 4x4 with stride 4; 3x3 convolutions with stride 2,
    "block_1" and so on, whose channels are connected group to group; a batch norm and a ReLU behind
    each; a global average and a dense layer "logits". 0.3 M multiply-adds if it is dense.

    Args:
      channels: of the connected convolutions.
      stem: channels of the first convolution.
      others: as of `g2gnet_mlp`.

    Returns, Raises: as `g2gnet_mlp`.
    """
    keras = keras or _keras()
    inputs = x = keras.Input(tuple(input_shape))
    layers = [stem, *channels]
    names = [f"block_{i}" for i in range(1, len(layers))]
    for name, width in zip(["stem", *names], layers):
        window, stride = (4, 4) if name == "stem" else (3, 2)
        x = keras.layers.Conv2D(width, window, stride, padding="same", use_bias=False, name=name)(x)
        x = keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
        x = keras.layers.ReLU(name=f"{name}_relu")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, keras.layers.Dense(classes, name="logits")(x), name="g2gnet_cnn")
    return _connected(model, names, layers, connections, pattern, seed)


def _connected(
    model: Any,
    names: Sequence[str],
    layers: Sequence[int],
    connections: Connections | None,
    pattern: Pattern | str,
    seed: int,
) -> Any:
    if connections is not None:
        connect(model, dict(zip(names, connections(layers, seed=seed))), pattern)
    return model


def _keras() -> ModuleType:
    import keras

    return keras
