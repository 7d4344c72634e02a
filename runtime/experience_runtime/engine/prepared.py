"""Calls of the verbs: prepared, when they have passed every rule and wait for the disk; and what they did."""

from dataclasses import dataclass
from datetime import datetime

from experience_runtime.domain.executions import Execution
from experience_runtime.domain.keys import key_digest
from experience_runtime.domain.planning import Plan
from experience_runtime.domain.visitors import Visitor, check_visitor_id
from experience_runtime.domain.zones import Zone, rules_version
from experience_runtime.engine.stores import Cancelling


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A payload that has passed the rules of its integration, as it is stored; `at` is when it was asked.

    `retries`: how often it may be tried again.
    """

    integration: str
    payload: str
    pace_key: str
    retries: int
    at: datetime


def new_execution(wanted: Wanted, number: int, zone: tuple[Zone, str]) -> Execution:
    """The row of what is wanted, due at once until more is said; `zone`, and where it is from."""
    return Execution(
        number=number,
        integration=wanted.integration,
        payload=wanted.payload,
        created_at=wanted.at,
        requested_at=wanted.at,
        due_at=wanted.at,
        zone=zone[0].name,
        zone_from=zone[1],
        zone_rules=rules_version(),
        pace_key=wanted.pace_key,
    )


def planned_execution(
    wanted: Wanted,
    planned: Plan,
    number: int,
    *,
    owner: str | None,
    key_owner: str,
    key_space: str,
    experience: str | None,
    release: int | None,
    site: str | None,
) -> Execution:
    """The row of what is wanted, as it is planned; `owner` is the visitor it is for."""
    return Execution(
        number=number,
        integration=wanted.integration,
        payload=wanted.payload,
        created_at=wanted.at,
        requested_at=planned.requested_at,
        due_at=planned.due_at,
        zone=planned.zone.name,
        zone_from=planned.zone_from,
        zone_rules=rules_version(),
        pace_key=wanted.pace_key,
        experience=experience,
        release=release,
        visitor=owner,
        key=planned.key,
        key_digest=None if planned.key is None else key_digest(key_space, planned.key),
        key_owner=key_owner,
        asked=planned.asked,
        window=None if planned.window is None else planned.window.text,
        cancel_on_conversion=planned.cancel_on_conversion,
        retries=wanted.retries,
        site=site,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedSchedule:
    """A `schedule` that has passed every rule, and is not on disk yet. `key_space`: where its key counts."""

    execution: Execution
    plan: Plan
    key_space: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCancel:
    """A `cancel` that has passed every rule, and is not on disk yet."""

    cancelling: Cancelling
    key_space: str
    key: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """What `schedule` did; `warnings` and `notes` are lines for the author's log, at `warn` and `info`.

    With `is_new` false, the execution is the one that was pending under the key already.
    """

    execution: Execution
    is_new: bool
    replaced: str | None
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """What `cancel` did. `elsewhere`: nothing here, but another visitor has one pending under this key.
    `doubt`: what is pending in its place, perhaps."""

    ids: tuple[str, ...]
    elsewhere: bool
    doubt: str | None = None
    warnings: tuple[str, ...] = ()


def owner_id(visitor: Visitor | None) -> str | None:
    """Whose an execution is; None for nobody's."""
    return None if visitor is None or visitor.id is None else check_visitor_id(visitor.id)
