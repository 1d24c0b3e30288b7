"""Dense layers named by letters: the smallest network that all but the ends of can be pruned."""

import numpy as np

BATCHES = 12  # in an epoch of `fit`


def make(K, names="abcd", cls=None, optimizer=None, frozen=(), **options):
    x = inputs = K.Input((6,))
    for name in names:
        x = K.layers.Dense(8, name=name)(x)
    return compiled(K, (cls or K.Model)(inputs, x), optimizer, frozen, **options)


def compiled(K, model, optimizer=None, frozen=(), **options):
    """Compiles it (anew), with these layers frozen and all others not."""
    for layer in model.layers:
        layer.trainable = layer.name not in frozen
    options = {"jit_compile": False, **options}
    # With a memory, as Adam's, and traced in half the time.
    model.compile(optimizer or K.optimizers.SGD(0.01, momentum=0.9), "mse", **options)
    return model


def data(batches=BATCHES):
    rng = np.random.default_rng(0)
    return tuple(rng.normal(size=(8 * batches, n)).astype("float32") for n in (6, 8))


def fit(model, *callbacks, epochs=1, batches=BATCHES):
    return model.fit(
        *data(batches), batch_size=8, epochs=epochs, verbose=0, callbacks=list(callbacks)
    )


def kernel(model, name="b"):
    return model.get_layer(name).get_weights()[0]


def zeros(model, name="b"):
    return float(np.mean(kernel(model, name) == 0))
