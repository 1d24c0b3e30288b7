"""Files that are read whole, and written whole or not at all; pipes, devices and open streams too."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import tempfile

from sbnn_tf.errors import SbnnError

_STREAMS = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
_MOST_LINKS = 40  # as many as Linux follows


def read_file(path: str | os.PathLike) -> bytes:
    """All bytes of a file; of a pipe or a stream such as /dev/stdin, those up to its end.

    Raises:
      FileNotFoundError: no such file.
      SbnnError: no name, a folder, or a file that cannot be read.
    """
    name = _name(path)
    try:
        descriptor = _descriptor(name)
        with open(name if descriptor is None else os.dup(descriptor), "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise FileNotFoundError(f"no such file: {name}") from None
    except IsADirectoryError:
        raise SbnnError(f"{name} is a folder: expected a file") from None
    except OSError as error:
        raise SbnnError(f"cannot read {name}: {error.strerror}") from error


def check_target(path: str | os.PathLike) -> str:
    """The name of a file that can be written, as far as one can tell before; for long work.

    Raises:
      SbnnError: no name, a folder, a file in no folder, or one that must not be written.
    """
    name = _name(path)
    if name.endswith(os.sep) or os.path.isdir(name):
        raise SbnnError(f"cannot write {name}: it names a folder, expected a file")
    real = os.path.realpath(name)
    if _descriptor(name) is None:
        if not os.path.isdir(os.path.dirname(real)):
            raise SbnnError(f"cannot write {name}: there is no folder {os.path.dirname(real)}")
        if os.path.exists(real) and not os.access(real, os.W_OK):
            raise SbnnError(f"cannot write {name}: {os.strerror(errno.EACCES)}")
    return name


def write_file(path: str | os.PathLike, data: bytes) -> None:
    """Write a file whole or not at all: an interrupted write leaves what was there before.

    A link is followed, and a file that is replaced keeps its mode and its owner. Pipes, devices
    and streams such as /dev/stdout get the bytes where they are.

    Raises:
      SbnnError: the file cannot be written there.
    """
    name = check_target(path)
    try:
        descriptor = _descriptor(name)
        if descriptor is not None:
            for stream in (sys.stdout, sys.stderr):  # what was printed before comes before
                if stream is not None:
                    stream.flush()
            _write(os.dup(_moved(descriptor)), data)
        elif os.path.exists(name) and not os.path.isfile(name):
            _write(os.open(name, os.O_WRONLY), data)
        else:
            _replace(os.path.realpath(name), data)
    except OSError as error:
        raise SbnnError(f"cannot write {name}: {error.strerror}") from error


def is_stream(path: str | os.PathLike) -> bool:
    """Whether what is written there goes through: to a pipe, a device or an open stream."""
    name = os.fspath(path)
    return _descriptor(name) is not None or (os.path.exists(name) and not os.path.isfile(name))


def _name(path: str | os.PathLike) -> str:
    name = os.fspath(path)
    if not name:
        raise SbnnError("expected the name of a file, found an empty one")
    if "\0" in name:
        raise SbnnError(f"expected the name of a file, found {name!r}")
    return name


def _descriptor(name: str) -> int | None:
    """The number of the open file of this process that a path or a link to it stands for.

    To open such a path would be another file with a position of its own, and is refused for
    sockets.
    """
    ours = (f"/proc/{os.getpid()}/fd", "/dev/fd")
    for _ in range(_MOST_LINKS):
        if name in _STREAMS:
            return _STREAMS[name]
        folder, last = os.path.split(name)
        folder = os.path.realpath(folder)
        if folder in ours and last.isdecimal():
            return int(last)
        name = os.path.join(folder, last)
        if not os.path.islink(name):
            return None
        name = os.path.join(folder, os.readlink(name))
    return None


def _moved(descriptor: int) -> int:
    """Where a standard stream is now: the command moves its stderr away from native code."""
    try:
        return {1: sys.stdout, 2: sys.stderr}[descriptor].fileno()
    except (KeyError, AttributeError, OSError):  # no standard stream, closed, or replaced
        return descriptor


def _write(descriptor: int, data: bytes) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _replace(path: str, data: bytes) -> None:
    before = os.stat(path) if os.path.exists(path) else None
    try:
        _swap(path, data, before)
    except OSError as error:
        # A folder that takes no new file, or a mounted file: it is written where it is.
        if before is None or error.errno not in (errno.EACCES, errno.EPERM, errno.EBUSY):
            raise
        _write(os.open(path, os.O_WRONLY | os.O_TRUNC), data)


def _swap(path: str, data: bytes, before: os.stat_result | None) -> None:
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".sbnn-")
    try:
        _write(handle, data)
        if before is None:
            # mkstemp makes private files; a new file of the user's has the user's permissions.
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(temporary, 0o666 & ~mask)
        else:
            with contextlib.suppress(PermissionError):
                os.chown(temporary, before.st_uid, before.st_gid)
            os.chmod(temporary, stat.S_IMODE(before.st_mode))
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
