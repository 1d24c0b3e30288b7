"""MNN's arm64 loops for sparse weights, from a checkout of its source (github.com/alibaba/MNN).

Nobody offers them compiled. They are assembly, so that assembling them is all there is to do.
"""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

from delegate.bench.arm import kernels
from delegate.bench.arm.disassembly import disassemble

FOLDER = "source/backend/cpu/arm"
FILES = ("MNNPackedSparseMatMulEpx4", "MNNPackedSparseMatMulEpx1")


def loops(
    source: Path, work: Path, compiler: str = "aarch64-linux-gnu-gcc"
) -> list[kernels.Anatomy]:
    """Of each file the loop with most FMAs. `work`: a folder for object files.

    Raises CalledProcessError where `source` has no such file.
    """
    work.mkdir(parents=True, exist_ok=True)
    folder = source / FOLDER
    found = []
    for name in FILES:
        made = work / f"{name}.o"
        command = [compiler, "-c", f"-I{folder}", str(folder / f"arm64/{name}.S"), "-o", str(made)]
        subprocess.run(command, check=True)
        # Every label looks like a function.
        parts = map(kernels.dissect, disassemble(made).values())
        best = max(parts, key=lambda part: part.inner_fmas)
        found.append(dataclasses.replace(best, name=name, outer=(), call=()))
    return found
