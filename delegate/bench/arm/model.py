"""Puts the parts together: a program with kernels, a core and a network give cycles, layer by layer."""

from __future__ import annotations

import collections
import dataclasses
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from delegate.bench.arm import cost, emulator, kernels, plan, xnnpack
from delegate.bench.arm.cores import Core
from delegate.bench.arm.disassembly import disassemble
from delegate.bench.arm.mca import Price
from delegate.bench.arm.plan import Layer, Work

TRIAL_CHANNELS = 4  # of a depthwise convolution that is watched
TRIAL_DEPTH = 8  # inputs and outputs of other convolutions


class Engine:
    """Our kernels for one instruction set, in a program that plans and runs layers.

    program: delegate/bench/plan, compiled for the instruction set's processor
    emulator: the command that runs it, or [] where it runs by itself; then nothing is watched
    options: more of the program's options, such as --int8
    """

    def __init__(
        self,
        program: Path,
        isa: str,
        emulator: Sequence[str] = (),
        options: Sequence[str] = (),
    ):
        self.program, self.isa, self.emulator = program, isa, list(emulator)
        self.options = list(options)
        self.element = 1 if "--int8" in self.options else 4  # bytes
        self.functions = disassemble(program, isa)
        self._kernels: dict[tuple[str, tuple[int, int]], kernels.Kernel] = {}
        self._plans: dict[tuple[Path, float, int, bool], list[Work]] = {}
        self._counts: dict[Layer, collections.Counter[int]] = {}
        self._watched: set[int] = set()  # kernels, by address
        self._ran: set[int] = set()  # instructions of them, by address

    def works(self, shapes: Path, keep: float, group: int, in_order: bool = False) -> list[Work]:
        key = (shapes, keep, group, in_order)
        if key not in self._plans:
            command = [*self.emulator, str(self.program)]
            arguments = self._arguments(shapes, keep, group, in_order)
            self._plans[key] = plan.run(command, arguments)
        return self._plans[key]

    def _arguments(self, shapes: Path, keep: float, group: int, in_order: bool) -> list[str]:
        return plan.options(shapes, keep, group, self.isa, in_order) + self.options

    def price(
        self, core: Core, codes: set[tuple[int, int]]
    ) -> dict[tuple[int, int], kernels.Kernel]:
        """Of kernels and their loops, as in `Work.code`."""
        missing = [code for code in sorted(codes) if (core.name, code) not in self._kernels]
        parts = [
            kernels.dissect(self.functions[address], loop, frozenset(self._ran))
            for address, loop in missing
        ]
        priced = kernels.price(parts, core)
        self._kernels.update({(core.name, c): k for c, k in zip(missing, priced, strict=True)})
        return {code: self._kernels[core.name, code] for code in codes}

    def network(
        self, shapes: Path, keep: float, group: int, core: Core, warm: bool = False
    ) -> list[cost.LayerCost]:
        """A cost a layer. warm: each layer's weights were read just before."""
        layers = plan.read_layers(shapes)
        works = self.works(shapes, keep, group, core.in_order)
        addresses = {w.address for w in works if not w.loop}
        self._watch(shapes, keep, group, core.in_order, addresses)
        priced = self.price(core, {w.code for w in works})
        by_layer = [[w for w in works if w.layer == i] for i in range(len(layers))]
        total = sum(l.count * ws[0].weights for l, ws in zip(layers, by_layer, strict=True))
        return [
            cost.layer_cost(
                layer,
                ws,
                priced,
                core,
                ws[0].weights if warm else total,
                self.traced(layer, ws, core),
                self.element,
            )
            for layer, ws in zip(layers, by_layer, strict=True)
        ]

    def _watch(
        self, shapes: Path, keep: float, group: int, in_order: bool, addresses: set[int]
    ) -> None:
        """Learns under the emulator which instructions of kernels run at all, from convolutions of as
        many pixels and fewer channels.
        """
        new = addresses - self._watched
        if not self.emulator or not new:
            return
        trial = [
            dataclasses.replace(
                layer,
                inputs=min(layer.inputs, TRIAL_DEPTH),
                outputs=min(layer.outputs, TRIAL_DEPTH),
            ).line()
            for layer in plan.read_layers(shapes)
            if layer.op == "conv"
        ]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "layers.txt"
            path.write_text("\n".join(trial) + "\n")
            # With so few columns left that loops do run.
            arguments = self._arguments(path, max(keep, 0.5), group, in_order)
            self._ran |= set(self._executions(arguments, new))
        self._watched |= new

    def traced(self, layer: Layer, works: Sequence[Work], core: Core) -> Price | None:
        """A channel of a depthwise convolution, as watched under the emulator."""
        if layer.op != "dw" or not self.emulator:
            return None
        address = max(works, key=lambda w: w.fmas).address
        trial = dataclasses.replace(layer, inputs=TRIAL_CHANNELS, outputs=TRIAL_CHANNELS)
        if trial not in self._counts:
            self._counts[trial] = self.counts(trial, 1, 1, [address])
        price = kernels.trace(self.functions[address], self._counts[trial], core)
        return dataclasses.replace(
            price,
            cycles=price.cycles / TRIAL_CHANNELS,
            instructions=price.instructions / TRIAL_CHANNELS,
        )

    def plan_of(self, layer: Layer, keep: float = 1, group: int = 4) -> list[Work]:
        """Of one layer."""
        with tempfile.TemporaryDirectory() as folder:
            command = [*self.emulator, str(self.program)]
            arguments = self._arguments(_alone(layer, folder), keep, group, False)
            works = plan.run(command, arguments)
        return [dataclasses.replace(w, layer=0) for w in works if w.layer == 1]

    def counts(
        self, layer: Layer, keep: float, group: int, addresses: Sequence[int]
    ) -> collections.Counter[int]:
        """How often the instructions of kernels run in one layer. Needs an emulator."""
        with tempfile.TemporaryDirectory() as folder:
            arguments = self._arguments(_alone(layer, folder), keep, group, False)
            return self._executions(arguments, addresses)

    def _executions(
        self, arguments: Sequence[str], addresses: Iterable[int]
    ) -> collections.Counter[int]:
        command = [str(self.program), *arguments, "--compute"]
        functions = [self.functions[address] for address in addresses]
        return emulator.executions(command, self.emulator, functions)


def _alone(layer: Layer, folder: str) -> Path:
    """A shape file for one layer: behind a small one, since the first of a file stays dense."""
    shapes = Path(folder) / "layer.txt"
    shapes.write_text(f"fc 1 1 8 8 1 1\n{layer.line()}\n")
    return shapes


def dense(library: Path, shapes: Path, core: Core) -> list[cost.LayerCost]:
    """The same network, dense, in XNNPACK."""
    layers = plan.read_layers(shapes)
    works = [xnnpack.work(i, layer) for i, layer in enumerate(layers)]
    total = sum(l.count * w.weights for l, w in zip(layers, works, strict=True))
    priced = xnnpack.baseline(library, core)
    return [
        cost.layer_cost(layer, [w], priced, core, total)
        for layer, w in zip(layers, works, strict=True)
    ]
