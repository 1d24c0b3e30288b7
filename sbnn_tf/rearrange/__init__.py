"""Whole-network rearrangement: the same network, with its channels in an order that prunes better."""

from __future__ import annotations

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
from sbnn_tf.rearrange.ordering import Producer, best_order
from sbnn_tf.rearrange.tracing import Trace, trace

__all__ = ["rearrange"]


def rearrange(
    model: Any,
    pattern: Pattern | str,
    *,
    sparsity: float = 0.75,
    policy: Policy | None = None,
    budget: Budget | str = "uniform",
    print_fn: Callable[[str], Any] | None = print,
) -> Any:
    """Permute a network's channels so that those that agree about their inputs share a group.

        model = sbnn.rearrange(model, "group4")      # before pruning
        model.compile(...); model.fit(..., callbacks=[sbnn.Pruning("group4", schedule)])

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
      pattern: what it is to be pruned with; one in which output channels share their fate.
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
      ValueError: a subclassed model, a pattern that has no groups of output channels, or as
        `Policy.choose`, or a budget that can't be met.
    """
    if not check_sparsity(sparsity):
        raise ValueError("sparsity must be above 0: nothing is lost where nothing is pruned.")
    choices = (policy or Policy()).choose(model, patterns.get(pattern))
    if all(choice.pattern.outputs == 1 for choice in choices):
        raise ValueError(
            f"{patterns.get(pattern).name}: no output channels share their fate, so their order "
            "makes no difference."
        )
    traced = trace(model)
    producers = _producers(model, choices, traced, sparsity, budget)
    before = {name: producer.kept() for name, (producer, _) in producers.items()}
    orders: dict[Segment, np.ndarray] = {}
    for segment in distinct(traced.made.values()):
        if segment.fixed:
            continue
        # A kernel makes a segment more than once where that is concatenated with itself.
        made = [
            (name, start)
            for name, (_, channels) in producers.items()
            for start in _starts(channels, segment)
        ]
        if not made:
            continue
        using = [_at(producers[name][0], start) for name, start in made]
        orders[segment] = order = best_order(using, segment.size)
        for name, start in made:
            producer, channels = producers[name]
            producers[name] = _at(producer, start).reorder(order), channels
    if print_fn is not None:
        for line in _report(before, {n: p.kept() for n, (p, _) in producers.items()}, sparsity):
            print_fn(line)
    return _permuted(model, traced, orders)


def _producers(
    model: Any, choices: list, traced: Trace, sparsity: float, budget: Budget | str
) -> dict[str, tuple]:
    """The kernels to prune whose outputs may be permuted: name -> (producer, its channels)."""
    layers = [_layer(model, choice) for choice in choices]
    free = [layer for layer, choice in zip(layers, choices) if choice.sparsity is None]
    shared = iter(budgets.get(budget).allocate(free, sparsity) if free else ())
    found = {}
    for layer, choice in zip(layers, choices):
        own = next(shared) if choice.sparsity is None else choice.sparsity
        channels = traced.made.get(id(keras_compat.components(choice.kernel.variable)[0]))
        if channels is None:
            continue
        energy = np.square(layer.scores)
        producer = Producer(energy / (energy.sum() or 1.0), choice.pattern, own, 0)
        found[layer.name] = producer, resolve(channels)
    return found


def _layer(model: Any, choice: Choice) -> Layer:
    """What a budget needs to know, of the weights as they are."""
    kernel = choice.kernel
    weights = kernel.weights().astype(np.float64)
    batch_norm = kernels.folded_batch_norm(kernel, keras_compat.api(model).layers)
    scores = np.abs(weights * importance.fold(weights.shape[-1], batch_norm))
    if not np.isfinite(scores).all():
        raise ValueError(f"'{kernel.name}' has weights that are NaN or infinite.")
    return Layer(kernel.name, kernel.operator, scores, choice.pattern, kernel.positions())


def _starts(channels: list[Segment], segment: Segment) -> list[int]:
    """Where a segment begins among some channels."""
    return [count(channels[:i]) for i, each in enumerate(channels) if each is segment]


def _at(producer: Producer, start: int) -> Producer:
    return Producer(producer.energy, producer.pattern, producer.sparsity, start)


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
