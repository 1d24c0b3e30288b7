"""A teacher has its part in every step, however the model's train_step computes its loss."""

import numpy as np
import pytest
import tensorflow as tf

from sbnn_tf.plan.schedules import ConstantSparsity
from sbnn_tf.train.callback import Pruning
from sbnn_tf.train.distillation import Distillation

HALF = ConstantSparsity(0.5, 0)
NEVER = ConstantSparsity(0.5, 10**6)  # the teacher alone changes what is learnt
WEIGHT = 0.25


def _clone(K, model):
    clone = K.models.clone_model(model)
    clone.set_weights(model.get_weights())
    return clone


# Ways to write a train step. Each gets the model, a tape that records, y and y_pred, and returns
# the loss; the first ones stand in the guides of Keras 3 and tf_keras.


def _guide(K, model, y, y_pred):
    return model.compute_loss(y=y, y_pred=y_pred)


def _sample_weights(K, model, y, y_pred):
    return model.compute_loss(y=y, y_pred=y_pred, sample_weight=tf.ones_like(y, tf.float32))


def _compiled_loss(K, model, y, y_pred):
    if K.__name__ == "keras":
        pytest.skip("tf_keras alone has compiled_loss")
    return model.compiled_loss(y, y_pred, regularization_losses=model.losses)


def _loss_object(K, model, y, y_pred):
    return K.losses.SparseCategoricalCrossentropy(from_logits=True)(y, y_pred)


def _loss_function(K, model, y, y_pred):
    losses = K.losses.sparse_categorical_crossentropy(y, y_pred, from_logits=True)
    return tf.reduce_mean(losses)


def _plain_tensorflow(K, model, y, y_pred):
    y_pred = tf.cast(y_pred, tf.float64)  # no longer what the model returned
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(y, tf.int32), y_pred)
    return tf.cast(tf.reduce_mean(losses), tf.float32)


def _reported_only(K, model, y, y_pred):
    model.compute_loss(y=y, y_pred=y_pred)  # is not what the weights learn from
    return _loss_object(K, model, y, y_pred)


WAYS = [
    _guide,
    _sample_weights,
    _compiled_loss,
    _loss_object,
    _loss_function,
    _plain_tensorflow,
    _reported_only,
]


