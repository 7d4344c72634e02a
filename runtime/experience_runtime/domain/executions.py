"""Executions: one integration call that waits, runs, and ends in a state that says why."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from experience_runtime.domain.errors import UnknownExecution

REPLACED = "replaced"
"""The reason of what was cancelled because another was scheduled under its key."""


class Status(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


TRANSITIONS: dict[Status | None, tuple[Status, ...]] = {
    None: (Status.PENDING, Status.RUNNING),  # running at birth: an `execute` call
    Status.PENDING: (Status.RUNNING, Status.CANCELLED, Status.PENDING),  # pending still: a person's move
    Status.RUNNING: (Status.SUCCEEDED, Status.FAILED, Status.PENDING),  # pending again: a retry
    Status.SUCCEEDED: (Status.PENDING,),  # a person's replay only
    Status.FAILED: (Status.PENDING,),  # a person's replay only
    Status.CANCELLED: (Status.PENDING,),  # a person's restoring only
}
"""Every state change there is. Source: reference/executions#states."""


LEASE_SECONDS = 120
"""How long a claim is its worker's. It is renewed at half its time while the call runs: a lease that lapses
belongs to a process that went away."""

SHARED_LEASE_SECONDS = 25
"""The same where several workers deliver: others take over within 30 s what one that died had claimed."""


class IfExists(StrEnum):
    """What `schedule` does when the same key is already pending.

    Source: reference/schedule-options#ifexists.
    """

    REPLACE = "replace"
    KEEP = "keep"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One row of the waiting room.

    `key` and `payload` are JSON texts. `key_owner` is the visitor the key belongs to, or "" when the
    key is one for the whole property. `attempt` counts claims and is the fencing token; `begun` counts
    the attempts whose delivery began, the only ones that use up retries. `schedule` names the recurring
    schedule that fired it, if one did. `lease_until` is set from the claim until the execution settles.
    `pace_key` tells whose pace it keeps, "" for that of its integration; `held_at` is since when that pace
    kept it waiting, if it did. `zone_rules` is the release of the time zones' rules that `due_at` was planned
    by, "" where it was not kept.
    `site` is the name of the site's key it was scheduled with, if it was. `release` is the number of the
    experience's release that made it; None for files of a folder.
    """

    number: int
    integration: str
    payload: str
    created_at: datetime
    requested_at: datetime
    due_at: datetime
    zone: str
    zone_from: str
    zone_rules: str = ""
    site: str | None = None
    experience: str | None = None
    release: int | None = None
    visitor: str | None = None
    key: str | None = None
    key_digest: bytes | None = None
    key_owner: str = ""
    asked: str = ""
    window: str | None = None
    cancel_on_conversion: bool = False
    schedule: str | None = None
    pace_key: str = ""
    held_at: datetime | None = None
    retries: int = 5
    status: Status = Status.PENDING
    reason: str | None = None
    attempt: int = 0
    begun: int = 0
    lease_until: datetime | None = None

    @property
    def id(self) -> str:
        return execution_id(self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One state change, as the history keeps it; `actor` is who made it by hand, if anybody did.

    `payload_before`: the payload up to then, where another took its place.
    """

    at: datetime
    from_status: Status | None
    to_status: Status
    reason: str | None
    actor: str | None = None
    payload_before: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPayload:
    """What an execution is to be called with from now on, and whose pace it keeps then."""

    payload: str
    pace_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One delivery that began. `outcome` is null while it is in flight."""

    attempt: int
    started_at: datetime
    ended_at: datetime | None = None
    outcome: str | None = None  # "succeeded" | "failed" | "retry" | "held" | "lost"
    http_status: int | None = None
    error: str | None = None
    answer: str | None = None  # an excerpt of at most 4 KiB
    next_at: datetime | None = None  # when it was to be tried again
    next_because: str | None = None  # and why then


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How a running attempt ended: the state that follows, and what the attempt's row says.

    `due_at` is the next instant when `status` is pending (a retry), else None. `held`: it waits for its pace,
    keeps its instant, and has used up no retry. `because` says for people why it is tried again when it is.
    """

    status: Status
    reason: str | None = None
    due_at: datetime | None = None
    held: bool = False
    because: str | None = None
    http_status: int | None = None
    error: str | None = None
    answer: str | None = None

    @property
    def outcome(self) -> str:
        """How the attempt ended, as its row says it."""
        if self.status is not Status.PENDING:
            return self.status.value
        return "held" if self.held else "retry"


@dataclass(frozen=True, slots=True)
class Settling:
    """One running execution whose attempt ended at `now`."""

    number: int
    attempt: int
    settlement: Settlement
    now: datetime


class Sort(StrEnum):
    """The order of a list."""

    NEWEST = "newest"  # made last, first
    DUE = "due"  # due first, first


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which executions are meant; every field that is set must match.

    What ends in `_from` is inclusive, in `_until` not. `finished` and `failed` mean each end there was,
    also of what was replayed since. `text` is a part of the visitor's id, of another id of the same person,
    of the key, or of the execution's own id; `payload` one of its payload; in any case. `of_experiences`:
    only what an experience made.
    """

    statuses: Sequence[Status] = ()
    integration: str | None = None
    visitor: str | None = None
    experience: str | None = None
    schedule: str | None = None
    reason: str | None = None
    created_from: datetime | None = None
    created_until: datetime | None = None
    due_from: datetime | None = None
    due_until: datetime | None = None
    finished_from: datetime | None = None
    finished_until: datetime | None = None
    failed_from: datetime | None = None
    failed_until: datetime | None = None
    text: str | None = None
    payload: str | None = None
    of_experiences: bool = False


_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_DIGITS = 13  # 13 x 5 bits hold the 63 bits of a number
_ID = re.compile(f"ex_[{_ALPHABET}]{{{_DIGITS}}}")
_TO_PYTHONS = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")  # the digits that int() reads


@lru_cache(maxsize=4096)  # each is spelled some seven times on its way
def execution_id(number: int) -> str:
    """Spell an execution's number as people and integrations see it: `ex_` and 13 characters."""
    pairs = "".join([_PAIRS[(number >> shift) & 1023] for shift in (50, 40, 30, 20, 10, 0)])
    return f"ex_{_ALPHABET[(number >> 60) & 31]}{pairs}"


def id_part(text: str) -> tuple[int, int] | None:
    """The characters of an id that a text may be, as a number, and how many they are; None for any other.

    Fewer than six are too many ids' to mean one.
    """
    digits = text.lower().removeprefix("ex_")
    if not 6 <= len(digits) <= _DIGITS or any(each not in _ALPHABET for each in digits):
        return None
    return sum(_ALPHABET.index(each) << 5 * place for place, each in enumerate(reversed(digits))), len(digits)


def execution_number(text: str) -> int:
    """Read an id back. Anything that is not one raises UnknownExecution."""
    if not _ID.fullmatch(text):
        raise UnknownExecution(
            f"{text[:64]!r} is not an execution id; an id looks like {execution_id(0)} "
            "(`experience executions list` shows them)"
        )
    return int(text[3:].translate(_TO_PYTHONS), 32)
