"""What the engine runs for a network: the lines of delegate/bench/plan, and the shape files."""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Sequence
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Layer:
    """A line of a shape file."""

    op: str  # "conv", "dw" or "fc"
    h: int
    w: int
    inputs: int
    outputs: int
    kernel: int
    stride: int
    count: int = 1  # how often it occurs

    @property
    def out_pixels(self) -> int:
        return -(-self.h // self.stride) * -(-self.w // self.stride)

    @property
    def depth(self) -> int:
        """Products of an output."""
        return self.kernel**2 * (1 if self.op == "dw" else self.inputs)

    @property
    def products(self) -> int:
        return self.out_pixels * self.outputs * self.depth

    @property
    def activations(self) -> int:
        """Elements that are read and written."""
        return self.h * self.w * self.inputs + self.out_pixels * self.outputs

    def line(self) -> str:
        """As it stands in a shape file."""
        return " ".join(map(str, dataclasses.astuple(self)))

    def __str__(self) -> str:
        return f"{self.op} {self.h}x{self.w} {self.inputs} to {self.outputs}, {self.kernel}x{self.kernel}/{self.stride}"


def read_layers(path: Path) -> list[Layer]:
    lines = [line.split() for line in path.read_text().splitlines()]
    return [Layer(f[0], *map(int, f[1:])) for f in lines if f and not f[0].startswith("#")]


@dataclasses.dataclass(frozen=True)
class Work:
    """A kernel's part in a layer; delegate/bench/plan.cc says what the numbers count."""

    layer: int
    address: int
    loop: int
    calls: int
    outer: int
    entries: int
    fmas: int
    stores: int
    x_bytes: int
    reads: int
    w_bytes: int
    y_bytes: int
    weights: int

    @property
    def code(self) -> tuple[int, int]:
        """What is priced: a kernel's address and one of its loops."""
        return self.address, self.loop


def parse(text: str) -> list[Work]:
    header, *lines = text.splitlines()
    names = [field.name for field in dataclasses.fields(Work)]
    if header.split("\t") != names:
        raise ValueError(f"a plan with the fields {header!r}")
    rows = (line.split("\t") for line in lines)
    return [
        Work(*(int(f, 16 if n == "address" else 10) for n, f in zip(names, r, strict=True)))
        for r in rows
    ]


def options(shapes: Path, keep: float, group: int, isa: str, in_order: bool) -> list[str]:
    """Of the plan tool. in_order: weights are packed for cores of ARM that issue in order."""
    made = [str(shapes), "--keep", str(keep), "--group", str(group), "--isa", isa]
    return [*made, "--in-order"] if in_order else made


def run(command: Sequence[str], arguments: Sequence[str]) -> list[Work]:
    """Asks `command` (the plan tool, maybe under an emulator). Raises CalledProcessError."""
    return parse(
        subprocess.run([*command, *arguments], check=True, capture_output=True, text=True).stdout
    )
