"""The sparse tensor encoding of the TFLite schema (`SparsityParameters`): encode and decode.

The schema follows the TACO format (Kjolstad et al., "The Tensor Algebra Compiler", OOPSLA 2017,
section 3): a tensor is a tree with one level per dimension, in the order of `traversal_order`,
and each level is dense or lists the coordinates present (`segments`, `indices`). A dimension may
be split into blocks; the positions inside its block are then one more level.

What is written here is one member of that family: for a filter of shape O..I, groups of G
consecutive outputs share their kept inputs, which are kept or not in blocks of B. Levels: O/G
dense, the middle dimensions dense, I/B sparse, G dense, B dense. With G = 1 or B = 1 there is no
block level of that dimension. What is read is the whole family.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sbnn_tf.convert.flatbuffer import MAX_BYTES, schema
from sbnn_tf.errors import SbnnError


@dataclass(frozen=True)
class Encoded:
    """A filter in the group encoding.

    Attributes:
      shape: of the dense filter, outputs first, inputs last.
      group: G, the outputs that share their kept inputs.
      block: B, the inputs that are kept together.
      values: (kept blocks, G, B) in the filter's type.
      segments: (O/G * middle + 1,) where each row of blocks begins.
      indices: (kept blocks,) which B inputs each has.
    """

    shape: tuple[int, ...]
    group: int
    block: int
    values: np.ndarray
    segments: np.ndarray
    indices: np.ndarray

    @property
    def nbytes(self) -> int:
        """What values, indices and segments take in the file."""
        return self.values.nbytes + self.segments.nbytes + self.indices.nbytes


def encode(filter_values: np.ndarray, group: int, block: int = 1) -> Encoded:
    """Encode a filter (O, ..., I) by groups of outputs and blocks of inputs, divisors of O and I.

    A block (some inputs of one group, at one tap) is kept if any of its values is not zero; -0.0 is
    zero, NaN is not.
    """
    shape = filter_values.shape
    outputs, inputs = shape[0], shape[-1]
    if outputs % group:
        raise ValueError(f"expected a group that divides {outputs} outputs, found {group}")
    if inputs % block:
        raise ValueError(f"expected a block that divides {inputs} inputs, found {block}")
    blocks = filter_values.reshape(outputs // group, group, -1, inputs // block, block)
    keep = (blocks != 0).any(axis=(1, 4))
    kept = np.moveaxis(blocks, 1, 3)[keep]
    segments = np.concatenate(([0], np.cumsum(keep.sum(axis=2).ravel())))
    return Encoded(
        shape=shape,
        group=group,
        block=block,
        values=kept,
        segments=_narrow(segments, len(kept)),
        indices=_narrow(np.nonzero(keep)[2], inputs // block - 1),
    )


def _narrow(values: np.ndarray, largest: int) -> np.ndarray:
    for kind in (np.uint8, np.uint16):
        if largest <= np.iinfo(kind).max:
            return values.astype(kind)
    return values.astype(np.int32)


def sparsity_parameters(encoded: Encoded):
    """The `SparsityParametersT` of an encoded filter."""
    s = schema()
    dense = [encoded.shape[0] // encoded.group, *encoded.shape[1:-1]]
    dims = [_dense_level(size) for size in dense]
    sparse = s.DimensionMetadataT()
    sparse.format = s.DimensionType.SPARSE_CSR
    sparse.arraySegmentsType, sparse.arraySegments = _vector(encoded.segments)
    sparse.arrayIndicesType, sparse.arrayIndices = _vector(encoded.indices)
    dims.append(sparse)
    blocks = {0: encoded.group, len(encoded.shape) - 1: encoded.block}
    blocks = {dim: size for dim, size in blocks.items() if size > 1}
    dims += [_dense_level(size) for size in blocks.values()]
    parameters = s.SparsityParametersT()
    parameters.traversalOrder = np.arange(len(dims), dtype=np.int32)
    parameters.blockMap = np.array(list(blocks), np.int32) if blocks else None
    parameters.dimMetadata = dims
    return parameters


def _dense_level(size: int):
    level = schema().DimensionMetadataT()
    level.format = schema().DimensionType.DENSE
    level.denseSize = size
    return level


def _vector(values: np.ndarray):
    s = schema()
    kind = {np.dtype(np.uint8): "Uint8", np.dtype(np.uint16): "Uint16"}.get(values.dtype, "Int32")
    vector = getattr(s, f"{kind}VectorT")()
    vector.values = values
    return getattr(s.SparseIndexVector, f"{kind}Vector"), vector


@dataclass(frozen=True)
class Level:
    """One level of a sparse tensor's tree, checked.

    Attributes:
      dim: the dimension of the dense tensor it walks along.
      block: it walks inside that dimension's block.
      size: positions of a dense level; None for a sparse one.
      segments, indices: of a sparse level (int64); None for a dense one.
      step: how far one position moves in the flat dense tensor.
    """

    dim: int
    block: bool
    size: int | None
    segments: np.ndarray | None
    indices: np.ndarray | None
    step: int


def levels(sparsity, shape: tuple[int, ...], stored: int, name: str) -> list[Level]:
    """The levels of a sparse tensor of the dense shape `shape`, outermost first.

    Args:
      sparsity: its `SparsityParametersT`.
      shape: the dense shape.
      stored: the number of its values in the file.
      name: for messages.

    Raises:
      SbnnError: the metadata contradict themselves, the shape or the number of values.
    """

    def require(holds, what: str) -> None:
        if not holds:
            raise SbnnError(f"sparse tensor {name!r} of shape {list(shape)} is damaged: {what}")

    def ints(values) -> list[int]:
        return [] if values is None else [int(v) for v in values]

    rank = len(shape)
    order, block_map = ints(sparsity.traversalOrder), ints(sparsity.blockMap)
    metadata = sparsity.dimMetadata or []
    count = rank + len(block_map)
    require(
        sorted(order) == list(range(count)),
        f"expected a traversal order of 0 to {count - 1}, found {order}",
    )
    require(
        all(0 <= d < rank for d in block_map) and len(set(block_map)) == len(block_map),
        f"expected blocks of different dimensions below {rank}, found {block_map}",
    )
    require(len(metadata) == count, f"expected {count} levels, found {len(metadata)}")

    # A block level's size is the block's: it must be dense and divide its dimension.
    blocks = [1] * rank
    for level, position in enumerate(order):
        if position >= rank:
            dim, entry = block_map[position - rank], metadata[level]
            require(
                entry.format == schema().DimensionType.DENSE and entry.denseSize > 0,
                "expected dense levels inside blocks",
            )
            require(
                shape[dim] % entry.denseSize == 0,
                f"a block of {entry.denseSize} does not divide dimension {dim}",
            )
            blocks[dim] = int(entry.denseSize)

    result, rows = [], 1
    for level, position in enumerate(order):
        entry = metadata[level]
        block = position >= rank
        dim = block_map[position - rank] if block else position
        extent = blocks[dim] if block else shape[dim] // blocks[dim]
        step = math.prod(shape[dim + 1 :]) * (1 if block else blocks[dim])
        if entry.format == schema().DimensionType.DENSE:
            require(
                entry.denseSize == extent,
                f"level {level} has {entry.denseSize} positions, expected {extent}",
            )
            result.append(Level(dim, block, extent, None, None, step))
            rows *= extent
            continue
        require(
            entry.arraySegments is not None and entry.arrayIndices is not None,
            f"level {level} has no segments or no indices",
        )
        segments, indices = (
            np.asarray([] if v.values is None else v.values).astype(np.int64)
            for v in (entry.arraySegments, entry.arrayIndices)
        )
        require(
            len(segments) == rows + 1,
            f"level {level} has {len(segments)} segments, expected {rows + 1}",
        )
        require(
            segments[0] == 0 and segments[-1] == len(indices) and (np.diff(segments) >= 0).all(),
            f"the segments of level {level} do not go from 0 up to its {len(indices)} indices",
        )
        require(
            ((indices >= 0) & (indices < extent)).all(),
            f"an index of level {level} is outside 0 to {extent - 1}",
        )
        result.append(Level(dim, block, None, segments, indices, step))
        rows = len(indices)
    require(rows == stored, f"its levels name {rows} values, and {stored} are stored")
    return result


def decode(sparsity, shape: tuple[int, ...], values: np.ndarray, name: str) -> np.ndarray:
    """Expand a sparse tensor: any traversal order, any blocks.

    Args and errors are those of `levels`; `values` (n,) lie with the innermost level fastest.
    """
    tree = levels(sparsity, shape, len(values), name)
    if math.prod(shape) * values.itemsize > MAX_BYTES:
        raise SbnnError(
            f"sparse tensor {name!r} claims the shape {list(shape)}: expected at most "
            f"{MAX_BYTES} bytes"
        )
    places = np.zeros(1, np.int64)
    for level in tree:
        if level.size is None:
            places = np.repeat(places, np.diff(level.segments)) + level.indices * level.step
        else:
            places = (places[:, None] + np.arange(level.size) * level.step).ravel()
    dense = np.zeros(math.prod(shape), values.dtype)
    dense[places] = values
    return dense.reshape(shape)