def _stepping(K, way, scaled=False):
    class Stepping(K.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = way(K, self, y, y_pred)
                if scaled and K.__name__ == "keras":
                    loss = self.optimizer.scale_loss(loss)
                elif scaled:
                    loss = self.optimizer.get_scaled_loss(loss)
            variables = self.trainable_variables
            gradients = tape.gradient(loss, variables)
            if scaled and K.__name__ == "tf_keras":
                gradients = self.optimizer.get_unscaled_gradients(gradients)
            self.optimizer.apply_gradients(zip(gradients, variables))
            return {"loss": loss}

    return Stepping


@pytest.fixture
def pair(K):
    """pair(cls) -> a model and its teacher"""

    def make(cls=None, **options):
        x = K.Input((8,))
        outputs = K.layers.Dense(5, dtype="float32")(K.layers.Dense(8)(K.layers.Dense(8)(x)))
        model = (cls or K.Model)(x, outputs)
        teacher = K.Model(x, outputs)
        teacher = _clone(K, teacher)
        teacher.set_weights([w + 0.3 for w in model.get_weights()])
        loss = K.losses.SparseCategoricalCrossentropy(from_logits=True)
        options.setdefault("jit_compile", False)
        model.compile(K.optimizers.SGD(0.5), loss, **options)
        return model, teacher

    return make


@pytest.fixture
def batch():
    images = np.random.default_rng(0).normal(size=(16, 8)).astype("float32")
    return images, np.arange(16) % 5


def _after_a_step(model, teacher, images, labels):
    """What the weights are after one step on the loss that the documentation gives."""
    with tf.GradientTape() as tape:
        logits = tf.convert_to_tensor(model(images, training=True))
        own = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        target = tf.nn.softmax(teacher(images) / 2.0)
        distance = tf.reduce_sum(
            target * (tf.math.log(target) - tf.nn.log_softmax(logits / 2.0)), axis=-1
        )
        loss = (1 - WEIGHT) * tf.reduce_mean(own) + WEIGHT * 4.0 * tf.reduce_mean(distance)
    gradients = tape.gradient(loss, model.trainable_weights)
    return [w.numpy() - 0.5 * np.asarray(g) for w, g in zip(model.trainable_weights, gradients)]


def _fit(model, teacher, images, labels, **options):
    taught = Distillation(teacher, weight=WEIGHT, temperature=2.0)
    with pytest.warns(UserWarning, match="begins at step"):
        return model.fit(
            images,
            labels,
            batch_size=16,
            verbose=0,
            callbacks=[Pruning("group4", NEVER, teacher=taught)],
            **options,
        )


class TestATrainStepOfOnesOwn:
    @pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__.strip("_"))
    def test_learns_the_same(self, K, pair, batch, way):
        model, teacher = pair(_stepping(K, way))
        expected = _after_a_step(model, teacher, *batch)
        plain = [np.array(w) for w in model.get_weights()]
        _fit(model, teacher, *batch)
        for found, value in zip(model.get_weights(), expected):
            np.testing.assert_allclose(found, value, atol=2e-5)
        assert "call" not in vars(model) and "compute_loss" not in vars(model)
        # The teacher was a part of that which could be missed.
        model.set_weights(plain)
        model.fit(*batch, batch_size=16, verbose=0)
        assert any(
            np.abs(found - value).max() > 1e-3
            for found, value in zip(model.get_weights(), expected)
        )

    @pytest.mark.parametrize("way", [None, _loss_object], ids=["keras", "own"])
    @pytest.mark.parametrize("options", [{"jit_compile": True}, {"run_eagerly": True}], ids=str)
    def test_however_it_is_run(self, K, pair, batch, way, options):
        model, teacher = pair(way and _stepping(K, way), **options)
        expected = _after_a_step(model, teacher, *batch)
        _fit(model, teacher, *batch)
        for found, value in zip(model.get_weights(), expected):
            np.testing.assert_allclose(found, value, atol=2e-5)

    def test_in_mixed_precision(self, K, pair, batch, set_policy):
        """The loss is scaled, and what comes from the teacher with it."""
        set_policy(K, "mixed_float16")
        model, teacher = pair(_stepping(K, _loss_object, scaled=True))
        assert "LossScale" in type(model.optimizer).__name__
        expected = _after_a_step(model, teacher, *batch)
        _fit(model, teacher, *batch)
        for found, value in zip(model.get_weights(), expected):
            np.testing.assert_allclose(found, value, atol=5e-3)

    def test_minimize(self, K, pair, batch):
        if K.__name__ == "keras":
            pytest.skip("Keras 3's optimizers have no minimize")

        class Minimizing(K.Model):
            def train_step(self, data):
                x, y = data
                with tf.GradientTape() as tape:
                    loss = _loss_object(K, self, y, self(x, training=True))
                self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
                return {"loss": loss}

        model, teacher = pair(Minimizing)
        expected = _after_a_step(model, teacher, *batch)
        _fit(model, teacher, *batch)
        for found, value in zip(model.get_weights(), expected):
            np.testing.assert_allclose(found, value, atol=2e-5)

    def test_a_compute_loss_of_ones_own(self, K, pair, batch):
        class Computing(K.Model):
            def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
                return _loss_object(K, self, y, y_pred)

        model, teacher = pair(Computing)
        expected = _after_a_step(model, teacher, *batch)
        _fit(model, teacher, *batch)
        for found, value in zip(model.get_weights(), expected):
            np.testing.assert_allclose(found, value, atol=2e-5)

    def test_inputs_that_it_changes(self, K, pair, batch):
        """The teacher sees what the model saw."""

        class Augmenting(K.Model):
            def train_step(self, data):
                x, y = data
                return super().train_step((2.0 * x + 1.0, y))

        class AugmentingInside(K.Model):
            def train_step(self, data):
                x, y = data
                with tf.GradientTape() as tape:
                    loss = self.compute_loss(y=y, y_pred=self(2.0 * x + 1.0, training=True))
                gradients = tape.gradient(loss, self.trainable_variables)
                self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
                return {"loss": loss}

        for cls in (Augmenting, AugmentingInside):
            model, teacher = pair(cls)
            expected = _after_a_step(model, teacher, 2.0 * batch[0] + 1.0, batch[1])
            _fit(model, teacher, *batch)
            for found, value in zip(model.get_weights(), expected):
                np.testing.assert_allclose(found, value, atol=2e-5)

    def test_that_leaves_the_model_out_is_an_error(self, K, pair, batch):
        class Around(K.Model):
            def __init__(self, inner):
                super().__init__()
                self.inner = inner

            def call(self, x):
                return self.inner(x)

            def train_step(self, data):
                x, y = data
                with tf.GradientTape() as tape:
                    loss = _loss_object(K, self, y, self.inner(x, training=True))
                gradients = tape.gradient(loss, self.trainable_variables)
                self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
                return {"loss": loss}

        inner, teacher = pair()
        model = Around(inner)
        model(batch[0])
        model.compile("sgd", jit_compile=False)
        callbacks = [Pruning("group4", HALF, teacher=teacher)]
        for _ in range(2):
            with pytest.raises(ValueError, match="teacher had no part.*y_pred = self\\(x"):
                model.fit(*batch, verbose=0, callbacks=callbacks)


