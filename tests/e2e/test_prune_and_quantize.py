"""The experiment of sparse int8 against narrower dense int8: its own parts."""

import math

import numpy as np
import pytest

from experiments import data, setting
from experiments.prune_and_quantize import report
from experiments.prune_and_quantize.variants import variants

SEEDS = (201, 202)


@pytest.fixture
def found(monkeypatch):
    """`found(times, accuracies)` stands for the records: by variant, in int8."""

    def stand(times, accuracies):
        monkeypatch.setattr(report, "ratios", lambda: {(n, "int8"): t for n, t in times.items()})
        monkeypatch.setattr(report, "percent", lambda record, name: accuracies.get(name, {}))

    return stand


def _dense(*percent):
    return {
        name: {seed: value + seed - SEEDS[0] for seed in SEEDS}
        for name, value in zip(report.DENSE, percent)
    }


def test_equal_latency_is_between_the_dense_networks_by_the_logarithm(found):
    times = dict(zip(report.DENSE, (1.0, 0.5, 0.25, 0.125)))
    found(
        {**times, "sparse": math.sqrt(0.5 * 0.25)},
        {**_dense(90, 88, 84, 80), "sparse": {201: 87.0}},
    )
    assert report.at_equal_latency("sparse") == pytest.approx([1.0])  # over 86
    assert report._paired("sparse", "dense") == pytest.approx([-3.0])


@pytest.mark.parametrize("at", [1.1, 0.1])
def test_outside_of_the_dense_networks_there_is_no_comparison(found, at):
    times = dict(zip(report.DENSE, (1.0, 0.5, 0.25, 0.125)))
    found({**times, "sparse": at}, {**_dense(90, 88, 84, 80), "sparse": {201: 87.0}})
    assert report.at_equal_latency("sparse") is None


def test_what_is_not_recorded_yet_is_not_compared(found):
    found({"dense": 1.0, "sparse": 0.5}, {"sparse": {201: 87.0}})
    assert report.at_equal_latency("sparse") == []


def test_every_network_of_the_picture_and_the_claims_is_one_that_is_trained():
    names = {variant.name for variant in variants()}
    assert {name for _, members, _ in report.FAMILIES.values() for name in members} == names


def test_networks_with_batch_norms_of_our_own_are_rearranged(monkeypatch):
    """`rearrange` leaves alone a class that it does not know."""
    few = data.Split(*(array[:64] for array in data.load()[0]))
    monkeypatch.setattr(data, "load", lambda name: (few, few))
    found = setting.Setting("fashion_mnist")
    model = found.build("patches", 0.5)
    before, weights = model.predict_on_batch(few.images), model.get_weights()
    model = found.rearranged(model, 0.5, "block4x4")
    np.testing.assert_allclose(model.predict_on_batch(few.images), before, rtol=1e-3, atol=1e-5)
    assert not all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights()))
