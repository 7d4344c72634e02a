"""The contest of `benchmarks/postgres.py --peers`, run in the environment of each peer.

    python peers/postgres_NAME.py contest ADDRESS PENDING    prints one JSON document
    python peers/postgres_NAME.py work ADDRESS FILE          delivers; each call is a line `NUMBER SECONDS`

So many jobs wait, a day ahead: one is made by the peer's own call, and its row multiplied. Then, as ours:
schedule, cancel, how late one fires, and 20,000 due at one second for two workers.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

BURST = 20_000
FIRED = 100
CALLERS = 16
EACH = 100
DAY = 86_400.0
MOST_SECONDS = 15.0  # of any one figure: a peer that is slow is measured by what it did until then
BURST_SECONDS = 90.0


class Peer(Protocol):
    version: str

    def schedule(self, number: int, due_at: float) -> Any:
        """Make one job; return what `cancel` needs."""

    def cancel(self, handle: Any) -> None: ...

    def multiply(self, first: int, count: int, due_at: float) -> None:
        """Make many jobs like the first one there is, numbered from `first`."""

    def close(self) -> None: ...


def main(
    connect: Callable[[str], Peer],
    work: Callable[[str, Callable[[int], None]], None],
    *,
    is_one: bool = False,
) -> None:
    """`is_one`: a program can have one of its kind only, and schedules with one caller."""
    verb, address, argument = sys.argv[1:]
    if verb == "work":
        file = os.open(argument, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        work(address, lambda number: os.write(file, f"{number} {time.time()}\n".encode()) and None)
    else:
        print(json.dumps(contest(connect, address, int(argument), is_one=is_one)))


def contest(connect: Callable[[str], Peer], address: str, pending: int, *, is_one: bool) -> dict[str, Any]:
    peer = connect(address)
    told: dict[str, Any] = {"version": peer.version}
    far = time.time() + DAY
    peer.schedule(0, far)
    peer.multiply(1, pending, far)
    told["schedule"] = rate(500, lambda i: handles.append(peer.schedule(10_000_000 + i, far)), handles := [])
    told["schedule_16"] = None if is_one else at_once(connect, address, far)
    told["cancel"] = rate(200, lambda i: peer.cancel(handles[i]), [])
    with tempfile.TemporaryDirectory() as folder:
        received = Path(folder, "received")
        workers = [worker(address, received)]
        try:
            told["late_ms"] = lateness(peer, received)
            workers.append(worker(address, received))
            threading.Event().wait(5)  # it starts
            told["burst"] = burst(peer, received)
        finally:
            for each in workers:
                os.killpg(each.pid, signal.SIGKILL)
    peer.close()
    return told


def rate(count: int, act: Callable[[int], object], _: list[Any]) -> float:
    began = time.perf_counter()
    done = 0
    while done < count and time.perf_counter() - began < MOST_SECONDS:
        act(done)
        done += 1
    return done / (time.perf_counter() - began)


def at_once(connect: Callable[[str], Peer], address: str, far: float) -> float:
    """How many a second 16 threads schedule together, each with a connection of its own."""
    peers = [connect(address) for _ in range(CALLERS)]

    def schedule(caller: int) -> None:
        for i in range(EACH):
            peers[caller].schedule(11_000_000 + caller * EACH + i, far)

    threads = [threading.Thread(target=schedule, args=(caller,)) for caller in range(CALLERS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    for peer in peers:
        peer.close()
    return CALLERS * EACH / seconds


def worker(address: str, received: Path) -> "subprocess.Popen[bytes]":
    words = [sys.executable, sys.argv[0], "work", address, str(received)]
    return subprocess.Popen(words, start_new_session=True, stderr=subprocess.DEVNULL)


def lines(received: Path) -> dict[int, float]:
    text = received.read_text() if received.exists() else ""
    return {int(number): float(at) for number, at in (line.split() for line in text.splitlines())}


def lateness(peer: Peer, received: Path) -> list[float]:
    """The median, the 99th percentile and the worst; a job that did not come counts as late until now."""
    peer.schedule(20_000_000, time.time())
    until(lambda: 20_000_000 in lines(received), 60)
    start = time.time() + 2 + FIRED * 0.02
    due = {20_000_001 + i: start + 0.05 * i for i in range(FIRED)}
    for number, at in due.items():
        peer.schedule(number, at)
    until(lambda: len(lines(received).keys() & due.keys()) == FIRED, start - time.time() + 45)
    called, now = lines(received), time.time()
    late = sorted((called.get(number, now) - at) * 1000 for number, at in due.items())
    return [late[FIRED // 2], late[int(FIRED * 0.99)], late[-1]]


def burst(peer: Peer, received: Path) -> float:
    due_at = time.time() + 60
    peer.multiply(30_000_000, BURST, due_at)
    before = len(lines(received))
    threading.Event().wait(max(0.0, due_at - time.time()))
    seconds = until(lambda: len(lines(received)) - before >= BURST, BURST_SECONDS)
    return (len(lines(received)) - before) / seconds


def until(is_so: Callable[[], bool], seconds: float) -> float:
    began = time.perf_counter()
    while not is_so() and time.perf_counter() - began < seconds:
        threading.Event().wait(0.05)
    return time.perf_counter() - began
