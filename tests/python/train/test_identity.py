"""What identifies a kernel: its place in the model, not the names that Keras counts up."""

import numpy as np
import pytest

from sbnn_tf.keras_model import kernels
from sbnn_tf.keras_model.summary import summary
from sbnn_tf.patterns import Group
from sbnn_tf.plan.importance import Random
from sbnn_tf.plan.policy import Policy
from sbnn_tf.plan.schedules import ConstantSparsity
from sbnn_tf.plan.sensitivity import sensitivity
from sbnn_tf.train.callback import Pruning
from sbnn_tf.train.rewiring import SET


def _unnamed(K):
    """A new model whose layers Keras names: dense, dense_1, ... and later dense_4, dense_5, ..."""
    K.utils.set_random_seed(0)
    sizes = (16, 16, 16, 4)
    model = K.Sequential([K.Input((8,)), *(K.layers.Dense(size) for size in sizes)])
    model.compile("sgd", "mse", jit_compile=False)
    return model


METHODS = {
    "random score": lambda: Pruning("group4", ConstantSparsity(0.5, 0), score=Random(1)),
    "set": lambda: SET("group4", 0.5, update_every=2),
}


@pytest.mark.parametrize("method", METHODS)
def test_random_numbers_do_not_depend_on_automatic_names(K, method):
    data = np.ones((32, 8), "float32"), np.ones((32, 4), "float32")
    names, masks = [], []
    for _ in range(2):
        model = _unnamed(K)
        model.fit(*data, batch_size=4, shuffle=False, verbose=0, callbacks=[METHODS[method]()])
        found = kernels.find(model)
        names.append([kernel.name for kernel in found])
        masks.append([kernel.value() != 0 for kernel in found])
        assert [kernel.number for kernel in found] == [0, 1, 2, 3]
    assert not set(names[0]) & set(names[1])
    for one, other in zip(*masks):
        np.testing.assert_array_equal(one, other)
    assert (masks[0][1] != masks[0][2]).any()  # yet each kernel has random numbers of its own


class TestPaths:
    """A name that layers beside each other share is numbered; it goes on meaning all of them."""

    @pytest.fixture
    def model(self, K):
        L = K.layers

        class Tower(L.Layer):
            def __init__(self, **options):
                super().__init__(**options)
                self.one, self.two = L.Dense(8, name="proj"), L.Dense(8, name="proj")

            def call(self, x):
                return self.two(self.one(x))

        class Towers(K.Model):
            def __init__(self):
                super().__init__()
                self.towers = [Tower(name="tower"), Tower(name="tower")]
                self.backbone = K.Sequential([K.Input((8,)), L.Dense(8, name="proj")], name="b")

            def call(self, x):
                for tower in self.towers:
                    x = tower(x)
                return self.backbone(x)

        model = Towers()
        model(np.zeros((1, 8), "float32"))
        return model

    PATHS = ["tower#1/proj#1", "tower#1/proj#2", "tower#2/proj#1", "tower#2/proj#2", "b/proj"]

    def chosen(self, model, **policy):
        found = Policy(first_and_last=True, **policy).choose(model, Group(4))
        return [choice.kernel.name for choice in found]

    def test_are_unique(self, model):
        assert [kernel.name for kernel in kernels.find(model)] == self.PATHS

    def test_tell_them_apart(self, model):
        assert self.chosen(model, include="tower#2") == self.PATHS[2:4]
        assert self.chosen(model, exclude=["*/proj#1", "b"]) == [self.PATHS[1], self.PATHS[3]]
        sparsity = {"tower#1/proj#2": 0.3, "tower/proj": 0.6}
        found = Policy(first_and_last=True, sparsity=sparsity).choose(model, Group(4))
        assert [choice.sparsity for choice in found] == [0.6, 0.3, 0.6, 0.6, None]

    @pytest.mark.parametrize("name", ["proj", "*/proj", "tower/proj", "tower", "b"])
    def test_a_shared_name_means_all_of_them(self, model, name):
        tower = [path for path in self.PATHS if path.startswith("tower")]
        expected = {"tower": tower, "tower/proj": tower, "b": ["b/proj"]}.get(name, self.PATHS)
        assert self.chosen(model, include=name) == expected

    def test_sensitivity_measures_each(self, model):
        curves = sensitivity(model, lambda m: 1.0, "group4", sparsities=[0.5], verbose=0)
        assert list(curves) == self.PATHS[1:-1]

    def test_summary_has_a_row_for_each(self, model):
        lines = []
        summary(model, print_fn=lines.append)
        assert [line.split()[0] for line in lines[2:7]] == self.PATHS


def test_results_of_sensitivity_are_found_again_under_new_names(K, tmp_path):
    asked = []

    def evaluate(model):
        asked.append(model)
        return 1.0

    cache = tmp_path / "cache.json"
    for _ in range(2):
        sensitivity(_unnamed(K), evaluate, "group4", sparsities=[0.5], cache=cache, verbose=0)
        assert len(asked) == 3  # dense, and the two layers in the middle
