"""Confinement: what a worker may still ask of the system, tried from inside the very process."""

import json
import platform
import re
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from experience_runtime.cli.doctor import confinement
from experience_runtime.confined.confine import CALLS, MEMORY_ROOM_BYTES
from experience_runtime.confined.process import import_folders
from experience_runtime.sandbox.pool import Pool

from tests.support.needs import lacking

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="system call filters are Linux's")

_BEGINNING = """
import sys; sys.path[:0] = sys.argv[1:3]
import ctypes, json, mmap, os, resource, socket, threading
from experience_runtime.sandbox import engine
from experience_runtime.confined.confine import confine
from experience_runtime.sandbox.heap import Heap
heap = Heap()
runtime = engine.new_runtime(heap.functions)
context = engine.new_context(runtime)
heap.seal()
library = ctypes.CDLL(None)
library.syscall.restype = ctypes.c_long
path = ctypes.c_char_p(b"/etc/hostname")
in_force = confine()
"""


def probe(body: str, *, answers: bool = False, beginning: str = _BEGINNING) -> tuple[int, Any]:
    """Run a body as the last lines of a confined worker; return its status and what it wrote."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-S",
                "-c",
                beginning + textwrap.dedent(body),
                *import_folders("_quickjs"),
                str(theirs.fileno()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={},
            pass_fds=(theirs.fileno(),),
        )
        theirs.close()
        status = process.wait(timeout=120)
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
    "memory that is written and run": "mmap.mmap(-1, 4096, prot=7)",
    "making memory executable": "library.mprotect(0, 4096, 7)",
    "making memory readable": "library.mprotect(0, 4096, 1)",
    "spoiling a page of the machine": "library.madvise(0, 4096, 100)",
    "a signal to itself": "os.kill(os.getpid(), 9)",
    "io_uring": "library.syscall(425, 1, 0)",
    "a namespace": "library.unshare(0x10000000)",
    "undoing the limits": "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
    "another filter": "library.prctl(22, 2, 0, 0, 0)",
    "a call of the x32 table": "library.syscall(0x40000000 + 39)",
    "an allowed call by its x32 number": "library.syscall(0x40000000 + 1, 0, 0, 0)",
    "tracing": "library.ptrace(0, 0, 0, 0)",
}


KERNEL_TABLES = {"aarch64": "/usr/include/asm-generic/unistd.h"}  # the generic one, installed everywhere
if platform.machine() == "x86_64":  # installed on its own machines only
    KERNEL_TABLES["x86_64"] = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"


@pytest.mark.parametrize(("machine", "header"), KERNEL_TABLES.items(), ids=KERNEL_TABLES.keys())
def test_the_numbers_are_the_kernels(machine: str, header: str) -> None:
    if not Path(header).exists():
        lacking(f"{header} is not there: apt-get install linux-libc-dev")
    defined = re.findall(
        r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", Path(header).read_text(encoding="utf-8"), re.M
    )
    numbers = {name: int(number) for name, number in defined}

    assert {name: numbers[name] for name in CALLS[machine][1]} == CALLS[machine][1]


def test_the_architectures_are_the_kernels() -> None:
    # AUDIT_ARCH_*: the ELF machine (62, 183), 64 bits, little endian
    flags = 0x80000000 | 0x40000000

    assert {machine: calls[0] for machine, calls in CALLS.items()} == {
        "x86_64": flags | 62,
        "aarch64": flags | 183,
    }


@pytest.mark.parametrize(
    ("system", "in_force", "ok"),
    [
        ("linux", ["rlimit_as", "no_new_privs", "seccomp"], True),
        ("linux", ["rlimit_as", "no_new_privs"], False),
        ("linux", [], False),
        ("darwin", ["rlimit_core"], False),
    ],
)
def test_doctor_is_content_on_linux_with_the_filter_only(system: str, in_force: list[str], ok: bool) -> None:
    finding = confinement(in_force, system, "riscv64")

    assert finding.ok is ok
    assert all(name in finding.detail for name in in_force)
    says = "no system call filter on riscv64" if system == "linux" else "run only scripts you trust"
    assert ok or says in finding.detail


def test_a_process_with_a_second_thread_is_not_confined() -> None:
    status, said = probe(
        """
        os.write(int(sys.argv[3]), json.dumps(error).encode())
        os._exit(0)
        """,
        answers=True,
        beginning=_BEGINNING.replace(
            "in_force = confine()",
            "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
            "try: confine()\n"
            "except OSError as fault: error = str(fault)\n",
        ),
    )

    assert (status, said) == (0, "a thread was started before the filter, which would miss it")


@pytest.mark.parametrize("body", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_it_ends_the_process(body: str) -> None:
    # without the last line the interpreter's own end would be what kills it
    status, _ = probe(f"{body}\nos._exit(0)")

    assert status == -signal.SIGSYS


def test_the_engine_still_runs_and_the_process_leaves_in_order() -> None:
    status, said = probe(
        """
        value = engine.evaluate(context, b"[1, 2, 3].map(n => n * 2).join()", b"test")
        answer = engine.text_of(context, value).decode()
        os.write(int(sys.argv[3]), json.dumps(answer).encode())
        os._exit(0)
        """,
        answers=True,
    )

    assert (status, said) == (0, "2,4,6")


def test_a_libc_like_musls_is_served() -> None:
    """It has no `malloc_trim`, and gives memory back as MADV_FREE (8)."""
    without = """
of_glibc = ctypes.PyDLL
class Musl(of_glibc):
    def __getattr__(self, name):
        if name in ("malloc_trim", "mallopt"):
            raise AttributeError(name)
        return super().__getattr__(name)
ctypes.PyDLL = Musl
from experience_runtime.sandbox.heap import Heap
"""
    status, said = probe(
        """
        page = mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        at = ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(page)))
        freed = library.madvise(at, 1 << 20, 8)
        trims = sys.modules["experience_runtime.sandbox.heap"]._trim
        os.write(int(sys.argv[3]), json.dumps([freed, trims]).encode())
        os._exit(0)
        """,
        answers=True,
        beginning=_BEGINNING.replace("from experience_runtime.sandbox.heap import Heap\n", without),
    )

    assert (status, said) == (0, [0, None])


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
