"""What an experiment has found: rows in a `.jsonl` file, and tables between marks in Markdown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path


class Record:
    """Rows that are appended as they come, so that an interrupted run goes on.

    Args:
      path: of the `.jsonl` file; need not exist yet.
      key: the columns by which a row is found.
    """

    def __init__(self, path: Path, key: Sequence[str]):
        self.path, self._key = path, tuple(key)

    def rows(self) -> list[dict]:
        """In the order in which they came; a line that was cut off when a run was killed is none."""
        lines = self.path.read_text().splitlines(keepends=True) if self.path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def done(self) -> set[tuple]:
        """The keys of all rows."""
        return {tuple(row[name] for name in self._key) for row in self.rows()}

    def append(self, row: dict) -> None:
        text = self.path.read_text() if self.path.exists() else ""
        if not text.endswith("\n"):
            text = text[: text.rfind("\n") + 1]
            self.path.write_text(text)
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")


def marks(name: str, writer: str) -> tuple[str, str]:
    """What stands around a part of a page that a program writes."""
    return f"<!-- {name}: written by {writer} -->\n", f"<!-- end of {name} -->\n"


def replace(page: Path, begin: str, end: str, text: str) -> None:
    """Put a text between two marks of a page."""
    head, rest = page.read_text().split(begin)
    page.write_text(head + begin + text + end + rest.split(end)[1])
