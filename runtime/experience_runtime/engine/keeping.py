"""Keeping: what the engine keeps beside the executions, in one database. Each docstring is a contract."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from experience_runtime.domain.access import Token
from experience_runtime.domain.admission import IntegrationState
from experience_runtime.domain.alerts import AlertState
from experience_runtime.domain.executions import Execution
from experience_runtime.domain.jobs import Job
from experience_runtime.domain.pace import Learned, Pace, PaceState, Receiver
from experience_runtime.domain.retention import Kind, Pruned
from experience_runtime.domain.runs import FailureGroup, KeptRun, RunCount, RunFilter
from experience_runtime.domain.schedules import Firing, Schedule, ScheduleRun
from experience_runtime.domain.visitors import Erased
from experience_runtime.domain.workers import WorkerInfo
from experience_runtime.engine.claims import Claim


class Workers(Protocol):
    """Which workers report themselves."""

    def beat(self, worker: WorkerInfo) -> Sequence[WorkerInfo]:
        """Keep a worker's report, and forget those of more than a day ago; return all there are."""
        ...

    def leave(self, id: str) -> None:
        """Forget a worker; nothing when it is not known."""
        ...

    def all(self) -> Sequence[WorkerInfo]:
        """All of them, the longest running first."""
        ...

    def try_claim(self, now: datetime) -> None:
        """Insert an execution, claim it, and undo both; InternalError where that cannot be done now."""
        ...

    def clock_skew(self, now: Callable[[], datetime]) -> timedelta:
        """How far the clock is behind that of the database (negative: ahead of it); no more than is certain.

        A file has no clock: there it is how far the row that was stored last lies in the future.
        """
        ...


class Tokens(Protocol):
    """Who may call from outside, and the sessions of pages. Digests only; every method is one transaction."""

    def put(self, token: Token) -> None:
        """Keep a new token; Conflict when one of its name is kept."""
        ...

    def ever(self) -> bool:
        """Whether there is a token, or ever was one."""
        ...

    def all(self) -> Sequence[Token]:
        """All of them, by name."""
        ...

    def token(self, digest: bytes) -> Token | None: ...

    def use(self, digest: bytes, *, now: datetime) -> None:
        """Keep that a token was used; nothing when it is gone."""
        ...

    def revoke(self, name: str, *, now: datetime) -> bool:
        """Forget a token and end its sessions; False when there is none of this name."""
        ...

    def begin_session(self, digest: bytes, *, token: bytes, now: datetime, expires_at: datetime) -> None:
        """Begin a session of the token with this digest; nothing when it is gone. Ended ones are dropped."""
        ...

    def session(self, digest: bytes, *, now: datetime) -> Token | None:
        """The token of a session that has not ended."""
        ...

    def end_session(self, digest: bytes) -> None: ...


class Runs(Protocol):
    """What is kept of experiences that ran. Every method is one transaction."""

    def keep(self, run: KeptRun) -> KeptRun:
        """Keep a run under its number, or the next that is free; return it as it is kept."""
        ...

    def run(self, number: int) -> KeptRun:
        """One run with its log; UnknownRun when there is none."""
        ...

    def find(self, filter: RunFilter, *, before: int | None = None, limit: int = 50) -> Sequence[KeptRun]:
        """Runs without their logs, newest first; with `before`, those of a smaller number."""
        ...

    def newer(self, filter: RunFilter, *, after: int, limit: int = 100) -> Sequence[KeptRun]:
        """Runs of a greater number without their logs, oldest first."""
        ...

    def failures(self, experience: str) -> Sequence[FailureGroup]:
        """How the last 10,000 failed runs of an experience failed, what is most frequent first."""
        ...

    def counts(self) -> Sequence[RunCount]:
        """How the last 10,000 runs ended, by experience and outcome."""
        ...

    def is_kept(self, number: int) -> bool: ...

    def of_execution(self, number: int) -> Sequence[int]:
        """The numbers of the runs that asked for an execution, oldest first, kept or not."""
        ...


