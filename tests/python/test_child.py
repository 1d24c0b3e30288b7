"""Calls in a process of their own: answers, errors, and ends of all kinds."""

from __future__ import annotations

import ctypes
import operator
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from sbnn_tf.errors import SbnnError
from sbnn_tf.run import child
from sbnn_tf.run.child import Child, Crash, in_child


def test_answers_of_one_process():
    with Child() as made:
        first, again = made.call(os.getpid), made.call(os.getpid)
        assert first == again != os.getpid()
        x = np.arange(3) + 1j
        np.testing.assert_array_equal(made.call(operator.mul, x, 2), 2 * x)
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


def test_starts_without_tensorflow():
    assert in_child(eval, "'tensorflow' in __import__('sys').modules") is False


def test_error_says_where_it_comes_from():
    with Child() as made:
        with pytest.raises(ZeroDivisionError) as caught:
            made.call(operator.truediv, 1, 0)
        assert "child.py" in str(caught.value.__cause__)
        with pytest.raises(FileNotFoundError, match="nowhere"):
            made.call(os.listdir, "nowhere")
        with pytest.raises(RuntimeError, match="function as result"):
            made.call(eval, "lambda: 0")
        assert made.call(abs, -1) == 1


@pytest.mark.parametrize(
    "function, argument, told",
    [
        (ctypes.string_at, 0, "Segmentation fault"),
        (signal.raise_signal, signal.SIGABRT, "Aborted"),
        (signal.raise_signal, signal.SIGKILL, "memory"),
        (os._exit, 3, "exit code 3"),
    ],
)
def test_crash(function, argument, told):
    with pytest.raises(Crash, match=f"crashed while starting: .*{told}") as caught:
        in_child(function, argument)
    assert isinstance(caught.value, SbnnError)


def test_crash_tells_what_it_was_doing_and_its_last_words():
    words = "(c := __import__('sbnn_tf.run.child').run.child, c.doing('running x.tflite'), "
    code = (
        words + "__import__('os').write(2, b'INFO: a\\nno such thing\\nINFO: b\\n'), c.os._exit(1))"
    )
    with pytest.raises(Crash, match="while running x.tflite: exit code 1; .*no such thing"):
        in_child(eval, code)


def test_time_is_up():
    with Child() as made:
        with pytest.raises(Crash, match="took more than 0.3 s"):
            made.call(time.sleep, 100, timeout=0.3)
    assert in_child(abs, -1, timeout=100) == 1


def test_what_it_prints(capfd):
    in_child(eval, "print('told', file=__import__('sys').stderr)")
    in_child(os.write, 1, b"\x80 native code\n")
    out, err = capfd.readouterr()
    assert (out, err) == ("", "told\n")


def test_ends_with_the_process_that_made_it(tmp_path):
    """However that ends: here it is killed, while the other sleeps."""
    code = (
        "import os, time\nfrom sbnn_tf.run.child import Child\n"
        "with Child() as made:\n"
        "    print(made.call(os.getpid), flush=True)\n"
        "    made.call(time.sleep, 100)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        made = int(parent.stdout.readline())
        parent.kill()
    for _ in range(1000):
        try:
            os.kill(made, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    pytest.fail("it still lives")


def test_nothing_of_it_is_in_this_process():
    assert child._answers is None
    child.doing("nothing that anybody hears of")
