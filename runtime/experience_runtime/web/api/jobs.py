"""Jobs: long work on many executions, one after the other on a thread of its own, with its progress.

They live in this process: a restart forgets them. What was done by then is done, a batch is a transaction.
"""

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from experience_runtime.domain.errors import ExperienceError, UnknownExecution
from experience_runtime.domain.values import shown
from experience_runtime.engine.operations import Progress

MOST_KEPT = 200

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """`seen` of `matching` executions were looked at; `done` were changed, once it has ended."""

    id: str
    verb: str
    matching: int
    state: str = "running"  # "running" | "done" | "failed"
    seen: int = 0
    done: int = 0
    error: str | None = None

    def document(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "verb": self.verb,
            "state": self.state,
            "matching": self.matching,
            "seen": self.seen,
            "done": self.done,
            "error": self.error,
        }


class Jobs:
    """Begins jobs and tells how they stand."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="job")
        self._lock = threading.Lock()
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._is_closing = False

    def begin(self, verb: str, matching: int, act: Callable[[Progress], list[str]]) -> Job:
        """Begin a job; it runs when those before it have ended."""
        job = Job(id=f"job_{secrets.token_hex(8)}", verb=verb, matching=matching)
        with self._lock:
            self._jobs[job.id] = job
            while len(self._jobs) > MOST_KEPT:
                self._jobs.popitem(last=False)
        self._thread.submit(self._run, job.id, act)
        return job

    def job(self, id: str) -> Job:
        """How a job stands; UnknownExecution when there is none of this id (any more)."""
        with self._lock:
            if id not in self._jobs:
                raise UnknownExecution(
                    f"there is no job {shown(id)}; a restart forgets them, and what they did is done"
                )
            return self._jobs[id]

    def close(self) -> None:
        """Stop the job that runs at its next batch, and begin no other."""
        self._is_closing = True
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _run(self, id: str, act: Callable[[Progress], list[str]]) -> None:
        def progress(seen: int) -> None:
            self._change(id, seen=seen)
            if self._is_closing:
                raise _Stopped

        try:
            done = act(progress)
        except _Stopped:
            self._change(id, state="failed", error="the server was stopped; what is not done stays as it was")
        except ExperienceError as error:
            self._change(id, state="failed", error=f"{error.code}: {error.message}")
        except Exception:
            _logger.exception("job %s failed", id)
            self._change(id, state="failed", error="something went wrong on our side; its log says what")
        else:
            self._change(id, state="done", done=len(done))

    def _change(self, id: str, **changes: Any) -> None:
        with self._lock:
            if id in self._jobs:
                self._jobs[id] = replace(self._jobs[id], **changes)


class _Stopped(Exception):
    """The server stops."""