class Erasing(Protocol):
    """What is kept of a person, over all of their ids."""

    def count(self, visitor: str) -> Erased:
        """How much it is."""
        ...

    def erase(self, visitor: str, *, now: datetime) -> Erased:
        """Erase it, and keep that and how much, not whom. Conflict while an execution of theirs runs.

        Recurring schedules whose payload has one of their ids as a text go, with what they fired for them.
        """
        ...

    def schedules(self, visitor: str) -> Sequence[str]:
        """The names of those schedules."""
        ...


class Pruning(Protocol):
    """What is over and was kept long enough: executions by when they ended, the rest by when it came.

    Conversions go with the events; one that a replay of an execution would have to know of stays with that.
    """

    def step(
        self, kind: Kind, *, before: datetime, now: datetime, limit: int, pause: timedelta, rest: timedelta
    ) -> Pruned | None:
        """Remove what is old among the next `limit` rows of a kind, in one transaction.

        None, and nothing is removed, where somebody is at it, was less than `pause` ago, or came to the end
        less than `rest` ago.
        """
        ...

    def remove(self, kind: Kind, *, before: datetime, now: datetime, limit: int) -> int:
        """Remove all that is old, for a person, `limit` rows a transaction; return how many."""
        ...

    def count(self, kind: Kind, *, before: datetime) -> int:
        """How many there are to remove."""
        ...

    def size(self) -> int:
        """How many bytes the database takes on its disk."""
        ...

    def removed(self) -> Mapping[str, int]:
        """How many of each kind were ever removed by `step`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What happened so many times lately: to which integration, experience or schedule, and how (a code)."""

    subject: str
    how: str
    count: int


class Alerts(Protocol):
    """How the rules of alerts stand, and what they count."""

    def take(self, name: str, *, now: datetime, until: datetime) -> AlertState | None:
        """Hold a rule until then; None while another process holds it, or it rests."""
        ...

    def keep(self, name: str, state: AlertState, *, held_until: datetime, next_at: datetime) -> bool:
        """Keep how a rule stands, and let it rest; False where it was taken by another since."""
        ...

    def all(self) -> Mapping[str, AlertState]:
        """Those that were ever looked after, by name."""
        ...

    def failed_executions(self, since: datetime) -> Sequence[Happened]:
        """By integration and reason, the most frequent first."""
        ...

    def failed_runs(self, since: datetime) -> Sequence[Happened]:
        """By experience and code, the most frequent first."""
        ...

    def skipped(self, since: datetime) -> Sequence[Happened]:
        """Instants of schedules at which nothing was fired, by schedule and how that came."""
        ...


class IntegrationStates(Protocol):
    """What is known of each integration: paused, failing, limited."""

    def all(self) -> Mapping[str, IntegrationState]:
        """Those there is something to know about, by integration."""
        ...

    def of(self, integration: str) -> IntegrationState: ...

    def change(
        self, integration: str, change: Callable[[IntegrationState], IntegrationState]
    ) -> tuple[IntegrationState, IntegrationState]:
        """Replace a state by what `change` makes of it, in one transaction; return both.

        What `change` raises is raised here, and nothing is changed.
        """
        ...

    def change_by_hand(
        self,
        verb: str,
        integration: str,
        change: Callable[[IntegrationState], IntegrationState],
        *,
        now: datetime,
    ) -> IntegrationState:
        """As `change`, for a person: once in a request under an Idempotency-Key. Returns the state now."""
        ...


class Paces(Protocol):
    """How fast each receiver may be called, learned from its answers. Every method is one transaction."""

    def all(self) -> Sequence[PaceState]:
        """Those there is something to know about."""
        ...

    def learn(
        self, learned: Mapping[Receiver, Learned], starts: Mapping[str, Pace], *, now: datetime
    ) -> Mapping[Receiver, PaceState]:
        """Teach each receiver's state what attempts said; return those states as they are now.

        One of which nothing is known begins with its integration's pace in `starts`. What has told nothing
        for long is forgotten.
        """
        ...


