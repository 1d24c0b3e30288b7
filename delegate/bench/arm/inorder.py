"""Cycles of aarch64 code on a core that issues in order, two instructions a cycle: Cortex-A55.

llvm-mca simulates such cores too, but lets no instruction write its result before an older one does,
so that a load behind an FMA waits for it, which no A55 does; and it has 128-bit FMAs at twice their
speed. Widths here are those of Arm's software optimization guide: two 64-bit FP pipes (a 128-bit
operation takes both), one load or store of 64 bits a cycle (128-bit stores in one), two integer units.
"""

from __future__ import annotations

import re

from delegate.bench.arm.cores import Code
from delegate.bench.arm.disassembly import Instruction

PASSES = 32  # over the code; the first half warms up

_REGISTER = re.compile(r"\b(?:([vqdshb])(\d+)|[xw](\d+)|(sp))\b")


def cycles(code: Code) -> float:
    """Of a pass through `code`, repeated."""
    steps = [_Step(instruction) for instruction in code]
    ready: dict[str, int] = {}
    now = issued = 0
    busy = {"load": 0, "fp": 0, "integer": 0, "branch": 0}  # first cycle in which a unit is free
    pairs = {"fp": 0, "integer": 0}  # halves that are taken in cycle `now`
    half_time = 0
    for turn in range(PASSES):
        if turn == PASSES // 2:
            half_time = now
        for step in steps:
            start = max([now, busy[step.unit]] + [ready.get(r, 0) for r in step.reads])
            if start == now and (issued == 2 or pairs.get(step.unit, 0) + step.width > 2):
                start += 1
            if start > now:
                now, issued, pairs = start, 0, {"fp": 0, "integer": 0}
            issued += 1
            if step.unit in pairs:
                pairs[step.unit] += step.width
            else:
                busy[step.unit] = now + step.occupied
            for register, latency in step.writes.items():
                ready[register] = now + latency
    return (now - half_time) / (PASSES - PASSES // 2)


class _Step:
    """What an instruction reads, writes and occupies."""

    def __init__(self, instruction: Instruction):
        text = instruction.text
        name, _, operands = text.partition(" ")
        inside, _, behind = operands.partition("[")[2].partition("]")
        memory = "[" in operands and name.startswith(("ld", "st", "prf"))
        before = operands.partition("[")[0] if memory else operands
        registers = _registers(before)
        address = _registers(inside) if memory else []
        back = address[:1] if memory and (behind.startswith(("!", ",")) and behind != "") else []

        self.width, self.occupied = 1, 1
        self.writes: dict[str, int] = {r: 1 for r in back}
        if name.startswith("ld"):
            self.unit = "load"
            wide = len(re.findall(r"\bq\d+|v\d+\.(?:4s|16b|2d|8h)", before))
            self.occupied = max(1, 2 * wide, len(registers))
            self.reads = address
            for i, register in enumerate(registers):
                self.writes[register] = (3 if register[0] == "v" else 2) + (
                    2 * i + 1 if wide else i
                )
        elif name.startswith(("st", "prf")):
            self.unit = "load"
            self.occupied = 2 if name == "stp" else 1
            self.reads = registers + address
        elif name == "b" or name.startswith(("b.", "cb", "tb", "ret", "bl")):
            self.unit = "branch"
            self.reads = registers + (["flags"] if name.startswith("b.") else [])
        elif re.search(r"\b[vqdsh]\d+", operands):
            # Moving a general register in passes beside the FP pipes.
            self.unit = "integer" if name in ("mov", "ins", "fmov") and "x" in operands else "fp"
            wide = re.search(r"\.(?:4s|16b|2d|8h)\b", operands)
            self.width = 2 if self.unit == "fp" and wide else 1
            products = name.startswith(("sdot", "smlal", "sadalp"))
            merges = products or name.startswith(("fml", "ml", "fmadd", "ins", "sqxtn2", "xtn2"))
            merges = merges or "[" in before.split(",")[0]
            self.reads = registers if merges else registers[1:]
            slow = products or name.startswith(("f", "smull", "scvtf"))
            self.writes[registers[0]] = 4 if slow else 2
        else:
            self.unit = "integer"
            compares = name in ("cmp", "cmn", "tst")
            self.reads = registers if compares else registers[1:]
            if compares or name.endswith("s"):
                self.writes["flags"] = 1
            if not compares and registers:
                self.writes[registers[0]] = 3 if name.startswith(("mul", "madd")) else 1


def _registers(text: str) -> list[str]:
    names = []
    for vector, number, general, stack in _REGISTER.findall(text):
        names.append(f"v{number}" if vector else f"x{general}" if general else stack)
    return names
