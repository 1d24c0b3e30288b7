"""Debian's bazel-bootstrap fetches nothing: it is told where the rules are that Bazel 4 refers to."""

# Of the packages bazel-rules-java, bazel-rules-proto, bazel-platforms and bazel-skylib.
_PACKAGES = {
    "bazel_skylib": "/usr/share/bazel/tools/skylib",
    "platforms": "/usr/share/bazel/tools/platforms",
    "rules_java": "/usr/share/bazel/rules/java",
    "rules_proto": "/usr/share/bazel/rules/proto",
}

# Debian has no coverage tools, and a rules_cc that is too new for its Bazel.
_SHIMS = {
    "remote_coverage_tools": "delegate/build/debian/coverage",
    "rules_cc": "delegate/build/debian/rules_cc",
}

def debian_repositories():
    """Call this first in WORKSPACE: of several repositories of one name, Bazel takes the first."""

    # A release says which it is and brings or fetches its own rules; Debian's build has no version.
    if native.bazel_version:
        return
    for name, path in _PACKAGES.items() + _SHIMS.items():
        native.local_repository(name = name, path = path)
