"""Cycles of a layer: what its kernels cost in the core, and what waits for bytes from caches."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from delegate.bench.arm.cores import Core
from delegate.bench.arm.kernels import Kernel
from delegate.bench.arm.mca import Price
from delegate.bench.arm.plan import Layer, Work


@dataclasses.dataclass(frozen=True)
class LayerCost:
    core: float  # cycles, all data in the L1 cache
    memory: float  # cycles in which bytes arrive from behind it
    cycles: float
    instructions: float
    fmas: float  # on vectors

    def share_of_peak(self, core: Core) -> float:
        return self.fmas / core.fmas / self.cycles


def layer_cost(
    layer: Layer,
    works: Sequence[Work],
    kernels: Mapping[tuple[int, int], Kernel],
    core: Core,
    network_weights: float,
    traced: Price | None = None,
    element: int = 4,
) -> LayerCost:
    """`kernels` by `Work.code`; `network_weights`: bytes that an inference reads, of all layers.

    traced: what a channel of a depthwise convolution costs, where a trial has shown it.
    element: bytes of an activation.
    """
    if traced:
        core_cycles = traced.cycles * layer.outputs
        instructions = traced.instructions * layer.outputs
    else:
        core_cycles = sum(kernel_cycles(w, kernels[w.code], core) for w in works)
        instructions = sum(kernel_instructions(w, kernels[w.code]) for w in works)
    memory = transfers(layer, works, core, network_weights, element)
    # Out of order, arithmetic and transfers overlap: the longer one is the time.
    total = core_cycles + memory if core.in_order else max(core_cycles, memory)
    return LayerCost(core_cycles, memory, total, instructions, sum(w.fmas for w in works))


def turns(work: Work, kernel: Kernel) -> float:
    """Of the inner loop."""
    a = kernel.anatomy
    if a.inner_fmas:
        return max(0.0, (work.fmas - work.outer * a.outer_fmas) / a.inner_fmas)
    return work.stores / a.inner_stores if a.inner_stores else 0.0


# A branch predictor remembers about so many turns, and foresees the end of shorter loops.
FORESEEN = 32


def kernel_cycles(work: Work, kernel: Kernel, core: Core) -> float:
    inner = turns(work, kernel)
    surprise = core.mispredict if inner > FORESEEN * work.entries else 0.0
    return (
        inner * kernel.inner.cycles
        + work.entries * surprise
        + work.outer * kernel.outer.cycles
        + work.calls * kernel.call.cycles
    )


def kernel_instructions(work: Work, kernel: Kernel) -> float:
    return (
        turns(work, kernel) * kernel.inner.instructions
        + work.outer * kernel.outer.instructions
        + work.calls * kernel.call.instructions
    )


def transfers(
    layer: Layer, works: Sequence[Work], core: Core, network_weights: float, element: int = 4
) -> float:
    """Cycles in which what these calls read and write passes from one cache to the next."""
    activations = _level(layer.activations * element, core)
    cycles = 0.0
    for w in works:
        # Pixels come once from where the tensor lies, and again from L2 if a tile outgrows L1.
        tile = w.x_bytes / w.calls if w.calls else 0.0
        missed = max(0.0, 1 - core.l1 / tile) if tile else 0.0
        again = (w.reads - w.x_bytes) * missed if w.reads > w.x_bytes else 0.0
        cycles += (w.x_bytes + w.y_bytes) / core.levels[activations].bandwidth
        cycles += again / core.levels[_level(tile, core)].bandwidth
        # Weights come once from where those of the network lie, then from where the layer's fit.
        first = min(w.w_bytes, w.weights)
        cycles += first / core.levels[_level(network_weights, core)].bandwidth
        cycles += (w.w_bytes - first) / core.levels[_level(w.weights + tile, core)].bandwidth
    return cycles


def _level(size: float, core: Core) -> int:
    """Of the nearest cache behind L1 that holds so many bytes."""
    return next(i for i, level in enumerate(core.levels) if size <= level.size)
