"""Objects that may be given by a name, as Keras users expect; names that can be printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


def resolve(
    given: Any, what: str, kind: type[T], named: Mapping[str, Callable[[], T]], example: str
) -> T:
    """`given` if it is a `kind`, or what its name (in any case) makes.

    Args:
      what: the thing's name in messages.
      named: the names, in lower case.
      example: an object and its name, for the message.

    Raises:
      ValueError: no such name.
      TypeError: neither of these.
    """
    if isinstance(given, kind):
        return given
    if isinstance(given, str):
        if given.lower() not in named:
            raise ValueError(f"Unknown {what} {given!r}; expected one of {', '.join(named)}.")
        return named[given.lower()]()
    raise TypeError(f"Expected a {what} such as {example}, not {given!r}.")


def printable(name: str) -> str:
    """A name on one line: what cannot be printed is escaped as in Python, a terminal's codes too."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)
