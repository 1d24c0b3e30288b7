"""Functions of a compiled file as lists of instructions, in the syntax that llvm-mca reads."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Instruction:
    address: int
    text: str  # mnemonic and operands, separated by one space
    target: int | None = None  # where a branch goes, if it names an address

    @property
    def mnemonic(self) -> str:
        return self.text.split(" ", 1)[0]

    @property
    def jumps(self) -> bool:
        """Whether the next instruction may be another than the one behind it."""
        # aarch64: b, b.ne, bl, blr, br, cbz, tbnz, ret; x86: jmp, jne, call, ret.
        return bool(_JUMP.match(self.text))


@dataclasses.dataclass(frozen=True)
class Function:
    name: str  # as the linker sees it
    instructions: tuple[Instruction, ...]


_JUMP = re.compile(r"^(?:b|b\..+|bl|blr|br|cbn?z|tbn?z|ret.?|j[a-z]+|call.?)(?: |$)")
_FUNCTION = re.compile(r"^([0-9a-f]+) <(.*)>:$")
_INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(\S.*)$")
_TARGET = re.compile(r"(?:0x)?([0-9a-f]+) <[^>]*>")
_COMMENT = re.compile(r"\s*(?://|# ).*$")


def parse(text: str, part_of_name: str = "") -> dict[int, Function]:
    """What `llvm-objdump -d --no-show-raw-insn` printed, by the address where a function begins; only
    functions with `part_of_name` in their names.
    """
    functions, name, begin, body = {}, None, 0, []

    def finish():
        if name is not None and body:
            functions[begin] = Function(name, tuple(body))

    for line in text.splitlines():
        if line.endswith(">:") and (found := _FUNCTION.match(line)):
            finish()
            begin, body = int(found[1], 16), []
            name = found[2] if part_of_name in found[2] else None
        elif name is not None and (found := _INSTRUCTION.match(line)):
            target = _TARGET.search(found[2])
            words = _COMMENT.sub("", _TARGET.sub("target", found[2])).split()
            body.append(
                Instruction(
                    int(found[1], 16), " ".join(words), int(target[1], 16) if target else None
                )
            )
    finish()
    return functions


def disassemble(
    path: Path,
    part_of_name: str = "",
    objdump: str = "llvm-objdump-19",
    symbols: Sequence[str] = (),
) -> dict[int, Function]:
    """The functions of an ELF file, see parse; only `symbols`, if given. Raises CalledProcessError where
    it is none.
    """
    command = [objdump, "--disassemble", "--no-show-raw-insn", str(path)]
    command += [f"--disassemble-symbols={','.join(symbols)}"] if symbols else []
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return parse(printed, part_of_name)
