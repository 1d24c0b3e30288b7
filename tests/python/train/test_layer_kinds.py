"""Every layer of Keras: whether groups of outputs are pruned in it, and if not, why."""

import inspect

import numpy as np
import pytest

from sbnn_tf.keras_model import kernels
from sbnn_tf.patterns import Group
from sbnn_tf.plan.policy import Policy
from sbnn_tf.plan.schedules import OneShot
from sbnn_tf.train.callback import Pruning

PRUNED = ""
DEPTHWISE = "every output channel has an input of its own"
RECURRENT = "multiplied with its state as well"
LOCAL = "every position has weights of its own"
TABLE = "a table"
SCALE = "scale and shift values one by one"

IMAGE, LINE, VOLUME, FILM = (4, 4, 8), (6, 8), (4, 4, 4, 8), (3, 4, 4, 8)
ATTENTION = {name: PRUNED for name in ("query", "key", "value", "attention_output")}

_to_itself = lambda attention: lambda x: attention(x, x)
_pair_to = lambda attention: lambda x: attention([x, x])

# name: (the layer, the shape of its input, {its kernel, or what it has instead: PRUNED or why not})
WITH_WEIGHTS = {
    "Dense": (lambda L: L.Dense(8), (6,), {"": PRUNED}),
    "EinsumDense": (lambda L: L.EinsumDense("abc,cde->abde", (6, 2, 4)), LINE, {"": PRUNED}),
    "Conv1D": (lambda L: L.Conv1D(8, 3), LINE, {"": PRUNED}),
    "Conv2D": (lambda L: L.Conv2D(8, 3), IMAGE, {"": PRUNED}),
    "Conv3D": (lambda L: L.Conv3D(8, 3), VOLUME, {"": PRUNED}),
    "Conv1DTranspose": (lambda L: L.Conv1DTranspose(12, 3), LINE, {"": PRUNED}),
    "Conv2DTranspose": (lambda L: L.Conv2DTranspose(12, 3), IMAGE, {"": PRUNED}),
    "Conv3DTranspose": (lambda L: L.Conv3DTranspose(12, 3), VOLUME, {"": PRUNED}),
    "DepthwiseConv1D": (lambda L: L.DepthwiseConv1D(3), LINE, {"": DEPTHWISE}),
    "DepthwiseConv2D": (lambda L: L.DepthwiseConv2D(3), IMAGE, {"": DEPTHWISE}),
    "SeparableConv1D": (
        lambda L: L.SeparableConv1D(8, 3),
        LINE,
        {"depthwise": DEPTHWISE, "pointwise": PRUNED},
    ),
    "SeparableConv2D": (
        lambda L: L.SeparableConv2D(8, 3),
        IMAGE,
        {"depthwise": DEPTHWISE, "pointwise": PRUNED},
    ),
    "LocallyConnected1D": (lambda L: L.LocallyConnected1D(8, 3), LINE, {"": LOCAL}),
    "LocallyConnected2D": (lambda L: L.LocallyConnected2D(8, 3), IMAGE, {"": LOCAL}),
    "MultiHeadAttention": (lambda L: _to_itself(L.MultiHeadAttention(2, 4)), LINE, ATTENTION),
    "GroupQueryAttention": (lambda L: _to_itself(L.GroupQueryAttention(4, 4, 2)), LINE, ATTENTION),
    "Attention": (lambda L: _pair_to(L.Attention(use_scale=True)), LINE, {}),
    "AdditiveAttention": (lambda L: _pair_to(L.AdditiveAttention()), LINE, {}),
    "TimeDistributed": (lambda L: L.TimeDistributed(L.Dense(8)), LINE, {"dense": PRUNED}),
    "SpectralNormalization": (
        lambda L: L.SpectralNormalization(L.Dense(8)),
        (6,),
        {"dense": PRUNED},
    ),
    "Bidirectional": (
        lambda L: L.Bidirectional(L.GRU(4)),
        LINE,
        {"forward_gru/gru_cell": RECURRENT, "backward_gru/gru_cell": RECURRENT},
    ),
    "RNN": (lambda L: L.RNN(L.GRUCell(4)), LINE, {"gru_cell": RECURRENT}),
    "StackedRNNCells": (
        lambda L: L.RNN(L.StackedRNNCells([L.LSTMCell(4), L.SimpleRNNCell(4)])),
        LINE,
        {
            "stacked_rnn_cells/lstm_cell": RECURRENT,
            "stacked_rnn_cells/simple_rnn_cell": RECURRENT,
        },
    ),
    "SimpleRNN": (lambda L: L.SimpleRNN(4), LINE, {"simple_rnn_cell": RECURRENT}),
    "SimpleRNNCell": (lambda L: L.RNN(L.SimpleRNNCell(4)), LINE, {"simple_rnn_cell": RECURRENT}),
    "GRU": (lambda L: L.GRU(4), LINE, {"gru_cell": RECURRENT}),
    "GRUCell": (lambda L: L.RNN(L.GRUCell(4)), LINE, {"gru_cell": RECURRENT}),
    "LSTM": (lambda L: L.LSTM(4), LINE, {"lstm_cell": RECURRENT}),
    "LSTMCell": (lambda L: L.RNN(L.LSTMCell(4)), LINE, {"lstm_cell": RECURRENT}),
    "ConvLSTM1D": (lambda L: L.ConvLSTM1D(4, 3), IMAGE, {"conv_lstm_cell": RECURRENT}),
    "ConvLSTM2D": (lambda L: L.ConvLSTM2D(4, 3), FILM, {"conv_lstm_cell": RECURRENT}),
    "ConvLSTM3D": (lambda L: L.ConvLSTM3D(4, 3), (3, *VOLUME), {"conv_lstm_cell": RECURRENT}),
    "Embedding": (lambda L: L.Embedding(8, 8), (6,), {"": TABLE}),
    "ReversibleEmbedding": (lambda L: L.ReversibleEmbedding(8, 8), (6,), {"": TABLE}),
    "PReLU": (lambda L: L.PReLU(), IMAGE, {"": SCALE}),
    "BatchNormalization": (lambda L: L.BatchNormalization(), IMAGE, {}),  # vectors, as those below
    "LayerNormalization": (lambda L: L.LayerNormalization([1, 2, 3]), IMAGE, {"": SCALE}),
    "GroupNormalization": (lambda L: L.GroupNormalization(4), IMAGE, {}),
    "RMSNormalization": (lambda L: L.RMSNormalization(), IMAGE, {}),
    "Normalization": (lambda L: L.Normalization(), IMAGE, {}),
}
# Made by others, or to be derived from: what is in them is up to that.
OPEN = """
    AbstractRNNCell DenseFeatures FlaxLayer JaxLayer Layer TFSMLayer TorchModuleWrapper Wrapper
""".split()
WITHOUT_WEIGHTS = """
    Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D
    AdaptiveAveragePooling3D AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add
    AlphaDropout AugMix AutoContrast Average AveragePooling1D AveragePooling2D AveragePooling3D
    CategoryEncoding CenterCrop Concatenate ContrastLimitedAdaptiveHistogramEqualization Cropping1D
    Cropping2D Cropping3D CutMix Discretization Dot Dropout ELU Equalization Flatten GaussianDropout
    GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
    GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D HashedCrossing Hashing Identity
    InputLayer IntegerLookup Lambda LeakyReLU Masking MaxNumBoundingBoxes MaxPooling1D MaxPooling2D
    MaxPooling3D Maximum MelSpectrogram Minimum MixUp Multiply Permute Pipeline RandAugment
    RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop
    RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHeight
    RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation RandomSaturation
    RandomSharpness RandomShear RandomTranslation RandomWidth RandomZoom ReLU RepeatVector Rescaling
    Reshape Resizing STFTSpectrogram Softmax Solarization SpatialDropout1D SpatialDropout2D
    SpatialDropout3D StringLookup Subtract TextVectorization ThresholdedReLU UnitNormalization
    UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D
""".split()


