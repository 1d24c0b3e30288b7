"""A run goes on from its state whatever the optimizer, the executions and the names of layers."""

import json

import numpy as np
import pytest
import tensorflow as tf

from sbnn_tf.plan.importance import Random
from sbnn_tf.plan.schedules import ConstantSparsity, IterativeMagnitude, PolynomialDecay
from sbnn_tf.train.admm import ADMM
from sbnn_tf.train.callback import Pruning
from sbnn_tf.train.rewiring import SET, RigL
from tests.python.train import dense

pytestmark = pytest.mark.filterwarnings("ignore:Training stopped at step")
EPOCHS = 3


class _Killed(Exception):
    pass


def _kill(K, epoch):
    class Kill(K.callbacks.Callback):
        def on_epoch_begin(self, now, logs=None):
            if now == epoch:
                raise _Killed

    return Kill()


def _own(K, hangs_on_the_model, optimizers=1):
    """A model that trains with optimizers of its own, which make a step each for a batch."""

    class Own(K.Model):
        def train_step(self, data):
            x, y = data
            for optimizer in self.find():
                with tf.GradientTape() as tape:
                    loss = tf.reduce_mean(tf.square(self(x, training=True) - y))
                variables = self.trainable_variables
                optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
            return {"loss": loss}

    model = dense.make(K, cls=Own)
    own = [K.optimizers.SGD(0.05) for _ in range(optimizers)]
    for optimizer in own:
        optimizer.build(model.trainable_variables)
    if hangs_on_the_model:
        model.own = own
    model.find = lambda: own
    return model


def _adam(K, executions=1, accumulated=None):
    options = {"gradient_accumulation_steps": accumulated} if accumulated else {}
    optimizer = K.optimizers.Adam(0.01, **options)
    return dense.make(K, optimizer=optimizer, steps_per_execution=executions)


MODELS = {
    "executions": lambda K: _adam(K, 5),
    "accumulated": lambda K: _adam(K, 1, 4),
    "accumulated executions": lambda K: _adam(K, 5, 4),
    "own optimizer": lambda K: _own(K, True),
    "two own optimizers": lambda K: _own(K, True, 2),
    "hidden optimizer": lambda K: _own(K, False),
}


@pytest.mark.parametrize(
    "kind, first", [*((kind, True) for kind in MODELS), ("hidden optimizer", False)]
)
def test_goes_on_from_the_end_of_an_epoch(K, tmp_path, kind, first):
    """Whether the state is written first, or the backup."""
    if "accumulated" in kind and K.__name__ == "tf_keras":
        pytest.skip("tf_keras has no gradient accumulation")

    def run(folder, kill):
        for at in (1, 2, None) if kill else (None,):
            K.utils.set_random_seed(3)
            model = MODELS[kind](K)
            schedule = PolynomialDecay(0.0, 0.5, 0, 30, frequency=3)
            pruning = Pruning("group4", schedule, state=folder / "state.npz")
            callbacks = [pruning, K.callbacks.BackupAndRestore(str(folder / "backup"))]
            callbacks = callbacks if first else callbacks[::-1]
            try:
                x, y = dense.data()
                callbacks += [_kill(K, at)] if at else []
                model.fit(x, y, 8, EPOCHS, 0, callbacks, shuffle=False)
            except _Killed:
                assert at
        return pruning, model

    folders = [tmp_path / name for name in ("whole", "again")]
    for folder in folders:
        folder.mkdir()
    whole, expected = run(folders[0], kill=False)
    again, found = run(folders[1], kill=True)
    assert again.step == whole.step == EPOCHS * dense.BATCHES
    for a, b in zip(whole._masks, again._masks):
        np.testing.assert_array_equal(a.keep, b.keep)
    for a, b in zip(expected.get_weights(), found.get_weights()):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", ["executions", "accumulated", "two own optimizers"])
