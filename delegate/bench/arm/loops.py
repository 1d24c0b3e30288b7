"""Loops of a function, found by the branches that go back."""

from __future__ import annotations

import dataclasses

from delegate.bench.arm.disassembly import Function, Instruction


@dataclasses.dataclass(frozen=True)
class Loop:
    """Instructions `first` to `last` of a function, the branch back included."""

    first: int
    last: int

    def holds(self, other: Loop) -> bool:
        return self != other and self.first <= other.first and other.last <= self.last


def find_loops(function: Function) -> list[Loop]:
    """All of them, those that begin earlier first.

    Several branches to one place are one loop. A range with a return in it is none: compilers and
    authors of assembly put rare cases behind the return and jump back into the middle.
    """
    code = function.instructions
    index = {instruction.address: i for i, instruction in enumerate(code)}
    last: dict[int, int] = {}
    for i, instruction in enumerate(code):
        first = index.get(instruction.target, i + 1)
        if not instruction.jumps or first > i:
            continue
        if instruction.mnemonic in ("bl", "call", "callq"):
            continue
        if not any(c.mnemonic.startswith("ret") for c in code[first : i + 1]):
            last[first] = max(i, last.get(first, i))
    return [Loop(first, end) for first, end in sorted(last.items())]


def body(function: Function, loop: Loop) -> list[Instruction]:
    return list(function.instructions[loop.first : loop.last + 1])


def outside_of_inner(function: Function, loop: Loop, loops: list[Loop]) -> list[Instruction]:
    """A loop's instructions but those of the loops in it."""
    inner = [other for other in loops if loop.holds(other)]
    return [
        function.instructions[i]
        for i in range(loop.first, loop.last + 1)
        if not any(other.first <= i <= other.last for other in inner)
    ]
