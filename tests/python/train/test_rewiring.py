"""Dynamic sparse training: connections move, their number does not."""

import warnings

import numpy as np
import pytest
import tensorflow as tf

import sbnn_tf as sbnn
from sbnn_tf.keras_model import kernels, optimizers
from sbnn_tf.train.rewiring import SET, HebbianRewiring, Rewiring, RigL

ALL = sbnn.Policy(first_and_last=True)
# What does not depend on the Keras is tested with one of them.
KERAS = pytest.mark.parametrize("K", ["keras"], indirect=True)
TF_KERAS = pytest.mark.parametrize("K", ["tf_keras"], indirect=True)
GROUPS = sbnn.Policy(pattern={"dw": "taps4group4"})  # the other layers by the callback's
KINDS = {"set": SET, "rigl": RigL, "hebbian": HebbianRewiring}


def _masks(model, names=("conv", "dw", "hidden")):
    found = {kernel.name: kernel for kernel in kernels.find(model)}
    return {name: found[name].weights() != 0 for name in names}


class _Watch:
    """Looks at the model after every update, from inside of a callback's rule."""

    def __init__(self, kind):
        self.kind, self.seen = kind, []

    def make(self, pattern, sparsity, **options):
        watch = self

        class Watched(self.kind):
            def _rewire(self, step):
                before = [mask.keep for mask in self._masks]
                super()._rewire(step)
                optimizer = self._pruned_model.optimizer
                watch.seen.append(
                    [
                        (mask, old, mask.keep, mask.weights(), _slots(optimizer, mask))
                        for mask, old in zip(self._masks, before)
                    ]
                )

        return Watched(pattern, sparsity, **options)


def _slots(optimizer, mask):
    found = optimizers.slots(optimizer, mask.variable)
    return [np.array(slot.numpy()).reshape(mask.keep.shape) for _, slot in found]


@pytest.mark.parametrize(
    "K, kind, steps",
    [
        ("keras", "set", 1),
        ("keras", "rigl", 4),
        ("keras", "hebbian", 1),
        ("tf_keras", "rigl", 1),
        ("tf_keras", "hebbian", 4),
    ],
    indirect=["K"],
)
def test_an_update_replaces_groups_by_new_ones(K, network, images, kind, steps):
    watch = _Watch(KINDS[kind])
    callback = watch.make("group4", 0.5, update_every=4, end_step=16, policy=GROUPS)
    model = network(steps_per_execution=steps)
    history = model.fit(
        *images, batch_size=16, epochs=3, shuffle=False, verbose=0, callbacks=[callback]
    )
    assert len(watch.seen) == 3  # steps 4, 8, 12; 16 is the end
    assert history.history["sparsity"] == [callback.sparsity] * 3
    moved = 0
    for update in watch.seen:
        for mask, before, after, weights, slots in update:
            assert mask.pattern.explains(~after)
            assert after.sum() == before.sum() == mask.kept  # constant, to the group
            born = after & ~before
            moved += born.sum()
            assert len(slots) == 2  # Adam's
            assert not weights[born].any() and not weights[~after].any()
            for slot in slots:
                assert not slot[born].any()
                assert slot[after & before].any()
    assert moved > 0
    churn, survival = history.history["churn"], history.history["survival"]
    assert churn[0] > churn[1] > 0 and 0 <= survival[1] <= 1
    assert churn[1] == churn[2]  # the last epoch had no update
    assert {name: m.mean() for name, m in _masks(model).items()}["hidden"] > 0.4  # they grew


OPTIMIZERS = {  # and how many averages they keep of each weight
    "momentum": (lambda O: O.SGD(0.01, momentum=0.9), 1),
    "ema": (lambda O: O.Adam(0.01, use_ema=True), 3),
    "loss scale": (lambda O: O.LossScaleOptimizer(O.Adam(0.01)), 2),
    "legacy": (lambda O: O.legacy.Adam(0.01), 2),
}


