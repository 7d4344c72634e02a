"""Confinement of a worker process: what it may still ask of the system once guest code runs.

Applied before the first guest line. On Linux the process ends up able to read and write the descriptors it
has, to manage its own memory, to read the clock and its own CPU timer, and to exit; anything else kills it.
Elsewhere the resource limits alone are in force. Source: design 3.
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

_ALLOW = 0x7FFF0000
_KILL_PROCESS = 0x80000000
_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_JUMP_IF_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_JUMP_IF_ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K
_OFFSET_NUMBER, _OFFSET_ARCH, _OFFSET_THIRD_ARGUMENT = 0, 4, 32

# machine -> (audit architecture, mmap, the other calls allowed). Source: the kernel's syscall tables.
_CALLS: dict[str, tuple[int, int, tuple[int, ...]]] = {
    # read write munmap brk rt_sigreturn mremap madvise setitimer exit_group clock_gettime
    "x86_64": (0xC000003E, 9, (0, 1, 11, 12, 15, 25, 28, 38, 231, 228)),
    "aarch64": (0xC00000B7, 222, (63, 64, 215, 214, 139, 216, 233, 103, 94, 113)),
}


def confine() -> list[str]:
    """Give up every right the worker does not need; return the names of what is in force."""
    in_force = _limit_resources()
    if sys.platform != "linux":
        return in_force
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs was refused")
    in_force.append("no_new_privs")
    if platform.machine() in _CALLS:
        _filter_calls(library, *_CALLS[platform.machine()])
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


def _filter_calls(library: ctypes.CDLL, architecture: int, mmap: int, allowed: tuple[int, ...]) -> None:
    """Install a filter that kills the process on any call but these; mmap only without PROT_EXEC."""

    def step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("=HBBI", code, if_true, if_false, value)

    program = [
        step(_LOAD, _OFFSET_ARCH),
        step(_JUMP_IF_EQUAL, architecture, 1, 0),
        step(_RETURN, _KILL_PROCESS),
        step(_LOAD, _OFFSET_NUMBER),
        step(_JUMP_IF_EQUAL, mmap, 0, 2),
        step(_LOAD, _OFFSET_THIRD_ARGUMENT),
        # over the list below: to the kill just behind it, or to the allow at the end
        step(_JUMP_IF_ANY_BIT, _PROT_EXEC, len(allowed), len(allowed) + 1),
    ]
    for index, number in enumerate(allowed):
        program.append(step(_JUMP_IF_EQUAL, number, len(allowed) - index, 0))
    program += [step(_RETURN, _KILL_PROCESS), step(_RETURN, _ALLOW)]

    text = ctypes.create_string_buffer(b"".join(program), 8 * len(program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(text)))
    if library.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(header), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the system call filter was refused")
