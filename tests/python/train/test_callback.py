"""Pruning in model.fit: masks hold inside the train step, and nothing stays behind."""

import warnings

import numpy as np
import pytest
import tensorflow as tf

from sbnn_tf.keras_model import kernels
from sbnn_tf.patterns import Group
from sbnn_tf.plan.policy import Policy
from sbnn_tf.plan.schedules import ConstantSparsity, PolynomialDecay
from sbnn_tf.train.callback import Pruning

PRUNED = ("pw", "sep/pointwise", "hidden")  # by the default policy
HALF = ConstantSparsity(0.5, begin_step=0)


def _variable(model, name="pw"):
    return next(k.variable for k in kernels.find(model) if k.name == name)


def _probing(K):
    """A model class that looks at its pointwise kernel after every optimizer step.

    `fewest` is the smallest number of weights that were +0.0 (bit for bit) after any step.
    """

    class Probing(K.Model):
        def train_step(self, data):
            result = super().train_step(data)
            weights = tf.convert_to_tensor(_variable(self))
            zeros = tf.reduce_sum(tf.cast(tf.equal(tf.bitcast(weights, tf.int32), 0), tf.int32))
            self.fewest.assign(tf.minimum(self.fewest, zeros))
            self.probes.assign_add(1)
            return result

        def start_probe(self):
            self.fewest.assign(10**6)
            self.probes.assign(0)

    return Probing


def _with_probe(model):
    model.fewest = tf.Variable(10**6, trainable=False)
    model.probes = tf.Variable(0, trainable=False)
    return model


def _optimizers(K):
    return {
        "momentum": lambda: K.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        "adam": lambda: K.optimizers.Adam(0.01),
        "adamw": lambda: K.optimizers.AdamW(0.01, weight_decay=0.1),
    }


class TestMasksHoldAfterEveryStep:
    @pytest.mark.parametrize(
        "optimizer, options",
        [
            ("momentum", {}),
            ("adam", {"jit_compile": True}),
            ("adam", {"steps_per_execution": 16}),
            ("adamw", {"steps_per_execution": 16, "jit_compile": True}),
            ("adamw", {"run_eagerly": True}),
        ],
        ids=lambda v: v if isinstance(v, str) else "-".join(v) or "plain",
    )
    def test_in_a_model_that_was_trained_before(self, K, functional, data, optimizer, options):
        model = _with_probe(functional(_optimizers(K)[optimizer](), cls=_probing(K), **options))
        model.fit(*data, epochs=1, verbose=0)
        assert model.probes.numpy() == 8
        assert model.fewest.numpy() == 0  # the probe can fail
        model.start_probe()
        history = model.fit(*data, epochs=2, verbose=0, callbacks=[Pruning(Group(4), HALF)])
        assert model.probes.numpy() == 16
        assert model.fewest.numpy() == 96  # half of 8 x 24
        assert history.history["sparsity"] == [0.5, 0.5]
        if options.get("jit_compile"):
            return  # slow to compile, and no different from here on
        model.start_probe()
        model.fit(*data, epochs=1, verbose=0)  # a plain fit: nothing is left
        assert model.probes.numpy() == 8 and model.fewest.numpy() < 48

    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
    @pytest.mark.parametrize("steps", [1, 16])
    def test_in_mixed_precision(self, K, functional, data, set_policy, policy, steps):
        set_policy(K, policy)
        model = functional("adam", cls=_probing(K), steps_per_execution=steps)
        model = _with_probe(model)
        if policy == "mixed_float16":
            assert "LossScale" in type(model.optimizer).__name__
        model.fit(*data, epochs=1, verbose=0)
        model.start_probe()
        model.fit(*data, epochs=2, verbose=0, callbacks=[Pruning(Group(4), HALF)])
        assert model.probes.numpy() == 16 and model.fewest.numpy() == 96

    def test_with_gradient_accumulation(self, K, functional, data):
        if K.__name__ == "tf_keras":
            pytest.skip("tf_keras has no gradient accumulation")
        optimizer = K.optimizers.Adam(0.01, gradient_accumulation_steps=3)
        model = _with_probe(functional(optimizer, cls=_probing(K)))
        model.fit(*data, epochs=2, verbose=0, callbacks=[Pruning(Group(4), HALF)])
        assert model.probes.numpy() == 16 and model.fewest.numpy() == 96

    def test_with_a_legacy_optimizer(self, K, functional, data):
        if K.__name__ == "keras":
            pytest.skip("Keras 3 has no legacy optimizers")
        optimizer = K.optimizers.legacy.SGD(0.05, momentum=0.9)
        model = _with_probe(functional(optimizer, cls=_probing(K)))
        model.fit(*data, epochs=2, verbose=0, callbacks=[Pruning(Group(4), HALF)])
        assert model.fewest.numpy() == 96

    def test_where_gradients_are_nan(self, K, functional, data, zeros):
        """Masks select: NaN times zero would be NaN."""
        model = functional(K.optimizers.SGD(float("nan")))
        model.fit(*data, verbose=0, callbacks=[Pruning(Group(4), HALF)])
        assert np.isnan(_variable(model).numpy()).mean() == 0.5
        assert zeros(model)["pw"] == 0.5


