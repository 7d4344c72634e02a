"""What the verbs need from the world. Each docstring is the contract an adapter is tested against."""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from experience_runtime.domain.executions import (
    Attempt,
    Change,
    Execution,
    Filter,
    IfExists,
    Settlement,
)
from experience_runtime.domain.experience import Experience
from experience_runtime.domain.visitors import Visitor
from experience_runtime.integration import Integration


class Clock(Protocol):
    """The only source of time. Instants are aware UTC datetimes, whole milliseconds."""

    def now(self) -> datetime: ...

    def wait(self, until: datetime | None, wake: threading.Event, *, at_most: float) -> None:
        """Return at `until`, when `wake` is set, or after `at_most` seconds, whichever is first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What `Store.add` did: the execution that is now pending under the key, whether it is the new one,
    and the id of the one the new one replaced."""

    execution: Execution
    is_new: bool
    replaced: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Executions newest first; `next` is the cursor of the following page, None at the end."""

    executions: Sequence[Execution]
    next: str | None


class Store(Protocol):
    """The waiting room and its history. Every method is one transaction, on disk when it returns.

    Methods may be called from any thread. A change to a row that is not in the expected state changes
    nothing and says so. Every state change adds one history row.
    """

    def add(self, execution: Execution, if_exists: IfExists) -> Added:
        """Insert a new execution (pending, or running for `execute`).

        A pending one with the same (key_digest, key_owner) is cancelled with reason `replaced`, kept
        (`is_new` false, nothing inserted), or raises AlreadyScheduled, as `if_exists` says. A running
        one replaces nothing. A number already taken gives way to the next free one: go by what comes back.
        """
        ...

    def cancel_key(
        self, *, key_digest: bytes, key_owner: str, reason: str | None, now: datetime
    ) -> list[str]:
        """Cancel the pending execution under this key; return the ids cancelled (none or one)."""
        ...

    def key_pending_elsewhere(self, *, key_digest: bytes, key_owner: str) -> bool:
        """Tell whether another owner has a pending execution under this key."""
        ...

    def cancel(self, number: int, *, reason: str | None, now: datetime) -> bool:
        """Cancel one pending execution; False when it is not pending (or unknown)."""
        ...

    def convert(self, visitor: str, *, event: str, now: datetime) -> list[str]:
        """Record a conversion and cancel, with reason `conversion`, every pending execution of this visitor
        that asked for it; return their ids. One that runs is not tried again. What counts is the order in
        which things are stored, not their instants: a machine's clock may be put back."""
        ...

    def replay(self, number: int, *, reason: str | None, now: datetime) -> Execution | None:
        """failed | succeeded -> pending, due now, with all its retries before it; the attempts are kept.

        None when it is in another state (or unknown); AlreadyScheduled while its key is pending again.
        """
        ...

    def claim_due(self, *, now: datetime, lease_until: datetime, limit: int) -> list[Execution]:
        """Lease up to `limit` pending rows with due_at <= now and no lease, earliest first.

        Each gets attempt + 1 and stays pending. Returned as they are after the claim.
        """
        ...

    def postpone(self, number: int, attempt: int, *, due_at: datetime, now: datetime) -> bool:
        """Give a claimed, still pending row back with a later due_at (its window is closed)."""
        ...

    def start(self, number: int, attempt: int, *, now: datetime, lease_until: datetime) -> bool:
        """pending -> running, begun + 1, an Attempt row; the lease is renewed.

        False when the row is no longer pending under this attempt number: cancelled, converted, or claimed by
        somebody else.
        """
        ...

    def renew(self, held: Collection[tuple[int, int]], *, lease_until: datetime) -> None:
        """Extend the leases of these (number, attempt); nothing for one that has moved on."""
        ...

    def settle(self, number: int, attempt: int, settlement: Settlement, *, now: datetime) -> Execution | None:
        """running -> succeeded | failed | pending (retry), the lease dropped, the Attempt row ended.

        Returns the row as it is now, or None when it is not running under this attempt number (a stale worker
        settles nothing). A retry whose key has meanwhile been scheduled again ends as
        cancelled with reason `replaced`: two of one key never wait together. One that asked for it ends as
        cancelled with reason `conversion` when one was recorded while it ran.
        """
        ...

    def give_back(self, *, now: datetime, everything: bool = False) -> list[Execution]:
        """Return lapsed leases (lease_until <= now) to the waiting room.

        With `everything`, leases that still run too, except those of running rows that may not be retried:
        such a row may be another process's `execute`. A claimed row is pending without a lease again. A
        running row: its Attempt ends as `lost`; then pending when begun <= retries (due_at stays), else
        failed. Same key rule as `settle`. Returns the rows changed, as they are now.
        """
        ...

    def next_wake(self) -> datetime | None:
        """The earliest instant at which claim_due or give_back may find something; None for never."""
        ...

    def execution(self, number: int) -> Execution:
        """One execution; UnknownExecution when there is none."""
        ...

    def history(self, number: int) -> list[Change]:
        """Every state change, oldest first."""
        ...

    def attempts(self, number: int) -> list[Attempt]:
        """Every attempt whose delivery began, oldest first."""
        ...

    def find(self, filter: Filter, *, cursor: str | None = None, limit: int = 50) -> Page:
        """List executions, newest first. A cursor that is not one raises InvalidParameter."""
        ...

    def visitor(self, visitor_id: str) -> Visitor | None:
        """The last known fields of a visitor."""
        ...

    def remember_visitor(self, visitor: Visitor, *, now: datetime) -> None:
        """Keep the fields that are not None; the others stay as they were. A new zone drops the old
        offset and the other way round. An anonymous visitor is not kept."""
        ...

    def allow_execute(self, *, key_digest: bytes, key_owner: str, now: datetime, per_seconds: int) -> bool:
        """Take the one `execute` this key has per `per_seconds`; False when it was already taken."""
        ...

    def close(self) -> None: ...


