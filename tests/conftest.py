"""What `make test` leaves to `make test-sweep`."""

from __future__ import annotations

import zlib
from collections import defaultdict


def pytest_addoption(parser):
    parser.addoption(
        "--sweep",
        action="store_true",
        help="run every case of a test in both versions of Keras, not half of them in each",
    )


def pytest_collection_modifyitems(config, items):
    """Of tests with cases, in both versions of Keras: without `--sweep` every case in one of them.

    Which is drawn, but always the same: parameters that alternate would meet one version only.
    """
    if config.getoption("--sweep"):
        return
    tests = defaultdict(lambda: defaultdict(dict))  # {test: {case: {version: item}}}
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        if "K" in parameters and len(parameters) > 1:
            case = item.callspec.id.split("-")
            case.remove(parameters["K"])
            test = item.nodeid.partition("[")[0]
            tests[test][zlib.crc32("-".join(case).encode())][parameters["K"]] = item
    left = set()
    for cases in tests.values():
        for i, case in enumerate(sorted(cases)):
            if len(cases[case]) > 1:
                left.add(cases[case][["keras", "tf_keras"][i % 2]])
    config.hook.pytest_deselected(items=[item for item in items if item in left])
    items[:] = [item for item in items if item not in left]
