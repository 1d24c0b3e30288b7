"""The dense int8 baseline: XNNPACK's arm64 kernels in the aarch64 ai-edge-litert, and its way through a layer.

Which kernel runs where, and the tiles of four pixels, are facts read in XNNPACK's
src/configs/gemm-config.c and dwconv-config.c.
"""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

from delegate.bench.arm import kernels, loops
from delegate.bench.arm.cores import Core
from delegate.bench.arm.disassembly import Function, disassemble
from delegate.bench.arm.plan import Layer, Work
from delegate.bench.arm.xnnpack import DEPTHWISE, GEMM, GEMV, IGEMM

LIBRARY = "site-packages/ai_edge_litert/libpywrap_litert_common.so"
ROWS, COLUMNS = 4, 16  # pixels and output channels of a tile
TAP = 4  # stands where a plan has addresses, behind the roles of xnnpack.py: a tap of an IGEMM


@dataclasses.dataclass(frozen=True)
class Products:
    """What a processor multiplies bytes with, and XNNPACK's kernels for that."""

    name: str  # as rows of the cost model have it
    depth: int  # inputs that are padded to a multiple of this
    macs: int  # of an instruction
    gemm: str
    gemv: str
    ours: str = "max"  # what qemu calls a CPU on which we have the same


MATRICES = Products("i8mm", 8, 32, "4x16c8__neoni8mm", "1x16c8__neoni8mm")
DOTS = Products("dot", 4, 16, "4x16c4__asm_aarch64_neondot_ld128", "1x16c4__neondot")
DOTS_IN_ORDER = dataclasses.replace(DOTS, gemm="4x16c4__asm_aarch64_neondot_cortex_a55")
NO_DOTS = Products(
    "no dot", 1, 4, "4x16__asm_aarch64_neon_mlal_lane_ld64", "1x16__neonv8_mlal_lane", "cortex-a72"
)
NO_DOTS_IN_ORDER = dataclasses.replace(
    NO_DOTS, gemm="4x16__asm_aarch64_neon_mlal_lane_cortex_a53_prfm"
)

_DEPTHWISE = {
    9: "xnn_qs8_qc8w_dwconv_minmax_fp32_ukernel_9p16c__neonv8_mla8_ld64",
    25: "xnn_qs8_qc8w_dwconv_minmax_fp32_ukernel_25p16c__neonv8_mla8_ld64",
}
_CHANNELS = 16  # of a turn of its loops


@functools.cache
def baseline(
    library: Path, core: Core, products: Products
) -> dict[tuple[int, int], kernels.Kernel]:
    """XNNPACK's kernels with prices on one core, by `Work.code`, where the address is a role."""
    named = {
        (GEMM, 0): f"xnn_qs8_qc8w_gemm_minmax_fp32_ukernel_{products.gemm}",
        (GEMV, 0): f"xnn_qs8_qc8w_gemm_minmax_fp32_ukernel_{products.gemv}",
        (IGEMM, 0): f"xnn_qs8_qc8w_igemm_minmax_fp32_ukernel_{products.gemm}",
        **{(DEPTHWISE, taps): name for taps, name in _DEPTHWISE.items()},
    }
    found = disassemble(library, symbols=list(named.values())).values()
    functions = {f.name: f for f in found}
    parts = {role: kernels.dissect(functions[name]) for role, name in named.items()}
    parts[TAP, 0] = _tap(functions[named[IGEMM, 0]])
    return dict(zip(parts, kernels.price(list(parts.values()), core), strict=True))


def _tap(function: Function) -> kernels.Anatomy:
    """What the loop over taps does around the one over inputs, but for products: turns of the inner loop
    have all of them.
    """
    found = loops.find_loops(function)
    inner = max(
        (l for l in found if not any(l.holds(o) for o in found)),
        key=lambda l: kernels.fmas(loops.body(function, l)),
    )
    around = [loop for loop in found if loop.holds(inner)]
    code = loops.outside_of_inner(function, min(around, key=lambda l: l.last - l.first), found)
    rest = [instruction for instruction in code if not kernels.is_fma(instruction)]
    return kernels.Anatomy(f"a tap of {function.name}", (), (), rest, 0, 0, 0)


def works(
    number: int, layer: Layer, products: Products, priced: dict[tuple[int, int], kernels.Kernel]
) -> list[Work]:
    """How much of which kernels XNNPACK runs for a dense layer."""
    whole = _work(number, layer, products, priced)
    if whole.address != IGEMM:
        return [whole]
    taps = whole.outer * layer.kernel**2
    return [whole, Work(number, TAP, 0, taps, 0, 0, 0, 0, 0, 0, 0, 0, whole.weights)]


def _work(
    number: int, layer: Layer, products: Products, priced: dict[tuple[int, int], kernels.Kernel]
) -> Work:
    pixels, outputs = layer.out_pixels, layer.outputs
    x = layer.h * layer.w * layer.inputs
    y = pixels * outputs
    if layer.op == "dw":
        taps = layer.depth
        loop = min(t for t in _DEPTHWISE if t >= taps)
        turns = pixels * -(-outputs // _CHANNELS)
        weights = (taps + 8) * outputs  # with biases and scales
        return Work(
            number,
            DEPTHWISE,
            loop=loop,
            calls=1,
            outer=pixels,
            entries=pixels,
            fmas=turns * priced[DEPTHWISE, loop].anatomy.inner_fmas,
            stores=turns,
            x_bytes=x,
            reads=0,
            w_bytes=weights,
            y_bytes=y,
            weights=weights,
        )
    blocks = -(-outputs // COLUMNS)
    one = pixels == 1
    rows = 1 if one else ROWS
    calls = -(-pixels // rows)
    depth = layer.kernel**2 * (-(-layer.inputs // products.depth) * products.depth)
    weights = depth * blocks * COLUMNS + 8 * outputs
    # (Of a product of matrices half is idle where there is one row.)
    used = rows * (2 if one and products is MATRICES else 1)
    kernel = GEMV if one else IGEMM if layer.kernel > 1 or layer.stride > 1 else GEMM
    outer = calls * blocks
    return Work(
        number,
        kernel,
        loop=0,
        calls=calls,
        outer=outer,
        entries=outer * (layer.kernel**2 if kernel == IGEMM else 1),
        fmas=calls * blocks * used * depth * COLUMNS // products.macs,
        stores=y // 16,
        x_bytes=min(x, calls * rows * layer.depth),
        reads=calls * rows * layer.depth * blocks,
        w_bytes=weights * calls,
        y_bytes=y,
        weights=weights,
    )