def test_every_layer_is_listed(K):
    """A kind of layer that Keras has from now on is to be thought about, and to be listed here."""
    listed = {*WITH_WEIGHTS, *WITHOUT_WEIGHTS, *OPEN}
    exported = {name: getattr(K.layers, name) for name in dir(K.layers)}
    for name, kind in exported.items():
        if inspect.isclass(kind) and issubclass(kind, K.layers.Layer):
            aliases = {each for each, other in exported.items() if other is kind}
            assert aliases & listed, name


@pytest.mark.parametrize("kind", WITH_WEIGHTS)
def test_what_groups_do_to_it(K, kind):
    make, shape, expected = WITH_WEIGHTS[kind]
    if not hasattr(K.layers, kind):
        pytest.skip(f"{K.__name__} has no such layer")
    if K.__name__ == "tf_keras" and kind == "SpectralNormalization":
        pytest.skip("mixes the two Keras, and fails when it is built")
    inputs = K.Input(shape)
    model = K.Model(inputs, make(K.layers)(inputs))
    layer = model.layers[-1]
    survey = kernels.survey(model)
    below = lambda leaf_name: leaf_name.removeprefix(layer.name).removeprefix("/")
    reasons = {
        below(kernel.name): kernel.reason or Group(4).unfit(kernel.operator, kernel.view)
        for kernel in survey.kernels
    }
    reasons.update({below(other.leaf.path): other.reason for other in survey.others})
    assert reasons.keys() == expected.keys() and not survey.unbuilt
    for name, reason in expected.items():
        assert reason in reasons[name] and bool(reason) == bool(reasons[name]), name

    pruning = Pruning("group4", OneShot(0.5), Policy(first_and_last=True))
    if PRUNED not in expected.values():
        with pytest.raises(ValueError, match="Nothing to prune"):
            pruning.after_step(model)
        return
    pruning.after_step(model)
    for kernel in survey.kernels:
        zeros = kernel.weights() == 0
        assert zeros.mean() == (0.5 if expected[below(kernel.name)] == PRUNED else 0.0)
        assert Group(4).explains(zeros) or not zeros.any()
    x = np.ones((2, *shape), "float32")
    assert np.isfinite(np.asarray(model(x))).all()
