"""Stores: what the engine needs of a database. Each docstring is a contract."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from experience_runtime.domain.admission import NO_POLICIES, Policies
from experience_runtime.domain.errors import ExperienceError
from experience_runtime.domain.executions import (
    Attempt,
    Change,
    Execution,
    Filter,
    IfExists,
    Settling,
    Sort,
)
from experience_runtime.domain.overview import Ended, Overview
from experience_runtime.domain.places import Page
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.changing import Changing
from experience_runtime.engine.keeping import (
    IntegrationStates,
    Paces,
)
from experience_runtime.engine.ports import HandOver
from experience_runtime.engine.store_parts import StoreParts


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What `Store.add` did: the execution that is now pending under the key, whether it is the new one,
    and the id of the one the new one replaced. `is_told_again`: an earlier try of the same request did it."""

    execution: Execution
    is_new: bool
    replaced: str | None
    is_told_again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Adding:
    """One `add` of several."""

    execution: Execution
    if_exists: IfExists


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelling:
    """One `cancel_key` of several."""

    key_digest: bytes
    key_owner: str
    reason: str | None
    now: datetime


Done = Added | ExperienceError | list[str]
"""What an act of several came to: what `add` or `cancel_key` returns, or what refused it."""

RetryAt = Callable[[Execution], datetime | None]
"""When an execution whose attempt was lost is due again."""


class Executions(Protocol):
    """The executions and what became of them, to look at."""

    def execution(self, number: int) -> Execution:
        """One execution; UnknownExecution when there is none."""
        ...

    def history(self, number: int) -> list[Change]:
        """Every state change, oldest first."""
        ...

    def attempts(self, number: int) -> list[Attempt]:
        """Every attempt whose delivery began, oldest first."""
        ...

    def with_attempts(self, numbers: Sequence[int]) -> list[tuple[Execution, list[Attempt]]]:
        """Those that are still there, in the order given, each with its attempts, oldest first."""
        ...

    def stories(self, executions: Sequence[Execution]) -> list[tuple[list[Attempt], list[Change]]]:
        """The attempts and the history of each of these, which were read just now; in the order given."""
        ...

    def same_key(
        self, execution: Execution, *, limit: int, of_experiences: bool = False
    ) -> Sequence[Execution]:
        """The others under a visitor's key, the newest first; none where the key is not the visitor's own.

        `of_experiences`: see `Filter`.
        """
        ...

    def find(
        self,
        filter: Filter,
        *,
        sort: Sort = Sort.NEWEST,
        cursor: str | None = None,
        limit: int = 50,
        most: int | None = None,
    ) -> Page:
        """List executions in this order. A cursor that is not one of it raises InvalidParameter.

        Where no index answers a filter, at most so many rows are walked through; None: all there are.
        """
        ...

    def count(self, filter: Filter) -> int:
        """How many executions a filter means: it may read every row."""
        ...

    def count_up_to(self, filter: Filter, most: int, *, walks: int) -> tuple[int, bool]:
        """At least how many a filter means, and whether that is all.

        No more than `most` are counted, and where no index answers the filter none beyond so many rows.
        """
        ...

    def pending_by_quarter(self, *, start: datetime, end: datetime) -> Sequence[tuple[str, int, int]]:
        """What is pending and due in [start, end): integration, quarter of an hour after `start`, count."""
        ...

    def overview(
        self, *, now: datetime, failed_since: datetime, next_limit: int, most: int | None = None
    ) -> Overview:
        """How everything stands. Of failures since then the last 10,000 are counted.

        Of each state and each integration no more than `most`; None: all.
        """
        ...

    def ended_by_hour(self, *, since: datetime, most: int) -> Sequence[Ended]:
        """How many succeeded and failed in each hour since then, the earliest first; of the last `most` ends.

        One that failed, was replayed and succeeded counts as both.
        """
        ...


class SchedulerStore(Executions, Changing, Protocol):
    """What the verbs need: schedule, cancel, convert, replay, execute."""

    @property
    def integration_states(self) -> IntegrationStates: ...

    @property
    def paces(self) -> Paces: ...

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

    def carry_out(self, acts: Sequence[Adding | Cancelling]) -> Sequence[Done]:
        """Add and cancel in this order, in one transaction; return what each would have returned.

        One that is refused comes back as its AlreadyScheduled, and the others stand.
        """
        ...

    def carry_out_all(self, acts: Sequence[Adding | Cancelling | ExperienceError]) -> Sequence[Done]:
        """The same of all that one request asks, with what was refused before in its place.

        Asked again under its Idempotency-Key after an interruption, each is told by its place what it came
        to, whatever it would come to now.
        """
        ...

    def key_pending_elsewhere(self, *, key_digest: bytes, key_owner: str) -> bool:
        """Tell whether another owner has a pending execution under this key."""
        ...

    def keys_pending(self, keys: Sequence[tuple[bytes, str]]) -> set[tuple[bytes, str]]:
        """Those of these (key_digest, key_owner) under which an execution is pending."""
        ...

    def awaits_conversion(self, visitor: str) -> bool:
        """Whether anything that pends or runs would be cancelled by a conversion of this person."""
        ...

    def convert(
        self, visitor: str, *, event: str, now: datetime, at: datetime | None = None, by_hand: bool = False
    ) -> list[str]:
        """Record a conversion and cancel, with reason `conversion`, every pending execution of this visitor,
        and of every other id of the same person, that asked for it; return their ids. One that runs is not
        tried again. What counts is the order in which things are stored, not their instants: a machine's
        clock may be put back. Only where its sender said that it happened earlier, `at`, is what was made
        after that left alone. `by_hand`: a person told it, and the audit has it."""
        ...

    def allow_execute(self, *, key_digest: bytes, key_owner: str, now: datetime, per_seconds: int) -> bool:
        """Take the one `execute` this key has per `per_seconds`; False when it was already taken."""
        ...