class Integrations(Protocol):
    """The registered integrations, by name."""

    def names(self) -> Sequence[str]: ...

    def get(self, name: str) -> Integration[Any, Any]:
        """UnknownIntegration when nothing of this name is registered."""
        ...

    def settings(self, name: str) -> Any:
        """The integration's validated settings (None when it has none).

        NotConfigured when they are missing or wrong.
        """
        ...

    def parse_payload(self, name: str, payload: Any) -> Any:
        """The payload as the integration's model has it; InvalidPayload when it does not fit."""
        ...


class Delivery(Protocol):
    """Runs claimed executions, some at a time."""

    def submit(self, executions: Sequence[Execution], deliver: Callable[[Execution], None]) -> None:
        """Hand over claimed executions; returns without waiting for them unless the adapter is inline."""
        ...

    def free(self) -> int:
        """How many more executions are welcome now."""
        ...

    def close(self) -> None:
        """Finish what runs; what has not begun is left to its lease."""
        ...


@dataclass(frozen=True, slots=True)
class Position:
    """A place in an author's file; line and column count from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What went wrong in an author's file, and where; the place is None when the engine does not know it."""

    code: str
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    stack: str = ""


class Script(Protocol):
    """An experience made ready for the sandbox: texts at lines of their own, and the way back."""

    @property
    def experience(self) -> Experience: ...

    @property
    def modules(self) -> Mapping[str, Mapping[str, str]]:
        """Each file under the name it is required by: {"kind": "code" | "json" | "alias", "text"}."""
        ...

    @property
    def global_text(self) -> str:
        """The text of global.js; "" when there is none."""
        ...

    @property
    def warnings(self) -> Sequence[str]: ...

    def problem(self, code: str, message: str, stack: str, role: str = "") -> Problem:
        """A thrown value in the author's terms; `role` is the part that was running."""
        ...

    def in_own_places(self, text: str) -> str:
        """A text in which the places the engine named are the author's own."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one run may use. Source: contract 1."""

    cpu_turn_seconds: float = 0.25
    cpu_run_seconds: float = 1.0
    wall_seconds: float = 10.0
    memory_bytes: int = 32 * 1024 * 1024
    pending_calls: int = 1000
    log_bytes: int = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of the guest's log; `metadata` is any JSON value."""

    at: datetime
    level: str
    logger: str
    message: str
    metadata: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Emitted:
    """An event of `uv.emit`."""

    type: str
    data: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirected:
    """A URL that `redirectTo` would have sent the visitor to."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Marshalled:
    """One argument of a call: its JSON text; or where (`path`) and what JSON cannot carry; or left out."""

    text: str | None = None
    path: str | None = None
    what: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call of an integration; `id` is what its answer goes back under."""

    id: int
    verb: str
    integration: str
    payload: Marshalled
    options: Marshalled
    defaults: Marshalled


@dataclass(frozen=True, slots=True, kw_only=True)
class Thrown:
    """What the author's code threw. `role` is the part that was running; `load` before any ran."""

    role: str
    code: str
    text: str
    stack: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one turn of a guest came to. `limit` is the code of the limit that ended the run, if one did.

    `triggers` is none, waiting, yes, no or failed; `variation` none, running, done or failed. `describing`:
    the turn was reading a thrown value when it ended. `stack` is where a limit stopped it, when that is
    known. `restarts`: a later view runs the experience again.
    """

    outbox: Sequence[LogLine | Emitted | Redirected | Request] = ()
    triggers: str = "none"
    variation: str = "none"
    thrown: Thrown | None = None
    limit: str | None = None
    stack: str = ""
    describing: bool = False
    listens: bool = False
    restarts: bool = False
    wake_at: datetime | None = None
    cpu_seconds: float = 0.0


class Guest(Protocol):
    """One run's own global scope, in a process that can be killed.

    A message is a JSON-able mapping. Raises ScriptFault when a limit ended the guest, and InternalError when
    it broke its bounds or said what cannot be read: it is gone then.
    """

    def start(self, message: Mapping[str, Any], *, deadline_seconds: float) -> Turn: ...

    def step(self, message: Mapping[str, Any], *, deadline_seconds: float) -> Turn: ...

    def close(self) -> None: ...


class Sandbox(Protocol):
    """Gives out guests."""

    def open(self, limits: Limits) -> Guest: ...

    def close(self) -> None: ...
