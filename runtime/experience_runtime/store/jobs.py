"""The jobs of a store: each belongs to one process, and to another once that has ended."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from experience_runtime.domain.errors import UnknownExecution
from experience_runtime.domain.executions import Filter
from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.domain.jobs import Job, JobState, filter_text, read_filter
from experience_runtime.store import rows
from experience_runtime.store.database import Database
from experience_runtime.store.journal import Journal
from experience_runtime.store.replies import has_ended, this_process

_KEPT = timedelta(days=7)
_LOST_AFTER = timedelta(seconds=60)


class SqlJobs:
    """`keeping.Jobs` in the store's own database."""

    def __init__(self, database: Database, owner: str | None = None) -> None:
        self._database = database
        self._journal = Journal(database)
        self._owner = this_process() if owner is None else owner

    def begin(self, job: Job) -> Job:
        bound = {
            "id": job.id,
            "verb": job.verb,
            "filter": rows.text(filter_text(job.filter)),
            "reason": rows.optional_text(job.reason),
            "matching": job.matching,
            "now": to_ms(job.begun_at),
            "owner": self._owner,
            "actor": rows.text(job.actor),
            "address": rows.text(job.address),
            "due_at": rows.optional_ms(job.due_at),
        }

        def act() -> Job:
            self._database.execute("drop_old_jobs", {"before": to_ms(job.begun_at - _KEPT)})
            self._database.execute("begin_job", bound)
            return job

        return self._journal.write("job", act, as_json=lambda _: job.id, from_json=self._begun)

    def _begun(self, id: str) -> Job:
        found = self._database.execute("job", {"id": id})
        if not found:
            raise UnknownExecution(f"the job {id} was begun, and is here no more: it ended a week ago")
        return _job(*found[0])

    def job(self, id: str) -> Job | None:
        found = self._database.read(lambda: self._database.execute("job", {"id": rows.text(id)}))
        return _job(*found[0]) if found else None

    def advance(self, id: str, *, seen: int, done: int, cursor: str | None, now: datetime) -> bool:
        bound = self._mine(id) | {"seen": seen, "done": done, "cursor": cursor, "now": to_ms(now)}
        return self._database.write(lambda: self._database.execute_counted("advance_job", bound) == 1)

    def end(self, id: str, *, error: str | None = None) -> None:
        state = JobState.DONE if error is None else JobState.FAILED
        bound = self._mine(id) | {"state": state.value, "error": rows.optional_text(error)}
        self._database.write(lambda: self._database.execute("end_job", bound))

    def give_up(self, id: str) -> None:
        self._database.write(lambda: self._database.execute("give_up_job", self._mine(id)))

    def take_over(self, *, now: datetime) -> list[Job]:
        if not self._database.read(lambda: self._database.execute("running_jobs", {})):
            return []  # the usual answer costs no transaction

        def act() -> Sequence[str]:
            taken = []
            for id, owner, beat_at in self._database.execute("running_jobs", {}):
                if has_ended(owner) or from_ms(beat_at) <= now - _LOST_AFTER:
                    bound = self._mine(id) | {"before": owner, "now": to_ms(now)}
                    if self._database.execute_counted("take_over_job", bound):
                        taken.append(id)
            return taken

        return [job for id in self._database.write(act) if (job := self.job(id)) is not None]

    def _mine(self, id: str) -> rows.Values:
        return {"id": rows.text(id), "owner": self._owner}


def _job(
    id: str,
    verb: str,
    filter: str,
    reason: str | None,
    matching: int,
    begun_at: int,
    state: str,
    seen: int,
    done: int,
    cursor: str | None,
    error: str | None,
    actor: str | None,
    address: str | None,
    due_at: int | None,
) -> Job:
    meant: Filter = read_filter(filter)
    return Job(
        id=id,
        verb=verb,
        filter=meant,
        reason=reason,
        matching=matching,
        begun_at=from_ms(begun_at),
        state=JobState(state),
        seen=seen,
        done=done,
        cursor=cursor,
        error=error,
        actor=actor or "",  # of a version before: nobody's
        address=address or "",
        due_at=rows.optional_instant(due_at),
    )
