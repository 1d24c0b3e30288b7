"""Which weights live and die together: patterns, one class each, and their names.

They are plain numpy and know arrays, never a layer (see `base.Pattern`). A pattern of your own is a
subclass of `Pattern`: it needs nothing registered here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sbnn_tf.patterns.auto import Auto
from sbnn_tf.patterns.base import Pattern, check_sparsity
from sbnn_tf.patterns.block import Block
from sbnn_tf.patterns.group import Group, Unstructured
from sbnn_tf.patterns.kernel import KernelPattern
from sbnn_tf.patterns.n_of_m import NofM
from sbnn_tf.patterns.taps import DepthwiseTaps

__all__ = [
    "Auto",
    "Block",
    "DepthwiseTaps",
    "Group",
    "KernelPattern",
    "NofM",
    "Pattern",
    "Unstructured",
    "check_sparsity",
    "fitting",
    "get",
    "serialize",
]


def get(pattern: Pattern | str | dict) -> Pattern:
    """The pattern meant by an object, a name or a serialized config.

    Names: "unstructured"; "group4", in any size; "kernel4x8" for `KernelPattern(taps=4,
    library=8)`, "kernel4x8group2" for another group than its default; "taps4group4" for
    `DepthwiseTaps`; "2of4"; "block4x8"; "auto", "auto-fp32",
    "auto-int8"; and those that a subclass of your own parses.

    Raises:
      ValueError: no such name.
      TypeError: none of these.
    """
    if isinstance(pattern, Pattern):
        return pattern
    if isinstance(pattern, dict):
        classes = {cls.__name__: cls for cls in _classes(Pattern)}
        if pattern.get("class_name") not in classes:
            raise ValueError(
                f"Unknown pattern class {pattern.get('class_name')!r}; known: {', '.join(classes)}."
            )
        return classes[pattern["class_name"]].from_config(pattern.get("config", {}))
    if isinstance(pattern, str):
        for cls in _classes(Pattern):
            if (named := cls.parse(pattern.lower())) is not None:
                return named
        raise ValueError(
            f"Unknown pattern {pattern!r}; expected 'group4' (or another size), 'unstructured', "
            "'kernel4x8' (taps x library), 'taps4group4' (depthwise), '2of4', 'block4x4' (inputs x "
            "outputs), 'auto' or 'auto-int8'."
        )
    raise TypeError(f"Expected a pattern such as Group(4), or its name 'group4', not {pattern!r}.")


def serialize(pattern: Pattern) -> dict:
    """The config that `get` turns back into the pattern."""
    return {"class_name": type(pattern).__name__, "config": pattern.get_config()}


def fitting(operator: str, shape: Sequence[int]) -> list[str]:
    """Names of the patterns here that a kernel can have; arguments as of `Pattern.unfit`."""
    known = (Unstructured(), Group(4), KernelPattern(), DepthwiseTaps(), NofM(), Block())
    return [pattern.name for pattern in known if not pattern.unfit(operator, shape)]


def _classes(base: type[Pattern]) -> Iterator[type[Pattern]]:
    for cls in base.__subclasses__():
        yield cls
        yield from _classes(cls)
