"""Which channels of a network have to keep step with each other.

A tensor's channels are a list of segments. A segment is a run of channels that may be permuted as
long as everything that shares it is permuted alike. What forces two tensors to agree (an addition)
unifies their segments; a segment that meets the edge of another is split there.
"""

from __future__ import annotations

from collections.abc import Iterable


class Segment:
    """A run of channels.

    Attributes:
      size: number of channels, at least 1.
      fixed: whether they must stay in their order.
    """

    def __init__(self, size: int, fixed: bool = False):
        self.size = size
        self.fixed = fixed
        self._became: list[Segment] = []  # what it was unified with, or split into

    def resolved(self) -> list[Segment]:
        """The segments that it is today."""
        if not self._became:
            return [self]
        return [today for part in self._became for today in part.resolved()]


Channels = list[Segment]


def resolve(channels: Channels) -> Channels:
    """The same channels as the segments that they are today."""
    return [today for segment in channels for today in segment.resolved()]


def count(channels: Channels) -> int:
    return sum(segment.size for segment in channels)


def fix(channels: Channels) -> None:
    """These channels stay in their order."""
    for segment in resolve(channels):
        segment.fixed = True


def unify(first: Channels, second: Channels) -> None:
    """From now on the two keep step: channel i of one with channel i of the other.

    Raises:
      ValueError: they are not equally many.
    """
    if count(first) != count(second):
        raise ValueError(f"{count(first)} channels cannot keep step with {count(second)}")
    while True:
        pairs = zip(resolve(first), resolve(second))
        a, b = next(((a, b) for a, b in pairs if a is not b), (None, None))
        if a is None:
            return
        if a.size == b.size:
            a.fixed = a.fixed or b.fixed
            b._became = [a]
        else:
            small, large = sorted((a, b), key=lambda segment: segment.size)
            parts = (small.size, large.size - small.size)
            large._became = [Segment(size, large.fixed) for size in parts]


def distinct(lists: Iterable[Channels]) -> list[Segment]:
    """Every segment in these, once, in order."""
    return list(dict.fromkeys(segment for channels in lists for segment in resolve(channels)))