class TestTheLoss:
    @pytest.mark.parametrize("softmax", [False, True])
    def test_is_mixed(self, K, softmax):
        L = K.layers
        x = K.Input((8,))
        outputs = L.Dense(5, activation="softmax" if softmax else None)
        model = K.Model(x, outputs(L.Dense(8, name="middle")(L.Dense(8)(x))))
        teacher = _clone(K, model)
        teacher.set_weights([w + 0.3 for w in model.get_weights()])
        loss = K.losses.SparseCategoricalCrossentropy(from_logits=not softmax)
        model.compile(K.optimizers.SGD(0.0), loss, jit_compile=False)
        images = np.random.default_rng(0).normal(size=(16, 8)).astype("float32")
        labels = np.arange(16) % 5
        distillation = Distillation(teacher, weight=0.25, temperature=2.0)
        callback = Pruning("group4", NEVER, teacher=distillation)
        with pytest.warns(UserWarning, match="begins at step"):
            history = model.fit(images, labels, batch_size=16, verbose=0, callbacks=[callback])
        found = history.history["loss"][0]
        p, q = (m.predict(images, verbose=0).astype(np.float64) for m in (teacher, model))
        if not softmax:
            p, q = np.exp(p), np.exp(q)
        own = -np.mean(np.log((q / q.sum(-1, keepdims=True))[np.arange(16), labels]))
        p, q = ((x**0.5) / (x**0.5).sum(-1, keepdims=True) for x in (p, q))
        divergence = 4.0 * np.mean(np.sum(p * np.log(p / q), axis=-1))
        assert divergence > 1e-3
        reported = 0.75 * own + 0.25 * divergence if K.__name__ == "keras" else own
        assert found == pytest.approx(reported, rel=1e-3)
        assert model.evaluate(images, labels, verbose=0) == pytest.approx(own, rel=1e-3)
        mixed = distillation.mixed(tf.constant(2.0), images, model(images))
        assert float(mixed) == pytest.approx(0.75 * 2.0 + 0.25 * divergence, rel=1e-3)

    def test_pulls_towards_the_teacher(self, K, functional, data):
        distances = []
        for teach in (False, True):
            K.utils.set_random_seed(0)
            model = functional()
            teacher = _clone(K, model)
            taught = Distillation(teacher, weight=1.0) if teach else None
            model.fit(
                *data, epochs=2, verbose=0, callbacks=[Pruning("group4", HALF, teacher=taught)]
            )
            out = [m.predict(data[0], verbose=0) for m in (teacher, model)]
            distances.append(np.abs(out[0] - out[1]).mean())
        assert distances[1] < 0.7 * distances[0]

    def test_that_is_added_inside_of_the_model(self, K, batch):
        """Outputs that no loss looks at learn from the teacher alone."""

        class Endpoint(K.layers.Layer):
            def call(self, features, logits):
                self.add_loss(tf.reduce_mean(tf.square(features)))
                return logits

        x = K.Input((8,))
        features = K.layers.Dense(8)(K.layers.Dense(8)(x))
        head = K.layers.Dense(5)
        model = K.Model(x, Endpoint()(features, head(features)))
        teacher = _clone(K, model)
        teacher.set_weights([w + 0.3 for w in model.get_weights()])
        model.compile(K.optimizers.SGD(0.5), jit_compile=False)
        before = head.get_weights()[0]
        with pytest.warns(UserWarning, match="begins at step"):
            callbacks = [Pruning("group4", NEVER, teacher=teacher)]
            model.fit(batch[0], batch_size=16, verbose=0, callbacks=callbacks)
        assert np.abs(head.get_weights()[0] - before).max() > 1e-4

    def test_several_outputs_with_a_distance_of_ones_own(self, K, batch):
        x = K.Input((8,))
        middle = K.layers.Dense(8)(K.layers.Dense(8)(x))
        model = K.Model(x, {"a": K.layers.Dense(5)(middle), "b": K.layers.Dense(1)(middle)})
        teacher = _clone(K, model)
        teacher.set_weights([w + 0.3 for w in model.get_weights()])
        model.compile(K.optimizers.SGD(0.1), {"a": "mse", "b": "mse"}, jit_compile=False)

        def distance(taught, found):
            return sum(tf.reduce_mean(tf.abs(taught[key] - found[key])) for key in "ab")

        apart = lambda: float(distance(teacher(batch[0]), model(batch[0])))
        y = {"a": np.zeros((16, 5), "float32"), "b": np.zeros((16, 1), "float32")}
        callbacks = [Pruning("group4", NEVER, teacher=Distillation(teacher, 1.0, 1.0, distance))]
        before = apart()
        with pytest.warns(UserWarning, match="begins at step"):
            model.fit(batch[0], y, verbose=0, epochs=3, callbacks=callbacks)
        assert apart() < 0.9 * before
        with pytest.raises(ValueError, match="one output each.*distance="):
            model.fit(batch[0], y, verbose=0, callbacks=[Pruning("group4", HALF, teacher=teacher)])


