"""WebAssembly by Debian's clang-22, lld-22 and wasi-libc."""

load("@bazel_tools//tools/cpp:unix_cc_toolchain_config.bzl", "cc_toolchain_config")

_VERSION = "22"
_TARGET = ["--target=wasm32-wasi"]

def wasm_toolchain(kind, compile_flags, link_flags = []):
    """The platform, the toolchain and the config_setting of one kind of module.

    Args:
      kind: a constraint_value of this package; names the platform `wasm_KIND` and the toolchain
        `toolchain_KIND`, and `select` knows it as `is_KIND`.
      compile_flags: what tells it from the others,
      link_flags: and where it is linked.
    """
    constraints = ["@platforms//cpu:wasm32", ":" + kind]
    native.platform(name = "wasm_" + kind, constraint_values = constraints)
    native.config_setting(name = "is_" + kind, constraint_values = constraints)
    native.toolchain(
        name = "toolchain_" + kind,
        exec_compatible_with = ["@platforms//cpu:x86_64", "@platforms//os:linux"],
        target_compatible_with = constraints,
        toolchain = ":cc_" + kind,
        toolchain_type = "@bazel_tools//tools/cpp:toolchain_type",
    )
    native.filegroup(name = "none_" + kind)
    native.cc_toolchain(
        name = "cc_" + kind,
        all_files = ":none_" + kind,
        compiler_files = ":none_" + kind,
        dwp_files = ":none_" + kind,
        linker_files = ":none_" + kind,
        objcopy_files = ":none_" + kind,
        strip_files = ":none_" + kind,
        toolchain_config = ":config_" + kind,
        toolchain_identifier = "wasm32-" + kind,
    )
    cc_toolchain_config(
        name = "config_" + kind,
        abi_libc_version = "wasi",
        abi_version = "wasi",
        # No exception is caught: what throws ends the call (see delegate/web/failure.cc).
        compile_flags = _TARGET + ["-fignore-exceptions", "-msimd128", "-mbulk-memory"] + compile_flags,
        compiler = "clang",
        coverage_compile_flags = [],
        coverage_link_flags = [],
        cpu = "wasm32",
        cxx_builtin_include_directories = [
            "/usr/lib/clang",
            "/usr/lib/llvm-" + _VERSION,
            "/usr/include/wasm32-wasi",
        ],
        cxx_flags = [],
        dbg_compile_flags = ["-g"],
        host_system_name = "local",
        # (A wasm-opt of the distribution, if there is one, is too old for these modules.)
        link_flags = _TARGET + ["-Wno-deprecated", "--no-wasm-opt", "-Wl,-z,stack-size=1048576"] + link_flags,
        link_libs = ["-lc++", "-lc++abi"],
        opt_compile_flags = ["-Oz", "-DNDEBUG", "-ffunction-sections", "-fdata-sections"],
        opt_link_flags = ["-Wl,--gc-sections"],
        supports_start_end_lib = False,
        target_libc = "wasi",
        target_system_name = "wasm32-wasi",
        tool_paths = {
            "ar": "/usr/bin/llvm-ar-" + _VERSION,
            "cpp": "/usr/bin/clang-cpp-" + _VERSION,
            "dwp": "/usr/bin/llvm-dwp-" + _VERSION,
            "gcc": "/usr/bin/clang-" + _VERSION,
            "gcov": "/bin/false",
            "ld": "/usr/bin/wasm-ld-" + _VERSION,
            "llvm-cov": "/bin/false",
            "nm": "/usr/bin/llvm-nm-" + _VERSION,
            "objcopy": "/usr/bin/llvm-objcopy-" + _VERSION,
            "objdump": "/usr/bin/llvm-objdump-" + _VERSION,
            "strip": "/usr/bin/llvm-strip-" + _VERSION,
        },
        toolchain_identifier = "wasm32-" + kind,
        unfiltered_compile_flags = [
            "-no-canonical-prefixes",
            "-Wno-builtin-macro-redefined",
            "-Wno-deprecated",  # the name of the target
            "-D__DATE__=\"redacted\"",
            "-D__TIMESTAMP__=\"redacted\"",
            "-D__TIME__=\"redacted\"",
        ],
    )
