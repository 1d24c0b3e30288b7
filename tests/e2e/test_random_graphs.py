"""Graphs of fixed seeds in the delegate and in stock TensorFlow Lite; `make fuzz` runs others."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.e2e import random_graphs

GRAPHS, EACH = 500, 50


@pytest.mark.parametrize("first", range(0, GRAPHS, EACH))
def test_random_graphs(first):
    """In a process of its own: a crash must say which seed it was."""
    command = [sys.executable, "-m", "tests.e2e.random_graphs", str(first), str(EACH)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert f"{EACH} graphs, 0 failed" in done.stdout


def test_a_seed_is_a_graph():
    assert random_graphs.make(7) == random_graphs.make(7)
    assert random_graphs.make(7) != random_graphs.make(8)
