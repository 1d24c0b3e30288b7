"""Interrupted and resumed runs, what is written for TensorBoard, and pictures."""

import numpy as np
import pytest
import tensorflow as tf

from sbnn_tf.keras_model import kernels
from sbnn_tf.keras_model.plotting import plot
from sbnn_tf.patterns import KernelPattern
from sbnn_tf.plan.importance import Random
from sbnn_tf.plan.policy import Policy
from sbnn_tf.plan.schedules import ConstantSparsity, IterativeMagnitude, PolynomialDecay
from sbnn_tf.train.admm import ADMM
from sbnn_tf.train.callback import Pruning
from sbnn_tf.train.state import StateFile

RISING = dict(initial_sparsity=0.0, final_sparsity=0.75, begin_step=1, end_step=24, frequency=3)


class _Killed(Exception):
    pass


def _kill(K, at):
    """Ends the fit after so many steps in it."""

    class Kill(K.callbacks.Callback):
        steps = 0

        def on_train_batch_end(self, batch, logs=None):
            self.steps += 1
            if self.steps == at:
                raise _Killed

    return Kill()


METHODS = {
    "movement": lambda state: Pruning(
        "group4", PolynomialDecay(**RISING), score="movement", state=state
    ),
    "taylor, budget": lambda state: Pruning(
        "group4", PolynomialDecay(**RISING), score="taylor", budget="global", state=state
    ),
    "rewind": lambda state: Pruning(
        "unstructured", IterativeMagnitude(0.75, 6, 22, 4, rewind_step=2), state=state
    ),
    "admm": lambda state: ADMM("group4", 0.5, prune_step=18, rho=0.1, frequency=3, state=state),
}


