"""Replacing a schedule: what stays of the one before, and what is said to whom somebody was quicker than."""

import json
from collections.abc import Mapping
from dataclasses import replace

from experience_runtime.documents.documents import Shown, schedule_differences
from experience_runtime.domain.errors import Conflict
from experience_runtime.domain.recurrences import Every, parse_recurrence
from experience_runtime.domain.schedules import Schedule, Timing
from experience_runtime.domain.values import shown as spelled

_OURS = ("integration", "recurrence", "timezone", "window", "payload", "skip", "catch_up")
"""What somebody sets of a schedule."""


def require_version(expected: int, before: Schedule | None, wanted: Schedule, *, shown: Shown) -> None:
    """Raise Conflict, with both values of what differs, when `before` is not the version that was read."""
    if before is None:
        raise Conflict(
            f"the schedule {wanted.name} was removed since you read it; restore it, or save a new one"
        )
    if before.version == expected:
        return
    theirs, yours = schedule_differences(before, wanted, shown=shown)
    both = [
        f"{name} is {spelled(theirs[name])} now, and yours is {spelled(yours[name])}"
        for name in yours
        if name in _OURS
    ]
    raise Conflict(
        f"the schedule {wanted.name} was changed since you read it (version {expected}, now "
        f"{before.version}): "
        + ("; ".join(both) or "it is what you want already")
        + ". Nothing was saved: look at both, and save again what is meant"
    )


def replacing(before: Schedule, schedule: Schedule) -> Schedule:
    """What stays of the one before: its birth, its pause, and its next instant when nothing moved it."""

    def timing(of: Schedule) -> tuple[object, ...]:
        return of.recurrence, of.zone, of.window, of.skip

    next_at = before.next_at if timing(before) == timing(schedule) else schedule.next_at
    return replace(
        schedule,
        created_at=before.created_at,
        paused_at=before.paused_at,
        next_at=None if before.paused_at else next_at or schedule.next_at,
        last=before.last,
        version=before.version + 1,
    )


def anchored_as(before: Schedule | None, timing: Timing, options: Mapping[str, object]) -> Timing:
    """Keep counting from the old anchor: saved again at every deployment, `every` would never come."""
    recurrence = timing.recurrence
    if before is None or options.get("starting") is not None or not isinstance(recurrence, Every):
        return timing
    stored = json.loads(before.recurrence)
    if stored.get("every") != recurrence.document["every"]:
        return timing
    return replace(timing, recurrence=parse_recurrence(stored, timing.zone, now=before.updated_at))


def changed_meanwhile(name: str) -> Conflict:
    return Conflict(f"the schedule {name} was changed by somebody else at the same time; try again")
