"""How a sparsity is shared among layers."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbnn_tf.patterns import DepthwiseTaps, Group, KernelPattern, Unstructured
from sbnn_tf.plan import budgets
from sbnn_tf.plan.budgets import ERK, Global, Latency, Layer, Sensitive, Uniform
from sbnn_tf.plan.cost_table import CostTable
from sbnn_tf.plan.policy import Policy
from sbnn_tf.plan.schedules import ConstantSparsity, PolynomialDecay
from sbnn_tf.plan.sensitivity import sensitivity
from sbnn_tf.train.callback import Pruning


def _layers(seed=0, scale=(1.0, 1.0, 1.0)):
    rng = np.random.default_rng(seed)
    shapes = ((1, 1, 8, 16), (3, 3, 16, 32), (64, 128))
    patterns = (Group(4), KernelPattern(), Unstructured())
    operators = ("conv", "conv", "dense")
    return [
        Layer(f"layer{i}", operator, s * rng.random(shape) ** 2, pattern, 1)
        for i, (shape, s, pattern, operator) in enumerate(zip(shapes, scale, patterns, operators))
    ]


def _overall(layers, sparsities):
    return sum(s * x.size for s, x in zip(sparsities, layers)) / sum(x.size for x in layers)


@pytest.mark.parametrize("budget", [Uniform(), ERK(), Global(), Global(normalize=True)])
@settings(deadline=None, max_examples=15)
@given(st.integers(0, 99), st.floats(0.05, 0.93))
def test_the_whole_gets_the_sparsity_asked_for(budget, seed, sparsity):
    layers = _layers(seed)
    found = budget.allocate(layers, sparsity)
    assert all(0.0 <= s <= budgets.MOST for s in found)
    reached = [1.0 - x.pattern.mask(x.scores, s).mean() for x, s in zip(layers, found)]
    assert _overall(layers, reached) == pytest.approx(sparsity, abs=0.02)


def test_erdos_renyi_kernel():
    layers = _layers()
    density = 1.0 - np.array(ERK().allocate(layers, 0.9))
    raw = np.array([sum(x.shape) / x.size for x in layers])
    np.testing.assert_allclose(density / density[2], raw / raw[2])
    assert _overall(layers, 1 - density) == pytest.approx(0.9)
    # At a low sparsity the small layers stay dense, and the others make up for it.
    low = ERK().allocate(layers, 0.2)
    assert low[0] == 0.0 and _overall(layers, low) == pytest.approx(0.2)


def test_global_ranking_is_that_of_all_weights_at_once():
    layers = [
        Layer(x.name, x.operator, x.scores, Unstructured()) for x in _layers(scale=(3.0, 1.0, 0.5))
    ]
    found = Global().allocate(layers, 0.7)
    everything = np.concatenate([x.scores.ravel() for x in layers])
    threshold = np.quantile(everything, 0.7)
    expected = [(x.scores < threshold).mean() for x in layers]
    np.testing.assert_allclose(found, expected, atol=0.04)  # the grid's
    assert found[0] < found[1] < found[2]


def test_global_keeps_more_score_than_uniform():
    layers = _layers(3, scale=(2.0, 1.0, 0.5))
    kept = [
        sum(
            np.square(x.scores[x.pattern.mask(x.scores, s)]).sum()
            for x, s in zip(layers, b.allocate(layers, 0.8))
        )
        for b in (Uniform(), Global())
    ]
    assert kept[1] > 1.1 * kept[0]


def test_sensitive_spares_what_accuracy_depends_on():
    layers = _layers()
    losses = {
        "layer0": {0.0: 0.9, 0.5: 0.9, 0.9: 0.9},
        "layer1": {0.0: 0.9, 0.5: 0.5, 0.9: 0.1},
        "layer2": {0.0: 0.9, 0.5: 0.91, 0.9: 0.9},
    }
    found = Sensitive(losses).allocate(layers, 0.6)
    assert found[0] == pytest.approx(0.9) and found[2] == pytest.approx(0.9)
    assert _overall(layers, found) == pytest.approx(0.6, abs=0.01)
    with pytest.raises(ValueError, match="can't be met: sparsity 0.95.*layer0, layer1"):
        Sensitive(losses).allocate(layers, 0.95)  # beyond what was measured
    with pytest.raises(ValueError, match="'layer0' was not measured"):
        Sensitive({}).allocate(layers, 0.5)


def _table(layers, rest=1.0):
    """Milliseconds in proportion to what is kept; the last layer costs ten times the others."""
    costs = {
        (x.operator, x.shape, x.positions): {s / 10: ms * (1 - s / 10) for s in range(10)}
        for x, ms in zip(layers, (1.0, 1.0, 10.0))
    }
    return CostTable("a processor", 1, "group4", 16.0, 12.0 + rest, costs)


class TestLatency:
    def test_meets_the_time_where_it_costs_least(self):
        layers = _layers()
        for budget in (
            Latency(_table(layers), milliseconds=8.0),
            Latency(_table(layers), speedup=2.0),
        ):
            found = budget.allocate(layers, 0.5)  # this sparsity is not looked at
            cost = 1.0 + (1 - found[0]) + (1 - found[1]) + 10 * (1 - found[2])
            assert cost == pytest.approx(8.0, abs=0.02) == budget.predicted_ms
            assert found[2] > found[0]  # where the time is

    def test_cannot_be_met(self):
        layers = _layers()
        with pytest.raises(ValueError, match="can't be met: 1.1 ms, where 1 ms are for other"):
            Latency(_table(layers), milliseconds=1.1).allocate(layers, 0.5)
        other = [Layer("other", "conv", np.ones((5, 5, 4, 4)), Group(4), 9)]
        with pytest.raises(ValueError, match=r"no conv of shape \(5, 5, 4, 4\) with 9"):
            Latency(_table(layers), speedup=2.0).allocate(other, 0.5)

    def test_what_the_table_lacks_stays_dense(self):
        layers = _layers()
        other = dataclasses.replace(layers[0], name="inside", positions=None)
        budget = Latency(_table(layers), milliseconds=8.0)
        expected = Latency(_table(layers), milliseconds=8.0).allocate(layers, 0.5)
        with pytest.warns(UserWarning, match="Not in the cost table, and so left dense: inside"):
            assert budget.allocate([*layers, other], 0.5) == [*expected, 0.0]
        assert budget.predicted_ms == pytest.approx(8.0)

    def test_arguments(self):
        for arguments in ({}, {"speedup": 2.0, "milliseconds": 1.0}):
            with pytest.raises(ValueError, match="one of the two"):
                Latency(_table(_layers()), **arguments)
        with pytest.raises(ValueError, match="above 0"):
            Latency(_table(_layers()), speedup=0.0)

    def test_table_in_a_file(self, tmp_path):
        table, path = _table(_layers()), tmp_path / "table.json"
        table.save(path)
        assert CostTable.load(path) == table
        assert Latency(path, speedup=2.0).milliseconds == 8.0
        path.write_text(json.dumps({"format": 2, "cpu": "x"}))
        with pytest.raises(ValueError, match="no cost table"):
            CostTable.load(path)
        path.write_text("{")
        with pytest.raises(ValueError, match="no cost table"):
            CostTable.load(path)
        path.write_text('{"format": 99}')
        with pytest.raises(ValueError, match="another version"):
            CostTable.load(path)


def test_taps_that_must_stay_are_known():
    layers = [
        Layer("dw", "depthwise", np.random.default_rng(0).random((3, 3, 1, 8)), p)
        for p in (DepthwiseTaps(4, 4),)
    ]
    assert Global().allocate(layers, 0.5)[0] == pytest.approx(0.5, abs=0.03)
    with pytest.raises(ValueError, match="can't be met: sparsity 0.8"):
        Global().allocate(layers, 0.8)


def test_names():
    assert isinstance(budgets.get("ERK"), ERK) and isinstance(budgets.get("global"), Global)
    with pytest.raises(ValueError, match="Unknown budget 'fair'; expected one of uniform, erk"):
        Pruning("group4", ConstantSparsity(0.5, 0), budget="fair")
    with pytest.raises(TypeError, match="Expected a budget"):
        budgets.get(2)


class TestInTraining:
    def test_layers_get_what_the_budget_says(self, functional, data, zeros):
        model = functional(full=True)
        policy = Policy(sparsity={"hidden": 0.25})
        schedule = PolynomialDecay(0.0, 0.8, 0, 8, frequency=1)
        pruning = Pruning("unstructured", schedule, policy, budget="erk")
        model.fit(*data, verbose=0, callbacks=[pruning])
        found = zeros(model)
        sizes = {"pw": 192, "sep/depthwise": 216, "sep/pointwise": 384}
        names = [name for name in sizes if found[name] > 0]
        assert found["hidden"] == pytest.approx(0.25, abs=0.01)  # the policy's own
        total = sum(found[name] * sizes[name] for name in names)
        assert total / sum(sizes[name] for name in names) == pytest.approx(0.8, abs=0.01)
        assert found["pw"] != pytest.approx(found["sep/pointwise"], abs=0.02)

    def test_needs_to_know_where_the_schedule_ends(self, functional, data):
        pruning = Pruning("group4", lambda step: (True, 0.5), budget="erk")
        with pytest.raises(ValueError, match="A budget needs a schedule that says where it ends"):
            functional().fit(*data, verbose=0, callbacks=[pruning])


class TestSensitivity:
    def test_each_layer_alone_and_cached(self, functional, data, zeros, tmp_path, capsys):
        model = functional(full=True)
        weights = model.get_weights()
        seen = []

        def evaluate(model):
            seen.append({name: s for name, s in zeros(model).items() if s > 0})
            return 1.0 - sum(seen[-1].values()) / 10

        def scan(sparsities):
            return sensitivity(
                model, evaluate, "group4", sparsities=sparsities, cache=tmp_path / "scan.json"
            )

        found = scan((0.5, 0.75))
        assert seen[0] == {} and len(seen) == 1 + 2 * 3
        assert all(len(zeroed) == 1 for zeroed in seen[1:])
        assert found["pw"] == pytest.approx({0.0: 1.0, 0.5: 0.95, 0.75: 0.925})
        assert list(found) == ["pw", "sep/pointwise", "hidden"]
        assert "7/7" in capsys.readouterr().out
        for before, after in zip(weights, model.get_weights()):
            np.testing.assert_array_equal(before, after)
        assert scan((0.5, 0.75)) == found and len(seen) == 7  # nothing anew
        scan((0.5, 0.9))
        assert len(seen) == 7 + 3
        model.get_layer("pw").set_weights([2 * w for w in model.get_layer("pw").get_weights()])
        scan((0.5,))
        assert len(seen) == 10 + 4  # other weights
        (tmp_path / "scan.json").write_text("[")
        with pytest.raises(ValueError, match="no cache of a sensitivity scan"):
            scan((0.5,))

    def test_an_exception_leaves_the_weights(self, functional):
        model = functional(full=True)
        weights = model.get_weights()
        calls = iter([1.0])
        with pytest.raises(StopIteration):
            sensitivity(model, lambda m: next(calls), "group4", verbose=0)
        for before, after in zip(weights, model.get_weights()):
            np.testing.assert_array_equal(before, after)
