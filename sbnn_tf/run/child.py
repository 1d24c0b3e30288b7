"""Calls in a process of their own, where a crash of TensorFlow Lite is an error and no more.

TensorFlow Lite believes much of what a file says, and dies of what is not so. The process imports
what the called function needs: an interpreter, numpy, and no TensorFlow where `ai_edge_litert` is.
"""

from __future__ import annotations

import io
import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Callable
from typing import Any

from sbnn_tf.errors import SbnnError

_START = (
    "import pickle, sys\n"
    "sys.path[:] = pickle.load(sys.stdin.buffer)\n"
    "from sbnn_tf.run import child\n"
    "child.serve(pickle.load(sys.stdin.buffer))\n"
)


class Crash(SbnnError):
    """The process has ended before its answer; the message says why.

    Attributes:
      doing: what it was at, as in "running model.tflite".
    """

    def __init__(self, message: str, doing: str):
        super().__init__(message)
        self.doing = doing


def in_child(function: Callable, *args: Any, **keywords: Any) -> Any:
    """One `Child.call`, in a process that ends with it."""
    with Child() as child:
        return child.call(function, *args, **keywords)


class Child:
    """A Python process that makes calls for this one, one after the other.

    It ends with the `with` block that it serves, and with this process, however that ends.
    """

    def __enter__(self) -> Child:
        self._stderr = tempfile.TemporaryFile()  # of native code, for the message of a crash
        self._doing = "starting"
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            start_new_session=True,  # Ctrl-C is for this process, which then ends the other
        )
        self._send(sys.path)
        self._send(sys.stderr is not None and sys.stderr.isatty())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        try:
            self._process.stdin.close()
        except BrokenPipeError:  # what it did not read any more
            pass
        self._stderr.close()

    def call(
        self, function: Callable, *args: Any, timeout: float | None = None, **keywords: Any
    ) -> Any:
        """Call a function of a module with these arguments; return what it returns.

        What it writes to `sys.stderr` is written to this process's; what native code prints is
        dropped.

        Args:
          function: it, its arguments and its result can be pickled.
          timeout: seconds until the process is ended. None: wait.

        Raises:
          Crash: the process ended first.
          Exception: what the function raised.
        """
        self._send((function, args, keywords))
        timer = threading.Timer(timeout, self._process.kill) if timeout is not None else None
        if timer is not None:
            timer.start()
        try:
            return self._answer()
        except (EOFError, pickle.UnpicklingError):
            if timer is not None and not timer.is_alive():
                told = f"{self._doing} took more than {timeout:g} s"
            else:
                told = f"TensorFlow Lite crashed while {self._doing}: {self._death()}"
            raise Crash(told, self._doing) from None
        finally:
            if timer is not None:
                timer.cancel()

    def _send(self, value: Any) -> None:
        try:
            pickle.dump(value, self._process.stdin)
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended; whoever waits for the answer finds out why

    def _answer(self) -> Any:
        while True:
            kind, value = pickle.load(self._process.stdout)
            if kind == "doing":
                self._doing = value
            elif kind == "stderr":
                if sys.stderr is not None:
                    sys.stderr.write(value)
                    sys.stderr.flush()
            elif kind == "error":
                error, trace = value
                if isinstance(error, (SbnnError, OSError)):
                    raise error
                raise error from _Trace(trace)
            else:
                return value

    def _death(self) -> str:
        try:
            code = self._process.wait(10)
        except subprocess.TimeoutExpired:  # it lives, and answers nonsense
            self._process.kill()
            code = self._process.wait()
        reason = signal.strsignal(-code) if code < 0 else f"exit code {code}"
        if -code == signal.SIGKILL:
            reason += " (is there enough memory?)"
        self._stderr.seek(0)
        said = self._stderr.read().decode(errors="replace").splitlines()
        said = [line.strip() for line in said if line.strip() and not line.startswith("INFO:")]
        return f"{reason}; its last words: {said[-1]}" if said else str(reason)


class _Trace(Exception):
    """Where in the other process an error comes from."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


# What follows runs in the child.

_answers: io.BufferedWriter | None = None


def doing(what: str) -> None:
    """Note what a call is at, for the message of a crash: "running model.tflite"."""
    if _answers is not None:
        _reply("doing", what)


def serve(terminal: bool) -> None:
    """Answer the calls that come from stdin, until it ends.

    Args:
      terminal: whether somebody watches what is written to `sys.stderr`.
    """
    global _answers
    _answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # native code that prints does not answer
    sys.stderr = _Stderr(terminal)
    # Which interpreter is used where ai_edge_litert is missing is nothing that its user chose.
    warnings.filterwarnings("ignore", r"\s*Warning: tf.lite.Interpreter is deprecated")
    calls: queue.SimpleQueue = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(calls,), daemon=True).start()
    while True:
        function, args, keywords = calls.get()
        try:
            kind, value = "result", function(*args, **keywords)
        except Exception as error:
            kind, value = "error", (error, traceback.format_exc())
        try:
            _reply(kind, value)
        except (pickle.PicklingError, AttributeError, TypeError):
            what = value[0] if kind == "error" else f"a {type(value).__name__} as result"
            _reply("error", (RuntimeError(str(what)), value[1] if kind == "error" else ""))


def _receive(calls: queue.SimpleQueue) -> None:
    """Queues what comes, and ends the process, whatever it does, when nothing can come any more."""
    try:
        while True:
            calls.put(pickle.load(sys.stdin.buffer))
    except EOFError:
        os._exit(0)
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
        os._exit(1)


def _reply(kind: str, value: Any) -> None:
    _answers.write(pickle.dumps((kind, value)))
    _answers.flush()


class _Stderr(io.TextIOBase):
    """`sys.stderr` of the process that calls."""

    def __init__(self, terminal: bool):
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> int:
        _reply("stderr", text)
        return len(text)
