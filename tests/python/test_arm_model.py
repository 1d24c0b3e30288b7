"""The parts of the ARM model that need no compiler: parsers, loops, prices, arithmetic."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from delegate.bench.arm import (
    cores,
    cost,
    disassembly,
    inorder,
    int8,
    int8_rates,
    kernels,
    loops,
    mca,
    plan,
    rates,
    report,
    x86,
    xnnpack,
    xnnpack_int8,
)
from delegate.bench.arm.disassembly import Function, Instruction
from delegate.bench.arm.mca import Price

# Two nested loops, a rare case behind the return that jumps back into the middle, and a second function.
LISTING = """
kernel.o:	file format elf64-littleaarch64

Disassembly of section .text:

0000000000000000 <_ZN4sbnn4neon12_GLOBAL__N_14SpmmILi4ELi2ELi0EEEvRKNS_8SpmmArgsE>:
       0:      	mov	x7, x0
       4:      	dup	v24.4s, v24.s[0]
       8:      	ldr	q0, [x1], #0x10
       c:      	fmla	v1.4s, v0.4s, v2.s[0]
      10:      	fmla	v3.4s, v0.4s, v2.s[1]
      14:      	cmp	x1, x2
      18:      	b.ne	0x8 <_ZN4sbnn4neon12_GLOBAL__N_14SpmmILi4ELi2ELi0EEEvRKNS_8SpmmArgsE+0x8>
      1c:      	stp	q1, q3, [x4]
      20:      	tbnz	w3, #0x0, 0x2c <_ZN4sbnn4neon12_GLOBAL__N_14SpmmILi4ELi2ELi0EEEvRKNS_8SpmmArgsE+0x2c>
      24:      	cbnz	x5, 0x4 <_ZN4sbnn4neon12_GLOBAL__N_14SpmmILi4ELi2ELi0EEEvRKNS_8SpmmArgsE+0x4>
      28:      	ret
      2c:      	str	s1, [x4]
      30:      	b	0x24 <_ZN4sbnn4neon12_GLOBAL__N_14SpmmILi4ELi2ELi0EEEvRKNS_8SpmmArgsE+0x24>

0000000000000034 <plain>:
      34:      	bl	0x0 <_ZN4sbnn4neon12_GLOBAL__N_14SpmmILi4ELi2ELi0EEEvRKNS_8SpmmArgsE>
      38:      	vfmadd231ps	%zmm0, %zmm7, %zmm12    # zmm12 = (zmm7 * zmm0) + zmm12
