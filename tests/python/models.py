"""Networks for tests whose outputs depend on their inputs, and stock interpreters to run them.

A `tf.keras.applications` network with random weights and untouched batch norms is dead: its
logits hardly change with its input, and comparing outputs shows nothing.
"""

from __future__ import annotations

import numpy as np


def live_model(name: str, input_shape: tuple[int, int, int], seed: int = 0, **options):
    """A Keras application with random weights and batch norms set for them, without softmax.

    Args:
      name: a class of `tf.keras.applications`, such as "MobileNet".
      input_shape: (height, width, channels).
      seed: of weights and data.
      **options: for the class, such as `alpha`.

    Returns:
      The model; it was checked that two inputs give clearly different logits.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    model = getattr(tf.keras.applications, name)(
        weights=None, input_shape=input_shape, classifier_activation=None, **options
    )
    bring_to_life(model, seed)
    return model


def bring_to_life(model, seed: int = 0) -> None:
    """Set the batch norms by one training-mode pass over noise, and check that it worked."""
    rng = np.random.default_rng(seed)
    batch = rng.uniform(-1, 1, (8, *model.input_shape[1:])).astype(np.float32)
    norms = [layer for layer in model.layers if hasattr(layer, "momentum")]
    momenta = [layer.momentum for layer in norms]
    for layer in norms:
        # gamma and beta too: at 1 and 0 an error in their folding would not show.
        layer.gamma.assign(rng.uniform(0.5, 1.5, layer.gamma.shape))
        layer.beta.assign(rng.uniform(-0.3, 0.5, layer.beta.shape))
        layer.momentum = 0.0
    model(batch, training=True)
    for layer, momentum in zip(norms, momenta):
        layer.momentum = momentum
    first, second = np.asarray(model(batch[:2], training=False)).reshape(2, -1)
    assert np.isfinite(first).all()
    spread = np.abs(first - second).max() / np.abs(first).max()
    assert spread > 0.05, f"two inputs give nearly the same outputs ({spread:.1e})"


INTERPRETERS = ("tf", "litert")


def stock(interpreter: str, data: bytes, *, xnnpack: bool = True):
    """A stock interpreter of TensorFlow ("tf") or ai-edge-litert ("litert"), one thread."""
    if interpreter == "tf":
        import tensorflow as tf

        make, resolvers = tf.lite.Interpreter, tf.lite.experimental.OpResolverType
    else:
        from ai_edge_litert import interpreter as litert

        make, resolvers = litert.Interpreter, litert.OpResolverType
    resolver = resolvers.AUTO if xnnpack else resolvers.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    return make(model_content=data, num_threads=1, experimental_op_resolver_type=resolver)


def run_stock(
    interpreter: str, data: bytes, *, xnnpack: bool = True, batch: int = 1, seed: int = 0
) -> np.ndarray:
    """The first output of a model with one input, for noise of that batch size."""
    return run_all(interpreter, data, xnnpack=xnnpack, batch=batch, seed=seed)[0]


def run_all(
    interpreter: str,
    data: bytes,
    *,
    xnnpack: bool = True,
    batch: int | None = None,
    seed: int = 0,
) -> list[np.ndarray]:
    """All outputs of a model for noise, of that batch size (None: of the file's shapes)."""
    runner = stock(interpreter, data, xnnpack=xnnpack)
    entries = runner.get_input_details()
    if batch is not None:
        for entry in entries:
            runner.resize_tensor_input(entry["index"], (batch, *entry["shape"][1:]))
    runner.allocate_tensors()
    rng = np.random.default_rng(seed)
    for entry in runner.get_input_details():
        noise = rng.uniform(-1, 1, entry["shape"])
        if np.issubdtype(entry["dtype"], np.integer):
            noise *= 127
        runner.set_tensor(entry["index"], np.asarray(noise, entry["dtype"]))
    runner.invoke()
    return [runner.get_tensor(entry["index"]) for entry in runner.get_output_details()]


def assert_same_outputs(a: bytes, b: bytes, **options) -> None:
    """Both models give the same bits in every stock interpreter, with and without XNNPACK."""
    for interpreter in INTERPRETERS:
        for xnnpack in (True, False):
            expected = run_all(interpreter, a, xnnpack=xnnpack, **options)
            found = run_all(interpreter, b, xnnpack=xnnpack, **options)
            assert len(found) == len(expected)
            for x, y in zip(expected, found):
                np.testing.assert_array_equal(x, y, f"{interpreter}, XNNPACK: {xnnpack}")
