"""The kernels of a model: which weights there are, which of them can be pruned, and their cost."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from sbnn_tf.keras_model import keras_compat, kinds, wiring
from sbnn_tf.keras_model.einsum import Equation
from sbnn_tf.patterns import Pattern


@dataclasses.dataclass(frozen=True)
class Kernel:
    """One weight tensor that a layer multiplies its input with.

    Patterns see it as `weights()`: (*window, inputs, outputs), or (inputs, outputs) of a dense
    layer. A depthwise kernel, in Keras (*window, inputs, multiplier), is (*window, 1, inputs *
    multiplier) there: output channel by output channel, as in TensorFlow Lite. So is that of a
    transposed convolution, in Keras (*window, outputs, inputs); and of an EinsumDense the axes that
    it sums over are the inputs, all others the outputs, in their order.

    operator: "dense", "conv", "transposed" (a transposed convolution) or "depthwise"; "other" where
      it can't be pruned.
    view: the shape that patterns see; order: of the axes in it.
    groups: of a grouped convolution: its output channels fall into so many parts, each with inputs
      of its own.
    reason: why it can't be pruned with any pattern; empty if it can.
    number: its place among the model's kernels, from 0: what identifies it, in files and for random
      numbers. The same in every model of the same layers, whatever these are called: Keras goes on
      counting in the names that it gives, so that a notebook cell run again makes other ones.
    """

    leaf: wiring.Leaf
    part: str
    variable: Any
    operator: str
    order: tuple[int, ...]
    view: tuple[int, ...]
    groups: int = 1
    reason: str = ""
    number: int = 0

    @property
    def name(self) -> str:
        return f"{self.leaf.path}/{self.part}" if self.part else self.leaf.path

    @property
    def shape(self) -> tuple[int, ...]:
        return _shape(self.variable)

    def value(self) -> np.ndarray:
        return np.asarray(self.variable.numpy())

    def weights(self) -> np.ndarray:
        """The values in the shape that patterns see."""
        return self.viewed(self.value())

    def viewed(self, array: np.ndarray) -> np.ndarray:
        """An array of the kernel's shape in the shape that patterns see."""
        return array.transpose(self.order).reshape(self.view)

    def stored(self, array: np.ndarray) -> np.ndarray:
        """An array in the shape that patterns see in the kernel's: the other way round."""
        shape = [self.shape[axis] for axis in self.order]
        return array.reshape(shape).transpose(np.argsort(self.order))

    def fitted(self, pattern: Pattern) -> Pattern:
        """The pattern nearest to this one that the kernel can have."""
        *columns, outputs = self.view
        return pattern.fit(
            (*columns, outputs // self.groups)
        )  # nothing is pruned together across them

    def positions(self) -> int | None:
        """How often each weight is used for one input image; None where that is not known."""
        if not self.leaf.shapes:
            return None
        first = getattr(self.leaf.layer, "data_format", None) == "channels_first"
        total = 0
        for shape_in, shape_out in self.leaf.shapes:
            shape = shape_in if self.operator == "transposed" else shape_out
            if None in shape[1:]:
                return None
            several = hasattr(self.leaf.layer, "equation")  # an EinsumDense has axes of outputs
            channels = self.view[-1] if several else shape[1 if first else -1]
            total += math.prod(shape[1:]) // channels
        return total


@dataclasses.dataclass(frozen=True)
class Unlisted:
    """A layer with weights of two or more dimensions, none of which is known to be a kernel."""

    leaf: wiring.Leaf
    reason: str


@dataclasses.dataclass(frozen=True)
class Survey:
    """What a model holds.

    kernels: in the order of computation (of creation, where that is unknown).
    others: layers whose weights, of two or more dimensions, can't be pruned.
    unbuilt: paths of layers that get a kernel when they are called for the first time.
    """

    kernels: list[Kernel]
    others: list[Unlisted]
    unbuilt: list[str]


def find(model: Any) -> list[Kernel]:
    """The kernels of a model, as `survey` has them, which see."""
    return survey(model).kernels


def survey(model: Any) -> Survey:
    """Goes through a model's layers.

    Raises:
      TypeError: not a Keras model.
      ValueError: none of its layers was ever built.
    """
    keras_compat.api(model)
    kernels: list[Kernel] = []
    others: list[Unlisted] = []
    unbuilt: list[str] = []
    seen: set[int] = set()
    for leaf in wiring.leaves(model):
        if kinds.is_product(leaf.layer) and not leaf.layer.built:
            unbuilt.append(leaf.path)
            continue
        for found in _of(leaf):
            if isinstance(found, Unlisted):
                others.append(found)
            elif id(key := keras_compat.components(found.variable)[0]) not in seen:
                seen.add(id(key))  # a wrapper knows the kernel of the layer in it, say
                kernels.append(dataclasses.replace(found, number=len(kernels)))
    others = [other for other in others if not _all_in(other.leaf.layer, seen)]
    if not (model.built or kernels or others):
        raise ValueError(
            f"The model '{model.name}' has never been built, so it has no weights yet. Call it on "
            "a batch, or model.build(input_shape), or give its first layer an input shape."
        )
    return Survey(kernels, others, unbuilt)


def has_unbuilt(model: Any) -> bool:
    """Whether the next call of a model, or of what is in it, is to make kernels."""
    built = [leaf.layer.built for leaf in wiring.leaves(model) if kinds.is_product(leaf.layer)]
    return not all(built) or not (model.built or built)


def folded_batch_norm(kernel: Kernel, layers: Any) -> Any | None:
    """The batch norm of a kernel's outputs that directly follows its layer, and nothing else does."""
    leaf = kernel.leaf
    if not leaf.wired or leaf.escapes or len(leaf.outputs) != 1:
        return None
    activation = getattr(leaf.layer, "activation", None)
    if activation is not None and getattr(activation, "__name__", "") != "linear":
        return None
    follower = next(iter(leaf.outputs)).layer
    if not isinstance(follower, layers.BatchNormalization):
        return None
    rank = len(leaf.shapes[0][1])
    axes = [follower.axis] if isinstance(follower.axis, int) else list(follower.axis)
    return follower if [axis % rank for axis in axes] == [_channel_axis(kernel, rank)] else None


def _channel_axis(kernel: Kernel, rank: int) -> int | None:
    """Where in its layer's output a kernel's outputs are; None where they are in several axes."""
    layer = kernel.leaf.layer
    if hasattr(layer, "equation"):
        return Equation(layer.equation).channel_axis(rank)
    return 1 if getattr(layer, "data_format", None) == "channels_first" else rank - 1


def variable(layer: Any, attribute: str = "kernel") -> tuple[Any | None, str]:
    """What a layer has as its kernel.

    Returns:
      The variable, or None; and why it can't be pruned, or why it is none; "" if it can.
    """
    if getattr(layer, "lora_enabled", False):
        return layer._kernel, "its kernel is split by LoRA"
    if getattr(layer, "quantization_mode", None):
        return layer._kernel, "its kernel is quantized"
    try:
        value = getattr(layer, attribute, _MISSING)
    except Exception as error:  # a property of somebody's own may raise anything
        return None, f"its {attribute} can't be read: {error}"
    if _is_weight(value):
        return value, ""
    if value is _MISSING:
        return None, f"it has no {attribute}"
    what = "None" if value is None else f"a {type(value).__name__}"
    return None, f"its {attribute} is {what}, not a variable of its own"


_MISSING = object()
_UNKNOWN = "what its weights are multiplied with is not known; Dense, EinsumDense, Conv, " + (
    "ConvTranspose, DepthwiseConv and SeparableConv layers can be pruned"
)


def _of(leaf: wiring.Leaf) -> Iterator[Kernel | Unlisted]:
    """The kernels of one layer, without those of its sublayers; or why it has none."""
    layer = leaf.layer
    known = kinds.kinds(layer)
    matrices = [v for v in keras_compat.own_variables(layer) if len(v.shape) >= 2]
    if not known.isdisjoint(kinds.SEPARABLE):
        yield _kernel(leaf, "depthwise", "depthwise", *variable(layer, "depthwise_kernel"))
        yield _kernel(leaf, "pointwise", "conv", *variable(layer, "pointwise_kernel"))
    elif (operator := kinds.operator(layer)) is not None:
        yield _kernel(leaf, "", operator, *_variable_of(leaf, operator, matrices))
    elif matrices:
        reasons = {**kinds.UNPRUNED, **kinds.OTHERS}
        reason = next((reasons[kind] for kind in reasons if kind in known), _UNKNOWN)
        kernel, _ = variable(layer)
        if any(kernel is matrix for matrix in matrices):
            yield _kernel(leaf, "", "other", kernel, reason)
        else:
            yield Unlisted(leaf, reason)


def _variable_of(leaf: wiring.Leaf, operator: str, matrices: list) -> tuple[Any | None, str]:
    """The kernel of a layer that has one, and why it can't be pruned."""
    layer = leaf.layer
    if kinds.quantized(layer) is not None:  # the layer has a tensor; the wrapper has the variable
        return matrices[0], ""
    of_its_own = operator == "depthwise" and hasattr(layer, "depthwise_kernel")  # tf_keras
    found, reason = variable(layer, "depthwise_kernel" if of_its_own else "kernel")
    wrapper = leaf.chain[-2][1] if len(leaf.chain) > 1 else None
    if getattr(wrapper, "layer", None) is not layer:
        return found, reason
    if found is None:  # some give the layer a tensor that they compute, and keep the variable
        shape = tuple(getattr(getattr(layer, "kernel", None), "shape", None) or ())
        kept = [v for v in keras_compat.own_variables(wrapper) if _shape(v) == shape]
        found, reason = (kept[0], "") if len(kept) == 1 else (None, reason)
    if not getattr(wrapper, "preserve_sparsity", True):
        reason = reason or _CLUSTERED
    return found, reason


_CLUSTERED = (
    "clustering moves its zeros: prune first, then cluster_weights(..., preserve_sparsity=True)"
)


def _kernel(
    leaf: wiring.Leaf, part: str, operator: str, value: Any | None, reason: str
) -> Kernel | Unlisted:
    if value is None:
        return Unlisted(leaf, reason)
    layer = kinds.quantized(leaf.layer) or leaf.layer
    shape = _shape(value)
    order, view = tuple(range(len(shape))), shape
    if operator == "depthwise":
        *window, inputs, multiplier = shape
        view = (*window, 1, inputs * multiplier)
    elif operator == "transposed":
        order = (*order[:-2], order[-1], order[-2])
        view = tuple(shape[axis] for axis in order)
    elif "EinsumDense" in kinds.kinds(layer):
        equation = Equation(layer.equation)
        if equation.is_matrix:
            order = (*equation.inputs, *equation.outputs)
            ends = equation.inputs, equation.outputs
            view = tuple(math.prod(shape[axis] for axis in axes) for axes in ends)
        else:
            reason = reason or f"its equation {layer.equation} is no product with one matrix"
    groups = getattr(layer, "groups", 1) or 1
    return Kernel(leaf, part, value, operator, order, view, groups, reason)


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(int(n) for n in value.shape)


def _is_weight(value: Any) -> bool:
    """Whether that is a variable of two or more dimensions."""
    return hasattr(value, "assign") and len(getattr(value, "shape", ())) >= 2


def _all_in(layer: Any, seen: set[int]) -> bool:
    """Whether a layer's matrices are all kernels of other layers."""
    matrices = [v for v in keras_compat.own_variables(layer) if len(v.shape) >= 2]
    return bool(matrices) and all(id(keras_compat.components(v)[0]) in seen for v in matrices)
