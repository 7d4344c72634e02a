"""The verbs of every contestant of `benchmarks/waiting.py`, one process and one JSON answer each.

    CONTESTANT.py fill    FOLDER FIRST ROWS SECONDS CALLERS     executions due between 1 and 29 days ahead
    CONTESTANT.py cancel  FOLDER FIRST COUNT SECONDS CALLERS    executions under their keys
    CONTESTANT.py convert FOLDER FIRST COUNT                    visitors, one after the other
    CONTESTANT.py plan    FOLDER FIRST COUNT AFTER SPREAD       due in AFTER seconds, over SPREAD seconds
    CONTESTANT.py work    FOLDER                                deliver until stopped

An execution is a number and a text of 30 letters, 60 bytes as JSON. Running one writes a line into the file
`starts` of the folder, so that what ran is known whoever is killed. Imports nothing of ours: peers live in
environments of their own.
"""

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

TEXT = "x" * 30
DAY_SECONDS = 86_400
NOT_SUPPORTED = {"not_supported": True}


class Contestant(Protocol):
    """Each of these returns when what it did is durable. They are called from many threads at once."""

    def schedule(self, number: int, due_at: float) -> None: ...

    def cancel(self, number: int) -> bool:
        """Cancel the execution that was scheduled under this number; False when it was not pending."""
        ...

    def close(self) -> None: ...


def record_start(folder: Path | str, number: int) -> None:
    """Note that an execution begins; one write to a file opened for appending is whole or absent."""
    descriptor = _descriptors.get(str(folder))
    if descriptor is None:
        descriptor = os.open(Path(folder) / "starts", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        _descriptors[str(folder)] = descriptor
    os.write(descriptor, f"{number} {time.time():.6f}\n".encode())


def run(
    words: list[str], opened: Callable[[Path], Contestant], work: Callable[[Path], None], version: str
) -> None:
    """Carry out the verb that the command line names, and print its answer."""
    verb, folder, rest = words[0], Path(words[1]), [float(word) for word in words[2:]]
    if verb == "work":
        work(folder)
        return
    contestant = opened(folder)
    answer = _VERBS[verb](contestant, *rest)
    contestant.close()
    print(json.dumps({**answer, "version": version}))


def in_threads(callers: int, count: int, seconds: float, act: Callable[[int], object]) -> tuple[int, float]:
    """Do act(0) … act(count - 1), shared by these threads, for at most so long; return how many, how long."""
    done = [0] * callers
    faults: list[BaseException] = []
    began = time.perf_counter()

    def share(first: int) -> None:
        try:
            for i in range(first, count, callers):
                if time.perf_counter() - began > seconds:
                    return
                act(i)
                done[first] += 1
        except BaseException as fault:
            faults.append(fault)
            raise

    threads = [threading.Thread(target=share, args=(first,)) for first in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return sum(done), time.perf_counter() - began


def _fill(
    contestant: Contestant, first: float, rows: float, seconds: float, callers: float
) -> dict[str, object]:
    now = time.time()

    def act(i: int) -> None:
        number = int(first) + i
        contestant.schedule(number, now + DAY_SECONDS * (1 + number * 7919 % 28_000 / 1000))

    done, took = in_threads(int(callers), int(rows), seconds, act)
    filled = getattr(contestant, "filled", None)
    return {"rows": done if filled is None else filled(), "acknowledged": done, "seconds": took}


def _cancel(
    contestant: Contestant, first: float, count: float, seconds: float, callers: float
) -> dict[str, object]:
    cancelled: list[bool] = []

    def act(i: int) -> None:
        cancelled.append(contestant.cancel(int(first) + i))

    done, took = in_threads(int(callers), int(count), seconds, act)
    if not all(cancelled):
        raise SystemExit(f"{cancelled.count(False)} of {done} were not pending")
    return {"count": done, "seconds": took}


def _convert(contestant: Contestant, first: float, count: float) -> dict[str, object]:
    convert = getattr(contestant, "convert", None)
    if convert is None:
        return dict(NOT_SUPPORTED)
    milliseconds = []
    for i in range(int(count)):
        began = time.perf_counter()
        convert(int(first) + i)
        milliseconds.append((time.perf_counter() - began) * 1000)
    return {"milliseconds": milliseconds}


def _plan(
    contestant: Contestant, first: float, count: float, after: float, spread: float
) -> dict[str, object]:
    from_at = round(time.time() + after, 3)
    due_at = {int(first) + i: round(from_at + spread * i / count, 3) for i in range(int(count))}

    def act(i: int) -> None:
        number = int(first) + i
        contestant.schedule(number, due_at[number])

    in_threads(16, int(count), float("inf"), act)
    return {"due_at": due_at, "spare_seconds": from_at - time.time()}


_descriptors: dict[str, int] = {}
_VERBS: dict[str, Callable[..., dict[str, object]]] = {
    "fill": _fill,
    "cancel": _cancel,
    "convert": _convert,
    "plan": _plan,
}
