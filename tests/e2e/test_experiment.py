"""The accuracy experiment's own arithmetic, on numbers worked out by hand."""

from __future__ import annotations

import pytest

from experiments import intervals
from experiments.fashion_mnist import accuracy


def rows(lost_30, lost_50):
    result = []
    for seed, a, b in zip(accuracy.SEEDS, lost_30, lost_50):
        for sparsity, lost in ((0.0, 0), (0.3, a), (0.5, b)):
            result.append({"seed": seed, "sparsity": sparsity, "accuracy": 0.92 - lost / 100})
    return result


def test_interval():
    # mean 3, standard deviation sqrt(2.5), t for 4 degrees of freedom 2.776
    mean, half = intervals.mean_and_half_width([1, 2, 3, 4, 5])
    assert mean == 3
    assert half == pytest.approx(2.776 * (2.5 / 5) ** 0.5)


def test_losses_are_paired_points():
    assert accuracy.losses(rows([0.1] * 5, [0.4, 0.2, 0, 0, 0]), 0.5) == pytest.approx(
        [0.4, 0.2, 0, 0, 0]
    )


@pytest.mark.parametrize(
    "a, b, good", [(0.22, 0.49, True), (0.23, 0.4, False), (0.1, 0.51, False), (-0.1, 0.1, True)]
)
def test_bars(a, b, good):
    assert accuracy.within_bars(rows([a - 1e-9] * 5, [b] * 5)) is good


def test_a_missing_seed_is_no_success():
    assert not accuracy.within_bars(rows([0.0] * 4, [0.0] * 4))


def test_the_committed_table_is_of_the_committed_record():
    table = accuracy.report(accuracy.RECORD.rows())
    assert accuracy.BEGIN + table + accuracy.END in accuracy.README.read_text()