class TestMistakes:
    def test_arguments(self, K, functional, data):
        model = functional()
        with pytest.raises(ValueError, match="teacher is the model"):
            model.fit(*data, verbose=0, callbacks=[Pruning("group4", HALF, teacher=model)])
        with pytest.raises(TypeError, match="Expected a Keras model"):
            Pruning("group4", HALF, teacher=3)
        with pytest.raises(ValueError, match="weight"):
            Distillation(model, weight=1.5)
        with pytest.raises(ValueError, match="temperature"):
            Distillation(model, temperature=0.0)

    @pytest.mark.parametrize("classes", [(1, 1), (5, 4)])
    def test_classes_that_cannot_be_compared(self, K, batch, classes):
        """The divergence of a single class is 0, whatever the outputs are."""
        model, teacher = (
            K.Sequential([K.Input((8,)), *(K.layers.Dense(n) for n in (8, 8, last))])
            for last in classes
        )
        model.compile("sgd", "mse", jit_compile=False)
        y = np.zeros((16, classes[0]), "float32")
        with pytest.raises(ValueError, match="same two or more classes.*distance="):
            callbacks = [Pruning("group4", HALF, teacher=teacher)]
            model.fit(batch[0], y, verbose=0, callbacks=callbacks)

    def test_probabilities_and_logits(self, K, batch):
        model, teacher = (
            K.Sequential([K.Input((8,)), *map(K.layers.Dense, (8, 8, 5)), *last])
            for last in ([], [K.layers.Softmax()])
        )
        model.compile("sgd", "sparse_categorical_crossentropy", jit_compile=False)
        with pytest.raises(ValueError, match="ends in a softmax, and the other in logits"):
            model.fit(*batch, verbose=0, callbacks=[Pruning("group4", HALF, teacher=teacher)])

    def test_a_loop_of_ones_own(self, K, pair):
        model, teacher = pair()
        with pytest.raises(ValueError, match="learnt from in fit.*mixed"):
            Pruning("group4", HALF, teacher=teacher).after_step(model)
