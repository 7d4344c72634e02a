"""Confinement of a worker process: what it may still ask of the system once guest code runs.

Applied before the first guest line. On Linux the process ends up able to read and write the descriptors it
has, to manage its own memory, to read the clock and its own CPU timer, and to exit; anything else kills it.
Elsewhere the resource limits alone are in force.
"""

import ctypes
import os
import platform
import resource
import struct
import sys

MEMORY_ROOM_BYTES = 160 * 1024 * 1024
"""Address space beyond what is in use at start: the guest's heap, its stack, and our copies of its texts."""

_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_PROT_EXEC = 4
_MADV_DONTNEED = 4
_MADV_FREE = 8  # musl's malloc gives memory back by this one

_ALLOW = 0x7FFF0000
_KILL_PROCESS = 0x80000000
_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_JUMP_IF_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_JUMP_IF_ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K
_OFFSET_NUMBER, _OFFSET_ARCH, _OFFSET_THIRD_ARGUMENT = 0, 4, 32

CALLS: dict[str, tuple[int, dict[str, int]]] = {
    "x86_64": (
        0xC000003E,
        {
            "mmap": 9,
            "madvise": 28,
            "read": 0,
            "write": 1,
            "munmap": 11,
            "brk": 12,
            "rt_sigreturn": 15,
            "mremap": 25,
            "timer_settime": 223,
            "exit_group": 231,
            "clock_gettime": 228,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "mmap": 222,
            "madvise": 233,
            "read": 63,
            "write": 64,
            "munmap": 215,
            "brk": 214,
            "rt_sigreturn": 139,
            "mremap": 216,
            "timer_settime": 110,
            "exit_group": 94,
            "clock_gettime": 113,
        },
    ),
}
"""Machine -> its audit architecture, and the calls allowed. Source: the kernel's system call tables."""


def confine() -> list[str]:
    """Give up every right the worker does not need; return the names of what is in force."""
    if sys.platform == "linux" and len(os.listdir("/proc/self/task")) != 1:
        raise OSError("a thread was started before the filter, which would miss it")
    in_force = _limit_resources()
    if sys.platform != "linux":
        return in_force
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs was refused")
    in_force.append("no_new_privs")
    if platform.machine() in CALLS:
        _filter_calls(library, *CALLS[platform.machine()])
        in_force.append("seccomp")
    return in_force


def _limit_resources() -> list[str]:
    limits = {"CORE": 0, "FSIZE": 0, "NPROC": 0, "NOFILE": 0}  # descriptors that are open stay open
    if sys.platform == "linux":
        with open("/proc/self/statm", encoding="ascii") as statm:
            in_use = int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        limits["AS"] = in_use + MEMORY_ROOM_BYTES
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
    return [f"rlimit_{name.lower()}" for name in limits]


def _filter_calls(library: ctypes.CDLL, architecture: int, calls: dict[str, int]) -> None:
    """Install a filter that kills the process on any call but these.

    mmap only without PROT_EXEC; madvise only to give memory back (others may spoil a page for the machine).
    """

    def step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("=HBBI", code, if_true, if_false, value)

    kill, allow = step(_RETURN, _KILL_PROCESS), step(_RETURN, _ALLOW)
    third_argument = step(_LOAD, _OFFSET_THIRD_ARGUMENT)
    program = [
        step(_LOAD, _OFFSET_ARCH),
        step(_JUMP_IF_EQUAL, architecture, 1, 0),
        kill,
        step(_LOAD, _OFFSET_NUMBER),
    ]
    for name, number in calls.items():
        match name:
            case "mmap":
                rule = [third_argument, step(_JUMP_IF_ANY_BIT, _PROT_EXEC, 0, 1), kill, allow]
            case "madvise":
                gives_back = [step(_JUMP_IF_EQUAL, _MADV_DONTNEED, 2), step(_JUMP_IF_EQUAL, _MADV_FREE, 1)]
                rule = [third_argument, *gives_back, kill, allow]
            case _:
                rule = [allow]
        program += [step(_JUMP_IF_EQUAL, number, 0, len(rule)), *rule]
    program.append(kill)

    text = ctypes.create_string_buffer(b"".join(program), 8 * len(program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(text)))
    if library.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(header), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the system call filter was refused")
