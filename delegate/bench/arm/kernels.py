"""The cost of a kernel as compiled: of its inner loop, of a turn of its outer loop and of a call."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping

from delegate.bench.arm import loops, mca
from delegate.bench.arm.cores import Code, Core
from delegate.bench.arm.disassembly import Function, Instruction

# Multiply-adds: `fmla`, `fmadd` on aarch64, `vfmadd231ps` and its kin on x86. Of int8 `sdot`, `smmla` or,
# where a CPU has neither, `smlal`, or `sadalp` behind an `smull`.
_FMA = re.compile(
    r"^(?:fml[as]|fmadd|vf?n?madd\d*[ps]s|vfn?madd\d+[ps]s|sdot|smmla|smlal2?|sadalp)\b"
)
_STORE = re.compile(r"^(?:st[rpu]|st1|stur)|^vmov[au]?p?s+ .*[xyz]mm\d+, .*\)$|^vmovss .*\)$")


@dataclasses.dataclass(frozen=True)
class Anatomy:
    """The parts of a kernel that are priced, and what they do."""

    name: str
    inner: Code  # the loop that does the work
    outer: Code  # the outermost loop around it, without any inner loops
    call: Code  # what is outside of all loops
    inner_fmas: int
    outer_fmas: int
    inner_stores: int


def is_fma(instruction: Instruction) -> bool:
    return bool(_FMA.match(instruction.text))


def fmas(code: Iterable[Instruction]) -> int:
    return sum(map(is_fma, code))


def stores(code: Iterable[Instruction]) -> int:
    """Registers that are written to memory."""
    return sum(
        2 if i.mnemonic == "stp" else 1
        for i in code
        if _STORE.match(i.text) and "[sp" not in i.text
    )


def dissect(
    function: Function, number: int = 0, ran: frozenset[int] = frozenset(), wide: bool = True
) -> Anatomy:
    """The inner loop is, of those that hold no other with FMAs, the one with most of them (with most
    stores, in a kernel without FMAs).

    number: of the loop that is meant instead, from 1, in the order of the code.
    ran: addresses of instructions that have been seen to run; if any of this function are among them,
      nothing else counts.
    wide: of a kernel without FMAs, the loop that stores vectors rather than single floats.
    """
    found = loops.find_loops(function)
    bodies = {loop: loops.body(function, loop) for loop in found}
    count = fmas if fmas(function.instructions) else lambda code: _stores_of(code, wide)
    seen = {i for i, c in enumerate(function.instructions) if c.address in ran}
    innermost = [
        loop
        for loop in found
        if count(bodies[loop]) and not any(loop.holds(o) and count(bodies[o]) for o in found)
    ]
    name = readable(function.name)
    ran_too = [loop for loop in innermost if not seen or loop.first in seen]
    if number:
        best = innermost[number - 1]
    elif ran_too:
        best = max(ran_too, key=lambda loop: count(bodies[loop]))
    else:
        return Anatomy(name, (), (), function.instructions, 0, 0, 0)
    around = [loop for loop in found if loop.holds(best)]
    outermost = max(around, key=lambda loop: loop.last - loop.first, default=None)
    outer = loops.outside_of_inner(function, outermost, found) if outermost else []
    in_loops = {i for loop in found for i in range(loop.first, loop.last + 1)}
    call = [c for i, c in enumerate(function.instructions) if i not in in_loops]
    if seen:
        outer = [i for i in outer if i.address in ran]
        call = [i for i in call if i.address in ran]
    return Anatomy(
        name, bodies[best], outer, call, fmas(bodies[best]), fmas(outer), stores(bodies[best])
    )


def _stores_of(code: Code, wide: bool) -> int:
    narrow = re.compile(r"\bs\d+\b|^vmovss\b")
    return stores(i for i in code if bool(narrow.search(i.text)) != wide)


def readable(name: str) -> str:
    """`Spmm<4, 6>` of a mangled template of numbers, any other name as it is."""
    template = re.search(r"\d+([A-Za-z][A-Za-z0-9]*)I((?:Li\d+E)+)E", name)
    if not template:
        plain = re.search(r"GLOBAL__N_1\d+([A-Za-z][A-Za-z0-9]*?)E", name)
        return plain[1] if plain else name
    numbers = ", ".join(re.findall(r"Li(\d+)E", template[2]))
    return f"{template[1]}<{numbers}>"


@dataclasses.dataclass(frozen=True)
class Kernel:
    """An anatomy with its prices on one core."""

    anatomy: Anatomy
    inner: mca.Price
    outer: mca.Price
    call: mca.Price

    def share_of_peak(self, core: Core) -> float:
        """Of the inner loop alone, data in the L1 cache."""
        return self.anatomy.inner_fmas / core.fmas / self.inner.cycles if self.inner.cycles else 0.0


def price(anatomies: list[Anatomy], core: Core) -> list[Kernel]:
    pieces = [code for a in anatomies for code in (a.inner, a.outer, a.call)]
    prices = mca.price(pieces, core)
    return [Kernel(a, *prices[3 * i : 3 * i + 3]) for i, a in enumerate(anatomies)]


def trace(function: Function, counts: Mapping[int, int], core: Core) -> mca.Price:
    """Of all that a function did in a trial; `counts`: how often each instruction ran.

    For code whose loops have branches in them: what ran equally often is a loop's body, wherever the
    compiler put it.
    """
    parts: dict[int, list[Instruction]] = {}
    for instruction in function.instructions:
        if times := counts.get(instruction.address, 0):
            parts.setdefault(times, []).append(instruction)
    prices = mca.price(list(parts.values()), core)
    cycles = sum(times * price.cycles for times, price in zip(parts, prices, strict=True))
    longest = max(zip(parts, prices), key=lambda part: part[0] * part[1].cycles, default=None)
    instructions = sum(times * len(code) for times, code in parts.items())
    return mca.Price(cycles, instructions, longest[1].limit if longest else "nothing")