"""


@pytest.fixture
def function() -> Function:
    return disassembly.parse(LISTING)[0]


def code(*lines: str) -> list[Instruction]:
    return [Instruction(4 * i, line) for i, line in enumerate(lines)]


def test_a_listing_becomes_functions(function):
    found = disassembly.parse(LISTING)
    assert set(found) == {0, 0x34}
    assert len(function.instructions) == 13
    assert function.instructions[2] == Instruction(8, "ldr q0, [x1], #0x10")
    assert function.instructions[6] == Instruction(0x18, "b.ne target", 8)
    assert found[0x34].instructions[1].text == "vfmadd231ps %zmm0, %zmm7, %zmm12"


def test_loops_are_found_by_their_branches_back(function):
    # The branch at 0x30 goes back too, but over a return: no loop.
    assert loops.find_loops(function) == [loops.Loop(1, 9), loops.Loop(2, 6)]
    outer, inner = loops.find_loops(function)
    assert outer.holds(inner) and not inner.holds(outer) and not inner.holds(inner)
    around = loops.outside_of_inner(function, outer, [outer, inner])
    assert [i.mnemonic for i in around] == ["dup", "stp", "tbnz", "cbnz"]


def test_a_call_is_no_loop():
    assert loops.find_loops(disassembly.parse(LISTING)[0x34]) == []


def test_a_kernel_is_taken_apart(function):
    found = kernels.dissect(function)
    assert found.name == "Spmm<4, 2, 0>"
    assert (found.inner_fmas, found.outer_fmas, found.inner_stores) == (2, 0, 0)
    assert len(found.inner) == 5 and len(found.outer) == 4
    assert [i.mnemonic for i in found.call] == ["mov", "ret", "str", "b"]


def test_what_never_ran_is_left_out(function):
    found = kernels.dissect(function, ran=frozenset({0x4, 0x8, 0x1C, 0x20, 0x28}))
    assert [i.mnemonic for i in found.outer] == ["dup", "stp", "tbnz"]
    assert [i.mnemonic for i in found.call] == ["ret"]
    assert kernels.dissect(function, ran=frozenset({0x1000})) == kernels.dissect(function)


def test_a_loop_is_named_by_its_number(function):
    assert kernels.dissect(function, 1) == kernels.dissect(function)
    with pytest.raises(IndexError):
        kernels.dissect(function, 2)


def test_fmas_and_stores_are_counted():
    assert (
        kernels.fmas(
            code("fmla v0.4s, v1.4s, v2.s[1]", "fmadd s0, s1, s2, s0", "fmul v0.4s, v1.4s, v2.4s")
        )
        == 2
    )
    assert kernels.fmas(code("vfmadd231ps (%rax), %zmm1, %zmm2", "vmulps %zmm1, %zmm2, %zmm3")) == 1
    assert (
        kernels.stores(
            code("stp q0, q1, [x0]", "str q0, [x1]", "str q0, [sp, #16]", "ldr q0, [x0]")
        )
        == 3
    )


def test_llvm_mca_is_read():
    text = json.dumps(
        {
            "TargetInfo": {"Resources": ["Load", "Fma"]},
            "CodeRegions": [
                {
                    "Instructions": ["a", "b"],
                    "SummaryView": {"TotalCycles": 820, "Iterations": 200},
                    "ResourcePressureView": {
                        "ResourcePressureInfo": [
                            {"InstructionIndex": 0, "ResourceIndex": 0, "ResourceUsage": 9},
                            {"InstructionIndex": 2, "ResourceIndex": 0, "ResourceUsage": 1.5},
                            {"InstructionIndex": 2, "ResourceIndex": 1, "ResourceUsage": 4},
                        ]
                    },
                }
            ],
        }
    )
    assert mca.parse(text) == [(4.1, {"Load": 1.5, "Fma": 4})]


def test_what_limits_a_loop():
    few = code("fmla v0.4s, v1.4s, v2.4s", "b.ne target")
    assert mca.with_floors((4.0, {"Fma": 3.9}), few, cores.A76) == Price(4.0, 2, "Fma")
    assert mca.with_floors((4.0, {"Fma": 2.0}), few, cores.A76).limit == "latency"
    many = few * 12  # 24 instructions: 6 cycles of decoding four at a time
    assert mca.with_floors((4.0, {"Fma": 3.9}), many, cores.A76) == Price(
        6.0, 24, "4 instructions a cycle"
    )


def test_what_llvm_has_wrong_is_rewritten():
    rewrite = cores.A76.rewrite
    assert rewrite("fmla v3.4s, v1.4s, v2.s[3]") == ["sdot v3.4s, v1.16b, v2.4b[3]"]
    assert rewrite("fmla v3.4s, v1.4s, v2.4s") == ["sdot v3.4s, v1.16b, v2.16b"]
    assert rewrite("fmla v3.2s, v1.2s, v2.s[0]") == ["sdot v3.2s, v1.8b, v2.4b[0]"]
    assert rewrite("fmul v3.4s, v1.4s, v2.4s") == ["fmul v3.4s, v1.4s, v2.4s"]
    assert cores.ZEN4.rewrite("vbroadcastss 4(%rax), %zmm0") == ["vmovups 4(%rax), %zmm0"]
    assert cores.ZEN4.rewrite("vbroadcastss %xmm1, %zmm0") == ["vbroadcastss %xmm1, %zmm0"]


def test_loads_into_lanes_begin_early():
    assert cores.A710.rewrite("ld2 { v8.d, v9.d }[1], [x3], #16") == [
        "ldr q0, [x3], #16",
        "ins v8.d[1], v0.d[0]",
        "ins v9.d[1], v0.d[1]",
    ]
    assert cores.A710.rewrite("smmla v3.4s, v1.16b, v2.16b") == ["smmla v3.4s, v1.16b, v2.16b"]


def test_wide_loads_of_zen_4():
    (floor,) = cores.ZEN4.floors
    loads = ["vmovups (%rax), %zmm1", "vfmadd231ps 64(%rax,%rbx), %zmm1, %zmm2"]
    others = [
        "vmovups %zmm1, (%rax)",
        "vfmadd231ps (%rax){1to16}, %zmm1, %zmm2",
        "vmovups (%rax), %ymm1",
    ]
    assert floor.cycles(code(*loads, *others, "vbroadcastss (%rax), %zmm3")) == 2


@pytest.mark.parametrize(
    "lines, cycles",
    [
        (["fmla v0.4s, v8.4s, v9.4s"], 4),  # each waits for the sum of the last one
        ([f"fmla v{i}.4s, v8.4s, v9.4s" for i in range(8)], 8),  # both pipes
        ([f"fmla v{i}.2s, v8.2s, v9.2s" for i in range(8)], 4),
        (["ldr q0, [x0]"], 2),
        (["ldp q0, q1, [x0]"], 4),
        (
            [
                "ldr d0, [x0]",
                "fmla v1.4s, v8.4s, v9.4s",
                "ldr d2, [x0]",
                "fmla v3.4s, v8.4s, v9.4s",
            ],
            4,
        ),
        (["add x0, x1, x2", "add x3, x4, x5"], 1),
        (["add x0, x0, #1", "add x0, x0, #1"], 2),
        (["ldr x0, [x0]"], 2),
    ],
)
def test_issue_in_order(lines, cycles):
    assert inorder.cycles(code(*lines)) == pytest.approx(cycles, abs=0.3)


def test_a_load_far_ahead_hides_behind_fmas():
    fmas = [f"fmla v{i}.4s, v30.4s, v31.4s" for i in range(8)]
    late = inorder.cycles(code("ldr q31, [x0], #16", *fmas))
    early = inorder.cycles(code(*fmas[:4], "ldr q29, [x0], #16", *fmas[4:]))
    assert early == pytest.approx(8, abs=0.3) and late > 10


def kernel(**changes) -> kernels.Kernel:
    anatomy = kernels.Anatomy("k", (), (), (), 24, 0, 0)
    made = kernels.Kernel(anatomy, Price(12, 30, ""), Price(50, 100, ""), Price(20, 40, ""))
    return dataclasses.replace(made, **changes)


def work(**changes) -> plan.Work:
    made = plan.Work(
        0,
        1,
        loop=0,
        calls=2,
        outer=10,
        entries=10,
        fmas=2400,
        stores=0,
        x_bytes=2048,
        reads=8192,
        w_bytes=4000,
        y_bytes=1024,
        weights=2000,
    )
    return dataclasses.replace(made, **changes)


def test_cycles_of_a_kernel():
    # 100 turns of the inner loop, ten of the outer one, two calls.
    assert cost.kernel_cycles(work(), kernel(), cores.A76) == 100 * 12 + 10 * 50 + 2 * 20
    assert cost.kernel_instructions(work(), kernel()) == 100 * 30 + 10 * 100 + 2 * 40
    # Long loops end by surprise.
    long = cost.kernel_cycles(work(fmas=24 * 400), kernel(), cores.A76)
    assert long == 400 * 12 + 10 * (50 + cores.A76.mispredict) + 2 * 20


def test_fmas_beside_the_inner_loop_count():
    anatomy = kernels.Anatomy("k", (), (), (), 24, 24, 0)
    assert cost.turns(work(), kernel(anatomy=anatomy)) == 100 - 10


def test_bytes_come_from_the_cache_that_holds_them():
    levels = (cores.Level("L2", 10_000, 16), cores.Level("DRAM", float("inf"), 2))
    core = dataclasses.replace(cores.A76, l1=4096, levels=levels)
    small = plan.Layer("conv", 4, 4, 16, 16, 1, 1)
    # Tiles of 1024 bytes stay in L1; the weights come from DRAM, then from L2.
    expected = (2048 + 1024) / 16 + 2000 / 2 + 2000 / 16
    assert cost.transfers(small, [work()], core, 1e6) == expected
    # Of tiles of 16384 bytes three quarters are read again from where they fit.
    wide = work(x_bytes=2 * 16384, reads=4 * 16384)
    expected = (2 * 16384 + 1024) / 16 + 0.75 * 2 * 16384 / 2 + 2000 / 2 + 2000 / 2
    assert cost.transfers(small, [wide], core, 1e6) == expected


def test_time_is_the_longer_of_both_out_of_order_and_the_sum_in_order():
    small = plan.Layer("conv", 4, 4, 16, 16, 1, 1)
    out = cost.layer_cost(small, [work()], {(1, 0): kernel()}, cores.A76, 1e9)
    assert out.cycles == max(out.core, out.memory)
    into = cost.layer_cost(small, [work()], {(1, 0): kernel()}, cores.A55, 1e9)
    assert into.cycles == into.core + into.memory
    traced = cost.layer_cost(small, [work()], {}, cores.A76, 1, Price(7, 9, ""))
    assert (traced.core, traced.instructions) == (7 * 16, 9 * 16)


def test_shape_files(tmp_path):
    path = tmp_path / "net.txt"
    path.write_text("# a comment\n\nconv 224 224 3 32 3 2\ndw 14 14 512 512 3 1 5\n")
    stem, depthwise = plan.read_layers(path)
    assert (stem.out_pixels, stem.depth, stem.count) == (112 * 112, 27, 1)
    assert (depthwise.depth, depthwise.products, depthwise.count) == (9, 14 * 14 * 512 * 9, 5)
    assert plan.Layer(*[depthwise.op, *map(int, depthwise.line().split()[1:])]) == depthwise


def test_plans_are_read():
    names = [field.name for field in dataclasses.fields(plan.Work)]
    line = "3\tff\t2\t3\t4\t5\t6\t7\t8\t9\t10\t11\t12"
    (found,) = plan.parse("\t".join(names) + f"\n{line}\n")
    assert found == plan.Work(3, 255, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
    assert found.code == (255, 2)
    with pytest.raises(ValueError):
        plan.parse("layer\tcalls\n")


def test_timings_are_read():
    text = (
        "\nnet.txt: avx512, 1 thread(s), peak 118.0 GFLOP/s, kept 50 % of 1x1, group 4\n"
        "        h    w    in   out  k s   n        us   GFLOP/s   peak\n"
        "conv  224  224     3    32  3 2   1     258.4      83.9    71%\n"
        "dw    112  112    32    32  3 1   5      97.6      74.1    63%\n"
    )
    assert x86.parse(text) == (118.0, [258.4, 97.6])
    with pytest.raises(ValueError):
        x86.parse("no such file")


def test_xnnpacks_way_through_a_layer():
    gemm = xnnpack.work(0, plan.Layer("conv", 14, 14, 512, 512, 1, 1))
    assert gemm.address == xnnpack.GEMM
    assert gemm.calls == 33 and gemm.outer == 33 * 64  # six pixels, eight channels
    assert gemm.fmas == 33 * 64 * 6 * 8 * 512 // 4
    assert gemm.w_bytes == 33 * 4 * 512 * 512
    taps = xnnpack.work(0, plan.Layer("conv", 14, 14, 64, 64, 3, 1))
    assert taps.address == xnnpack.IGEMM and taps.outer == 33 * 8 * 9
    assert xnnpack.work(0, plan.Layer("fc", 1, 1, 512, 10, 1, 1)).address == xnnpack.GEMV
    depthwise = xnnpack.work(0, plan.Layer("dw", 14, 14, 64, 64, 3, 2))
    assert depthwise.address == xnnpack.DEPTHWISE and depthwise.fmas == 7 * 7 * 16 * 9


def test_xnnpacks_way_through_a_layer_of_int8():
    anatomy = kernels.Anatomy("dwconv", (), (), (), 8, 0, 1)
    priced = {(xnnpack.DEPTHWISE, taps): kernel(anatomy=anatomy) for taps in (9, 25)}

    def work(layer, products):
        return xnnpack_int8.works(0, layer, products, priced)[0]

    pointwise = plan.Layer("conv", 14, 14, 512, 512, 1, 1)
    dots = work(pointwise, xnnpack_int8.DOTS)
    assert dots.address == xnnpack.GEMM
    assert dots.calls == 49 and dots.outer == 49 * 32  # four pixels, sixteen channels
    assert dots.fmas == 196 * 512 * 512 // 16
    assert work(pointwise, xnnpack_int8.MATRICES).fmas == dots.fmas // 2
    assert work(pointwise, xnnpack_int8.NO_DOTS).fmas == dots.fmas * 4
    first = work(plan.Layer("conv", 224, 224, 3, 32, 3, 2), xnnpack_int8.DOTS)
    assert first.address == xnnpack.IGEMM
    assert first.fmas == 112 * 112 * 32 * 9 * 4 // 16  # three inputs are padded to four
    taps = xnnpack_int8.works(0, plan.Layer("conv", 8, 8, 16, 16, 3, 1), xnnpack_int8.DOTS, priced)
    assert [(w.address, w.calls) for w in taps] == [(xnnpack.IGEMM, 16), (xnnpack_int8.TAP, 16 * 9)]
    row = plan.Layer("fc", 1, 1, 1024, 1008, 1, 1)
    assert work(row, xnnpack_int8.DOTS).address == xnnpack.GEMV
    # One row is half of what a product of matrices takes.
    assert work(row, xnnpack_int8.MATRICES).fmas == work(row, xnnpack_int8.DOTS).fmas
    depthwise = work(plan.Layer("dw", 14, 14, 64, 64, 3, 1), xnnpack_int8.DOTS)
    assert depthwise.code == (xnnpack.DEPTHWISE, 9)
    assert depthwise.fmas == 196 * 4 * 8


def test_multiply_adds_of_int8_are_counted():
    loop = [
        "sdot v0.4s, v1.16b, v2.4b[1]",
        "smmla v0.4s, v1.16b, v2.16b",
        "smlal2 v0.4s, v1.8h, v2.h[0]",
    ]
    assert kernels.fmas(code(*loop, "sadalp v0.4s, v1.8h", "smull v1.8h, v2.8b, v3.8b")) == 4
    sums = [f"sdot v{i}.4s, v30.16b, v31.4b[0]" for i in range(8)]
    assert inorder.cycles(code(*sums)) == pytest.approx(8, abs=0.3)
    assert inorder.cycles(code("sdot v0.4s, v30.16b, v31.4b[0]")) == 4


def test_what_ran_equally_often_is_one_loop():
    function = Function("f", tuple(code("add x0, x1, x2", "ldr q0, [x0]", "ldr q1, [x3]", "ret")))
    found = kernels.trace(function, {0: 1, 4: 10, 8: 10}, cores.A55)
    assert found.instructions == 21
    assert found.cycles == pytest.approx(10 * 4 + 1, abs=0.5)


def test_what_is_recorded_is_read_again(tmp_path):
    layers = [plan.Layer("conv", 4, 4, 16, 16, 1, 1, 2)]
    dense = [cost.LayerCost(1000, 600, 1000, 1, 1800)]
    ours = {
        (4, 0.0): [cost.LayerCost(900, 500, 900, 1, 1620)],
        (4, 0.5): [cost.LayerCost(400, 500, 500, 1, 700)],
    }
    made = report.Prediction("net", "abc", cores.A76, layers, dense, ours)
    report.record(tmp_path / "r.jsonl", [made])
    (found,) = report.recorded(tmp_path / "r.jsonl", {"net": layers}, cores.PHONES)
    assert (found.network, found.commit, found.core) == ("net", "abc", cores.A76)
    assert found.speed_up(4, 0.5) == made.speed_up(4, 0.5) == 2.0
    assert found.ours[4, 0.5][0].share_of_peak(cores.A76) == pytest.approx(0.7)
    assert report.layers(found, 4) == report.layers(made, 4)
    assert report.recorded(tmp_path / "r.jsonl", {}, cores.PHONES) == []


def test_a_prediction_is_a_cost_table():
    layers = [plan.Layer("conv", 4, 4, 16, 32, 1, 1), plan.Layer("dw", 4, 4, 32, 32, 3, 2)]
    costs = {
        z: [cost.LayerCost(0, 0, c, 1, 1), cost.LayerCost(0, 0, 100, 1, 1)]
        for z, c in ((0.0, 1000), (0.5, 600))
    }
    made = report.Prediction(
        "net", "abc", cores.A76, layers, costs[0.0], {(4, z): c for z, c in costs.items()}
    )
    table = report.cost_table(made, 4)
    ms = 1 / (cores.A76.ghz * 1e6)
    assert table.pattern == "group4" and table.dense_ms == pytest.approx(1100 * ms, rel=0.2)
    assert table.cost("conv", (1, 1, 16, 32), 16, 0.25) == pytest.approx(800 * ms, rel=0.05)
    assert table.cost("depthwise", (3, 3, 1, 32), 4, 0.5) == pytest.approx(100 * ms, rel=0.2)


@pytest.mark.parametrize("module, table", [(rates, "arm"), (int8_rates, "int8_arm")])
def test_prices_of_arm_are_those_of_the_record(module, table, capsys):
    module.main()
    printed, kept = capsys.readouterr().out, Path(f"delegate/translation/cost_table_{table}.inl.h")
    assert "".join(printed.split()) == "".join(kept.read_text().split())


def test_bars_of_int8_are_of_what_is_recorded():
    text = Path("delegate/bench/ARM.md").read_text()
    assert int8.bars(int8.recorded()) in text
    assert int8.speed_ups(int8.recorded()) in text
