"""The sparse encoding: every member of the schema's family can be read, ours can be written."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbnn_tf.convert.encoding import decode, encode, sparsity_parameters
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.errors import SbnnError


def random_tensor(draw, shape):
    density = draw(st.sampled_from([0.0, 0.1, 0.5, 1.0]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return np.where(rng.random(shape) < density, rng.integers(1, 99, shape), 0).astype(np.float32)


@st.composite
def filters(draw):
    group = draw(st.sampled_from([1, 2, 4, 8, 16]))
    block = draw(st.sampled_from([1, 1, 4]))
    groups, blocks = draw(st.integers(1, 3)), draw(st.integers(1, 7))
    middle = draw(st.sampled_from([(), (1, 1), (3, 3), (2,)]))
    return random_tensor(draw, (group * groups, *middle, block * blocks)), group, block


@given(filters())
@settings(deadline=None)
def test_what_is_encoded_is_decoded(case):
    values, group, block = case
    encoded = encode(values, group, block)
    parameters = sparsity_parameters(encoded)
    np.testing.assert_array_equal(
        decode(parameters, values.shape, encoded.values.ravel(), "t"), values
    )
    inputs = values.shape[-1] // block
    kept = values.reshape(values.shape[0] // group, group, -1, inputs, block).any(axis=(1, 4))
    assert encoded.values.shape == (kept.sum(), group, block)


def test_layout_of_a_convolution_filter():
    values = np.zeros((4, 1, 1, 3), np.float32)
    values[0, 0, 0, 2], values[1, 0, 0, 2], values[3, 0, 0, 0] = 1, 2, 3
    encoded = encode(values, 2)
    parameters = sparsity_parameters(encoded)
    assert list(parameters.traversalOrder) == [0, 1, 2, 3, 4]
    assert list(parameters.blockMap) == [0]
    dense, csr = schema().DimensionType.DENSE, schema().DimensionType.SPARSE_CSR
    assert [(d.format, d.denseSize) for d in parameters.dimMetadata] == [
        (dense, 2),
        (dense, 1),
        (dense, 1),
        (csr, 0),
        (dense, 2),
    ]
    assert list(parameters.dimMetadata[3].arraySegments.values) == [0, 1, 2]
    assert list(parameters.dimMetadata[3].arrayIndices.values) == [2, 0]
    np.testing.assert_array_equal(encoded.values, [[[1], [2]], [[0], [3]]])


def test_layout_of_blocks_of_inputs():
    values = np.zeros((4, 1, 1, 8), np.int8)
    values[1, 0, 0, 5] = 7
    encoded = encode(values, 2, 4)
    parameters = sparsity_parameters(encoded)
    assert list(parameters.traversalOrder) == [0, 1, 2, 3, 4, 5]
    assert list(parameters.blockMap) == [0, 3]
    assert [d.denseSize for d in parameters.dimMetadata[4:]] == [2, 4]
    np.testing.assert_array_equal(encoded.values, [[[0, 0, 0, 0], [0, 7, 0, 0]]])
    with pytest.raises(ValueError, match="a block that divides 6 inputs, found 4"):
        encode(np.ones((4, 6), np.int8), 2, 4)


@pytest.mark.parametrize("block, share", [(1, 0.4), (4, 0.3)])
def test_three_quarters_of_zeros_in_int8(block, share):
    """Indices and segments leave most of what zeros save."""
    rng = np.random.default_rng(0)
    keep = rng.permutation(128 * 512 // block).reshape(128, 512 // block) % 4 == 0
    values = np.repeat(np.repeat(keep, 4, axis=0), block, axis=1).astype(np.int8)
    assert encode(values.reshape(512, 1, 1, 512), 4, block).nbytes <= share * values.nbytes


def test_group_one_has_no_block():
    parameters = sparsity_parameters(encode(np.eye(4, dtype=np.float32), 1))
    assert list(parameters.traversalOrder) == [0, 1]
    assert parameters.blockMap is None


@pytest.mark.parametrize(
    "inputs, kept, indices, segments",
    [
        (256, 1, "Uint8VectorT", "Uint8VectorT"),
        (257, 1, "Uint16VectorT", "Uint8VectorT"),
        (65536, 256, "Uint16VectorT", "Uint16VectorT"),
        (65537, 65537, "Int32VectorT", "Int32VectorT"),
    ],
)
def test_smallest_index_type_that_fits(inputs, kept, indices, segments):
    values = np.zeros((1, inputs), np.float32)
    values[0, inputs - kept :] = 1
    encoded = encode(values, 1)
    level = sparsity_parameters(encoded).dimMetadata[1]
    assert type(level.arrayIndices).__name__ == indices
    assert type(level.arraySegments).__name__ == segments
    assert level.arrayIndicesType == getattr(schema().SparseIndexVector, indices[:-1])
    np.testing.assert_array_equal(
        decode(sparsity_parameters(encoded), values.shape, encoded.values.ravel(), "t"), values
    )


def test_minus_zero_is_zero_and_nan_is_not():
    values = np.array([[-0.0, np.nan, 1.0]], np.float32)
    encoded = encode(values, 1)
    assert list(encoded.indices) == [1, 2]


def test_group_must_divide():
    with pytest.raises(ValueError, match="divides 6"):
        encode(np.ones((6, 2), np.float32), 4)


def tree_of(values, order, block_map, block_sizes, sparse):
    """Encode one value at a time, as the schema describes it: the reference of `decode`."""
    s = schema()
    rank = values.ndim
    blocks = dict(zip(block_map, block_sizes))
    sizes = [values.shape[d] // blocks.get(d, 1) for d in range(rank)] + list(block_sizes)

    def value_at(path):
        at = [0] * rank
        for level, position in enumerate(order):
            if position < rank:
                at[position] += path[level] * blocks.get(position, 1)
            else:
                at[block_map[position - rank]] += path[level]
        return values[tuple(at)]

    def holds_something(prefix):
        rest = [range(sizes[p]) for p in order[len(prefix) :]]
        return any(value_at((*prefix, *tail)) for tail in itertools.product(*rest))

    paths, metadata = [()], []
    for level, position in enumerate(order):
        size = sizes[position]
        if sparse[level]:
            segments, indices, longer = [0], [], []
            for path in paths:
                kept = [i for i in range(size) if holds_something((*path, i))]
                indices += kept
                segments.append(len(indices))
                longer += [(*path, i) for i in kept]
            entry = s.DimensionMetadataT(s.DimensionType.SPARSE_CSR)
            entry.arraySegments = s.Int32VectorT(np.array(segments, np.int32))
            entry.arrayIndices = s.Int32VectorT(np.array(indices, np.int32))
            paths = longer
        else:
            entry = s.DimensionMetadataT(s.DimensionType.DENSE, size)
            paths = [(*path, i) for path in paths for i in range(size)]
        metadata.append(entry)
    parameters = s.SparsityParametersT(
        np.array(order, np.int32), np.array(block_map, np.int32), metadata
    )
    return parameters, np.array([value_at(path) for path in paths], values.dtype)


@st.composite
def trees(draw):
    rank = draw(st.integers(1, 4))
    block_map = draw(st.lists(st.integers(0, rank - 1), unique=True, max_size=2))
    block_sizes = [draw(st.integers(1, 3)) for _ in block_map]
    shape = [draw(st.integers(1, 3)) for _ in range(rank)]
    for dim, size in zip(block_map, block_sizes):
        shape[dim] *= size
    # The schema wants blocks behind all other levels; the order is free otherwise.
    order = draw(st.permutations(range(rank)))
    order += draw(st.permutations(range(rank, rank + len(block_map))))
    sparse = [draw(st.booleans()) and p < rank for p in order]
    return random_tensor(draw, tuple(shape)), order, block_map, block_sizes, sparse


@given(trees())
@settings(deadline=None)
def test_any_traversal_and_block_is_decoded(case):
    parameters, stored = tree_of(*case)
    np.testing.assert_array_equal(decode(parameters, case[0].shape, stored, "t"), case[0])


def damage_order(p):
    p.traversalOrder = np.array([0, 0, 2, 3, 4], np.int32)


def damage_blocks(p):
    p.blockMap = np.array([7], np.int32)


def damage_level_count(p):
    p.dimMetadata.pop()


def damage_block_size(p):
    p.dimMetadata[4].denseSize = 3


def damage_dense_size(p):
    p.dimMetadata[0].denseSize = 10**9


def damage_segments(p):
    p.dimMetadata[3].arraySegments.values = p.dimMetadata[3].arraySegments.values[::-1].copy()


def damage_segment_count(p):
    p.dimMetadata[3].arraySegments.values = p.dimMetadata[3].arraySegments.values[:-1]


def damage_index(p):
    p.dimMetadata[3].arrayIndices.values[0] = 200


def damage_missing_indices(p):
    p.dimMetadata[3].arrayIndices = None


DAMAGES = [f for name, f in sorted(globals().items()) if name.startswith("damage_")]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda f: f.__name__)
def test_contradicting_metadata_are_refused(damage):
    encoded = encode(np.ones((8, 1, 1, 5), np.float32), 4)
    parameters = sparsity_parameters(encoded)
    damage(parameters)
    with pytest.raises(SbnnError, match="'some filter' .* damaged"):
        decode(parameters, (8, 1, 1, 5), encoded.values.ravel(), "some filter")


def test_wrong_number_of_values_is_refused():
    encoded = encode(np.ones((8, 5), np.float32), 4)
    with pytest.raises(SbnnError, match="40 values, and 39 are stored"):
        decode(sparsity_parameters(encoded), (8, 5), encoded.values.ravel()[1:], "t")


def test_absurd_shape_is_refused_without_allocating_it():
    s = schema()
    level = s.DimensionMetadataT(s.DimensionType.SPARSE_CSR)
    level.arraySegments = s.Int32VectorT(np.array([0, 1], np.int32))
    level.arrayIndices = s.Int32VectorT(np.array([0], np.int32))
    parameters = s.SparsityParametersT(np.array([0], np.int32), None, [level])
    assert math.prod((2**31 - 1,)) * 4 > 2**32
    with pytest.raises(SbnnError, match="claims the shape"):
        decode(parameters, (2**31 - 1,), np.ones(1, np.float32), "t")