def test_a_model_that_was_saved_between_two_states(kind, tmp_path):
    """Its optimizers' count says how many steps it is behind the last one."""
    import keras as K

    path, saved = tmp_path / "state.npz", tmp_path / "model.weights.h5"
    schedule = PolynomialDecay(0.0, 0.5, 0, 30, frequency=7)

    class Save(K.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.at is None and pruning.step >= dense.BATCHES + 5:
                self.at = pruning.step
                self.model.save_weights(saved)

    save = Save()
    save.at = None
    model = MODELS[kind](K)
    pruning = Pruning("group4", schedule, state=path)
    dense.fit(model, pruning, save, epochs=2)
    assert save.at not in (None, 2 * dense.BATCHES) and save.at % 7
    again = MODELS[kind](K)
    if again.optimizer is not None:
        again.optimizer.build(again.trainable_variables)
    again.load_weights(saved)
    pruning = Pruning("group4", schedule, state=path)
    begun = []

    class Look(K.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            begun.append(pruning.step)

    dense.fit(again, pruning, Look())
    assert begun[0] == save.at


def test_an_own_loop_goes_on(K, tmp_path):
    path = tmp_path / "state.npz"
    x, y = (tf.constant(values[:8]) for values in dense.data())

    def run(steps, model=None, optimizer=None):
        fresh = model is None
        if fresh:
            K.utils.set_random_seed(1)
            model, optimizer = dense.make(K), K.optimizers.SGD(0.05)
            optimizer.build(model.trainable_variables)
        schedule = PolynomialDecay(0.0, 0.5, 0, 20, frequency=5)
        pruning = Pruning("group4", schedule, state=path)
        pruning.start(model, optimizer)
        for _ in range(steps):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
            variables = model.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
            pruning.after_step(model, optimizer=optimizer)
        return pruning, model, optimizer

    whole, expected, _ = run(20)
    path.unlink()
    pruning, model, optimizer = run(12)
    with pytest.raises(ValueError, match="a training that has begun"):
        Pruning("group4", ConstantSparsity(0.5, 0), state=path).save_state()
    pruning.save_state()
    again, model, _ = run(8, model, optimizer)
    assert again.step == whole.step == 20
    np.testing.assert_array_equal(dense.kernel(model), dense.kernel(expected))


METHODS = {
    "random": lambda path: Pruning(
        "group4", PolynomialDecay(0.0, 0.5, 0, 30, frequency=3), score=Random(1), state=path
    ),
    "rewinding": lambda path: Pruning(
        "group4", IterativeMagnitude(0.75, 6, 30, 6, rewind_step=2), state=path
    ),
    "SET": lambda path: SET("group4", 0.5, update_every=2, end_step=30, state=path),
    "RigL": lambda path: RigL("group4", 0.5, update_every=2, end_step=30, state=path),
    "ADMM": lambda path: ADMM("group4", 0.5, 20, frequency=2, state=path),
}


@pytest.mark.parametrize("kind", METHODS)
def test_a_model_whose_automatic_names_moved_on(K, tmp_path, kind):
    """A notebook's cell that makes the model, run again: dense_1 has become dense_5."""

    def make():
        K.utils.set_random_seed(3)
        layers = [K.layers.Dense(8) for _ in range(4)]
        model = K.Sequential([K.Input((6,)), *layers])
        model.compile(K.optimizers.SGD(0.05), "mse", jit_compile=False)
        return model

    runs = []
    for name, restarts in (("whole", False), ("again", True)):
        path = tmp_path / f"{name}.npz"
        model, pruning = make(), METHODS[kind](path)
        dense.fit(model, pruning, epochs=1)
        if restarts:
            before, model = model, make()
            assert model.layers[1].name != before.layers[1].name
            model.set_weights(before.get_weights())
            pruning = METHODS[kind](path)
        dense.fit(model, pruning, epochs=2)
        assert pruning.step == 3 * dense.BATCHES
        runs.append(pruning)
    for a, b in zip(runs[0]._masks, runs[1]._masks):
        assert a.sparsity == b.sparsity and a.name != b.name
        if kind == "random":
            np.testing.assert_array_equal(a.keep, b.keep)


class TestOlderStates:
    """Filed by the optimizer's count, without weights; rewinding by position."""

    @pytest.fixture
    def older(self, tmp_path):
        """Rewrites a state as version 0.1 had it."""

        def rewrite(path):
            with np.load(path) as file:
                arrays = dict(file)
            epochs = [int(arrays[f"{step}/iterations"]) for step in arrays.pop("epochs")]
            old = {"epochs": np.array(epochs)}
            for key, value in arrays.items():
                step, name = key.split("/", 1)
                if name.split("/")[-1] in ("rate", "weights", "marked"):
                    continue
                if name.startswith("rewind/"):
                    name = f"rewind/{sum('/rewind/' in k for k in old)}"
                old[f"{int(arrays[f'{step}/iterations'])}/{name}"] = value
            np.savez_compressed(path, **old)

        return rewrite

    @pytest.mark.parametrize("kind", ["random", "SET", "ADMM"])
    def test_are_read(self, K, tmp_path, older, kind):
        path = tmp_path / "state.npz"
        model = dense.make(K)
        dense.fit(model, METHODS[kind](path))
        older(path)
        pruning = METHODS[kind](path)
        dense.fit(model, pruning)
        assert pruning.step == 2 * dense.BATCHES

    def test_are_refused_where_they_mean_something_else(self, tmp_path, older):
        import keras as K

        path = tmp_path / "state.npz"
        model = dense.make(K)
        dense.fit(model, METHODS["rewinding"](path))
        older(path)
        with pytest.raises(ValueError, match="state.npz can't be used. .*by an older version"):
            dense.fit(model, METHODS["rewinding"](path))
        path.unlink()
        model = MODELS["accumulated"](K)
        dense.fit(model, METHODS["random"](path))
        older(path)
        with pytest.raises(ValueError, match="older version, which counted the optimizer's upd"):
            dense.fit(model, METHODS["random"](path))

    def test_what_is_compared_has_no_names(self, K):
        model = dense.make(K)
        callback = METHODS["SET"](None)
        callback._begin(model)
        assert json.JSONDecoder().raw_decode(callback._config())[0]["kernels"][0][0] == "b"
