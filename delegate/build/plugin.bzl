"""The shared library that programs load."""

def plugin(name, exports, deps, **kwargs):
    """lib<name>.so, which needs nothing but libc, libm, libdl, libpthread and, on Android, liblog.

    Args:
      name: no cc_library may have this name: Bazel would give both the same file.
      exports: linker version script; what it does not name stays hidden.
      deps: cc_libraries; use alwayslink for the one with the entry points.
      **kwargs: as for cc_binary.
    """
    file = "lib%s.so" % name
    native.cc_binary(
        name = file,
        additional_linker_inputs = [exports],
        linkopts = [
            "-Wl,--version-script=$(location %s)" % exports,
            "-Wl,--no-undefined",
            "-Wl,--gc-sections",
            "-Wl,-z,nodelete",  # threads of the pool may outlive a dlclose
            "-Wl,-soname,%s" % file,
        ] + select({
            "@platforms//os:android": ["-Wl,--strip-all"],
            "//conditions:default": ["-pthread"],
        }),
        linkshared = True,
        deps = deps + [exports],
        **kwargs
    )
    native.filegroup(
        name = name,
        srcs = [file],
        visibility = kwargs.get("visibility"),
    )
