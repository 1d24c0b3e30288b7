"""Rewrite: scores that a mask replaces before a softmax become a sum, which delegates take.

Keras 3 masks attention by booleans: SELECT_V2(mask, scores, -1e9 or less) before the softmax, where
a LOGICAL_AND often joins the mask with a FILL of `true` in the scores' shape; and where there is
dropout, SELECT_V2(mask, probabilities, 0) behind it. (Keras' `Attention` selects from the scores
and the scores less 1e9.) No delegate takes booleans, so that each of these splits the graph. Now
SELECT_V2(mask, 0, HIDDEN) is made once, beside the mask, for all heads and layers, or is a constant
if the mask is one, and what is left between the products is an ADD.

Why it computes the same, for all scores below 1e8 in size: where the mask is true, the score plus 0
is the score. In a row where it is true somewhere, what it hides is so far below the largest score
that its power is 0, before and after; so there is nothing to zero behind the softmax. In a row
where it is true nowhere, all scores were the same number, and still are, since HIDDEN plus a score
rounds to HIDDEN: the softmax gives a mean. What zeroes that row does so once it is multiplied by
the values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sbnn_tf.convert import shapes
from sbnn_tf.convert.flatbuffer import schema
from sbnn_tf.convert.graph import Uses, constant, op_name, type_name
from sbnn_tf.convert.nodes import (
    add_constant,
    add_tensor,
    insert,
    remove,
    remove_unread,
    set_operator,
)

HIDDEN = -(2.0**127)  # half a unit of its last place is 2^103, or 1e31
# Beside the power of a score, that of such a number is 0.
SURELY_HIDDEN = -1e9
# ADD stretches operands of up to so many dimensions in every TensorFlow Lite.
MOST_DIMENSIONS = 4
# What computed a mask's part that nobody reads now; they have no effect but their output.
UNREAD = ("FILL", "LOGICAL_AND", "SHAPE", "SUB")


@dataclass(frozen=True)
class Mask:
    """A SELECT_V2 of scores that only a softmax reads; `scores` and `condition` are tensors.

    Attributes:
      hides: whether a condition that is true hides a score, or one that is false.
      added: the number to add to a score to the same effect.
    """

    op: object
    softmax: object
    scores: int
    condition: int
    hides: bool
    added: float


def fold_masks(model) -> int:
    """Fold the masks of all subgraphs; returns how many became sums. Tensors keep their indices."""
    return sum(_Folding(model, index).run() for index in range(len(model.subgraphs)))


class _Folding:
    """Of one subgraph."""

    def __init__(self, model, index: int):
        self.model, self.index = model, index
        self.subgraph = model.subgraphs[index]
        self.uses = Uses(self.subgraph)
        # What is made for a layer serves all later ones that need the same.
        self.made: dict[tuple, int] = {}

    def run(self) -> int:
        folded = 0
        for op in list(self.subgraph.operators):
            mask = self._mask(op)
            if mask is None:
                continue
            if mask.added <= SURELY_HIDDEN:
                self._leave_zeroing(mask)
            inputs = [mask.scores, self._addend(mask)]
            options = schema().AddOptionsT()
            set_operator(self.model, op, "ADD", inputs, op.outputs, options)
            self.uses = Uses(self.subgraph)
            folded += 1
        if folded:
            remove_unread(self.model, self.index, UNREAD)
        return folded

    def _mask(self, op) -> Mask | None:
        if not self._selects(op):
            return None
        softmax = self._reader(op.outputs[0])
        if softmax is None or not self._is_softmax(softmax):
            return None
        result = self.subgraph.tensors[op.outputs[0]]
        condition, if_true, if_false = (int(t) for t in op.inputs)
        for scores, other in ((if_true, if_false), (if_false, if_true)):
            tensor = self.subgraph.tensors[scores]
            same = shapes.sizes(tensor) == shapes.sizes(result)
            if not same or not 1 <= len(result.shape) <= MOST_DIMENSIONS:
                continue
            added = self._added(scores, other)
            if type_name(tensor) == "FLOAT32" and added is not None:
                seen = self._without_true(condition, scores)
                return Mask(op, softmax, scores, seen, scores == if_false, added)
        return None

    def _is_softmax(self, op) -> bool:
        """Whether it is one, and of the scores as they are."""
        options = op.builtinOptions
        return op_name(self.model, op) == "SOFTMAX" and options is not None and options.beta == 1

    def _selects(self, op) -> bool:
        whole = len(op.inputs) == 3 and min(op.inputs) >= 0
        return whole and op_name(self.model, op) == "SELECT_V2"

    def _reader(self, tensor, position: int = 0):
        """The one operator that reads a tensor, as its input of this position; None otherwise."""
        readers = self.uses.consumers.get(int(tensor), [])
        if len(readers) != 1 or readers[0][1] != position or int(tensor) in self.uses.boundary:
            return None
        return self.subgraph.operators[readers[0][0]]

    def _maker(self, tensor: int, name: str):
        """The operator of this name that makes a tensor."""
        node = self.uses.producer.get(tensor)
        op = None if node is None else self.subgraph.operators[node]
        return op if op is not None and op_name(self.model, op) == name else None

    def _number(self, tensor: int) -> float | None:
        """The value of a constant of one."""
        if tensor < 0 or type_name(self.subgraph.tensors[tensor]) != "FLOAT32":
            return None
        values = constant(self.model, self.subgraph.tensors[tensor])
        return float(values.reshape(-1)[0]) if values is not None and values.size == 1 else None

    def _added(self, scores: int, other: int) -> float | None:
        """The number that makes `other` of scores, or hides them as well."""
        number = self._number(other)
        if number is not None:
            return HIDDEN if -np.inf < number <= SURELY_HIDDEN else None
        less = self._maker(other, "SUB")
        if less is None or len(less.inputs) != 2 or less.inputs[0] != scores:
            return None
        number = self._number(int(less.inputs[1]))
        plain = less.builtinOptions is not None and not less.builtinOptions.fusedActivationFunction
        return -number if plain and number is not None and np.isfinite(number) else None

    def _without_true(self, condition: int, scores: int) -> int:
        """The condition without what is true everywhere."""
        both = self._maker(condition, "LOGICAL_AND")
        if both is None or len(both.inputs) != 2:
            return condition
        parts = [int(t) for t in both.inputs]
        if any(self.uses.producer.get(t, -1) >= self.uses.producer[condition] for t in parts):
            return condition  # a damaged file
        left = [self._without_true(t, scores) for t in parts if not self._true(t, scores)]
        if left == parts or not left:
            return condition
        if len(left) == 1:
            return left[0]
        key = ("and", *left)
        if key not in self.made:
            sizes = shapes.broadcast(*(shapes.sizes(self.subgraph.tensors[t]) for t in left))
            self.made[key] = add_tensor(self.subgraph, "mask/joined", "BOOL", sizes)
            options = schema().LogicalAndOptionsT()
            self._before(both, "LOGICAL_AND", left, self.made[key], options)
        return self.made[key]

    def _true(self, tensor: int, scores: int) -> bool:
        """Whether it is true everywhere, and no larger than the scores."""
        if tensor < 0:
            return False
        fill = self._maker(tensor, "FILL")
        if fill is not None and len(fill.inputs) == 2:
            of = self._maker(int(fill.inputs[0]), "SHAPE")
            if of is None or of.inputs[0] != scores:
                return False
            tensor = int(fill.inputs[1])
        values = constant(self.model, self.subgraph.tensors[tensor])
        return values is not None and values.dtype == np.bool_ and bool(values.all())

    def _leave_zeroing(self, mask: Mask) -> None:
        """Take away a SELECT_V2 that zeroes what is hidden behind the softmax, but not its effect."""
        zeroing = self._reader(mask.softmax.outputs[0], 1)
        if zeroing is None or mask.hides or not self._selects(zeroing):
            return
        condition = self.subgraph.tensors[mask.condition]
        same = zeroing.inputs[0] == mask.condition and self._number(int(zeroing.inputs[2])) == 0
        if not same or not len(condition.shape):
            return
        values = constant(self.model, condition)
        seen = None if values is None else values.any(axis=-1, keepdims=True)
        if seen is None or not seen.all():
            product = self._reader(zeroing.outputs[0])
            if product is None or op_name(self.model, product) != "BATCH_MATMUL":
                return
            if product.builtinOptions is None or product.builtinOptions.adjX:
                return
            self._zero_rows(product, self._seen(mask, seen))
        mask.softmax.outputs = zeroing.outputs
        remove(self.model, self.index, [self.subgraph.operators.index(zeroing)])

    def _zero_rows(self, product, factors: int) -> None:
        """Multiply the rows of a product."""
        result = product.outputs
        sizes = shapes.sizes(self.subgraph.tensors[result[0]])
        whole = add_tensor(self.subgraph, "mask/product", "FLOAT32", sizes)
        product.outputs = np.array([whole], np.int32)
        op, options = schema().OperatorT(), schema().MulOptionsT()
        set_operator(self.model, op, "MUL", [whole, factors], result, options)
        self._insert(self.subgraph.operators.index(product) + 1, op)

    def _seen(self, mask: Mask, seen: np.ndarray | None) -> int:
        """A tensor of 1 for each row that sees something, and of 0 for others."""
        if seen is not None:
            return self._constant("mask/seen", np.float32(seen))
        key = ("seen", mask.condition)
        if key not in self.made:
            s = schema()
            sizes = [*shapes.sizes(self.subgraph.tensors[mask.condition])[:-1], 1]
            axis = self._constant("mask/axis", np.array([len(sizes) - 1]))
            any_ = add_tensor(self.subgraph, "mask/any", "BOOL", sizes)
            options = s.ReducerOptionsT(keepDims=True)
            self._before(mask.op, "REDUCE_ANY", [mask.condition, axis], any_, options)
            self.made[key] = add_tensor(self.subgraph, "mask/seen", "FLOAT32", sizes)
            types = s.TensorType
            options = s.CastOptionsT(inDataType=types.BOOL, outDataType=types.FLOAT32)
            self._before(mask.op, "CAST", [any_], self.made[key], options)
        return self.made[key]

    def _addend(self, mask: Mask) -> int:
        """The tensor to add to the scores."""
        branches = (mask.added, 0.0) if mask.hides else (0.0, mask.added)
        condition = self.subgraph.tensors[mask.condition]
        values = constant(self.model, condition)
        if values is not None:
            return self._constant("mask", _smallest(np.where(values, *branches)))
        key = (mask.condition, *branches)
        if key not in self.made:
            numbers = [self._constant(f"mask/{n:g}", np.array(n)) for n in branches]
            sizes = shapes.sizes(condition)
            self.made[key] = add_tensor(self.subgraph, "mask", "FLOAT32", sizes)
            inputs, options = [mask.condition, *numbers], schema().SelectV2OptionsT()
            self._before(mask.op, "SELECT_V2", inputs, self.made[key], options)
        return self.made[key]

    def _before(self, other, name: str, inputs, output: int, options) -> None:
        """Add an operator before another one."""
        op = schema().OperatorT()
        set_operator(self.model, op, name, inputs, [output], options)
        self._insert(self.subgraph.operators.index(other), op)

    def _insert(self, at: int, op) -> None:
        insert(self.model, self.index, at, op)
        self.uses = Uses(self.subgraph)

    def _constant(self, name: str, values: np.ndarray) -> int:
        key = (values.dtype.kind, values.shape, values.tobytes())
        if key not in self.made:
            self.made[key] = add_constant(self.model, self.subgraph, name, values)
        return self.made[key]


def _smallest(values: np.ndarray) -> np.ndarray:
    """An array that is stretched to this one: of axes with all the same, one of them."""
    for axis in range(values.ndim):
        first = values.take([0], axis)
        values = first if (values == first).all() else values
    return values
