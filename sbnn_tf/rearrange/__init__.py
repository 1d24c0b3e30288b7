"""Whole-network rearrangement: the same network, with its channels in an order that prunes better."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from sbnn_tf import patterns
from sbnn_tf.keras_model import keras_compat, kernels
from sbnn_tf.patterns import Pattern, check_sparsity
from sbnn_tf.plan import budgets, importance
from sbnn_tf.plan.budgets import Budget, Layer
from sbnn_tf.plan.policy import Choice, Policy
from sbnn_tf.rearrange.channels import Segment, count, distinct, resolve
from sbnn_tf.rearrange.ordering import INPUTS, OUTPUTS, Kernel, best_order
from sbnn_tf.rearrange.tracing import Trace, trace

__all__ = ["rearrange"]

Axes = dict[int, list[Segment]]  # of a kernel: OUTPUTS or INPUTS -> its channels
_PASSES = 8  # over the network, where an order of inputs and one of outputs depend on each other


def rearrange(
    model: Any,
    pattern: Pattern | str,
    *,
    sparsity: float = 0.75,
    policy: Policy | None = None,
    budget: Budget | str = "uniform",
    print_fn: Callable[[str], Any] | None = print,
) -> Any:
    """Permute a network's channels so that those that agree about their neighbours share a group.

        model = sbnn.rearrange(model, "group4")      # before pruning
        model.compile(...); model.fit(..., callbacks=[sbnn.Pruning("group4", schedule)])

    A group is one of output channels or, of a `Block`, of input channels too; then an order is the
    best for the layers that make the channels and those that read them together.

    Output channels of a layer change places together with everything that reads them: through
    residual additions, concatenations, depthwise convolutions, batch norms, squeeze-and-excitation
    and flattening. The network computes the same function, up to rounding: sums are added up in
    another order. Inputs and outputs of the network keep their order, and so does whatever lies
    around a layer that is not known to let an order pass. (After "whole-network rearrangement",
    Xu et al., "SparseByteNN", 2023, abstract; how the order is found is our own.)

    A `.tflite` is not rearranged: channels are followed by the rules of Keras layers
    (`tracing.py`), a second set of rules for its operators would be needed, and the gain shows only
    in training, which a `.tflite` can't have.

    Args:
      model: a built functional or Sequential model of either Keras.
      pattern: what it is to be pruned with; one in which channels share their fate.
      sparsity: at which the order is to keep most score (squared magnitude, batch norm folded in),
        in (0, 1).
      policy: which layers are to be pruned; default `Policy()`. Other layers only follow.
      budget: how the sparsity is to be shared among the layers, as for `Pruning`.
      print_fn: takes the report, line by line: for each layer, the share of its score that the
        pattern keeps at its sparsity, before and after. None: no report.

    Returns:
      A new model of the same architecture, not compiled. Where no order is better, the weights are
      where they were: score is never lost.

    Raises:
      ValueError: a subclassed model, a pattern that has no groups of channels, or as
        `Policy.choose`, or a budget that can't be met.
    """
    if not check_sparsity(sparsity):
        raise ValueError("sparsity must be above 0: nothing is lost where nothing is pruned.")
    budget = budgets.get(budget)
    pattern = patterns.get(pattern).aimed(budget.target)
    choices = (policy or Policy()).choose(model, pattern)
    if all(choice.pattern.outputs == choice.pattern.inputs == 1 for choice in choices):
        raise ValueError(
            f"{pattern.name}: no channels share their fate, so their order makes no difference."
        )
    traced = trace(model)
    before, channels = _kernels(model, choices, traced, sparsity, budget)
    orders, after = _best_orders(before, channels)
    if print_fn is not None:
        kept = [{n: kernel.kept() for n, kernel in each.items()} for each in (before, after)]
        for line in _report(*kept, sparsity):
            print_fn(line)
    return _permuted(model, traced, orders)


def _best_orders(
    kernels: dict[str, Kernel], channels: dict[str, Axes]
) -> tuple[dict[Segment, np.ndarray], dict[str, Kernel]]:
    """The order of each segment that is not left as it is, and the kernels in these orders."""
    orders: dict[Segment, np.ndarray] = {}
    kernels = dict(kernels)
    both = any(kernel.pattern.inputs > 1 for kernel in kernels.values())
    for _ in range(_PASSES if both else 1):
        moved = False
        for segment in distinct(each for axes in channels.values() for each in axes.values()):
            places = {name: _places(axes, segment) for name, axes in channels.items()}
            having = {n: dataclasses.replace(kernels[n], places=p) for n, p in places.items() if p}
            present = np.arange(segment.size)
            order = present if segment.fixed else best_order(list(having.values()), segment.size)
            if np.array_equal(order, present):
                continue
            moved = True
            orders[segment] = orders.get(segment, present)[order]
            kernels.update({name: kernel.reorder(order) for name, kernel in having.items()})
        if not moved:
            break
    return orders, kernels


def _kernels(
    model: Any, choices: list, traced: Trace, sparsity: float, budget: Budget
) -> tuple[dict[str, Kernel], dict[str, Axes]]:
    """The kernels to prune whose channels may be permuted, and these channels, by name."""
    layers = [_layer(model, choice) for choice in choices]
    free = [layer for layer, choice in zip(layers, choices) if choice.sparsity is None]
    shared = iter(budget.allocate(free, sparsity) if free else ())
    found, channels = {}, {}
    for layer, choice in zip(layers, choices):
        own = next(shared) if choice.sparsity is None else choice.sparsity
        key = id(keras_compat.components(choice.kernel.variable)[0])
        axes = {OUTPUTS: traced.made.get(key)}
        if choice.pattern.inputs > 1:
            axes[INPUTS] = traced.read.get(key)
        axes = {axis: resolve(segments) for axis, segments in axes.items() if segments}
        if not axes:
            continue
        energy = np.square(layer.scores)
        found[layer.name] = Kernel(energy / (energy.sum() or 1.0), choice.pattern, own)
        channels[layer.name] = axes
    return found, channels


def _layer(model: Any, choice: Choice) -> Layer:
    """What a budget needs to know, of the weights as they are."""
    kernel = choice.kernel
    weights = kernel.weights().astype(np.float64)
    batch_norm = kernels.folded_batch_norm(kernel, keras_compat.api(model).layers)
    scores = np.abs(weights * importance.fold(weights.shape[-1], batch_norm))
    if not np.isfinite(scores).all():
        raise ValueError(f"'{kernel.name}' has weights that are NaN or infinite.")
    return Layer(kernel.name, kernel.operator, scores, choice.pattern, kernel.positions())


def _places(axes: Axes, segment: Segment) -> tuple[tuple[int, int], ...]:
    """Where a segment is among a kernel's channels, more than once where it meets itself."""
    return tuple(
        (axis, count(channels[:i]))
        for axis, channels in axes.items()
        for i, each in enumerate(channels)
        if each is segment
    )


