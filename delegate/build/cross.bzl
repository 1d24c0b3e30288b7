"""Cross compilers of Debian's packages g++-TRIPLE."""

load("@bazel_tools//tools/cpp:unix_cc_toolchain_config.bzl", "cc_toolchain_config")

_TOOLS = {
    "ar": "ar",
    "cpp": "cpp",
    "dwp": "dwp",
    "gcc": "gcc",
    "gcov": "gcov",
    "ld": "ld",
    "llvm-cov": "gcov",
    "nm": "nm",
    "objcopy": "objcopy",
    "objdump": "objdump",
    "strip": "strip",
}

def cross_toolchain(cpu, triple):
    """The platform `linux` and the toolchain `toolchain` that compiles for it.

    Args:
      cpu: as in @platforms//cpu.
      triple: the prefix of the compiler's programs.
    """
    native.platform(
        name = "linux",
        constraint_values = [
            "@platforms//cpu:" + cpu,
            "@platforms//os:linux",
        ],
    )

    native.toolchain(
        name = "toolchain",
        exec_compatible_with = [
            "@platforms//cpu:x86_64",
            "@platforms//os:linux",
        ],
        target_compatible_with = [
            "@platforms//cpu:" + cpu,
            "@platforms//os:linux",
        ],
        toolchain = ":cc_toolchain",
        toolchain_type = "@bazel_tools//tools/cpp:toolchain_type",
    )

    native.cc_toolchain(
        name = "cc_toolchain",
        all_files = ":none",
        compiler_files = ":none",
        dwp_files = ":none",
        linker_files = ":none",
        objcopy_files = ":none",
        strip_files = ":none",
        toolchain_config = ":config",
        toolchain_identifier = triple,
    )

    native.filegroup(name = "none")

    cc_toolchain_config(
        name = "config",
        abi_libc_version = "glibc",
        abi_version = "gcc",
        compile_flags = [
            "-fno-omit-frame-pointer",
        ],
        compiler = "gcc",
        coverage_compile_flags = ["--coverage"],
        coverage_link_flags = ["--coverage"],
        cpu = cpu,
        cxx_builtin_include_directories = [
            "/usr/%s/include" % triple,
            "/usr/lib/gcc-cross/" + triple,
        ],
        cxx_flags = [],
        dbg_compile_flags = ["-g"],
        host_system_name = "local",
        link_flags = [
            "-static-libgcc",
            "-Wl,-z,relro,-z,now",
        ],
        link_libs = [
            "-l:libstdc++.a",
            "-lm",
        ],
        opt_compile_flags = [
            "-O2",
            "-DNDEBUG",
            "-ffunction-sections",
            "-fdata-sections",
        ],
        opt_link_flags = ["-Wl,--gc-sections"],
        supports_start_end_lib = False,
        target_libc = "glibc",
        target_system_name = triple,
        tool_paths = {name: "/usr/bin/%s-%s" % (triple, tool) for name, tool in _TOOLS.items()},
        toolchain_identifier = triple,
        unfiltered_compile_flags = [
            "-no-canonical-prefixes",
            "-fno-canonical-system-headers",
            "-Wno-builtin-macro-redefined",
            "-D__DATE__=\"redacted\"",
            "-D__TIMESTAMP__=\"redacted\"",
            "-D__TIME__=\"redacted\"",
        ],
    )