@pytest.mark.parametrize(
    "K, name",
    [
        ("keras", "momentum"),
        ("keras", "loss scale"),
        ("tf_keras", "ema"),
        ("tf_keras", "legacy"),
    ],
    indirect=["K"],
)
def test_slots_of_every_optimizer_are_fresh(K, network, images, name):
    make, count = OPTIMIZERS[name]
    watch = _Watch(SET)
    callback = watch.make("unstructured", 0.5, update_every=4, end_step=8)
    network(make(K.optimizers)).fit(*images, batch_size=16, verbose=0, callbacks=[callback])
    for _, before, after, _, slots in watch.seen[0]:
        assert len(slots) == count
        for slot in slots:
            assert (after & ~before).any() and not slot[after & ~before].any()
            assert slot[after & before].any()


class TestStatistics:
    def test_gradients_are_those_of_the_loss(self, K):
        """Of the step of the update, by hand, pruned weights' too."""
        x = np.random.default_rng(1).normal(size=(24, 6)).astype("float32")
        y = np.tile(x, 2)[:, :8]
        layers = [K.layers.Dense(8, use_bias=False) for _ in range(3)]
        model = K.Sequential([K.Input((6,)), *layers])
        model.compile(K.optimizers.SGD(0.1), "mse", jit_compile=False)
        found, before = [], []

        def regrow(layer):
            found.append(layer.gradient)
            return np.abs(layer.gradient)

        class Before(K.callbacks.Callback):
            def on_train_batch_begin(self, batch, logs=None):
                before.append([np.array(w) for w in model.get_weights()])

        callback = Rewiring("group4", 0.5, regrow, gathers=["gradient"], update_every=2, end_step=4)
        model.fit(x, y, batch_size=6, shuffle=False, verbose=0, callbacks=[callback, Before()])
        variables = [tf.Variable(w) for w in before[1]]
        with tf.GradientTape() as tape:
            out = x[6:12]
            for w in variables:
                out = out @ w
            loss = tf.reduce_mean(tf.square(out - y[6:12]))
        expected = tape.gradient(loss, variables)[1].numpy()
        assert len(found) == 1 and (before[1][1] == 0).mean() == 0.5
        np.testing.assert_allclose(found[0], expected, rtol=1e-3, atol=1e-6)
        assert np.abs(found[0][before[1][1] == 0]).max() > 0

    @pytest.mark.parametrize(
        "K, padding, strides", [("keras", "same", 2), ("tf_keras", "valid", 1)], indirect=["K"]
    )
    def test_correlations_are_pearsons(self, K, padding, strides):
        """Against numpy, of a Conv2D, a DepthwiseConv2D and a Dense layer, over a window of 2."""
        L = K.layers
        inputs = K.Input((5, 5, 2))
        conv = L.Conv2D(3, 3, strides, padding=padding, activation="relu", name="conv")(inputs)
        deep = L.DepthwiseConv2D(2, depth_multiplier=2, padding="same", name="dw")(conv)
        dense = L.Dense(4, activation="tanh", name="dense")(L.Flatten()(deep))
        model = K.Model(inputs, [conv, deep, dense])
        model.compile(K.optimizers.SGD(0.0), "mse", jit_compile=False)
        x = np.random.default_rng(2).normal(size=(12, 5, 5, 2)).astype("float32")
        targets = [np.zeros((12, *out.shape[1:]), "float32") for out in model.outputs]
        found = {}

        def regrow(layer):
            found[layer.name] = layer.correlation
            outputs.append([np.array(out) for out in model(recorded)])
            return np.abs(layer.correlation)

        class Trained(K.callbacks.Callback):
            def on_train_batch_begin(self, batch, logs=None):
                for mask in callback._masks:
                    mask._marked = -1  # or all would stay as it is, since nothing has trained it

        recorded = x[4:]  # steps 2 and 3; the rate is 0
        outputs = []
        policy = sbnn.Policy(first_and_last=True, pattern={"dw": "taps1group1"})
        callback = Rewiring(
            "unstructured",
            0.5,
            regrow,
            gathers=["correlation"],
            update_every=3,
            end_step=4,
            window=2,
            policy=policy,
        )
        callbacks = [callback, Trained()]
        model.fit(x, targets, batch_size=4, shuffle=False, verbose=0, callbacks=callbacks)
        a, b, c = outputs[0]
        expected = {
            "conv": _correlations(_columns(recorded, 3, strides, padding), a),
            "dense": _correlations(b.reshape(len(b), -1)[..., None, :], c),
        }
        columns = _columns(a, 2, 1, "same")  # (n, h, w, taps, channels)
        depth = np.array(
            [[_pearson(columns[..., t, o // 2], b[..., o]) for o in range(6)] for t in range(4)]
        )
        expected["dw"] = depth.reshape(2, 2, 1, 6)
        for name, value in expected.items():
            np.testing.assert_allclose(
                found[name], value.reshape(found[name].shape), atol=2e-4, err_msg=name
            )
        assert np.abs(found["conv"]).max() > 0.1

    @KERAS
    def test_only_update_steps_gather(self, K, network, images):
        """Everything else runs a trace that has nothing to gather."""
        model = network()
        callback = RigL("group4", 0.5, update_every=4, end_step=100)
        gathered = []

        class Look(K.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                updates = [m._statistics["gradient"]._updates.numpy() for m in callback._masks]
                gathered.append([int(max(n, 0)) for n in updates])

        traces = callback._trace
        asked = []
        callback._trace = lambda: asked.append(traces()) or asked[-1]
        model.fit(*images, batch_size=16, verbose=0, callbacks=[callback, Look()])
        assert asked == [False, False, False, True] * 2
        assert gathered == [[0, 0]] * 8  # nothing is added to beyond the update

    def test_nothing_is_left_after_an_exception(self, K, network, images):
        model = network()

        class Stop(K.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                if batch == 3:
                    raise RuntimeError("stop")

        rule = lambda layer: np.abs(layer.gradient * layer.correlation)
        both = ["gradient", "correlation"]
        callback = Rewiring("group4", 0.5, rule, gathers=both, update_every=2, end_step=100)
        with pytest.raises(RuntimeError, match="stop"):
            model.fit(*images, batch_size=16, verbose=0, callbacks=[callback, Stop()])
        assert not any("call" in vars(layer) for layer in model.layers)
        assert "update_step" not in vars(model.optimizer)
        model.fit(*images, batch_size=16, verbose=0)
        assert all(mask.mean() > 0.8 for mask in _masks(model).values())  # some units are dead


def _columns(x, size, strides, padding):
    """Patches (n, h, w, taps, channels) of what a convolution sees."""
    patches = tf.image.extract_patches(
        x, [1, size, size, 1], [1, strides, strides, 1], [1] * 4, padding.upper()
    ).numpy()
    return patches.reshape(*patches.shape[:3], size * size, x.shape[-1])


def _correlations(columns, outputs):
    taps, channels = columns.shape[-2:]
    return np.array(
        [
            [_pearson(columns[..., t, c], outputs[..., o]) for o in range(outputs.shape[-1])]
            for t in range(taps)
            for c in range(channels)
        ]
    )


def _pearson(a, b):
    if a.std() < 1e-6 or b.std() < 1e-6:
        return 0.0
    return np.corrcoef(a.reshape(-1), b.reshape(-1))[0, 1]


class TestTeacher:
    """A sparse teacher, whose support is known: who finds it?

    Inputs come in ensembles that fire together, and each output of the teacher listens to one of
    them. Student and teacher have as many weights.
    """

    ENSEMBLES, SIZE, OUTPUTS = 8, 8, 16

    def found(self, K, kind, seed=0):
        """The fraction of the teacher's weights that the student ends up with."""
        rng = np.random.default_rng(5)
        inputs = self.ENSEMBLES * self.SIZE
        common = rng.normal(size=(1024, self.ENSEMBLES)).repeat(self.SIZE, axis=1)
        x = (common + 0.7 * rng.normal(size=(1024, inputs))).astype("float32")
        heard = rng.integers(0, self.ENSEMBLES, self.OUTPUTS)
        support = np.arange(inputs)[:, None] // self.SIZE == heard
        y = x @ (support * rng.uniform(0.5, 1.5, support.shape)).astype("float32")
        K.utils.set_random_seed(0)
        model = K.Sequential([K.Input((inputs,)), K.layers.Dense(self.OUTPUTS)])
        model.compile(K.optimizers.Adam(0.02), "mse", jit_compile=False)
        callback = kind(
            "unstructured",
            1 - 1 / self.ENSEMBLES,
            update_every=8,
            end_step=240,
            policy=ALL,
            seed=seed,
        )
        model.fit(x, y, epochs=16, verbose=0, callbacks=[callback], batch_size=64)
        return callback._masks[0].keep[support].mean()

    @KERAS
    def test_gradients_and_correlations_find_it_better_than_chance(self, K):
        assert self.found(K, RigL) > self.found(K, SET) + 0.1
        # Correlations tell ensembles apart, not which of them is heard: that differs by the seed.
        found = [self.found(K, HebbianRewiring, seed) for seed in range(3)]
        assert np.mean(found) > 1 / self.ENSEMBLES + 0.1, found


class _Killed(Exception):
    pass


@pytest.mark.parametrize(
    "K, kind, kill",
    [("keras", "rigl", 19), ("tf_keras", "hebbian", 11)],
    indirect=["K"],
)
def test_resumed_bit_by_bit(K, network, images, tmp_path, kind, kill):
    """Killed within a window that gathers, with part of it in the epoch before."""

    def run(folder, kill=None):
        folder.mkdir()
        for at in (kill, None) if kill else (None,):
            K.utils.set_random_seed(3)

            class Kill(K.callbacks.Callback):
                steps = 0

                def on_train_batch_end(self, batch, logs=None):
                    self.steps += 1
                    if self.steps == at:
                        raise _Killed

            callback = KINDS[kind](
                "group4", 0.6, update_every=5, window=3, policy=GROUPS, state=folder / "state.npz"
            )
            backup = K.callbacks.BackupAndRestore(str(folder / "backup"))
            model = network()
            try:
                model.fit(
                    *images,
                    batch_size=16,
                    epochs=4,
                    shuffle=False,
                    verbose=0,
                    callbacks=[callback, backup, Kill()],
                )
            except _Killed:
                assert at
        return callback, model

    whole, expected = run(tmp_path / "whole")
    again, found = run(tmp_path / "again", kill)
    assert again.step == whole.step == 32 and again._end == whole._end == 24
    for a, b in zip(expected.get_weights(), found.get_weights()):
        np.testing.assert_array_equal(a, b)
    assert [m.survival for m in again._masks][0] <= 1


@KERAS
def test_a_model_with_zeros_starts_from_them(K, network, images):
    model = network()
    conv, hidden = model.get_layer("conv"), model.get_layer("hidden")
    rng = np.random.default_rng(1)
    zeros = {}
    for layer, part in ((conv, 0.25), (hidden, 0.5)):
        weights = layer.get_weights()
        keep = sbnn.Group(4).mask(rng.random(weights[0].shape), part)
        layer.set_weights([weights[0] * keep, *weights[1:]])
        zeros[layer.name] = keep
    options = {"policy": sbnn.Policy(["conv", "hidden"]), "budget": "present"}
    sparsity = 1 - np.mean(np.concatenate([keep.ravel() for keep in zeros.values()]))
    model.fit(*images, verbose=0, callbacks=[SET("group4", sparsity, fraction=0, **options)])
    for name, keep in zeros.items():  # with fraction 0 they stay where they are
        np.testing.assert_array_equal(_masks(model)[name], keep)
    model.fit(*images, verbose=0, callbacks=[SET("group4", sparsity, update_every=2, **options)])
    for name, mask in _masks(model).items():
        if name in zeros:
            assert mask.mean() <= zeros[name].mean() and (mask != zeros[name]).any()
    with pytest.raises(ValueError, match=r"sparsity of 0.2.* \(group4\), and 0.900 was asked"):
        model.fit(*images, verbose=0, callbacks=[SET("group4", 0.9, **options)])
    with pytest.raises(ValueError, match=r"sparsity of 0.0.* \(group16, group4\)"):
        model.fit(*images, verbose=0, callbacks=[SET("group16", sparsity, **options)])


@TF_KERAS
def test_erk_shares_the_weights(K, network, images):
    model = network()
    callback = SET("group4", 0.6, update_every=2, budget="erk", policy=sbnn.Policy())
    model.fit(*images, verbose=0, callbacks=[callback])
    density = {mask.name: mask.keep.mean() for mask in callback._masks}
    assert density["hidden"] > density["conv"] + 0.1
    assert callback.sparsity == pytest.approx(0.6, abs=0.01)


@TF_KERAS
def test_tap_patterns_stay_in_their_library(K, network, images):
    watch = _Watch(RigL)
    pattern = {"conv": "kernel4x8", "dw": "taps4group4"}
    callback = watch.make(
        "group4", 0.7, update_every=2, end_step=8, policy=sbnn.Policy(pattern=pattern, exclude="dw")
    )
    network().fit(*images, batch_size=16, verbose=0, callbacks=[callback])
    conv = callback._masks[0]
    assert conv.name == "conv" and not isinstance(conv.pattern.library, int)
    moved = [(before != after).any() for (_, before, after, *_), *_ in watch.seen]
    assert len(watch.seen) == 3 and any(moved)
    for (mask, before, after, *_), *_ in watch.seen:
        assert mask.pattern.explains(~after) and before.sum() == after.sum()


@pytest.mark.parametrize("K, first", [("keras", True), ("tf_keras", False)], indirect=["K"])
def test_weights_of_an_earlier_epoch_bring_their_mask(K, network, images, first):
    """EarlyStopping restores them: their zeros are elsewhere, and as many."""
    stop = K.callbacks.EarlyStopping("best", mode="max", patience=9, restore_best_weights=True)
    epochs = []

    class Best(K.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["best"] = float(epoch == 1)
            epochs.append([np.array(w) for w in self.model.get_weights()])

    callback = SET("group4", 0.5, update_every=2, end_step=100, policy=GROUPS)
    callbacks = [Best(), *([callback, stop] if first else [stop, callback])]
    model = network()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model.fit(*images, batch_size=16, epochs=3, verbose=0, callbacks=callbacks)
    assert any((a != b).any() for a, b in zip(epochs[1], epochs[2]))
    for a, b in zip(epochs[1], model.get_weights()):
        np.testing.assert_array_equal(a, b)
    for mask in callback._masks:
        assert not mask.weights()[~mask.keep].any()


def test_own_loop(K):
    x = np.random.default_rng(1).normal(size=(16, 6)).astype("float32")
    model = K.Sequential([K.Input((6,)), *[K.layers.Dense(8) for _ in range(3)]])
    optimizer = K.optimizers.Adam(0.1)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x) - np.tile(x, 2)[:, :8]))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return grads

    callback = RigL("group4", 0.5, update_every=3, end_step=9, fraction=0.5)
    seen = []
    for _ in range(8):
        callback.after_step(model, step(), optimizer)
        (mask,) = callback._masks
        slots = _slots(optimizer, mask)
        seen.append((mask.keep, mask.weights(), slots))
    changes = [(a[0] != b[0]).any() for a, b in zip(seen, seen[1:])]
    assert changes[1] and not changes[0] and not changes[2] and not changes[5]
    born = seen[2][0] & ~seen[1][0]
    assert born.any() and not seen[2][1][born].any()
    assert not any(slot[born].any() for slot in seen[2][2])
    with pytest.raises(ValueError, match="RigL needs an end_step"):
        RigL("group4", 0.5).after_step(model)
    hebbian = HebbianRewiring("group4", 0.5, update_every=1, end_step=9)
    hebbian.after_step(model, optimizer=optimizer)  # begins
    step()
    with pytest.raises(ValueError, match="Step 2: cannot rewire. No activations of 'dense.*`fit`"):
        hebbian.after_step(model, optimizer=optimizer)


@TF_KERAS
def test_tensorboard(K, network, images, tmp_path):
    callback = SET("group4", 0.5, update_every=4, end_step=16, log_dir=tmp_path)
    network().fit(*images, batch_size=16, epochs=2, verbose=0, callbacks=[callback])
    from tensorflow.core.util import event_pb2

    found = {}
    for path in tmp_path.glob("*tfevents*"):
        for record in tf.data.TFRecordDataset(str(path)):
            event = event_pb2.Event.FromString(record.numpy())
            for value in event.summary.value:
                found[event.step, value.tag] = float(tf.make_ndarray(value.tensor))
    assert {step for step, _ in found} == {0, 4, 8, 12}
    for step in (4, 8, 12):
        assert found[step, "density/conv"] == 0.5
        assert 0 < found[step, "churn/conv"] < 0.3
        assert 0 <= found[step, "survival/conv"] <= 1
    assert found[8, "survival/conv"] < 1