def _permuted(model: Any, traced: Trace, orders: dict[Segment, np.ndarray]) -> Any:
    """A copy of the model with its weights in these orders."""
    values = {id(v): np.array(v.numpy()) for v in model.weights}
    by_key = {id(keras_compat.components(v)[0]): id(v) for v in model.weights}
    for variable, axis, channels in traced.axes:
        channels = resolve(channels)
        if not any(segment in orders for segment in channels):
            continue
        parts = [
            start + orders.get(segment, np.arange(segment.size))
            for segment, start in zip(channels, _cumulative(channels))
        ]
        key = by_key[id(keras_compat.components(variable)[0])]
        values[key] = np.take(values[key], np.concatenate(parts), axis=axis)
    copy = keras_compat.api(model).models.clone_model(model)
    copy.set_weights([values[id(v)] for v in model.weights])
    return copy


def _cumulative(channels: list[Segment]) -> list[int]:
    sizes = [segment.size for segment in channels]
    return [0, *np.cumsum(sizes[:-1]).tolist()]


def _report(before: dict[str, float], after: dict[str, float], sparsity: float) -> list[str]:
    width = max(map(len, [*before, "layer", "mean"]))
    lines = [f"{'layer':{width}}  kept at {sparsity:.0%} sparsity: before   after    gain"]
    mean = [sum(kept.values()) / max(len(kept), 1) for kept in (before, after)]
    for name, a, b in [*((n, before[n], after[n]) for n in before), ("mean", *mean)]:
        lines.append(f"{name:{width}}  {a:>29.2%} {b:>7.2%} {b - a:>+7.2%}")
    return lines
