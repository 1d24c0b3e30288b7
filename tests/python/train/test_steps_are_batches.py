"""A step is one training batch, whatever an execution, the optimizer or a loop makes of it."""

import pytest
import tensorflow as tf

from sbnn_tf.plan.schedules import PolynomialDecay
from sbnn_tf.train.callback import Pruning
from sbnn_tf.train.rewiring import SET
from tests.python.train import dense

pytestmark = pytest.mark.filterwarnings("ignore:Training stopped at step")


def _rising(end=dense.BATCHES, **options):
    return Pruning("group4", PolynomialDecay(0.0, 0.5, 0, end, **options))


def _gan(K):
    """Two optimizers of its own, a step each for a batch; neither is that of `compile`."""

    class Two(K.Model):
        def train_step(self, data):
            x, y = data
            variables = self.trainable_variables
            for optimizer in self.own.values():
                with tf.GradientTape() as tape:
                    loss = tf.reduce_mean(tf.square(self(x, training=True) - y))
                gradients = tape.gradient(loss, variables)
                optimizer.apply_gradients(zip(gradients, variables))
            return {"loss": loss}

    model = dense.make(K, cls=Two)
    model.own = {"one": K.optimizers.SGD(0.01), "two": K.optimizers.Adam(0.01)}
    for optimizer in model.own.values():
        optimizer.build(model.trainable_variables)
    return model


def _accumulating(K):
    return K.optimizers.SGD(0.05, gradient_accumulation_steps=4)


MODELS = {
    "plain": lambda K: dense.make(K),
    "executions that fit": lambda K: dense.make(K, steps_per_execution=6),
    "executions that do not": lambda K: dense.make(K, steps_per_execution=5),
    "longer than an epoch": lambda K: dense.make(K, steps_per_execution=99),
    "eager": lambda K: dense.make(K, run_eagerly=True),
    "jit": lambda K: dense.make(K, jit_compile=True, steps_per_execution=5),
    "gan": _gan,
    "accumulating": lambda K: dense.make(K, optimizer=_accumulating(K)),
    "accumulating executions": lambda K: dense.make(
        K, optimizer=_accumulating(K), steps_per_execution=5
    ),
}


@pytest.mark.parametrize("kind", MODELS)
def test_an_epoch_has_as_many_steps_as_batches(K, kind):
    if "accumulating" in kind and K.__name__ == "tf_keras":
        pytest.skip("tf_keras has no gradient accumulation")
    model, pruning = MODELS[kind](K), _rising()
    history = model.fit(*dense.data(), batch_size=8, verbose=0, callbacks=[pruning])
    assert pruning.step == dense.BATCHES and history.history["sparsity"] == [0.5]
    model.fit(*dense.data(), batch_size=8, epochs=2, verbose=0, callbacks=[pruning])
    assert pruning.step == 3 * dense.BATCHES and dense.zeros(model) == 0.5


def test_a_step_without_data_is_none(K):
    model, pruning = dense.make(K, steps_per_execution=5), _rising()
    dataset = tf.data.Dataset.from_tensor_slices(dense.data()).batch(8)
    model.fit(dataset, steps_per_epoch=dense.BATCHES + 3, verbose=0, callbacks=[pruning])
    assert pruning.step == dense.BATCHES


@pytest.mark.filterwarnings("ignore:.*no update from here")
def test_updates_of_rewiring_come_by_batches_too(K):
    if K.__name__ == "tf_keras":
        pytest.skip("tf_keras has no gradient accumulation")
    steps = []

    class Spy(SET):
        def _rewire(self, step):
            steps.append(step)
            super()._rewire(step)

    spy = Spy("group4", 0.5, update_every=4, end_step=2 * dense.BATCHES)
    dense.make(K, optimizer=_accumulating(K)).fit(
        *dense.data(), batch_size=8, epochs=2, verbose=0, callbacks=[spy]
    )
    assert steps == [4, 8, 12, 16, 20]


def test_a_chain_of_fits_traces_once(K):
    traces = []

    class Counting(K.Model):
        def train_step(self, data):
            traces.append(1)
            return super().train_step(data)

    model, pruning = dense.make(K, cls=Counting), _rising(3 * dense.BATCHES, frequency=1)

    def fit(*callbacks):
        """How often it traces."""
        traces.clear()
        model.fit(*dense.data(), batch_size=8, verbose=0, callbacks=list(callbacks))
        return len(traces)

    assert fit(pruning) and not fit(pruning) and not fit(pruning)
    assert pruning.step == 3 * dense.BATCHES and dense.zeros(model) == 0.5
    assert fit() and dense.zeros(model) == 0  # a plain fit has a trace of its own
    assert not fit(pruning) and dense.zeros(model) == 0.5
    model.get_layer("a").trainable = False
    if K.__name__ == "keras":  # tf_keras goes by what was trainable in `compile`
        assert fit(pruning)
    model.compile(K.optimizers.SGD(0.05), "mse", jit_compile=False)
    assert fit(pruning) and dense.zeros(model) == 0.5


