"""Which weights live and die together: patterns, one class each, and their names.

They are plain numpy and know arrays, never a layer (see `base.Pattern`).
"""

from __future__ import annotations

import re

from sbnn_tf.patterns.base import Pattern, check_sparsity
from sbnn_tf.patterns.group import Group, Unstructured
from sbnn_tf.patterns.kernel import KernelPattern

__all__ = [
    "Group",
    "KernelPattern",
    "Pattern",
    "Unstructured",
    "check_sparsity",
    "get",
    "serialize",
]

_CLASSES = {cls.__name__: cls for cls in (Group, Unstructured, KernelPattern)}


def get(pattern: Pattern | str | dict) -> Pattern:
    """The pattern meant by an object, a name or a serialized config.

    Names: "unstructured"; "group4", in any size; "kernel4x8" for `KernelPattern(taps=4,
    library=8)`, "kernel4x8group2" for another group than its default.

    Raises:
      ValueError: no such name.
      TypeError: none of these.
    """
    if isinstance(pattern, Pattern):
        return pattern
    if isinstance(pattern, dict):
        if pattern.get("class_name") not in _CLASSES:
            raise ValueError(
                f"Unknown pattern class {pattern.get('class_name')!r}; known: "
                f"{', '.join(_CLASSES)}."
            )
        return _CLASSES[pattern["class_name"]].from_config(pattern.get("config", {}))
    if isinstance(pattern, str):
        name = pattern.lower()
        if name == "unstructured":
            return Unstructured()
        if match := re.fullmatch(r"group_?(\d+)", name):
            return Group(int(match[1]))
        if match := re.fullmatch(r"kernel_?(\d+)x(\d+)(?:group(\d+))?", name):
            return KernelPattern(*(int(number) for number in match.groups() if number))
        raise ValueError(
            f"Unknown pattern {pattern!r}; expected 'group4' (or another size), 'unstructured' or "
            "'kernel4x8' (taps x library)."
        )
    raise TypeError(f"Expected a pattern such as Group(4), or its name 'group4', not {pattern!r}.")


def serialize(pattern: Pattern) -> dict:
    """The config that `get` turns back into the pattern."""
    return {"class_name": type(pattern).__name__, "config": pattern.get_config()}
