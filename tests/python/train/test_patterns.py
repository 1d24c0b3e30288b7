import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbnn_tf import patterns
from sbnn_tf.patterns import Group, Unstructured

SIZES = (1, 2, 4, 8, 16)
kernels = st.tuples(
    st.sampled_from([(), (1, 1), (3, 3)]),
    st.integers(1, 7),
    st.integers(1, 6),
    st.sampled_from(SIZES),
    st.integers(0, 2**32 - 1),
)


def _scores(case):
    window, ins, groups, size, seed = case
    scores = np.random.default_rng(seed).integers(0, 5, size=(*window, ins, groups * size))
    return scores.astype(np.float32), size  # few values: many ties


@settings(deadline=None)
@given(kernels, st.floats(0, 0.999))
def test_mask_is_exact_to_within_half_a_group_and_made_of_groups(case, sparsity):
    scores, size = _scores(case)
    keep = Group(size).mask(scores, sparsity)
    assert keep.shape == scores.shape and keep.dtype == bool and keep.any()
    groups = keep.reshape(-1, size)
    assert (groups.all(axis=1) | ~groups.any(axis=1)).all()
    pruned = np.count_nonzero(~groups[:, 0])
    assert abs(pruned - sparsity * len(groups)) <= 0.5 + 1e-9 or pruned == len(groups) - 1


@settings(deadline=None)
@given(kernels, st.floats(0, 0.999), st.floats(0, 0.999))
def test_masks_are_nested_and_repeatable(case, a, b):
    scores, size = _scores(case)
    less, more = (Group(size).mask(scores, s) for s in sorted((a, b)))
    assert not (more & ~less).any()
    np.testing.assert_array_equal(less, Group(size).mask(scores.copy(), min(a, b)))


def test_group_is_scored_by_its_l2_norm():
    # Row 0: one large weight beats four middling ones in the sum of squares, not in the sum.
    scores = np.array([[5, 0, 0, 0, 2, 2, 2, 2], [3, 3, 3, 3, 1, 1, 1, 1]], np.float32)
    np.testing.assert_array_equal(
        Group(4).mask(scores, 0.5)[:, ::4], [[True, False], [True, False]]
    )


def test_a_column_is_a_tap_and_an_input_channel():
    scores = np.ones((3, 3, 2, 8), np.float32)
    scores[1, 2, 0, 4:] = 0.1
    keep = Group(4).mask(scores, 1 / 36)
    assert np.argwhere(~keep).tolist() == [[1, 2, 0, c] for c in (4, 5, 6, 7)]


def test_ties_are_pruned_first_come_first():
    keep = Unstructured().mask(np.zeros((2, 4), np.float32), 0.5)
    np.testing.assert_array_equal(keep, [[False] * 4, [True] * 4])


def test_what_is_zero_is_pruned_first_even_beside_tiny_weights():
    scores = np.full((4, 4), 1e-30)
    scores[:, 2] = 0.0
    keep = Unstructured().mask(scores, 0.25)
    np.testing.assert_array_equal(keep, scores > 0)


@pytest.mark.parametrize(
    "asked, channels, size",
    [(4, 24, 4), (16, 24, 8), (16, 20, 4), (8, 10, 2), (4, 7, 1), (6, 12, 6), (6, 8, 4), (3, 8, 2)],
)
def test_fit_takes_the_largest_power_of_two_that_divides(asked, channels, size):
    assert Group(asked).fit((1, 1, 32, channels)).size == size


def test_mask_does_not_fit_silently():
    with pytest.raises(ValueError, match="does not fit 6 output channels.*group2"):
        Group(4).mask(np.ones((2, 6)), 0.5)


@pytest.mark.parametrize("sparsity", [-0.1, 1.0, 1.5, float("nan")])
def test_sparsity_outside_its_range(sparsity):
    with pytest.raises(ValueError, match=r"\[0, 1\)"):
        Group(4).mask(np.ones((2, 4)), sparsity)


@pytest.mark.parametrize("size, error", [(0, ValueError), (-4, ValueError), (2.0, TypeError)])
def test_bad_group_size(size, error):
    with pytest.raises(error, match="Group size"):
        Group(size)


def test_names_and_configs():
    for pattern in (Group(4), Group(1), Unstructured()):
        assert patterns.get(patterns.serialize(pattern)) == pattern
    assert patterns.get("group8") == Group(8)
    assert patterns.get("unstructured") == Unstructured()
    assert patterns.get(Group(4)).name == "group4"
    assert Group(1).name == Unstructured().name == "unstructured"
    with pytest.raises(ValueError, match="Unknown pattern 'block4'"):
        patterns.get("block4")
    with pytest.raises(ValueError, match="Unknown pattern class"):
        patterns.get({"class_name": "Block"})
    with pytest.raises(TypeError, match="Expected a pattern"):
        patterns.get(4)


def test_cost_counts_the_multiply_adds_of_one_position():
    assert Group(4).cost(Group(4).mask(np.ones((1, 1, 8, 16)), 0.75)) == 32


def test_explains():
    zeros = np.zeros((2, 8), bool)
    zeros[0, 4:] = True
    assert [g for g in SIZES if Group(g).explains(zeros)] == [1, 2, 4]