class TestHooksThatAreCalledByHand:
    """As in tfmot's guide to loops of one's own, and as CallbackList is used in them."""

    def loop(self, K, pruning, hooks, begins=True, ends=True, compiled=True, guide=False):
        """Two epochs; returns the model and the steps and zeros that each batch began with."""
        model = dense.make(K)
        if not compiled:
            model = K.Model(model.inputs, model.outputs)
        optimizer = K.optimizers.SGD(0.05)
        optimizer.build(model.trainable_variables)

        @tf.function
        def step(x, y):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables))

        if hooks is pruning:
            pruning.set_model(model)
        else:
            hooks = hooks(model)
        seen = []
        hooks.on_train_begin()
        for epoch in range(2):
            hooks.on_epoch_begin(epoch)
            for i, batch in enumerate(tf.data.Dataset.from_tensor_slices(dense.data()).batch(8)):
                if begins:
                    hooks.on_train_batch_begin(batch=-1 if guide else i)
                seen.append((pruning.step, dense.zeros(model)))
                step(*batch)
                if ends:
                    hooks.on_train_batch_end(i)
                    assert dense.zeros(model) == pruning.sparsity
            hooks.on_epoch_end(batch=-1) if guide else hooks.on_epoch_end(epoch)
            assert dense.zeros(model) == pruning.sparsity
        hooks.on_train_end()
        return model, seen

    @pytest.mark.parametrize("how", ["guide", "uncompiled", "ends", "list"])
    def test_prune_at_every_step(self, K, how):
        pruning = _rising(20, frequency=4)
        hooks = pruning
        if how == "list":
            hooks = lambda model: K.callbacks.CallbackList([pruning], add_history=True, model=model)
        model, seen = self.loop(
            K,
            pruning,
            hooks,
            begins=how != "ends",
            ends=how in ("ends", "list"),
            compiled=how != "uncompiled",
            guide=how == "guide",
        )
        assert [step for step, _ in seen] == list(range(2 * dense.BATCHES))
        expected = [0.0, 0.25, 0.375, 0.4375, 0.5, 0.5]
        assert [zeros for _, zeros in seen[::4]] == pytest.approx(expected, abs=0.07)
        assert pruning.step == 2 * dense.BATCHES and dense.zeros(model) == 0.5

    def test_train_on_batch_has_the_masks_in_its_step(self, K):
        model, pruning = dense.make(K), _rising(8, frequency=4)
        pruning.set_model(model)
        pruning.on_train_begin()
        for i, batch in enumerate(tf.data.Dataset.from_tensor_slices(dense.data()).batch(8)):
            pruning.on_train_batch_begin(i)
            model.train_on_batch(*batch)
            assert pruning.step == i + 1 and dense.zeros(model) == pruning.sparsity
        pruning.on_epoch_end(0)
        pruning.on_train_end()
        assert pruning.step == dense.BATCHES and dense.zeros(model) == 0.5

    def test_a_fit_before_and_after(self, K):
        model, pruning = dense.make(K), _rising(3 * dense.BATCHES, frequency=1)
        for hand in (False, True, False):
            if hand:
                pruning.set_model(model)
                pruning.on_train_begin()
                for i in range(dense.BATCHES):
                    pruning.on_train_batch_begin(i)
                pruning.on_train_end()
            else:
                model.fit(*dense.data(), batch_size=8, verbose=0, callbacks=[pruning])
        assert pruning.step == 3 * dense.BATCHES - 1  # by hand the last batch had no end
        assert "on_train_end" not in vars(model.history)


@pytest.mark.parametrize("K", ["keras", "tf_keras"], indirect=True)
def test_a_metric_of_the_same_name_is_left_alone(K):
    model = dense.make(K)

    def sparsity(y, predicted):
        return 7.0 + 0.0 * tf.reduce_sum(predicted)

    model.compile(K.optimizers.SGD(0.01), "mse", metrics=[sparsity], jit_compile=False)
    history = model.fit(*dense.data(), epochs=2, verbose=0, callbacks=[_rising(1)]).history
    assert history["sparsity"] == [7.0, 7.0] and history["pruning_sparsity"] == [0.5, 0.5]