class DispatcherStore(Protocol):
    """What the delivery of due executions needs: claim, start, settle, give back."""

    @property
    def integration_states(self) -> IntegrationStates: ...

    @property
    def paces(self) -> Paces: ...

    def claim_due(
        self,
        *,
        now: datetime,
        lease_until: datetime,
        limit: int,
        policies: Policies = NO_POLICIES,
        hand_over: HandOver | None = None,
        ahead_until: datetime | None = None,
    ) -> list[Execution]:
        """Lease up to `limit` pending rows with due_at <= now and no lease, earliest first.

        Of each integration at most what its state and policy have room for, of each receiver what its pace
        and its allowance have; a rate and a pace are spent. Where not all can be taken, those of receivers
        with the least in flight are. One that its pace has held too long is taken too, and spends nothing.
        Each gets attempt + 1 and stays pending. Returned as they are after the claim. `hand_over` is called
        with them inside the transaction: what it stores is stored with the claim, or not at all.
        `ahead_until`: all that is due by then too, where no state, rate, pace or limit may hold any back.
        """
        ...

    def claimed(self, claimed: Collection[tuple[int, int]]) -> list[Execution]:
        """Those of these (number, attempt) that are still claimed and pending under this attempt number."""
        ...

    def attempts(self, number: int) -> list[Attempt]:
        """Every attempt whose delivery began, oldest first."""
        ...

    def plan_again(
        self, zone_rules: str, due_of: Callable[[Execution], datetime]
    ) -> Iterator[list[Execution]]:
        """Let what waits for a window, and was planned by other rules of the zones, be due at `due_of` it.

        A step is a batch, and gives those of it that are due at another instant now. What is leased is left
        to its start.
        """
        ...

    def in_flight(self, policies: Policies = NO_POLICIES) -> int:
        """How many of the integrations that are meant are leased."""
        ...

    def unclaim_all(self, claimed: Collection[tuple[int, int]]) -> None:
        """Give claimed, still pending rows (number, attempt) back, due when they were."""
        ...

    def postpone_all(self, claimed: Collection[tuple[int, int, datetime]]) -> set[int]:
        """Give claimed, still pending rows (number, attempt, due_at) back, to be due then; return the numbers
        of those that were."""
        ...

    def start_all(
        self,
        claimed: Collection[tuple[int, int]],
        *,
        now: datetime,
        lease_until: datetime,
        at: Mapping[tuple[int, int], datetime] | None = None,
    ) -> set[tuple[int, int]]:
        """pending -> running, begun + 1, an Attempt row, the lease renewed, for each (number, attempt).

        `at`: when each starts, where that is not now.
        Returned are those it happened to. The others are as they were: no longer pending under this attempt
        number (cancelled, converted, or claimed by somebody else), or their integration is paused.
        """
        ...

    def settle_all(self, settlings: Sequence[Settling]) -> Sequence[Execution | None]:
        """running -> succeeded | failed | pending (retry), the lease dropped, the Attempt row ended.

        Comes back in the same order: each row as it is now, or None when it is not running under this attempt
        number (a stale worker settles nothing). A retry whose key has meanwhile been scheduled again ends as
        cancelled with reason `replaced`: two of one key never wait together. One that asked for it ends as
        cancelled with reason `conversion` when one was recorded while it ran.
        """
        ...

    def renew(self, held: Collection[tuple[int, int]], *, lease_until: datetime) -> None:
        """Extend the leases of these (number, attempt); nothing for one that has moved on."""
        ...

    def give_back(
        self, *, now: datetime, everything: bool = False, retry_at: RetryAt | None = None
    ) -> list[Execution]:
        """Return lapsed leases (lease_until <= now) to the waiting room.

        With `everything`, leases that still run too, except those of running rows that may not be retried:
        such a row may be another process's `execute`. A claimed row is pending without a lease again. A
        running row: its Attempt ends as `lost`; then pending when begun <= retries, due at `retry_at` of it
        (without that, when it was), else failed. Same key rule as `settle_all`. Returns the rows changed, as
        they are now.
        """
        ...

    def next_wake(self, *, now: datetime, policies: Policies = NO_POLICIES) -> datetime | None:
        """The earliest instant at which claim_due or give_back may find something; None for never.

        What waits for the end of something in flight, or for a person, has no instant.
        """
        ...


class Visitors(Protocol):
    """Who is known."""

    def visitor(self, visitor_id: str) -> Visitor | None:
        """The last known fields of a visitor."""
        ...

    def remember_visitor(self, visitor: Visitor, *, now: datetime) -> None:
        """Keep the fields that are not None; the others stay as they were. A new zone drops the old
        offset and the other way round. An anonymous visitor is not kept."""
        ...

    def remember_visitors(self, visitors: Sequence[Visitor], *, now: datetime) -> None:
        """The same of several, in one transaction."""
        ...

    def identify(self, visitor: str, person: str, *, now: datetime, by_hand: bool = False) -> list[str]:
        """Make two ids, and all that are one person with either, one person from now on; return its ids.

        A person of unknown zone gets the visitor's. Conflict when it would have more than 100 ids. `by_hand`:
        as for `convert`.
        """
        ...

    def ids_of_person(self, visitor: str) -> list[str]:
        """Every id of the person that has this one, in order; at least this one."""
        ...


class Store(SchedulerStore, DispatcherStore, Visitors, StoreParts, Protocol):
    """The waiting room and its history. Every method is one transaction, on disk when it returns.

    Methods may be called from any thread. A change to a row that is not in the expected state changes
    nothing and says so. Every state change adds one history row, and every change by hand one entry of the
    audit.
    """

    def close(self) -> None: ...
