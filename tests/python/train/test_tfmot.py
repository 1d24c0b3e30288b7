"""Beside the TensorFlow Model Optimization toolkit. In processes of their own: it changes tf.keras."""

import os
import subprocess
import sys
import textwrap

PRUNED_BY_TFMOT = """
    import numpy as np
    import tf_keras as K
    import tensorflow_model_optimization as tfmot
    import sbnn_tf as sbnn
    from sbnn_tf.convert import flatbuffer
    from sbnn_tf.convert.graph import op_name

    prune = tfmot.sparsity.keras.prune_low_magnitude
    schedule = tfmot.sparsity.keras.ConstantSparsity(0.75, 0, frequency=1)
    layers = [K.layers.Conv2D(32, 1, activation="relu"), K.layers.Conv2D(32, 1)]
    layers = [prune(layer, schedule) for layer in layers]
    model = K.Sequential([K.Input((8, 8, 16)), *layers])
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(32, 8, 8, 16)).astype("float32")
    callbacks = [tfmot.sparsity.keras.UpdatePruningStep()]
    model.fit(x, np.zeros((32, 8, 8, 32)), verbose=0, callbacks=callbacks)
    stripped = tfmot.sparsity.keras.strip_pruning(model)
    sparse = flatbuffer.read(sbnn.convert(stripped))
    operators = [op_name(sparse, op) for op in sparse.subgraphs[0].operators]
    assert operators.count("DENSIFY") == 2, operators
    print("done")
"""

QUANTIZED = """
    import numpy as np
    import tensorflow as tf
    import tf_keras as K
    import tensorflow_model_optimization as tfmot
    import sbnn_tf as sbnn
    from sbnn_tf.convert import Quantize, densify, flatbuffer, rewrite
    from sbnn_tf.convert.kept_zeros import filters_of
    from sbnn_tf.keras_model import kernels

    L = K.layers
    x = inputs = K.Input((6, 6, 3))
    x = L.Conv2D(8, 3, name="stem")(x)
    x = L.ReLU()(L.BatchNormalization()(L.Conv2D(16, 1, use_bias=False, name="folded")(x)))
    x = L.Conv2D(16, 1, activation="relu", name="plain")(x)
    x = L.Dense(8, activation="relu", name="hidden")(L.GlobalAveragePooling2D()(x))
    model = K.Model(inputs, L.Dense(4, name="logits")(x))
    model.compile("sgd", "mse", jit_compile=False)
    x = np.random.default_rng(0).normal(size=(64, 6, 6, 3)).astype("float32")
    y = np.random.default_rng(1).normal(size=(64, 4)).astype("float32")
    half = lambda: sbnn.Pruning("group4", sbnn.ConstantSparsity(0.5, 0))
    model.fit(x, y, verbose=0, callbacks=[half()])
    masks = {k.name: k.value() == 0 for k in kernels.find(model)}
    assert {n for n, m in masks.items() if m.mean() == 0.5} == {"folded", "plain", "hidden"}

    quantization = tfmot.quantization.keras
    scheme = tfmot.experimental.combine.Default8BitPrunePreserveQuantizeScheme()
    aware = quantization.quantize_apply(quantization.quantize_annotate_model(model), scheme)
    aware.compile("sgd", "mse", jit_compile=False)
    aware.fit(x, y, verbose=0)  # tfmot's own
    kept = {k.name: k.value() == 0 for k in kernels.find(aware)}
    for name in ("folded", "hidden"):
        assert np.array_equal(kept[f"quant_{name}"], masks[name]), name

    # It loses those of a convolution with an activation; this callback does not.
    aware = quantization.quantize_apply(quantization.quantize_annotate_model(model), scheme)
    aware.compile("sgd", "mse", jit_compile=False)
    aware.fit(x, y, verbose=0, callbacks=[half()])
    kept = {k.name: k.value() == 0 for k in kernels.find(aware)}
    for name in ("folded", "plain", "hidden"):
        assert np.array_equal(kept[f"quant_{name}"], masks[name]), name

    # To the int8 file, with the ranges of the training: these zeros and no others but rounded ones.
    made = rewrite(aware, None, None, None, None, Quantize("int8", verbose=0))
    assert made.quantized.samples == 0 and not made.quantized.floats, made.remarks()
    int8 = filters_of(flatbuffer.read(densify(made.content)))
    assert [f.values.dtype for f in int8] == [np.int8] * 5
    for name, found in zip(("folded", "plain", "hidden"), int8[1:]):
        mask = np.moveaxis(masks[name], -1, 0).reshape(found.values.shape)
        assert not found.values[mask].any(), name
        assert (found.values == 0).sum() - mask.sum() <= 3, name
    assert "group4" in str(sbnn.inspect(made.content))
    found = sbnn.verify(made.content, made.content, delegate=True, tolerance=0)
    assert found.within, found
    print("done")
"""

CLUSTERED = """
    import numpy as np
    import tf_keras as K
    import tensorflow_model_optimization as tfmot
    import sbnn_tf as sbnn
    from sbnn_tf.keras_model import kernels
    from sbnn_tf.plan.policy import Policy
    from sbnn_tf.patterns import Group

    cluster = tfmot.clustering.keras.cluster_weights
    x = np.random.default_rng(0).normal(size=(16, 8)).astype("float32")

    def model(**options):
        layers = [K.layers.Dense(8, name=name) for name in ("first", "middle", "last")]
        plain = K.Sequential([K.Input((8,)), *layers])
        sbnn.Pruning("group4", sbnn.OneShot(0.5)).after_step(plain)
        init = tfmot.clustering.keras.CentroidInitialization.LINEAR
        options = {"number_of_clusters": 8, "cluster_centroids_init": init, **options}
        made = K.models.clone_model(plain, clone_function=lambda layer: cluster(layer, **options))
        for a, b in zip(made.layers, plain.layers):
            a.layer.set_weights(b.get_weights()) if not a.built else None
        made.compile("sgd", "mse")
        made.fit(x, x, verbose=0)
        return made

    lost = model()
    assert [k.leaf.is_first() for k in kernels.find(lost)] == [True, False, False]
    lines = []
    sbnn.summary(lost, print_fn=lines.append)
    assert any("clustering moves its zeros" in line for line in lines), lines
    try:
        Policy(include="middle").choose(lost, Group(4))
        assert False
    except ValueError as error:
        assert "preserve_sparsity=True" in str(error)

    kept = model(preserve_sparsity=True)
    kept.fit(x, x, verbose=0, callbacks=[sbnn.Pruning("group4", sbnn.OneShot(0.5))])
    zeros = {k.leaf.layer.name: float((k.value() == 0).mean()) for k in kernels.find(kept)}
    assert zeros["middle"] == 0.5 and zeros["first"] < 0.5, zeros
    print("done")
"""


def _run(code):
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert result.stdout.strip().endswith("done"), result.stderr[-3000:]


def test_a_model_that_tfmot_pruned_is_converted():
    _run(PRUNED_BY_TFMOT)


def test_clustered_layers_are_pruned_where_their_zeros_stay():
    _run(CLUSTERED)


def test_quantization_aware_training_keeps_masks():
    _run(QUANTIZED)
