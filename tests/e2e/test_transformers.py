"""What stands between the dense layers of transformers and mixers keeps a part whole."""

import numpy as np
import pytest

import sbnn_tf as sbnn
from sbnn_tf.run import runtime


@pytest.fixture(scope="module")
def networks():
    import keras
    from keras import layers

    from tests.python.models import bring_to_life

    def mlp(x, hidden):
        return layers.Dense(x.shape[-1])(layers.Dense(hidden, activation="gelu")(x))

    keras.utils.set_random_seed(1)
    x = inputs = keras.Input((24, 32))
    y = layers.Permute((2, 1))(layers.LayerNormalization()(x))
    x = layers.Add()([x, layers.Permute((2, 1))(mlp(y, 40))])
    x = layers.Add()([x, mlp(layers.LayerNormalization()(x), 64)])
    x = layers.GlobalAveragePooling1D()(x)
    mixer = keras.Model(inputs, layers.Dense(10)(x))
    x = inputs = keras.Input((24, 32))
    y = layers.LayerNormalization()(x)
    x = layers.Add()([x, layers.MultiHeadAttention(4, 8)(y, y)])
    x = layers.Add()([x, mlp(layers.LayerNormalization()(x), 64)])
    transformer = keras.Model(inputs, layers.Dense(10)(x[:, 0]))
    made = {}
    for name, model in (("mixer", mixer), ("transformer", transformer)):
        for layer in model.layers:
            if isinstance(layer, layers.LayerNormalization):
                layer.gamma.assign(keras.random.uniform(layer.gamma.shape, 0.5, 1.5))
                layer.beta.assign(keras.random.uniform(layer.beta.shape, -0.3, 0.5))
        bring_to_life(model)
        made[name] = sbnn.convert(model, prune=0.5, layers=["*/MatMul"])
    return made


@pytest.mark.parametrize("name", ["mixer", "transformer"])
def test_all_is_claimed_as_one_part(networks, name):
    report = sbnn.explain(networks[name], claim="all")
    assert [node for node in report.nodes if not node["claimed"]] == []
    assert {node.get("part") for node in report.nodes} - {None} == {0}


def label_of_softmax(records: list[dict]) -> str:
    """The nodes that run as one operator with it, by the profile's one step that names it."""
    labels = [record["label"] for record in records if record["record"] == "step_profile"]
    (label,) = [label for label in labels if "SOFTMAX" in label]
    return label


def test_attention_is_one_operator(networks):
    records = []
    delegate = sbnn.load_delegate(claim="all", profile=True, report=records.append)
    made = runtime.interpreter(networks["transformer"], delegate=delegate, xnnpack=False)
    runtime.run(made, [np.zeros((1, 24, 32), np.float32)])
    del made, delegate  # who goes leaves its profile
    label = label_of_softmax(records)
    assert label.count("BATCH_MATMUL") == 2 and label.count("TRANSPOSE") == 4


def test_attention_with_a_mask_is_one_operator():
    import tf_keras as keras
    from tf_keras import layers

    x = inputs = keras.Input((24, 32))
    mask = keras.Input((24, 24))
    x = layers.Add()([x, layers.MultiHeadAttention(4, 8)(x, x, attention_mask=mask)])
    model = keras.Model([inputs, mask], layers.Dense(10)(x))
    data = sbnn.convert(model, prune=0.5, layers=["*/MatMul"])
    rng = np.random.default_rng(0)
    numbers = rng.uniform(-1, 1, (1, 24, 32)).astype(np.float32)
    hidden = rng.integers(0, 2, (1, 24, 24)).astype(np.float32)
    hidden[0, 3] = 0  # a row that sees nothing: what it gives is a mean of all

    records, results = [], []
    for delegate in (None, sbnn.load_delegate(claim="all", profile=1, report=records.append)):
        made = runtime.interpreter(data, delegate=delegate, xnnpack=False)
        wide = [details["shape"][-1] == 32 for details in made.get_input_details()]
        results.append(runtime.run(made, [numbers if w else hidden for w in wide])[0])
    del made, delegate
    np.testing.assert_allclose(results[1], results[0], rtol=1e-4, atol=1e-4)
    label = label_of_softmax(records)
    assert label.count("BATCH_MATMUL") == 2 and label.count("ADD") == 1


@pytest.mark.parametrize("dropout", [0, 0.1])
@pytest.mark.parametrize("causal", [False, True])
def test_attention_with_masks_of_keras_is_one_part(causal, dropout):
    """By the dropout Keras masks in different ways; both are booleans."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    inputs = keras.Input((24,), dtype="int32")
    x = layers.Embedding(50, 32, "uniform", mask_zero=True)(inputs)
    for _ in range(2):
        attention = layers.MultiHeadAttention(4, 8, dropout=dropout)
        x = layers.LayerNormalization()(layers.Add()([x, attention(x, x, use_causal_mask=causal)]))
    data = sbnn.convert(keras.Model(inputs, layers.Dense(10)(x)), prune=0.5, layers=["*/MatMul"])
    report = sbnn.explain(data, claim="all")
    assert {node.get("part") for node in report.claimed} - {None} == {0}
    # What makes masks is left, and the table of the embedding.
    layers_left = {node["op"] for node in report.nodes if not node["claimed"]}
    assert not {"SOFTMAX", "BATCH_MATMUL", "FULLY_CONNECTED", "TRANSPOSE"} & layers_left

    ids = np.random.default_rng(0).integers(1, 50, (2, 24)).astype(np.int32)
    ids[0, 17:] = 0
    ids[1, :3] = 0  # before the first word a causal row sees nothing
    records, results = [], []
    for delegate in (None, sbnn.load_delegate(claim="all", profile=1, report=records.append)):
        made = runtime.interpreter(data, delegate=delegate, xnnpack=False)
        made.resize_tensor_input(made.get_input_details()[0]["index"], ids.shape)
        made.allocate_tensors()
        results.append(runtime.run(made, [ids])[0])
    del made, delegate
    np.testing.assert_allclose(results[1], results[0], rtol=1e-4, atol=1e-4)
    labels = [record["label"] for record in records if record["record"] == "step_profile"]
    heads = [label for label in labels if "SOFTMAX" in label]
    assert [label.count("BATCH_MATMUL") for label in heads] == [2, 2]
    assert heads[0].count("ADD") == 1


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", ["mixer", "transformer"])
def test_outputs_are_those_of_stock(networks, name, batch):
    x = np.random.default_rng(batch).uniform(-1, 1, (batch, 24, 32)).astype(np.float32)
    results = []
    for delegate in (None, sbnn.load_delegate(claim="all")):
        made = runtime.interpreter(networks[name], delegate=delegate, xnnpack=False)
        made.resize_tensor_input(made.get_input_details()[0]["index"], x.shape)
        made.allocate_tensors()
        results.append(runtime.run(made, [x])[0])
    np.testing.assert_allclose(results[1], results[0], rtol=1e-4, atol=1e-4)
