import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbnn_tf import patterns
from sbnn_tf.patterns import (
    Auto,
    Block,
    DepthwiseTaps,
    Group,
    KernelPattern,
    NofM,
    Pattern,
    Unstructured,
)

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
    own = KernelPattern(2, [np.eye(3)[:, ::-1] * [[0, 0, 1], [0, 1, 0], [0, 0, 0]], _CORNER], 8)
    for pattern in (Group(4), Group(1), Unstructured(), KernelPattern(), own):
        assert patterns.get(patterns.serialize(pattern)) == pattern
        assert patterns.get(json.loads(json.dumps(patterns.serialize(pattern)))) == pattern
        assert hash(patterns.get(patterns.serialize(pattern))) == hash(pattern)
    for pattern in (KernelPattern(), KernelPattern(3, 12), KernelPattern(5, 6, 8)):
        assert patterns.get(pattern.name) == pattern
    assert KernelPattern(4, 8).name == "kernel4x8"
    assert patterns.get("group8") == Group(8)
    assert patterns.get("unstructured") == Unstructured()
    assert patterns.get(Group(4)).name == "group4"
    assert Group(1).name == Unstructured().name == "unstructured"
    with pytest.raises(ValueError, match="Unknown pattern 'block4'"):
        patterns.get("block4")
    for pattern in (DepthwiseTaps(3, 2), NofM(1, 4), Block(4, 8), Auto()):
        assert patterns.get(patterns.serialize(pattern)) == patterns.get(pattern.name) == pattern
    with pytest.raises(ValueError, match="Unknown pattern class"):
        patterns.get({"class_name": "Blocks"})
    with pytest.raises(TypeError, match="Expected a pattern"):
        patterns.get(4)


def test_explains():
    zeros = np.zeros((2, 8), bool)
    zeros[0, 4:] = True
    assert [g for g in SIZES if Group(g).explains(zeros)] == [1, 2, 4]


_CORNER = [[1, 0, 0], [0, 1, 0], [0, 0, 0]]

windows = st.tuples(
    st.sampled_from([(1, 1), (3, 3), (5, 5), (1, 3), (2, 2), (3,)]),
    st.integers(1, 9),
    st.integers(1, 4),
    st.sampled_from(SIZES),
    st.integers(0, 2**32 - 1),
)
libraries = st.tuples(st.integers(2, 8), st.integers(1, 8))


def _by_kernel(mask, group):
    """A mask as (groups of outputs, inputs, taps), all of a group's outputs alike."""
    outputs = mask.reshape(-1, mask.shape[-2], mask.shape[-1] // group, group)
    assert (outputs == outputs[..., :1]).all()
    return outputs[..., 0].transpose(2, 1, 0)


@settings(deadline=None)
@given(windows, libraries, st.floats(0, 0.999))
def test_kernel_patterns_are_exact_balanced_and_few(case, library, sparsity):
    scores, group = _scores(case)
    pattern = KernelPattern(*library, group)
    mask = pattern.mask(scores, sparsity)
    assert mask.shape == scores.shape and mask.dtype == bool
    keep = _by_kernel(mask, group)
    groups, inputs, taps = keep.shape
    own = -(-library[0] * taps // 9)
    pruned, asked = keep.size - keep.sum(), sparsity * keep.size
    whole = ~keep.any(axis=-1)
    count = whole.sum(axis=1)
    assert (count == count[0]).all()
    if asked <= groups * inputs * (taps - own):
        assert abs(pruned - asked) <= 0.5 + 1e-9 and not whole.any()
        assert (keep.sum(axis=-1) >= own).all()
    else:
        # A step is one kernel in every group of outputs; one of them always stays.
        assert abs(pruned - asked) <= groups * own / 2 + 0.5 or count[0] == inputs - 1
        assert (keep.sum(axis=-1)[~whole] == own).all()
        assert len(np.unique(keep[~whole], axis=0)) <= library[1]
    centre = 0
    for size in scores.shape[:-2]:
        centre = centre * size + (size - 1) // 2
    assert keep[~whole][:, centre].all()
    assert pattern.explains(~mask)


@settings(deadline=None)
@given(windows, libraries, st.floats(0, 0.999), st.floats(0, 0.999))
def test_masks_of_kernel_patterns_are_nested_and_repeatable(case, library, a, b):
    scores, group = _scores(case)
    pattern = KernelPattern(*library, group)
    less, more = (pattern.mask(scores, s) for s in sorted((a, b)))
    assert not (more & ~less).any()
    np.testing.assert_array_equal(less, pattern.mask(scores.copy(), min(a, b)))


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.3, 5 / 9, 0.8]))
def test_kernel_patterns_follow_a_permutation_of_the_inputs(seed, sparsity):
    rng = np.random.default_rng(seed)
    scores, order = rng.random((3, 3, 12, 8)), rng.permutation(12)
    pattern = KernelPattern()
    np.testing.assert_array_equal(
        pattern.mask(scores, sparsity)[:, :, order], pattern.mask(scores[:, :, order], sparsity)
    )