@pytest.mark.parametrize("kind", ["functional", "sequential", "subclassed"])
def test_every_kind_of_model(K, request, data, assert_pruned, kind):
    model = request.getfixturevalue(kind)(**({"full": True} if kind == "functional" else {}))
    model.fit(*data, epochs=2, verbose=0, callbacks=[Pruning("group4", HALF)])
    assert_pruned(model, 0.5)


@pytest.mark.parametrize(
    "policy, pruned", [(None, PRUNED), (Policy(include="backbone/pw"), ["pw"])]
)
def test_a_backbone_inside_a_model(K, functional, data, assert_pruned, policy, pruned):
    backbone = functional(full=True)
    inner = K.Model(backbone.inputs, backbone.layers[-2].output, name="backbone")
    model = K.Sequential([inner, K.layers.Dense(5)])
    model.build((None, 4, 4, 3))
    loss = K.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, jit_compile=False)
    model.fit(*data, epochs=1, verbose=0, callbacks=[Pruning("group4", HALF, policy)])
    assert_pruned(model, 0.5, only=pruned)


def test_group_that_does_not_divide_is_made_smaller(functional, data):
    model = functional(full=True)
    model.fit(*data, verbose=0, callbacks=[Pruning(Group(16), HALF)])
    for name, size in (("pw", 8), ("sep/pointwise", 16), ("hidden", 4)):
        assert Group(size).explains(_variable(model, name).numpy() == 0)