@pytest.mark.parametrize(
    "K, method",
    [
        ("keras", "movement"),
        ("keras", "rewind"),
        ("tf_keras", "taylor, budget"),
        ("tf_keras", "admm"),
    ],
    indirect=["K"],
)
def test_resumed_in_mid_schedule_bit_by_bit(K, functional, data, tmp_path, method):
    x, y = data

    def run(folder, kill=None):
        """Three epochs of 8 steps; killed at a step, and started again in what is a new process."""
        folder.mkdir()
        for at in (kill, None) if kill else (None,):
            K.utils.set_random_seed(3)
            model = functional(K.optimizers.Adam(0.01))
            pruning = METHODS[method](folder / "state.npz")
            callbacks = [pruning, K.callbacks.BackupAndRestore(str(folder / "backup"))]
            if at:
                callbacks.append(_kill(K, at))
            try:
                model.fit(x, y, epochs=3, shuffle=False, verbose=0, callbacks=callbacks)
            except _Killed:
                assert at
        return pruning, model

    whole, expected = run(tmp_path / "whole")
    again, found = run(tmp_path / "again", kill=19)
    assert again.step == whole.step == 24 and 0.4 < again.sparsity == whole.sparsity
    for a, b in zip(expected.get_weights(), found.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_a_saved_model_goes_on(K, functional, data, tmp_path):
    """The masks come from the file: zeros alone do not tell."""
    model = functional()
    path = tmp_path / "state.npz"
    schedule = ConstantSparsity(0.5, 0)
    model.fit(*data, verbose=0, callbacks=[Pruning("group4", schedule, state=path)])
    masks = [mask.numpy() != 0 for mask in model.trainable_variables]
    model.save(tmp_path / "model.keras")
    loaded = K.models.load_model(tmp_path / "model.keras")
    pruning = Pruning("group4", schedule, state=path)
    loaded.fit(*data, verbose=0, callbacks=[pruning])
    assert pruning.step == 16 and pruning.sparsity == 0.5
    for before, after in zip(masks, loaded.trainable_variables):
        np.testing.assert_array_equal(before, after.numpy() != 0)


def test_library_of_tap_patterns_is_kept(K, data, tmp_path):
    layers = [K.layers.Conv2D(8, 3, padding="same", name=f"c{i}") for i in range(3)]
    model = K.Sequential([K.Input((4, 4, 3)), *layers, K.layers.Flatten(), K.layers.Dense(5)])
    model.compile("sgd", K.losses.SparseCategoricalCrossentropy(True), jit_compile=False)
    path = tmp_path / "state.npz"
    libraries = []
    for _ in range(2):
        pattern = KernelPattern(4, 3, 4)
        pruning = Pruning(pattern, ConstantSparsity(0.6, 0), Policy(include="c*"), state=path)
        model.fit(*data, verbose=0, callbacks=[pruning])
        libraries.append([mask.pattern.library for mask in pruning._masks])
        assert all(mask.pattern.explains(~mask.keep) for mask in pruning._masks)
    assert libraries[0] == libraries[1] and pruning.step == 16


class TestStateFile:
    def state(self, step, count=None, rate=1.0):
        count = step if count is None else count
        return {"step": step, "iterations": count, "weights": np.uint64(1000 + step), "rate": rate}

    def found(self, file, *models):
        return [int(StateFile(file.path).load(*model)["step"]) for model in models]

    def test_finds_the_state_that_goes_with_a_model(self, tmp_path):
        file = StateFile(tmp_path / "s.npz")
        assert file.load(5, 1) is None
        file.save(0, self.state(0), epoch_end=True)
        for step in (3, 6):
            file.save(step, self.state(step))
        file.save(8, self.state(8), epoch_end=True)
        file.save(9, self.state(9))
        by_count = [(n, 1) for n in (0, 2, 3, 7, 8, 9, 99)]
        assert self.found(file, *by_count) == [0, 0, 3, 6, 8, 9, 9]
        # weights are the surer sign; a count may have been lost
        assert self.found(file, (99, 1003), (0, 1006), (8, 1008)) == [3, 6, 8]
        file.save(16, self.state(16), epoch_end=True)
        with pytest.raises(ValueError, match=r"states of steps \[8, 9, 16\].*optimizer's step 7"):
            StateFile(file.path).load(7, 1)

    def test_only_weights_tell_where_the_optimizer_is_not_seen(self, tmp_path):
        file = StateFile(tmp_path / "s.npz")
        for step in (0, 4, 8):
            rate = 0.0 if step else float("nan")
            file.save(step, self.state(step, 0, rate), epoch_end=True)
        assert self.found(file, (0, 1004), (0, 1008)) == [4, 8]
        with pytest.raises(ValueError, match="none has the weights of the model"):
            StateFile(file.path).load(0, 1)

    def test_weights_that_do_not_change_are_told_apart_by_the_count(self, tmp_path):
        file = StateFile(tmp_path / "s.npz")
        for step in (0, 4, 8):
            file.save(step, {**self.state(step), "weights": np.uint64(7)})
        assert self.found(file, (5, 7), (8, 7), (3, 7)) == [4, 8, 0]

    def test_a_recompiled_optimizer_counts_anew(self, tmp_path):
        file = StateFile(tmp_path / "s.npz")
        for step, count in ((100, 100), (150, 50)):
            file.save(step, self.state(step, count))
        assert self.found(file, (60, 1), (100, 1100)) == [150, 100]

    def test_killed_while_saving(self, tmp_path, monkeypatch):
        file = StateFile(tmp_path / "s.npz")
        file.save(0, self.state(0))

        def killed(*_):
            raise KeyboardInterrupt

        for moment in ("os.replace", "os.fdopen"):
            with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
                patch.setattr(moment, killed)
                file.save(1, self.state(1))
            assert self.found(file, (1, 1)) == [0]

    def test_damaged(self, tmp_path):
        path = tmp_path / "s.npz"
        StateFile(path).save(0, self.state(0))
        content = path.read_bytes()
        for bad in (b"", b"no zip at all", content[: len(content) // 2]):
            path.write_bytes(bad)
            with pytest.raises(ValueError, match="holds no state"):
                StateFile(path).load(0, 1)
        with pytest.raises(ValueError, match="no folder"):
            StateFile(tmp_path / "nowhere" / "s.npz")


class TestAnotherModel:
    @pytest.fixture
    def saved(self, functional, data, tmp_path):
        path = tmp_path / "state.npz"
        model = functional()
        callback = Pruning("group4", ConstantSparsity(0.5, 0), score=Random(1), state=path)
        model.fit(*data, verbose=0, callbacks=[callback])
        return model, path

    def resume(self, model, path, data, **options):
        options = {"score": Random(1), **options}
        callback = Pruning("group4", ConstantSparsity(0.5, 0), state=path, **options)
        model.fit(*data, verbose=0, callbacks=[callback])

    def test_another_seed_or_other_layers(self, saved, data):
        model, path = saved
        with pytest.raises(ValueError, match=r"another model or score.*Random\(seed=1\).*seed=2"):
            self.resume(model, path, data, score=Random(2))
        with pytest.raises(ValueError, match="another model or score"):
            self.resume(model, path, data, policy=Policy(include="pw"))

    def test_other_weights(self, saved, data):
        model, path = saved
        model.get_layer("pw").set_weights([w + 1 for w in model.get_layer("pw").get_weights()])
        with pytest.raises(
            ValueError, match="changed since .*'pw' has weights where it was pruned"
        ):
            self.resume(model, path, data)

    def test_a_model_that_starts_anew(self, saved, functional, data):
        model, path = saved
        self.resume(model, path, data)  # another epoch: the start is forgotten
        with pytest.raises(ValueError, match="delete the file to start over"):
            self.resume(functional(), path, data)


def _events(folder):
    from tensorflow.core.util import event_pb2

    for path in sorted(folder.glob("*tfevents*")):
        for record in tf.data.TFRecordDataset(str(path)):
            event = event_pb2.Event.FromString(record.numpy())
            for value in event.summary.value:
                yield event.step, value.tag, value.tensor


def test_tensorboard(functional, data, tmp_path):
    pruning = Pruning("group4", PolynomialDecay(0.0, 0.5, 0, 8, frequency=4), log_dir=tmp_path)
    functional().fit(*data, verbose=0, callbacks=[pruning])
    pruning.write_mask_pictures()
    found = {(step, tag): tensor for step, tag, tensor in _events(tmp_path)}
    at_end = {tag: t for (step, tag), t in found.items() if step == 8}
    assert tf.make_ndarray(at_end["sparsity/pw"]) == 0.5
    assert 0.5 < tf.make_ndarray(at_end["kept_score/pw"]) < 1.0
    churn = [tf.make_ndarray(t) for (_, tag), t in sorted(found.items()) if tag == "churn/pw"]
    assert sum(churn) == pytest.approx(0.5)  # nothing came back
    width, height, png = tf.make_ndarray(at_end["mask/pw"])
    image = tf.io.decode_png(png).numpy()
    assert image.shape == (24, 8, 1) and (image == 255).mean() == 0.5
    with pytest.raises(ValueError, match="need a log_dir"):
        Pruning("group4", ConstantSparsity(0.5, 0)).write_mask_pictures()


def test_plot(functional, data, tmp_path):
    model = functional(full=True)
    model.fit(*data, verbose=0, callbacks=[Pruning("group4", ConstantSparsity(0.5, 0))])
    figure = plot(model, "pw")
    bars, mask = figure.axes
    found = dict(zip((t.get_text() for t in bars.get_yticklabels()), bars.patches))
    assert {name: bar.get_width() for name, bar in found.items()} == {
        kernel.name: float(np.mean(kernel.value() == 0)) for kernel in kernels.find(model)
    }
    shown = mask.images[0].get_array()
    np.testing.assert_array_equal(shown, model.get_layer("pw").get_weights()[0][0, 0].T != 0)
    figure.savefig(tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 1000
    assert "kept weights" in plot(model).axes[1].get_title()
    with pytest.raises(ValueError, match="No kernel is named 'pww'; there are: stem, pw"):
        plot(model, "pww")
