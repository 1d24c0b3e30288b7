"""Measuring as on a CPU without AMX, whose products of int8 XNNPACK prefers where it may use them."""

from __future__ import annotations

import ctypes
import errno
import struct

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
SYS_ARCH_PRCTL, ARCH_REQ_XCOMP_PERM = 158, 0x1023  # of x86-64
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06  # instructions of the filter: BPF_LD | BPF_W | BPF_ABS, ...
ALLOW, ERRNO = 0x7FFF0000, 0x00050000


def has_amx() -> bool:
    """Whether this CPU has AMX's products of int8."""
    with open("/proc/cpuinfo") as file:
        return "amx_int8" in file.read().split()


def has_vnni() -> bool:
    """Whether this CPU has products of int8 in vectors, of either encoding."""
    with open("/proc/cpuinfo") as file:
        return not {"avx512_vnni", "avx_vnni"}.isdisjoint(file.read().split())


def forbid_amx() -> None:
    """From now on this process is refused the tile registers that it would have to ask for.

    To be called before the first interpreter is made. Raises OSError.
    """
    filters = [
        (LOAD, 0, 0, 0),  # the system call's number
        (EQUAL, 0, 3, SYS_ARCH_PRCTL),
        (LOAD, 0, 0, 16),  # its first argument
        (EQUAL, 0, 1, ARCH_REQ_XCOMP_PERM),
        (RETURN, 0, 0, ERRNO | errno.EPERM),
        (RETURN, 0, 0, ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in filters))
    program = ctypes.create_string_buffer(struct.pack("HL", len(filters), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    for call in (
        (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0),
    ):
        if libc.prctl(*call):
            raise OSError(ctypes.get_errno(), "the filter of system calls was refused")
