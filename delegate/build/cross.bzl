"""Compilers beside the machine's own: g++ for other processors, clang, and those of Android's NDK."""

load("@bazel_tools//tools/cpp:unix_cc_toolchain_config.bzl", "cc_toolchain_config")

_GCC_TOOLS = {
    "ar": "/usr/bin/{triple}-ar",
    "cpp": "/usr/bin/{triple}-cpp",
    "dwp": "/usr/bin/{triple}-dwp",
    "gcc": "/usr/bin/{triple}-gcc",
    "gcov": "/usr/bin/{triple}-gcov",
    "ld": "/usr/bin/{triple}-ld",
    "llvm-cov": "/usr/bin/{triple}-gcov",
    "nm": "/usr/bin/{triple}-nm",
    "objcopy": "/usr/bin/{triple}-objcopy",
    "objdump": "/usr/bin/{triple}-objdump",
    "strip": "/usr/bin/{triple}-strip",
}

# Of what Debian's clang-VERSION compiles, g++'s binutils make libraries and programs.
_CLANG_TOOLS = dict(_GCC_TOOLS, cpp = "/usr/bin/clang-cpp-{version}", gcc = "/usr/bin/clang-{version}")

def cross_toolchain(cpu, triple):
    """The platform `linux` and the toolchain `toolchain` of Debian's g++-TRIPLE that compiles for it.

    Args:
      cpu: as in @platforms//cpu.
      triple: the prefix of the compiler's programs.
    """
    native.platform(
        name = "linux",
        constraint_values = _constraints(cpu),
    )
    _toolchain("toolchain", cpu, triple, "gcc", {
        name: path.format(triple = triple)
        for name, path in _GCC_TOOLS.items()
    }, [
        "/usr/%s/include" % triple,
        "/usr/lib/gcc-cross/" + triple,
    ], ["-fno-canonical-system-headers"])

def clang_toolchain(version, cpu, triple):
    """The toolchain `VERSION_CPU` of Debian's clang-VERSION, with the headers and libraries of g++.

    Args:
      version: of clang, a string.
      cpu: as in @platforms//cpu.
      triple: what clang calls the target; g++ for it must be installed.
    """
    _toolchain("%s_%s" % (version, cpu), cpu, triple, "clang", {
        name: path.format(triple = triple, version = version)
        for name, path in _CLANG_TOOLS.items()
    }, [
        "/usr/include",
        "/usr/%s/include" % triple,
        "/usr/lib/gcc/" + triple,
        "/usr/lib/gcc-cross/" + triple,
        "/usr/lib/clang",  # 14.0.6, 19, ...
        "/usr/lib/llvm-%s/lib/clang" % version,
    ], [
        "--target=" + triple,
        "-Wno-ignored-optimization-argument",  # of GCC's
        "-Wno-unknown-warning-option",
        "-Wno-deprecated-declarations",  # clang 22 tells of libstdc++ 12's own; g++ tells of ours
    ], link_flags = ["--target=" + triple, "-static-libgcc", "-Wl,-z,relro,-z,now"])

def android_toolchain(abi, cpu, target, tools, include_directories):
    """The toolchain `ABI` of an Android NDK.

    Args:
      abi: Android's name of the processor.
      cpu: as in @platforms//cpu.
      target: what the NDK's clang calls it, with the least API.
      tools: paths by Bazel's names.
      include_directories: where the compiler finds its headers.
    """
    _toolchain(
        abi,
        cpu,
        target,
        "clang",
        tools,
        include_directories,
        [
            "--target=" + target,
            "-Wno-ignored-optimization-argument",
            "-Wno-unknown-warning-option",
        ],
        os = "android",
        libc = "bionic",
        link_flags = [
            "--target=" + target,
            "-static-libstdc++",  # an app's other libraries may bring another libc++_shared
            "-Wl,-z,max-page-size=16384",
            "-Wl,-z,relro,-z,now",
        ],
        link_libs = ["-lm"],
    )

def _missing_toolchain_impl(ctx):
    fail(ctx.attr.message)

_missing_toolchain = rule(
    implementation = _missing_toolchain_impl,
    attrs = {"message": attr.string()},
)

def missing_toolchain(abi, cpu, message):
    """The toolchain `ABI` of an Android NDK that can't be had: who builds with it is told why."""
    _declare(abi, cpu, "android", ":missing_" + abi)
    _missing_toolchain(name = "missing_" + abi, message = message)

def _constraints(cpu, os = "linux"):
    return [
        "@platforms//cpu:" + cpu,
        "@platforms//os:" + os,
    ]

def _declare(name, cpu, os, toolchain):
    native.toolchain(
        name = name,
        exec_compatible_with = _constraints("x86_64"),
        target_compatible_with = _constraints(cpu, os),
        toolchain = toolchain,
        toolchain_type = "@bazel_tools//tools/cpp:toolchain_type",
    )

def _toolchain(
        name,
        cpu,
        triple,
        compiler,
        tools,
        include_directories,
        flags,
        os = "linux",
        libc = "glibc",
        link_flags = ["-static-libgcc", "-Wl,-z,relro,-z,now"],
        link_libs = ["-l:libstdc++.a", "-lm"]):
    _declare(name, cpu, os, ":cc_" + name)

    native.cc_toolchain(
        name = "cc_" + name,
        all_files = ":none_" + name,
        compiler_files = ":none_" + name,
        dwp_files = ":none_" + name,
        linker_files = ":none_" + name,
        objcopy_files = ":none_" + name,
        strip_files = ":none_" + name,
        toolchain_config = ":config_" + name,
        toolchain_identifier = "%s-%s" % (name, triple),
    )

    native.filegroup(name = "none_" + name)

    cc_toolchain_config(
        name = "config_" + name,
        abi_libc_version = libc,
        abi_version = compiler,
        compile_flags = [
            "-fno-omit-frame-pointer",
        ],
        compiler = compiler,
        coverage_compile_flags = ["--coverage"],
        coverage_link_flags = ["--coverage"],
        cpu = cpu,
        cxx_builtin_include_directories = include_directories,
        cxx_flags = [],
        dbg_compile_flags = ["-g"],
        host_system_name = "local",
        link_flags = link_flags,
        link_libs = link_libs,
        opt_compile_flags = [
            "-O2",
            "-DNDEBUG",
            "-ffunction-sections",
            "-fdata-sections",
        ],
        opt_link_flags = ["-Wl,--gc-sections"],
        supports_start_end_lib = False,
        target_libc = libc,
        target_system_name = triple,
        tool_paths = tools,
        toolchain_identifier = "%s-%s" % (name, triple),
        unfiltered_compile_flags = flags + [
            "-no-canonical-prefixes",
            "-Wno-builtin-macro-redefined",
            "-D__DATE__=\"redacted\"",
            "-D__TIMESTAMP__=\"redacted\"",
            "-D__TIME__=\"redacted\"",
        ],
    )