def test_the_library_is_what_most_kernels_want_and_each_takes_its_best():
    common = np.array([[0, 1, 0], [1, 1, 1], [0, 0, 0]])
    second = np.array([[0, 0, 0], [1, 1, 0], [1, 1, 0]])
    rare = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 1]])
    wanted = np.stack([common] * 5 + [second] * 3 + [rare, rare], axis=-1)
    scores = np.repeat((1.0 + 9 * wanted)[..., None], 4, axis=-1)
    scores[2, 1, 9] = 5  # the second kernel that wants `rare` would sooner have `second`
    pattern = KernelPattern(4, 2)
    np.testing.assert_array_equal(pattern.patterns(scores), [common, second])
    keep = pattern.mask(scores, 5 / 9)[..., 0]
    np.testing.assert_array_equal(keep[..., :5], np.stack([common] * 5, axis=-1))
    np.testing.assert_array_equal(keep[..., 5:8], np.stack([second] * 3, axis=-1))
    np.testing.assert_array_equal(keep[..., 9], second)


def test_whole_kernels_go_by_what_their_pattern_keeps():
    scores = np.random.default_rng(0).random((3, 3, 4, 8))
    scores[:, :, 2, :4] *= 0.1
    scores[:, :, 1, 4:] *= 0.1
    keep = KernelPattern().mask(scores, 1 - 4 / 9 * 3 / 4)
    gone = np.argwhere(~keep.any(axis=(0, 1)))
    assert gone.tolist() == [[1, c] for c in (4, 5, 6, 7)] + [[2, c] for c in (0, 1, 2, 3)]


def test_given_patterns_and_no_others():
    own = [_CORNER, [[0, 0, 0], [0, 1, 1], [0, 0, 0]]]
    pattern = KernelPattern(2, own)
    scores = np.random.default_rng(0).random((3, 3, 8, 16))
    used = np.unique(_by_kernel(pattern.mask(scores, 7 / 9), 4).reshape(-1, 9), axis=0)
    assert {tuple(u) for u in used} == {tuple(np.ravel(p) != 0) for p in own}
    assert pattern.explains(~pattern.mask(scores, 0.9))
    assert not pattern.explains(~KernelPattern(2, 8).mask(scores, 0.9))
    # Windows of another size choose as many of their own.
    with pytest.raises(ValueError, match=r"does not fit a window of \(5, 5\)"):
        pattern.mask(np.ones((5, 5, 2, 4)), 0.5)
    assert pattern.fit((5, 5, 2, 4)) == KernelPattern(2, 2)


def test_kernel_patterns_do_not_explain_other_zeros():
    scores = np.random.default_rng(0).random((3, 3, 8, 16))
    assert not KernelPattern().explains(~Group(4).mask(scores, 0.6))
    unbalanced = KernelPattern().mask(scores, 5 / 9)
    unbalanced[:, :, 3, :4] = False
    assert not KernelPattern().explains(~unbalanced)
    assert not KernelPattern(group=8).explains(~KernelPattern(group=4).mask(scores, 5 / 9))


