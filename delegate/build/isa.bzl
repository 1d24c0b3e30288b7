"""Kernels for one instruction set each, compiled with its options and only where it exists.

    load("//delegate/build:isa.bzl", "isa_deps", "isa_library")

    isa_library(name = "kernels_avx2", isa = "avx2", srcs = ["kernels_avx2.cc"], deps = [...])
    isa_library(name = "kernels_neon", isa = "neon", srcs = ["kernels_neon.cc"], deps = [...])

    cc_library(
        name = "table",
        srcs = ["table.cc"],
        deps = [":scalar"] + isa_deps({"avx2": ":kernels_avx2", "neon": ":kernels_neon"}),
    )

An isa_library takes cc_library's attributes. `bazel build //...` skips it on other processors, and
isa_deps() leaves it out there; in C++, `#if defined(__x86_64__)`, `#if defined(__aarch64__)` and
`#if defined(__arm__)` tell the same. Keep what such a file includes free of inline functions that others use too (the
standard library's among them): the linker keeps one copy of each, and that may be the AVX-512 one.
"""

# GCC would gather a block's loads before its arithmetic, and run out of registers. The order in the
# source is the one that is meant, also for cores that issue in order.
_IN_ORDER = ["-fno-schedule-insns"]

_AVX512 = [
    "-mavx512f",
    "-mavx512bw",
    "-mavx512dq",
    "-mavx512vl",
    "-mavx2",
    "-mfma",
    "-Wno-maybe-uninitialized",  # GCC 12 finds its own AVX-512 header guilty
    "-Wno-uninitialized",
]

# instruction set -> processor -> compiler options
_ISAS = {
    "avx2": {"x86_64": ["-mavx2", "-mfma"]},
    "avx512": {"x86_64": _AVX512},
    "avx512vnni": {"x86_64": _AVX512 + ["-mavx512vnni"]},
    "avxvnni": {"x86_64": ["-mavx2", "-mfma", "-mavxvnni"]},
    "neon": {
        "aarch64": _IN_ORDER,
        "armv7": ["-mfpu=neon-vfpv4"],
    },
    "neon_dot": {"aarch64": _IN_ORDER + ["-march=armv8.2-a+dotprod"]},
    "wasm": {"wasm32": []},  # relaxed SIMD or not: .bazelrc says
    "wasm_dot": {"wasm32": []},
    "neon_fp16": {"aarch64": _IN_ORDER + ["-march=armv8.2-a+fp16"]},
}

def _cpu(processor):
    return "@platforms//cpu:" + processor

def isa_library(name, isa, copts = [], **kwargs):
    """A cc_library compiled for the instruction set `isa`: one of the names above."""
    options = {_cpu(processor): options for processor, options in _ISAS[isa].items()}
    compatible = {condition: [] for condition in options}
    compatible["//conditions:default"] = ["@platforms//:incompatible"]
    options["//conditions:default"] = []
    native.cc_library(
        name = name,
        copts = select(options) + copts,
        target_compatible_with = select(compatible),
        **kwargs
    )

def isa_deps(libraries):
    """Of `libraries` (a dict: instruction set -> label), those of the target's processor."""
    by_processor = {"//conditions:default": []}
    for isa, label in libraries.items():
        for processor in _ISAS[isa]:
            by_processor.setdefault(_cpu(processor), []).append(label)
    return select(by_processor)
