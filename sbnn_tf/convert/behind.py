"""Bytes that lie behind a flatbuffer: a zip of associated files (TFLite's metadata), or anything."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable

# Writers of `.tflite` fill its parts up with zeros to a multiple of this.
ALIGNMENT = 16

# Of a zip: the end of its directory, before the comment; the same with longer numbers, and what
# tells where that is; an entry of the directory, before its name.
_END = struct.Struct("<4s4H2LH")
_LONG_END = struct.Struct("<4sQ2H2L4Q")
_LONG_END_PLACE = struct.Struct("<4sLQL")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LONG = 0xFFFFFFFF  # says that the number stands in a field of its own


def find(data: bytes, end: int, read: Collection[tuple[int, int]]) -> list[bytes]:
    """The bytes of a file that are no part of its model, where they lie together.

    Args:
      data: the file.
      end: of its flatbuffer.
      read: (start, stop) of what the flatbuffer points at behind itself.
    """
    found = []
    for start, stop in [*sorted(read), (len(data), len(data))]:
        for alignment in (ALIGNMENT, 8, 4):  # a flatbuffer without bytes has a smaller one
            filled = min(-(-end // alignment) * alignment, start)
            if not any(data[end:filled]):
                end = filled
        # Between parts and behind the last, zeros are there to fill up.
        if end < start and (any(data[end:start]) or not read):
            found.append(data[end:start])
        end = max(end, stop)
    return found


def append(model: bytes, behind: Iterable[bytes]) -> bytes:
    """The model with such bytes behind it; a zip among them is told where it is now."""
    parts = bytearray(model)
    for content in behind:
        parts += bytes(-len(parts) % ALIGNMENT)
        try:
            parts += _moved(content, len(parts))
        except struct.error:  # no whole zip
            parts += content
    return bytes(parts)


def _moved(content: bytes, now: int) -> bytes:
    """A zip with its offsets counted from the beginning of the file, in which it is at `now`.

    Writers count them from there or from the beginning of the zip. Raises struct.error where this
    is no zip.
    """
    zip_ = bytearray(content)
    end = zip_.rfind(b"PK\5\6")
    fields = [*_unpack(_END, zip_, end, b"PK\5\6")]
    size, offset = fields[5:7]
    directory_end, long_end = end, end - _LONG_END_PLACE.size - _LONG_END.size
    long = long_end >= 0 and zip_[long_end : long_end + 4] == b"PK\6\6"
    if long:
        directory_end = long_end
        longs = [*_LONG_END.unpack_from(zip_, long_end)]
        size, offset = longs[8:10]
    at = directory_end - size
    shift = at - offset + now
    while at < directory_end:
        entry = [*_unpack(_ENTRY, zip_, at, b"PK\1\2")]
        name, extra, comment = entry[10:13]
        if entry[16] != _LONG:
            entry[16] += shift
            _ENTRY.pack_into(zip_, at, *entry)
        else:
            _move_long(zip_, at + _ENTRY.size + name, extra, entry[8:10].count(_LONG), shift)
        at += _ENTRY.size + name + extra + comment
    if long:
        longs[9] += shift
        _LONG_END.pack_into(zip_, long_end, *longs)
        place = [*_LONG_END_PLACE.unpack_from(zip_, long_end + _LONG_END.size)]
        place[2] = long_end + now
        _LONG_END_PLACE.pack_into(zip_, long_end + _LONG_END.size, *place)
    if fields[6] != _LONG:
        fields[6] += shift
        _END.pack_into(zip_, end, *fields)
    return bytes(zip_)


def _move_long(zip_: bytearray, at: int, size: int, before: int, shift: int) -> None:
    """Shift the offset in an entry's extra fields; so many other numbers may stand before it."""
    stop = at + size
    while at < stop:
        kind, length = struct.unpack_from("<2H", zip_, at)
        if kind == 1:
            place = at + 4 + 8 * before
            (offset,) = struct.unpack_from("<Q", zip_, place)
            struct.pack_into("<Q", zip_, place, offset + shift)
        at += 4 + length


def _unpack(form: struct.Struct, zip_: bytearray, at: int, signature: bytes) -> tuple:
    if at < 0 or zip_[at : at + 4] != signature:
        raise struct.error("no zip")
    return form.unpack_from(zip_, at)