def test_kernel_patterns_fit():
    assert KernelPattern().fit((3, 3, 8, 6)) == KernelPattern(group=2)
    with pytest.raises(ValueError, match="does not fit 6 output channels.*kernel4x8group2"):
        KernelPattern().mask(np.ones((3, 3, 8, 6)), 0.6)


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ((0,), ValueError, "taps must be 1 or more"),
        ((10,), ValueError, "taps must be 1 to 9"),
        ((4.0,), TypeError, "taps must be a whole number"),
        ((4, 0), ValueError, "library must be 1 or more"),
        ((4, 57), ValueError, "library must be at most 56"),
        ((9, 2), ValueError, "library must be at most 1"),
        ((4, 8, 0), ValueError, "group must be 1 or more"),
        ((4, "all"), ValueError, "expected patterns of 4 of 9 taps"),
        ((4, None), TypeError, "library must be a number or patterns"),
        ((4, []), ValueError, "at least one pattern"),
        ((2, [[[1, 1, 0], [0, 0, 0], [0, 0, 0]]]), ValueError, "the centre among them"),
        ((3, [_CORNER]), ValueError, "patterns of 3 of 9 taps"),
        ((2, [_CORNER, _CORNER]), ValueError, "more than once"),
    ],
)
def test_bad_kernel_patterns(arguments, error, message):
    with pytest.raises(error, match=message):
        KernelPattern(*arguments)


# Every pattern, at shapes that it fits.
ALL = {
    "group4": ((3, 3, 8, 16), Group(4)),
    "unstructured": ((8, 16), Unstructured()),
    "kernel": ((3, 3, 8, 16), KernelPattern(4, 6, 4)),
    "kernel 5x5": ((5, 5, 4, 8), KernelPattern(4, 6, 2)),
    "kernel 1x1": ((1, 1, 16, 8), KernelPattern(4, 8, 4)),
    "kernel dense": ((16, 8), KernelPattern(4, 8, 4)),
    "kernel line": ((3, 8, 8), KernelPattern(4, 8, 4)),
    "kernel volume": ((3, 3, 3, 2, 4), KernelPattern(4, 6, 4)),
    "taps": ((3, 3, 1, 16), DepthwiseTaps(4, 4)),
    "2of4": ((3, 3, 8, 5), NofM(2, 4)),
    "1of4": ((8, 6), NofM(1, 4)),
    "block": ((3, 3, 8, 16), Block(4, 8)),
}
# The most that can be pruned, where that is not nearly everything, and the size of one piece.
MOST = {"taps": 5 / 9, "2of4": 0.5, "1of4": 0.25}
PIECE = {"group4": 4, "kernel": 16, "kernel 5x5": 2 * 12, "kernel 1x1": 4, "kernel dense": 4}
PIECE |= {"kernel line": 8, "kernel volume": 48, "taps": 4, "block": 32}
one_of_all = pytest.mark.parametrize("case", ALL)
seeds = st.integers(0, 2**32 - 1)


