"""Confinement: what a worker may still ask of the system, tried from inside the very process."""

import json
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from experience_runtime.sandbox.confine import MEMORY_ROOM_BYTES
from experience_runtime.sandbox.pool import Pool, import_folders

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="system call filters are Linux's")

_BEGINNING = """
import sys; sys.path[:0] = sys.argv[1:3]
import ctypes, json, mmap, os, resource, socket, threading
import _quickjs
from experience_runtime.sandbox.confine import confine
context = _quickjs.Context()
library = ctypes.CDLL(None)
library.syscall.restype = ctypes.c_long
path = ctypes.c_char_p(b"/etc/hostname")
in_force = confine()
"""


def probe(body: str, *, answers: bool = False) -> tuple[int, Any]:
    """Run a body as the last lines of a confined worker; return its status and what it wrote."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-S",
                "-c",
                _BEGINNING + textwrap.dedent(body),
                *import_folders(),
                str(theirs.fileno()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={},
            pass_fds=(theirs.fileno(),),
        )
        theirs.close()
        status = process.wait(timeout=20)
        said = ours.recv(100_000) if answers else b""
    return status, json.loads(said) if said else None


FORBIDDEN = {
    "opening a file": "open('/etc/hostname')",
    "opening a file by its system call": "library.syscall(2, path, 0)",
    "writing a file": "open('/tmp/confined', 'w')",
    "listing a folder": "os.listdir('/')",
    "a socket": "socket.socket()",
    "a socket pair": "socket.socketpair()",
    "a fork": "os.fork()",
    "an exec": "os.execv('/bin/true', ['/bin/true'])",
    "a thread": "threading.Thread(target=print).start()",
    "killing a process": "os.kill(os.getppid(), 0)",
    "a pipe": "os.pipe()",
    "a copy of a descriptor": "os.dup(0)",
    "an import": "import sqlite3",
    "executable memory": "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)",
    "making memory executable": "library.mprotect(0, 4096, 7)",
    "undoing the limits": "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
    "another filter": "library.prctl(22, 2, 0, 0, 0)",
    "a call of the 32-bit tables": "library.syscall(0x40000000 + 39)",
    "tracing": "library.ptrace(0, 0, 0, 0)",
}


@pytest.mark.parametrize("body", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_it_ends_the_process(body: str) -> None:
    status, _ = probe(body)

    assert status == -signal.SIGSYS


def test_the_engine_still_runs_and_the_process_leaves_in_order() -> None:
    status, said = probe(
        """
        answer = context.eval("[1, 2, 3].map(n => n * 2).join()")
        os.write(int(sys.argv[3]), json.dumps(answer).encode())
        os._exit(0)
        """,
        answers=True,
    )

    assert (status, said) == (0, "2,4,6")


def test_it_has_no_environment_and_no_descriptor_but_its_socket() -> None:
    # /proc cannot be read any more, so each number is asked for by writing nothing to it
    status, said = probe(
        """
        def is_open(number):
            try:
                os.write(number, b"")
            except OSError as error:
                return error.errno != 9  # EBADF
            return True
        numbers = [number for number in range(256) if is_open(number)]
        os.write(int(sys.argv[3]), json.dumps([dict(os.environ), numbers, int(sys.argv[3])]).encode())
        os._exit(0)
        """,
        answers=True,
    )
    environment, descriptors, own = said

    assert status == 0
    assert {name: text for name, text in environment.items() if name != "LC_CTYPE"} == {}  # Python's own
    assert descriptors == [0, 1, 2, own]


def test_the_resource_limits_are_in_force() -> None:
    limits = Path("/proc/self/limits")
    assert limits.exists()
    status, said = probe(
        """
        os.write(int(sys.argv[3]), json.dumps(in_force).encode())
        os._exit(0)
        """,
        answers=True,
    )

    assert status == 0
    assert {"rlimit_as", "rlimit_core", "rlimit_fsize", "rlimit_nofile", "no_new_privs", "seccomp"} <= set(
        said
    )


def test_a_worker_has_them_as_the_kernel_sees_it(pool: Pool) -> None:
    assert "seccomp" in pool.in_force()
    status = Path(f"/proc/{pool.process_ids()[0]}/status").read_text(encoding="ascii")
    limits = Path(f"/proc/{pool.process_ids()[0]}/limits").read_text(encoding="ascii")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    rows = {line[:26].strip(): line[26:].split()[0] for line in limits.splitlines()[1:]}

    assert fields["Threads"] == "1"
    assert fields["NoNewPrivs"] == "1"
    assert fields["Seccomp"] == "2"
    assert rows["Max core file size"] == rows["Max file size"] == rows["Max processes"] == "0"
    assert int(rows["Max open files"]) <= 64
    assert MEMORY_ROOM_BYTES < int(rows["Max address space"]) < MEMORY_ROOM_BYTES * 4


def test_more_memory_than_the_room_is_refused_and_not_fatal() -> None:
    status, said = probe(
        """
        try:
            bytearray(400 << 20)
            answer = "got it"
        except MemoryError:
            answer = "refused"
        os.write(int(sys.argv[3]), json.dumps(answer).encode())
        os._exit(0)
        """,
        answers=True,
    )

    assert (status, said) == (0, "refused")
