"""How far two arrays are apart."""

from __future__ import annotations

import numpy as np
import pytest

from sbnn_tf.run.comparing import largest, largest_difference, relative

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    "x, y, expected",
    [
        ([1.0, -2.0], [1.0, 3.0], 5),
        ([], [], 0),
        (1.5, 1.0, 0.5),
        ([NAN, INF, -INF, 1.0], [NAN, INF, -INF, 1.5], 0.5),
        ([NAN], [1.0], NAN),
        ([NAN, 1.0], [INF, 1.0], NAN),
        ([INF, 1.0], [3.0, 1.0], INF),
        ([INF], [-INF], INF),
        ([1 + 1j], [1 - 2j], 3),
        ([1 + 1j], [5 + 4j], 5),
        ([complex(NAN, 1)], [complex(NAN, 1)], 0),
        ([complex(NAN, 1)], [complex(NAN, 2)], NAN),
        ([complex(INF, 1)], [complex(INF, 1)], 0),
        ([True, False], [True, True], 1),
        ([[1.0, 2.0]], [[1.0], [2.0]], INF),
        ([0.0], [0.0, 0.0], INF),
        ([b"a", b"b"], [b"a", b"b"], 0),
        ([b"a", b"b"], [b"a", b"c"], 1),
        ([], [1.0], INF),
    ],
)
def test_largest_difference(x, y, expected):
    x, y = np.array(x), np.array(y)
    for each in ((x, y), (y, x)):
        np.testing.assert_equal(largest_difference(*each), expected)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64, np.uint64])
def test_integers_do_not_wrap_around(kind):
    limits = np.iinfo(kind)
    apart = largest_difference(np.array([limits.min], kind), np.array([limits.max], kind))
    assert apart == float(int(limits.max) - int(limits.min))


def test_large_integers_that_a_float_cannot_tell_apart():
    x = np.array([2**60, 5])
    assert largest_difference(x, x + [1, 0]) == 1 and largest_difference(x, x) == 0


def test_strings_of_an_interpreter():
    x = np.array([[b"ab", b""], [b"\0", b"d"]], object)
    y = x.copy()
    assert largest_difference(x, y) == 0
    y[1, 0] = b""
    assert largest_difference(x, y) == 1
    scalar = np.array(b"ab", object)
    assert largest_difference(scalar, scalar.copy()) == 0 and largest(scalar) == 1


@pytest.mark.parametrize(
    "x, expected",
    [([1.0, -3.0], 3), ([], 0), ([NAN, 2.0, -INF], 2), ([NAN], 0), ([3 + 4j], 5), ([True], 1)],
)
def test_largest(x, expected):
    assert largest(np.array(x)) == expected


def test_largest_of_the_smallest_integer():
    assert largest(np.array([-128], np.int8)) == 128


@pytest.mark.parametrize(
    "largest, difference, expected",
    [(2, 1, 0.5), (0, 0, 0), (0, 1e-9, INF), (0, NAN, INF), (1, NAN, NAN), (1, INF, INF)],
)
def test_relative(largest, difference, expected):
    np.testing.assert_equal(relative(difference, largest), expected)