@one_of_all
@settings(deadline=None, max_examples=20)
@given(seed=seeds, sparsity=st.floats(0, 0.9))
def test_sparsity_is_exact_to_within_a_piece_and_explained(case, seed, sparsity):
    shape, pattern = ALL[case]
    keep = pattern.mask(np.random.default_rng(seed).random(shape), sparsity)
    assert keep.shape == shape and keep.dtype == bool
    expected = min(sparsity, MOST.get(case, 1.0)) * keep.size
    # Whole kernels go in every group at once.
    piece = PIECE.get(case, 1) * (shape[-1] // pattern.group if case.startswith("kernel") else 1)
    assert abs(np.count_nonzero(~keep) - expected) <= piece / 2 + 1e-9 * keep.size or (
        case.startswith("kernel") and keep.mean() <= 1 / shape[-2]  # the last kernel stays
    )
    assert pattern.explains(~keep)


@one_of_all
@settings(deadline=None, max_examples=20)
@given(seed=seeds, steps=st.lists(st.floats(0, 0.95), min_size=2, max_size=5))
def test_masks_are_nested_while_a_schedule_rises_and_weights_move(case, seed, steps):
    shape, pattern = ALL[case]
    rng = np.random.default_rng(seed)
    keep = np.ones(shape, bool)
    pattern = pattern.bind(rng.random(shape) + 0.01)
    for sparsity in sorted(steps):
        scores = np.where(keep, rng.random(shape) + 1e-6, 0.0)  # as the callback has them
        after = pattern.mask(scores, sparsity)
        assert not (after & ~keep).any()
        keep = after


@one_of_all
@settings(deadline=None, max_examples=20)
@given(seed=seeds, sparsity=st.floats(0.05, 0.9))
def test_masks_follow_a_permutation(case, seed, sparsity):
    """Whole groups of outputs, and blocks of inputs, may change places."""
    shape, pattern = ALL[case]
    rng = np.random.default_rng(seed)
    scores = rng.permutation(np.prod(shape)).reshape(shape) + 1.0  # no ties
    outputs = getattr(pattern, "size", getattr(pattern, "group", 1))
    outputs, inputs = (8, 4) if case == "block" else (outputs, getattr(pattern, "m", 1))
    move_out, move_in = (
        (rng.permutation(n // size)[:, None] * size + np.arange(size)).ravel()
        for n, size in ((shape[-1], outputs), (shape[-2], inputs))
    )
    moved = scores[..., move_in, :][..., move_out]
    keep = pattern.mask(scores, sparsity)
    np.testing.assert_array_equal(
        pattern.mask(moved, sparsity), keep[..., move_in, :][..., move_out]
    )


def test_depthwise_taps():
    scores = np.arange(9.0)[:, None] * np.ones(8)
    scores = scores.reshape(3, 3, 1, 8)
    scores[..., 4:] = scores[::-1, ::-1, :, 4:]
    keep = DepthwiseTaps(4, 4).mask(scores, 5 / 9).reshape(9, 8)
    np.testing.assert_array_equal(keep[:, 0], np.arange(9) >= 5)
    np.testing.assert_array_equal(keep[:, 7], np.arange(9) < 4)
    # never fewer than it says, and below the full sparsity the lowest of all groups go
    np.testing.assert_array_equal(DepthwiseTaps(4, 4).mask(scores, 0.9).reshape(9, 8), keep)
    assert DepthwiseTaps(4, 8).fit((3, 3, 1, 12)) == DepthwiseTaps(4, 4)
    assert not DepthwiseTaps(5, 4).explains(~keep.reshape(scores.shape))
    assert "depthwise kernels" in DepthwiseTaps().unfit("conv", (3, 3, 8, 8))
    assert "no taps to spare" in DepthwiseTaps().unfit("depthwise", (2, 2, 1, 8))
    assert not DepthwiseTaps().unfit("depthwise", (3, 3, 1, 8))


def test_n_of_m():
    scores = np.array([[3, 1, 2, 4, 9, 8, 7, 6]], np.float32).T
    keep = NofM(2, 4).mask(scores, 0.5)[:, 0]
    np.testing.assert_array_equal(keep, [True, False, False, True, True, True, False, False])
    np.testing.assert_array_equal(NofM(2, 4).mask(scores, 0.9)[:, 0], keep)
    np.testing.assert_array_equal(np.flatnonzero(~NofM(2, 4).mask(scores, 0.25)), [1, 2])
    assert "4 does not divide its 6 inputs" in NofM(2, 4).unfit("dense", (6, 8))
    assert not NofM(2, 4).explains(np.array([[1, 1, 1, 0]], bool).T)
    with pytest.raises(ValueError, match="n must be below m"):
        NofM(4, 4)


def test_n_of_m_is_that_of_tfmot():
    """In a process of its own: importing tfmot turns tf.keras into Keras 2."""
    code = """
        import numpy as np, tensorflow as tf
        from tensorflow_model_optimization.python.core.sparsity.keras import pruning_utils as theirs
        from sbnn_tf.patterns import NofM
        for shape in ((8, 6), (3, 3, 8, 5)):
            for n, m in ((2, 4), (1, 4), (1, 2), (3, 8)):
                weights = np.random.default_rng(0).normal(size=shape).astype("float32")
                flat = theirs.weights_rearrange(tf.constant(weights))
                mask = theirs.generate_m_by_n_mask(flat, (n, m))
                mask = theirs.m_by_n_sparsity_mask_prepare(mask, tf.TensorShape(shape))
                ours = NofM(n, m).mask(np.abs(weights), 0.99)
                np.testing.assert_array_equal(ours, mask.numpy() != 0)
        print("same")
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True
    )
    assert result.stdout.strip().endswith("same"), result.stderr


def test_block():
    scores = np.ones((8, 8))
    scores[4:, :4] = 0.5
    keep = Block(4, 4).mask(scores, 0.25)
    np.testing.assert_array_equal(keep, scores == 1)
    assert Block(4, 16).fit((1, 1, 6, 24)) == Block(2, 8)
    assert not Block(4, 4).explains(~Group(4).mask(np.random.default_rng(0).random((8, 8)), 0.5))
    with pytest.raises(ValueError, match="does not fit 6 inputs and 8 outputs.*block2x4"):
        Block(4, 4).mask(np.ones((6, 8)), 0.5)


def test_auto_picks_by_operator():
    assert Auto().fit((1, 1, 8, 16)) == Auto().fit((8, 16)) == Group(4)
    assert Auto().fit((3, 3, 8, 6)) == KernelPattern(4, 8, 2)
    assert Auto().unfit("depthwise", (3, 3, 1, 8)) and not Auto().unfit("conv", (3, 3, 8, 8))
    scores = np.random.default_rng(0).random((8, 16))
    np.testing.assert_array_equal(Auto().mask(scores, 0.5), Group(4).mask(scores, 0.5))


def test_auto_goes_by_what_the_network_computes_in():
    int8 = Auto("int8")
    assert int8.fit((1, 1, 8, 16)) == int8.fit((3, 3, 8, 16)) == int8.fit((8, 16)) == Block(4, 4)
    assert int8.fit((3, 3, 6, 16)) == Block(2, 4) and int8.unfit("depthwise", (3, 3, 1, 8))
    assert Auto("fp32").fit((3, 3, 8, 16)) == Auto().fit((3, 3, 8, 16))
    for name in ("auto", "auto-fp32", "auto-int8"):
        assert patterns.get(name).name == name
        assert patterns.get(patterns.serialize(patterns.get(name))) == patterns.get(name)
    # What was said stands; where nothing was, those who know better may.
    assert Auto().aimed("int8") == int8 == int8.aimed("fp32") and Auto().aimed(None) == Auto()
    assert Group(4).aimed("int8") == Group(4)
    with pytest.raises(ValueError, match="target must be one of fp32, int8, not 'int4'"):
        Auto("int4")


def test_what_fits():
    assert patterns.fitting("depthwise", (3, 3, 1, 8)) == ["taps4group4"]
    assert "2of4" not in patterns.fitting("dense", (6, 8))
    assert "2of4" in patterns.fitting("dense", (8, 8))


def test_a_pattern_of_ones_own():
    class Checkerboard(Pattern):
        """Half of the weights, whatever is asked for."""

        name = "checkerboard"

        @classmethod
        def parse(cls, name):
            return cls() if name == "checkerboard" else None

        def fit(self, shape):
            return self

        def mask(self, scores, sparsity):
            return np.indices(scores.shape).sum(axis=0) % 2 == 0

        def explains(self, zeros):
            return bool((zeros == ~self.mask(zeros, 0.5)).all())

    own = patterns.get("checkerboard")
    assert patterns.get(patterns.serialize(own)) == own == Checkerboard()
    assert own.mask(np.ones((4, 4)), 0.5).mean() == 0.5
