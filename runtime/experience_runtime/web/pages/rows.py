"""Rows: the documents of executions with a few words for people."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from experience_runtime.domain.executions import Status
from experience_runtime.domain.zones import UTC, Zone
from experience_runtime.web.pages.timeline import Picture, Point, around_now
from experience_runtime.web.pages.wording import relative, utc_text

_ZONE_FROM = {
    "window": "the zone of its window or schedule",
    "visitor_zone": "the visitor's zone",
    "visitor_offset": "the visitor's offset from UTC",
    "default": "no zone is known",
}


def rows_of(documents: Sequence[Mapping[str, Any]], now: datetime, zone: Zone = UTC) -> list[dict[str, Any]]:
    """Rows of a table of executions, by a zone's clock."""
    return [row_of(each, now, zone) for each in documents]


def row_of(document: Mapping[str, Any], now: datetime, zone: Zone = UTC) -> dict[str, Any]:
    """One execution, with what may be done to it."""
    status = Status(document["status"])
    due_at = datetime.fromisoformat(document["due_at"])
    has_converted = document["cancel_on_conversion"] and document["reason"] == "conversion"
    return {
        **document,
        "zone_said": _ZONE_FROM.get(document["zone_from"], document["zone_from"]),
        "relative": relative(due_at, now),
        "clock": None if zone is UTC else zone.name,
        "due_clock": f"{zone.local(due_at):%Y-%m-%d %H:%M:%S}",
        "can_cancel": status is Status.PENDING,
        "can_replay": status in (Status.FAILED, Status.SUCCEEDED),
        "can_restore": status is Status.CANCELLED and due_at > now and not has_converted,
    }


def picture_of(documents: Sequence[Mapping[str, Any]], now: datetime) -> Picture:
    """The picture over a table of executions."""
    points = []
    for each in documents:
        due_at = datetime.fromisoformat(each["due_at"])
        whom = f" for {each['visitor']}" if each["visitor"] else ""
        title = f"{utc_text(due_at)} UTC {each['status']}: {each['integration']}{whom}"
        points.append(Point(at=due_at, status=Status(each["status"]), title=title))
    return around_now(points, now)


def attempts_of(attempts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Attempts with how long each took."""
    return [{**each, "number": number, "took": _took(each)} for number, each in enumerate(attempts, 1)]


def _took(attempt: Mapping[str, Any]) -> str | None:
    if attempt["ended_at"] is None:
        return None
    took = datetime.fromisoformat(attempt["ended_at"]) - datetime.fromisoformat(attempt["at"])
    return f"{took.total_seconds():.3f} s"
