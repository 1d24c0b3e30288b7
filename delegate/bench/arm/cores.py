"""Processors: what llvm-mca knows of them, where LLVM 19 errs and the caches that it does not model.

Sources: Arm's software optimization guides and technical reference manuals of the cores for widths and
latencies, public descriptions of a Snapdragon 855 (its prime core), an 888 and clusters of its smaller cores
for caches and clocks. Bandwidths are sustained ones as benchmarks report them, in round numbers: they
are assumptions, and the place to change them is here.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence

from delegate.bench.arm.disassembly import Instruction

Code = Sequence[Instruction]


@dataclasses.dataclass(frozen=True)
class Floor:
    """Cycles that a piece of code takes at least, for a reason that llvm-mca does not know."""

    reason: str
    cycles: Callable[[Code], float]


@dataclasses.dataclass(frozen=True)
class Level:
    """A place behind the L1 cache: its size and what it delivers to one core."""

    name: str
    size: float  # bytes
    bandwidth: float  # bytes a cycle


@dataclasses.dataclass(frozen=True)
class Core:
    name: str
    llvm: str  # -mcpu
    triple: str
    lanes: int  # floats in a vector
    fmas: float  # on vectors, a cycle, at best
    ghz: float
    l1: float  # bytes of data
    levels: tuple[Level, ...]  # the last one has no end
    mispredict: float  # cycles that a wrongly predicted branch costs
    floors: tuple[Floor, ...] = ()
    rewrite: Callable[[str], list[str]] = lambda text: [text]  # what llvm-mca shall read instead
    in_order: bool = False
    corrections: tuple[str, ...] = ()  # of LLVM's tables, in words


def _decoded(width: int) -> Floor:
    return Floor(f"{width} instructions a cycle", lambda code: len(code) / width)


def _forwarded(text: str) -> list[str]:
    """Has the accumulator of an FMA ready for the next one after 2 cycles, as Arm's guides say.

    LLVM says 4. A dot product runs in the same pipes, with the same registers, and takes 2.
    """
    parts = re.match(r"fml[as] (v\d+)\.(4s|2s), (v\d+)\.\2, (v\d+)\.(?:s\[(\d)\]|\2)$", text)
    if not parts:
        return [text]
    total, shape, a, b, lane = parts.groups()
    bytes_ = "16b" if shape == "4s" else "8b"
    return [f"sdot {total}.{shape}, {a}.{bytes_}, {b}.{f'4b[{lane}]' if lane else bytes_}"]


def _lanes_are_inserted(text: str) -> list[str]:
    """Has a load into lanes wait for the rest of its registers only when it puts the lanes in.

    LLVM has it begin no sooner than the registers are there, so that loads of one register's lanes wait
    for each other.
    """
    parts = re.match(r"ld2 \{ (v\d+)\.d, (v\d+)\.d \}\[(\d)\], (.*)$", text)
    if not parts:
        return [text]
    first, second, lane, address = parts.groups()
    return [f"ldr q0, {address}"] + [
        f"ins {register}.d[{lane}], v0.d[{i}]" for i, register in enumerate((first, second))
    ]


def _broadcasts_are_loads(text: str) -> list[str]:
    """Zen 4 loads and spreads a float in one step; LLVM 19 has three for 512 bits."""
    return [re.sub(r"^vbroadcastss (.*\).*%zmm)", r"vmovups \1", text)]


def _reads_512_bits(instruction: Instruction) -> bool:
    # AT&T syntax: what is read stands first; a broadcast reads 32 bits.
    operands = instruction.text.split(" ", 1)[-1]
    return "zmm" in operands and "(" in operands.rsplit(",", 1)[0] and "{1to" not in operands


_WIDE_LOADS = Floor(
    "one 512-bit load a cycle",
    lambda code: sum(_reads_512_bits(i) and "broadcast" not in i.text for i in code),
)

_FORWARDING = "an FMA adds to the sum of the one before after 2 cycles, not 4: read as `sdot`"

KIB, MIB = 1024.0, 1024.0 * 1024.0

A76 = Core(
    name="Cortex-A76",
    llvm="neoverse-n1",
    triple="aarch64-linux-gnu",
    lanes=4,
    fmas=2,
    ghz=2.84,
    l1=64 * KIB,
    levels=(
        Level("L2", 512 * KIB, 20),
        Level("L3", 2 * MIB, 10),
        Level("DRAM", float("inf"), 5),
    ),
    mispredict=11,
    floors=(_decoded(4),),
    rewrite=_forwarded,
    corrections=(
        "LLVM 19's cortex-a76 and cortex-a78 mean Cortex-A57: neoverse-n1, the same core in a server, is read instead",
        "no more than 4 instructions a cycle leave its decoder",
        _FORWARDING,
    ),
)

A78 = dataclasses.replace(
    A76,
    name="Cortex-A78",
    ghz=2.42,
    levels=(
        Level("L2", 512 * KIB, 20),
        Level("L3", 4 * MIB, 10),
        Level("DRAM", float("inf"), 6),
    ),
    floors=(_decoded(6),),
    corrections=(
        A76.corrections[0],
        "no more than 6 instructions a cycle leave its macro-op cache",
        "its third load a cycle is left out",
        _FORWARDING,
    ),
)

X1 = Core(
    name="Cortex-X1",
    llvm="neoverse-v1",
    triple="aarch64-linux-gnu",
    lanes=4,
    fmas=4,
    ghz=2.84,
    l1=64 * KIB,
    levels=(
        Level("L2", 1 * MIB, 24),
        Level("L3", 4 * MIB, 12),
        Level("DRAM", float("inf"), 6),
    ),
    mispredict=11,
    floors=(_decoded(8),),
    rewrite=_forwarded,
    corrections=(
        "LLVM 19's cortex-x1 means Cortex-A57: neoverse-v1 is read instead",
        "no more than 8 instructions a cycle leave its macro-op cache",
        _FORWARDING,
    ),
)

A55 = Core(
    name="Cortex-A55",
    llvm="cortex-a55",
    triple="aarch64-linux-gnu",
    lanes=4,
    fmas=1,
    ghz=1.8,
    l1=32 * KIB,
    levels=(
        Level("L2", 128 * KIB, 8),
        Level("L3", 2 * MIB, 5),
        Level("DRAM", float("inf"), 2.5),
    ),
    mispredict=8,
    in_order=True,
    corrections=(
        "LLVM 19's cortex-a55 issues two 128-bit FMAs a cycle, the real one one, and has a load behind an FMA wait for it: "
        "a scoreboard of our own (inorder.py) takes its place",
    ),
)

# For int8 only: with products of matrices of bytes, and without even those of four.

A710 = dataclasses.replace(
    A78,
    name="Cortex-A710",
    llvm="neoverse-n2",
    ghz=2.5,
    levels=(
        Level("L2", 512 * KIB, 24),
        Level("L3", 8 * MIB, 12),
        Level("DRAM", float("inf"), 6),
    ),
    floors=(_decoded(5),),
    rewrite=_lanes_are_inserted,
    corrections=(
        "neoverse-n2, the same core in a server, is read",
        "no more than 5 instructions a cycle leave its macro-op cache",
        "a load into lanes begins before the rest of its registers is there: read as `ldr` and `ins`",
    ),
)

A72 = dataclasses.replace(
    A76,
    name="Cortex-A72",
    llvm="cortex-a72",
    fmas=1,
    ghz=2.0,
    l1=32 * KIB,
    levels=(
        Level("L2", 1 * MIB, 12),
        Level("DRAM", float("inf"), 4),
    ),
    mispredict=15,
    floors=(_decoded(3),),
    rewrite=lambda text: [text],
    corrections=(
        "LLVM's table is that of a Cortex-A57",
        "no more than 3 instructions a cycle leave its decoder",
    ),
)

A53 = dataclasses.replace(
    A55,
    name="Cortex-A53",
    levels=(
        Level("L2", 512 * KIB, 8),
        Level("DRAM", float("inf"), 2.5),
    ),
    corrections=("priced as a Cortex-A55, whose pipes are as wide",),
)

ZEN4 = Core(
    name="Zen 4, AVX-512",
    llvm="znver4",
    triple="x86_64-linux-gnu",
    lanes=16,
    fmas=1,
    ghz=3.7,
    l1=32 * KIB,
    levels=(
        Level("L2", 1 * MIB, 28),
        Level("L3", 32 * MIB, 12),
        Level("DRAM", float("inf"), 6),
    ),
    mispredict=13,
    floors=(_WIDE_LOADS,),
    rewrite=_broadcasts_are_loads,
    corrections=(
        "a 512-bit load takes both load ports for a cycle",
        "a load that spreads one float over 512 bits is one step, not three",
    ),
)

ZEN4_AVX2 = dataclasses.replace(
    ZEN4,
    name="Zen 4, AVX2",
    lanes=8,
    fmas=2,
    floors=(),
    rewrite=lambda text: [text],
    corrections=(),
)

PHONES = (A76, A78, X1, A55)