class Schedules(Protocol):
    """Schedules at rest, beside the executions they fire. Every method is one transaction."""

    def put(self, schedule: Schedule, *, replacing: Schedule | None) -> bool:
        """Insert a schedule, or replace the one that was read as `replacing`; `last` is left as it is.

        False, and nothing changed, when the name is taken, or when the row has another version or `next_at`.
        """
        ...

    def schedule(self, name: str) -> Schedule:
        """One schedule; UnknownSchedule when there is none."""
        ...

    def schedules(self) -> Sequence[Schedule]:
        """All of them, by name."""
        ...

    def remove(self, name: str, *, now: datetime) -> None:
        """Remove a schedule, for good after a day; what it fired stays. UnknownSchedule for none."""
        ...

    def removed(self, *, now: datetime) -> Sequence[tuple[Schedule, datetime]]:
        """Those that can be restored, and when each was removed, the last first."""
        ...

    def restore(self, name: str, change: Callable[[Schedule], Schedule], *, now: datetime) -> Schedule:
        """Take a removal back, with the runs; the schedule comes back as `change` makes it.

        UnknownSchedule when none of this name was removed within a day, Conflict when there is one again.
        """
        ...

    def runs(self, name: str, *, limit: int) -> Sequence[ScheduleRun]:
        """What became of its instants, newest first. The last 1,000 are kept."""
        ...

    def due(self, *, now: datetime, limit: int) -> Sequence[Schedule]:
        """Those to be looked at by now, the longest due first."""
        ...

    def next_at(self) -> datetime | None:
        """When the next one is to be looked at; None for never."""
        ...

    def fire(self, firings: Sequence[Firing], *, now: datetime) -> Sequence[ScheduleRun | None]:
        """Move each schedule on, and insert its execution; return what became of each of those.

        A row with another version or `next_at` than the firing's was moved on by another process:
        nothing happens, and the answer is None, as where nothing was to run. While the execution it fired
        last is pending or running, none is inserted, and `skipped` is recorded.
        """
        ...

    def fire_now(self, name: str, execution: Execution, *, now: datetime) -> Execution:
        """Insert an execution without moving the schedule on; return it as it was inserted.

        UnknownSchedule; Conflict while the one it fired last is pending or running.
        """
        ...


class Jobs(Protocol):
    """What is done to many executions in the background. A process changes no job but its own."""

    def begin(self, job: Job) -> Job:
        """Keep a new job of this process, or find the one that an earlier try of the request began."""
        ...

    def job(self, id: str) -> Job | None: ...

    def advance(self, id: str, *, seen: int, done: int, cursor: str | None, now: datetime) -> bool:
        """Keep how far a job has come; False where it is another's by now, or has ended."""
        ...

    def end(self, id: str, *, error: str | None = None) -> None:
        """Keep that a job is done, or why it failed."""
        ...

    def give_up(self, id: str) -> None:
        """Leave a job to whoever takes it over."""
        ...

    def take_over(self, *, now: datetime) -> Sequence[Job]:
        """Take the jobs of processes that gave them up, have ended, or have said nothing for a minute."""
        ...


class Usage(Protocol):
    """How much each site's key has left here."""

    def pending(self, site: str, *, at_most: int) -> int:
        """How many executions of a site are pending; no more than `at_most` are counted."""
        ...

    def take(self, site: str, kind: str, *, day: int, share: int, quota: int) -> int:
        """Take up to `share` of what a day's quota leaves; return how many. Earlier days are forgotten."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer as it was given."""

    status: int
    media_type: str
    body: bytes


class Replies(Protocol):
    """What each caller was answered under its Idempotency-Key, until it is pruned."""

    def claim(self, *, caller: str, key: str, request: bytes, now: datetime) -> Reply | Claim:
        """Take the key for this request, or return the answer that the same request got under it.

        A claim is the caller's now, to `keep` or `release`; with `acts`, it was taken over from a process
        that has ended. Conflict when another request was made under the key, or while this one is being
        answered.
        """
        ...

    def keep(self, reply: Reply, claim: Claim) -> None:
        """Keep the answer under a claimed key; nothing when the claim was taken over."""
        ...

    def release(self, claim: Claim) -> None:
        """Give a claimed key back: what was asked did not happen. Where something was made under it, the same
        request may go on from there."""
        ...
