"""Jobs: long work on many executions, one after the other on a thread of its own.

How far each has come lies in the database: one whose process ends goes on where it stopped, in the next
process or in another. What ends between a batch and its note is done again from there: what is cancelled
stays so, and what was replayed and has failed again meanwhile is replayed once more.
"""

import logging
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from experience_runtime.domain.audit import RUNTIME, Actor
from experience_runtime.domain.errors import ExperienceError, UnknownExecution
from experience_runtime.domain.executions import Filter
from experience_runtime.domain.jobs import Job
from experience_runtime.domain.values import shown
from experience_runtime.engine import keeping
from experience_runtime.engine.auditing import acting, actor_in_hand
from experience_runtime.engine.operations import Operations
from experience_runtime.engine.ports import Clock

LOOKS_EVERY_SECONDS = 10

_logger = logging.getLogger(__name__)


class Jobs:
    """Begins jobs, goes on with those that others left, and tells how they stand."""

    def __init__(self, kept: keeping.Jobs, operations: Operations, clock: Clock) -> None:
        self._kept = kept
        self._operations = operations
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="job")
        self._closing = threading.Event()

    def begin(
        self, verb: str, filter: Filter, *, matching: int, reason: str | None, due_at: datetime | None = None
    ) -> Job:
        """Begin a job, once however often its request is tried; it runs when those before it have ended."""
        hand = actor_in_hand() or RUNTIME
        job = Job(
            id=f"job_{secrets.token_hex(8)}",
            verb=verb,
            filter=filter,
            reason=reason,
            matching=matching,
            begun_at=self._clock.now(),
            actor=hand.name,
            address=hand.address,
            due_at=due_at,
        )
        begun = self._kept.begin(job)
        if begun.id == job.id:  # else it is another process's, or `go_on` takes it over
            self._thread.submit(self._run, job)
        return begun

    def job(self, id: str) -> Job:
        """How a job stands; UnknownExecution when there is none of this id (any more)."""
        job = self._kept.job(id)
        if job is None:
            raise UnknownExecution(f"there is no job {shown(id)}; one that ended is kept for a week")
        return job

    def go_on(self) -> None:
        """Take over what other processes left."""
        for job in self._kept.take_over(now=self._clock.now()):
            _logger.info("going on with job %s: %d of %d", job.id, job.seen, job.matching)
            self._thread.submit(self._run, job)

    def keep_going_on(self, stop: threading.Event) -> None:
        """The same every few seconds, until stopped."""
        while True:
            try:
                self.go_on()
            except ExperienceError as error:  # the next look may find the database well again
                _logger.warning("jobs cannot be looked at: %s", error.message)
            if stop.wait(LOOKS_EVERY_SECONDS):
                return

    def close(self) -> None:
        """Stop the job that runs at its next batch, and leave it and the waiting ones to others."""
        self._closing.set()
        self._thread.shutdown(wait=True)

    def _run(self, job: Job) -> None:
        try:
            with acting(Actor(job.actor or RUNTIME.name, job.address)):
                self._carry_out(job)
        except ExperienceError as error:
            _logger.warning("job %s is left where it stands: %s", job.id, error.message)
        except Exception:
            _logger.exception("job %s failed", job.id)
            self._kept.end(job.id, error="something went wrong on our side; its log says what")

    def _carry_out(self, job: Job) -> None:
        if self._closing.is_set():
            self._kept.give_up(job.id)
            return
        seen, done = job.seen, job.done
        batches = self._operations.batches(
            job.verb, job.filter, reason=job.reason, cursor=job.cursor, due_at=job.due_at
        )
        for batch in batches:
            seen, done = seen + batch.seen, done + len(batch.done)
            now = self._clock.now()
            if not self._kept.advance(job.id, seen=seen, done=done, cursor=batch.cursor, now=now):
                return  # another process has it
            if self._closing.is_set() and batch.cursor is not None:
                self._kept.give_up(job.id)
                return
        self._kept.end(job.id)
