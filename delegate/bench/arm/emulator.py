"""What a program really executes, seen by qemu's user mode."""

from __future__ import annotations

import collections
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from delegate.bench.arm.disassembly import Function

_START = re.compile(r"^start_code\s+0x([0-9a-f]+)", re.MULTILINE)
_ENTERED = re.compile(r"^Trace \d+: 0x[0-9a-f]+ \[[0-9a-f]+/([0-9a-f]+)/")
_PAGE = 4096


def executions(
    command: Sequence[str], qemu: Sequence[str], functions: Sequence[Function]
) -> collections.Counter[int]:
    """How often each instruction of `functions` runs when `command` does, by address.

    One by one, since a block may be shorter than what lies between two jumps.
    Raises CalledProcessError where the program or qemu fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        _run([*qemu, "-d", "page", "-D", str(log), *command])
        base = int(_START.search(log.read_text())[1], 16) // _PAGE * _PAGE
        first = min(f.instructions[0].address for f in functions)
        base = 0 if first >= base else base  # not every program is moved
        log.unlink()
        ranges = ",".join(
            f"{base + f.instructions[0].address:#x}..{base + f.instructions[-1].address + 3:#x}"
            for f in functions
        )
        _run(
            [
                *qemu,
                "-singlestep",
                "-d",
                "exec,nochain",
                "-dfilter",
                ranges,
                "-D",
                str(log),
                *command,
            ]
        )
        with log.open() as lines:
            found = (_ENTERED.match(line) for line in lines)
            return collections.Counter(int(f[1], 16) - base for f in found if f)


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
