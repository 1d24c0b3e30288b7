"""The dense baseline: XNNPACK's arm64 kernels as Debian compiled them, and its way through a layer.

Which kernel runs on which core, the 6 x 8 tiles, and that one thread computes all output channels of
six pixels in one call are facts read in XNNPACK's src/init.c and src/operator-run.c (2022-02-16, the
version in Debian 12).
"""

from __future__ import annotations

import dataclasses
import functools
import subprocess
from pathlib import Path

from delegate.bench.arm import kernels, loops
from delegate.bench.arm.cores import Core
from delegate.bench.arm.disassembly import Function, disassemble
from delegate.bench.arm.plan import Layer, Work

PACKAGE = "libxnnpack0"
LIBRARY = "root/usr/lib/aarch64-linux-gnu/libXNNPACK.so.0"
ROWS, COLUMNS = 6, 8  # pixels and output channels of a tile

# Exported names by core. `gemminc` has the loops of `gemm`, which is not exported. Of the IGEMMs,
# the 6 x 8 one is not exported either and follows the 5 x 8 one in the file.
_GEMM = {
    "Cortex-A76": "xnn_f32_gemminc_minmax_ukernel_6x8__aarch64_neonfma_prfm_cortex_a75",
    "Cortex-A78": "xnn_f32_gemminc_minmax_ukernel_6x8__aarch64_neonfma_prfm_cortex_a75",
    "Cortex-X1": "xnn_f32_gemminc_minmax_ukernel_6x8__aarch64_neonfma_ld128",
    "Cortex-A55": "xnn_f32_gemminc_minmax_ukernel_6x8__aarch64_neonfma_cortex_a55",
}
_GEMV = {
    "Cortex-A76": "xnn_f32_gemminc_minmax_ukernel_1x8__aarch64_neonfma_prfm_cortex_a75",
    "Cortex-A78": "xnn_f32_gemminc_minmax_ukernel_1x8__aarch64_neonfma_prfm_cortex_a75",
    "Cortex-X1": "xnn_f32_gemminc_minmax_ukernel_1x8__aarch64_neonfma_ld64",
    "Cortex-A55": "xnn_f32_gemminc_minmax_ukernel_1x8__aarch64_neonfma_cortex_a53",
}
_IGEMM = "xnn_f32_igemm_minmax_ukernel_5x8__aarch64_neonfma_prfm_cortex_a75"
_DEPTHWISE = "xnn_f32_dwconv_minmax_ukernel_up4x9__aarch64_neonfma"


def fetch(folder: Path) -> Path:
    """The library, from Debian's arm64 package; what is installed on this machine stays as it is."""
    library = folder / LIBRARY
    if not library.exists():
        subprocess.run([Path(__file__).parent / "debian_arm64.sh", folder, PACKAGE], check=True)
    return library


GEMM, GEMV, IGEMM, DEPTHWISE = range(4)  # stand where a plan has addresses


@functools.cache
def baseline(library: Path, core: Core) -> dict[tuple[int, int], kernels.Kernel]:
    """XNNPACK's kernels with prices on one core, by `Work.code`, where the address is a role."""
    functions = {f.name: f for f in disassemble(library).values()}
    gemm, gemv, igemm = (
        kernels.dissect(functions[name]) for name in (_GEMM[core.name], _GEMV[core.name], _IGEMM)
    )
    depthwise = [kernels.dissect(functions[_DEPTHWISE]), *_unnamed_depthwise(functions)]
    # What lies outside of all loops is mostly other functions, whose names were stripped.
    found = [dataclasses.replace(a, call=()) for a in (gemm, gemv, igemm, *depthwise)]
    priced = kernels.price(found, core)
    fastest = max(priced[3:], key=lambda k: k.share_of_peak(core))
    return {
        (role, 0): kernel
        for role, kernel in zip((GEMM, GEMV, IGEMM, DEPTHWISE), [*priced[:3], fastest], strict=True)
    }


def _unnamed_depthwise(functions: dict[str, Function]) -> list[kernels.Anatomy]:
    """Loops that can only be a 3 x 3 depthwise convolution of floats on 8 channels: compiled from C,
    with no name left. 18 FMAs of whole vectors, as many vectors of pixels and of weights, and a bias.
    """
    found = []
    for function in functions.values():
        for loop in loops.find_loops(function):
            code = loops.body(function, loop)
            whole = [
                i for i in code if i.mnemonic == "fmla" and ".4s" in i.text and "s[" not in i.text
            ]
            vectors = sum(i.text.count("q") for i in code if i.text.startswith(("ldr q", "ldp q")))
            if len(whole) == kernels.fmas(code) == 18 and 36 <= vectors <= 42:
                around = [o for o in loops.find_loops(function) if o.holds(loop)]
                outer = max(around, key=lambda o: o.last - o.first, default=None)
                rest = (
                    loops.outside_of_inner(function, outer, [*around, loop])
                    if outer and outer.last - outer.first < 300
                    else []
                )
                found.append(
                    kernels.Anatomy("dwconv up8x9", code, rest, (), 18, kernels.fmas(rest), 2)
                )
    return found


def work(number: int, layer: Layer) -> Work:
    """How much of which kernel XNNPACK runs for a dense layer."""
    pixels, outputs = layer.out_pixels, layer.outputs
    x = 4 * layer.h * layer.w * layer.inputs
    y = 4 * pixels * outputs
    if layer.op == "dw":
        fmas = pixels * -(-outputs // 4) * layer.depth
        weights = 4 * (layer.depth + 1) * outputs
        return Work(
            number,
            DEPTHWISE,
            loop=0,
            calls=1,
            outer=pixels,
            entries=pixels,
            fmas=fmas,
            stores=pixels * -(-outputs // 4),
            x_bytes=x,
            reads=0,
            w_bytes=weights,
            y_bytes=y,
            weights=weights,
        )
    blocks = -(-outputs // COLUMNS)
    weights = 4 * layer.depth * blocks * COLUMNS
    one = pixels == 1  # every fully connected layer, too
    rows = 1 if one else ROWS
    calls = -(-pixels // rows)
    # A tap's channels are a run of their own; the kernel takes them four at a time.
    depth = layer.kernel**2 * (-(-layer.inputs // 4) * 4)
    fmas = calls * blocks * rows * depth * COLUMNS // 4
    kernel = GEMV if one else IGEMM if layer.kernel > 1 or layer.stride > 1 else GEMM
    outer = calls * blocks * (layer.kernel**2 if kernel == IGEMM else 1)
    reads = calls * rows * layer.depth * 4 * blocks
    return Work(
        number,
        kernel,
        loop=0,
        calls=calls,
        outer=outer,
        entries=outer,
        fmas=fmas,
        stores=y // 16,
        x_bytes=min(x, calls * rows * layer.depth * 4),
        reads=reads,
        w_bytes=weights * calls,
        y_bytes=y,
        weights=weights,
    )