class TestSchedule:
    def fit(self, model, data, schedule, epochs=3, **kwargs):
        pruning = Pruning(Group(4), schedule, **kwargs)
        history = model.fit(*data, epochs=epochs, verbose=0, callbacks=[pruning])
        return pruning, history.history["sparsity"]

    @pytest.mark.parametrize("steps", [1, 3, 16])
    def test_target_is_reached_at_the_end_whatever_the_frequency(
        self, functional, data, assert_pruned, steps
    ):
        model = functional(steps_per_execution=steps)
        schedule = PolynomialDecay(0.0, 0.75, 2, 20, frequency=7)
        pruning, sparsity = self.fit(model, data, schedule)
        assert pruning.step == 24
        assert sparsity[-1] == pytest.approx(0.75, abs=0.01)
        assert_pruned(model, 0.75)

    def test_steps_count_from_the_fit_not_from_the_first_training(self, functional, data):
        model = functional()
        model.fit(*data, epochs=4, verbose=0)  # 32 steps: the optimizer is past the schedule's end
        schedule = PolynomialDecay(0.0, 0.5, 0, 24, power=1, frequency=1)
        _, sparsity = self.fit(model, data, schedule)
        assert sparsity == pytest.approx([1 / 6, 2 / 6, 3 / 6], abs=0.02)

    def test_a_second_fit_goes_on(self, functional, data, zeros):
        model = functional()
        schedule = PolynomialDecay(0.0, 0.5, 0, 16, power=1, frequency=1)
        pruning = Pruning(Group(4), schedule)
        with pytest.warns(UserWarning, match="stopped at step 8.*ends at step 16.*0.25"):
            model.fit(*data, verbose=0, callbacks=[pruning])
        quarter = _variable(model).numpy() == 0
        model.fit(*data, verbose=0, callbacks=[pruning])
        half = _variable(model).numpy() == 0
        assert pruning.step == 16
        assert quarter.mean() == 0.25 and half.mean() == 0.5
        assert half[quarter].all()

    def test_a_resumed_run(self, functional, data, assert_pruned):
        model = functional()
        schedule = PolynomialDecay(0.0, 0.5, 0, 1000)
        pruning, sparsity = self.fit(model, data, schedule, epochs=1, initial_step=1000)
        assert sparsity == [0.5] and pruning.step == 1008
        assert_pruned(model, 0.5)

    def test_before_the_beginning_nothing_is_pruned(self, functional, data, assert_pruned):
        model = functional()
        with pytest.warns(UserWarning, match="begins at step 1000"):
            _, sparsity = self.fit(model, data, ConstantSparsity(0.5, 1000), epochs=1)
        assert sparsity == [0.0]
        assert_pruned(model, 0.0)

    def test_another_model_starts_anew(self, functional, data):
        pruning = Pruning(Group(4), HALF)
        for _ in range(2):
            functional().fit(*data, verbose=0, callbacks=[pruning])
            assert pruning.step == 8

    def test_a_plain_callable_keeps_its_masks_in_the_next_fit(self, functional, data, zeros):
        """It prunes at step 3 only, and has no begin_step that could be asked."""
        model = functional()
        pruning = Pruning(Group(4), lambda step: (int(step) == 3, 0.5))
        model.fit(*data, verbose=0, callbacks=[pruning])
        model.fit(*data, verbose=0, callbacks=[pruning])
        assert zeros(model)["pw"] == 0.5

    def test_pruned_weights_stay_pruned(self, K, functional, data):
        model = functional()
        seen = []

        class Watch(K.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                seen.append(_variable(model).numpy() == 0)

        pruning = Pruning(Group(4), PolynomialDecay(0.0, 0.9, 0, 24, frequency=1))
        model.fit(*data, epochs=3, verbose=0, callbacks=[pruning, Watch()])
        assert seen[-1].mean() == pytest.approx(0.9, abs=0.02)
        assert all(after[before].all() for before, after in zip(seen, seen[1:]))

    @pytest.mark.filterwarnings("ignore:.*ran out of data")
    def test_data_that_ends_within_an_execution(self, functional, data):
        dataset = tf.data.Dataset.from_tensor_slices(data).batch(32)  # 8 steps
        model = functional(steps_per_execution=3)
        pruning = Pruning(Group(4), PolynomialDecay(0.0, 0.5, 0, 8))
        model.fit(dataset, steps_per_epoch=9, verbose=0, callbacks=[pruning])
        assert pruning.step == 8 and pruning.sparsity == 0.5

    def test_model_that_trains_with_an_optimizer_of_its_own(self, K, functional, data, zeros):
        own = K.optimizers.SGD(0.05)

        class Own(K.Model):
            def train_step(self, data):
                x, y = data
                with tf.GradientTape() as tape:
                    predicted = self(x, training=True)
                    losses = K.losses.sparse_categorical_crossentropy(y, predicted, True)
                    loss = tf.reduce_mean(losses)
                gradients = tape.gradient(loss, self.trainable_variables)
                own.apply_gradients(zip(gradients, self.trainable_variables))
                return self.compute_metrics(x, y, predicted, None)

        model = functional(cls=Own)
        own.build(model.trainable_variables)
        pruning = Pruning(Group(4), PolynomialDecay(0.0, 0.5, 0, 8))
        model.fit(*data, verbose=0, callbacks=[pruning])
        assert pruning.step == 8 and zeros(model)["pw"] == 0.5


class TestLogs:
    @pytest.mark.parametrize("first", [True, False])
    def test_sparsity_is_there_for_all_callbacks(self, K, functional, data, first):
        batches, epochs = [], []

        class Watch(K.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                batches.append(logs["sparsity"])

            def on_epoch_end(self, epoch, logs=None):
                epochs.append(dict(logs))

        pruning = Pruning(Group(4), PolynomialDecay(0.0, 0.5, 0, 16, frequency=4))
        callbacks = [Watch(), pruning] if first else [pruning, Watch()]
        history = functional().fit(
            *data, epochs=2, verbose=0, callbacks=callbacks, validation_data=data
        )
        assert len(batches) == 16 and batches == sorted(batches) and batches[-1] == 0.5
        assert {"loss", "accuracy", "val_loss", "sparsity"} <= set(epochs[0])
        assert [e["sparsity"] for e in epochs] == history.history["sparsity"]

    def test_progress_bar_shows_it(self, functional, data, capfd):
        functional().fit(*data, verbose=2, callbacks=[Pruning(Group(4), HALF)])
        assert "sparsity: 0.5" in capfd.readouterr().out

    def test_loggers_in_front_write_it(self, K, functional, data, tmp_path):
        """As TensorBoard does, which is not installed here: all that is in the epoch's logs."""
        logger = K.callbacks.CSVLogger(str(tmp_path / "log.csv"))
        functional().fit(*data, verbose=0, callbacks=[logger, Pruning(Group(4), HALF)])
        header, line = (tmp_path / "log.csv").read_text().splitlines()
        assert dict(zip(header.split(","), line.split(",")))["sparsity"] == "0.5"

    def test_a_callback_without_a_list(self, functional, data, assert_pruned):
        model = functional()
        history = model.fit(*data, epochs=2, verbose=0, callbacks=Pruning(Group(4), HALF))
        assert history.history["sparsity"] == [0.5, 0.5]
        assert_pruned(model, 0.5)


class TestInterrupted:
    """Keras calls no callback after an exception."""

    def interrupt(self, K, model, data, how):
        error = KeyboardInterrupt if how == "keyboard" else RuntimeError

        class Stop(K.callbacks.Callback):
            def on_train_batch_begin(self, batch, logs=None):
                if how == "batch begin" and batch == 2:
                    raise error("stop")

            def on_train_batch_end(self, batch, logs=None):
                if how in ("batch end", "keyboard") and batch == 2:
                    raise error("stop")

            def on_epoch_end(self, epoch, logs=None):
                if how == "epoch end":
                    raise error("stop")

        def batches():
            for i in range(8):
                if how == "data" and i == 2:
                    raise error("stop")
                yield data[0][:32], data[1][:32]

        callbacks = [Pruning(Group(4), HALF), Stop()]
        # What Python raises in a data set, TensorFlow wraps.
        raised = tf.errors.OpError if how == "data" else error
        spec = (tf.TensorSpec((32, 4, 4, 3)), tf.TensorSpec((32,), tf.int32))
        source = tf.data.Dataset.from_generator(batches, output_signature=spec)
        with pytest.raises((raised, error)):
            model.fit(source, verbose=0, callbacks=callbacks)
        return callbacks[0]

    @pytest.mark.parametrize("how", ["data", "batch begin", "batch end", "epoch end", "keyboard"])
    def test_nothing_is_left(self, K, functional, data, zeros, how):
        constraint = K.constraints.MaxNorm(9.0)
        model = functional(constraint=constraint)
        model.fit(*data, verbose=0)
        pruning = self.interrupt(K, model, data, how)
        assert zeros(model)["pw"] == 0.5  # what was pruned so far is masked
        assert _variable(model).constraint is constraint
        assert _variable(model, "hidden").constraint is None
        model.fit(*data, verbose=0)
        assert set(zeros(model).values()) == {0.0}
        model.fit(*data, verbose=0, callbacks=[pruning])
        assert zeros(model)["pw"] == 0.5
        model.fit(*data, verbose=0)
        assert set(zeros(model).values()) == {0.0}

    def test_then_train_on_batch(self, K, functional, data, zeros):
        model = functional()
        self.interrupt(K, model, data, "batch end")
        for _ in range(3):
            model.train_on_batch(data[0][:32], data[1][:32])
        assert set(zeros(model).values()) == {0.0}

    def test_then_another_callback_with_the_same_history(self, K, functional, data, zeros):
        model = functional()
        self.interrupt(K, model, data, "epoch end")
        callbacks = [Pruning(Group(4), ConstantSparsity(0.75, 0)), K.callbacks.History()]
        model.fit(*data, verbose=0, callbacks=callbacks)
        assert zeros(model)["pw"] == 0.75


class TestConstraints:
    def test_are_composed_with_and_restored(self, K, functional, data, assert_pruned):
        constraint = K.constraints.UnitNorm(axis=[0, 1, 2])
        model = functional(constraint=constraint)
        model.fit(*data, epochs=2, verbose=0, callbacks=[Pruning(Group(4), HALF)])
        assert_pruned(model, 0.5)
        norms = np.sqrt(np.square(_variable(model).numpy()).sum(axis=(0, 1, 2)))
        kept = norms > 0
        np.testing.assert_allclose(norms[kept], 1.0, atol=1e-3)
        assert _variable(model).constraint is constraint

    def test_that_turn_zeros_into_something_else(self, functional, data, assert_pruned):
        model = functional(constraint=lambda w: tf.maximum(w, 0.125))
        model.fit(*data, verbose=0, callbacks=[Pruning(Group(4), HALF)])
        assert_pruned(model, 0.5)
        weights = _variable(model).numpy()
        assert weights[weights != 0].min() >= 0.125

    def test_user_constraint_works_in_a_plain_fit_afterwards(self, functional, data):
        model = functional(constraint=lambda w: tf.maximum(w, 0.125))
        model.fit(*data, verbose=0, callbacks=[Pruning(Group(4), HALF)])
        model.fit(*data, verbose=0)
        assert _variable(model).numpy().min() == 0.125


class TestEndOfTraining:
    @pytest.mark.parametrize("first", [True, False])
    def test_early_stopping_restores_masked_weights(
        self, K, functional, data, assert_pruned, first
    ):
        # The best epoch is the least sparse one.
        stop = K.callbacks.EarlyStopping(
            "sparsity", mode="min", patience=5, restore_best_weights=True
        )
        pruning = Pruning(Group(4), PolynomialDecay(0.0, 0.75, 0, 24, frequency=1))
        callbacks = [pruning, stop] if first else [stop, pruning]
        model = functional()
        with pytest.warns(UserWarning, match="restored weights that were less sparse"):
            history = model.fit(*data, epochs=4, verbose=0, callbacks=callbacks)
        assert_pruned(model, 0.75)
        assert "on_train_end" not in vars(history)

    def test_no_warning_where_nothing_was_restored(self, K, functional, data):
        stop = K.callbacks.EarlyStopping("loss", patience=5, restore_best_weights=True)
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            callbacks = [Pruning(Group(4), HALF), stop]
            functional().fit(*data, epochs=2, verbose=0, callbacks=callbacks)

    @pytest.mark.parametrize("overwrite", [None, 3])
    def test_averaged_weights_are_masked(self, K, functional, data, assert_pruned, overwrite):
        optimizer = K.optimizers.Adam(
            0.01, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=overwrite
        )
        model = _with_probe(functional(optimizer, cls=_probing(K)))
        model.fit(*data, epochs=1, verbose=0)
        model.start_probe()
        masks = []

        class Watch(K.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                masks.append(_variable(model).numpy() == 0)

        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            model.fit(*data, epochs=2, verbose=0, callbacks=[Pruning(Group(4), HALF), Watch()])
        assert model.fewest.numpy() == 96
        assert_pruned(model, 0.5)
        np.testing.assert_array_equal(_variable(model).numpy() == 0, masks[-1])

    def test_weights_loaded_when_training_begins(self, K, functional, data, assert_pruned):
        model = functional()
        weights = [np.array(w) for w in model.get_weights()]

        class Load(K.callbacks.Callback):
            def on_train_begin(self, logs=None):
                self.model.set_weights(weights)

        model.fit(*data, verbose=0)
        callbacks = [Pruning(Group(4), HALF), Load()]
        model.fit(*data, verbose=0, callbacks=callbacks)
        assert_pruned(model, 0.5)

    def test_a_train_step_that_writes_weights_itself(self, K, functional, data, zeros):
        class Meddle(K.Model):
            def train_step(self, data):
                result = super().train_step(data)
                _variable(self).assign_add(tf.ones_like(_variable(self)))
                return result

        seen = []

        class Look(K.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                seen.append(zeros(self.model)["pw"])

        model = functional(cls=Meddle)
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            model.fit(*data, verbose=0, callbacks=[Pruning(Group(4), HALF), Look()])
        assert seen == [0.5] * 8

    def test_a_callback_that_writes_weights_is_told(self, K, functional, data, assert_pruned):
        class Meddle(K.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                _variable(self.model).assign_add(tf.ones_like(_variable(self.model)))

        model = functional()
        with pytest.warns(UserWarning, match="something else than a Keras optimizer.*'pw'"):
            model.fit(*data, verbose=0, callbacks=[Pruning(Group(4), HALF), Meddle()])
        assert_pruned(model, 0.5)


class TestSaving:
    @pytest.mark.parametrize("kind", ["functional", "sequential"])
    def test_needs_no_custom_objects(self, request, K, data, tmp_path, assert_pruned, kind):
        model = request.getfixturevalue(kind)()
        names = [w.name for w in model.weights]
        best = tmp_path / "best.keras"
        callbacks = [Pruning(Group(4), HALF), K.callbacks.ModelCheckpoint(str(best))]
        model.fit(*data, verbose=0, callbacks=callbacks)
        model.save(str(tmp_path / "last.keras"))
        assert [w.name for w in model.weights] == names
        for path in (best, tmp_path / "last.keras"):
            loaded = K.models.load_model(str(path))
            assert_pruned(loaded, 0.5)
            np.testing.assert_array_equal(
                loaded.predict(data[0], verbose=0), model.predict(data[0], verbose=0)
            )
            loaded.fit(*data, verbose=0, callbacks=[Pruning(Group(4), ConstantSparsity(0.75, 0))])
            assert_pruned(loaded, 0.75)

    def test_saved_model_while_training(self, K, functional, data, tmp_path):
        class Export(K.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                tf.saved_model.save(self.model, str(tmp_path / "saved"))

        functional().fit(*data, verbose=0, callbacks=[Pruning(Group(4), HALF), Export()])
        tf.saved_model.load(str(tmp_path / "saved"))


class TestMistakes:
    def test_model_never_built(self, subclassed):
        with pytest.raises(ValueError, match="never been built.*model.build"):
            Pruning("group4", HALF).after_step(subclassed(build=False))

    def test_two_callbacks_in_one_fit(self, functional, data, zeros):
        model = functional()
        two = [Pruning("group4", HALF, Policy(include=name)) for name in ("pw", "hidden")]
        with pytest.raises(ValueError, match="Two Pruning callbacks"):
            model.fit(*data, verbose=0, callbacks=two)
        model.fit(*data, verbose=0)
        assert set(zeros(model).values()) == {0.0}

    def test_bad_arguments(self):
        with pytest.raises(TypeError, match="Expected a schedule"):
            Pruning(Group(4), 0.5)
        with pytest.raises(ValueError, match="Unknown pattern"):
            Pruning("blocks", HALF)
        with pytest.raises(TypeError, match="policy must be a Policy"):
            Pruning(Group(4), HALF, policy="dense*")
        with pytest.raises(ValueError, match="initial_step"):
            Pruning(Group(4), HALF, initial_step=-1)

    def test_not_a_keras_model(self):
        with pytest.raises(TypeError, match="Expected a Keras model"):
            Policy().choose(tf.Module(), Group(4))
