"""The other end of `workers/protocol.py`: a worker process."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path


class WorkerError(Exception):
    """The worker answered with an error, or ended."""


class Worker:
    """A process that loads models and runs them when it is told to. Use it in a `with`.

    Args:
      command: its program and arguments.
      core: the only one that it may use; None: any.
    """

    def __init__(self, command: Sequence[str | os.PathLike], core: int | None = None):
        self._models = 0

        def pin() -> None:
            if core is not None and hasattr(os, "sched_setaffinity"):
                os.sched_setaffinity(0, {core})

        self._process = subprocess.Popen(
            [os.fspath(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
            preexec_fn=pin,
        )

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def load(self, model: Path, source: Path, target: Path) -> tuple[int, str]:
        """Load one more model; returns its index and what is to be said about it.

        Raises:
          WorkerError: it cannot be loaded.
        """
        status, _, text = self._ask(f"load {model} {source} {target}").partition(" ")
        if status != "ok":
            raise WorkerError(text or status)
        self._models += 1
        return self._models - 1, text

    def turn(self, index: int) -> float:
        """Milliseconds of the model that was loaded as that one (from 0)."""
        return float(self._ask(f"turn {index}"))

    def _ask(self, line: str) -> str:
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline().strip()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise WorkerError("the process ended")
        return answer
