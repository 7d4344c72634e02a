"""Explain: why an execution runs at this instant."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from experience_runtime.documents.why import why, why_execution
from experience_runtime.domain.executions import Execution, Status
from experience_runtime.domain.windows import parse_window
from experience_runtime.domain.zones import UTC as UTC_ZONE
from experience_runtime.domain.zones import iana_zone

NEW_YORK = iana_zone("America/New_York")
CREATED = datetime(2026, 3, 6, 20, 10, tzinfo=UTC)  # a Friday, 15:10 in New York
REQUESTED = CREATED + timedelta(hours=3)
OPENING = datetime(2026, 3, 9, 13, tzinfo=UTC)  # Monday 09:00, after the clocks went forward
WAITING = Execution(
    number=1,
    integration="slack-update",
    payload="{}",
    created_at=CREATED,
    requested_at=REQUESTED,
    due_at=OPENING,
    zone="America/New_York",
    zone_from="visitor_zone",
    asked='delay "3 hours"',
    window="monday-friday 09:00-17:00",
)
ASKED = (
    'asked for delay "3 hours" at 2026-03-06T20:10:00.000Z: '
    "2026-03-06T23:10:00.000Z (Friday 18:10, America/New_York)"
)
MOVED = (
    "moved by the window monday-friday 09:00-17:00 (America/New_York, the visitor's zone): "
    "Friday 18:10 is outside; the next opening is Monday 2026-03-09 09:00"
)


def test_a_request_outside_its_window_tells_the_next_opening() -> None:
    assert why_execution(WAITING) == [ASKED, MOVED]


def test_a_request_inside_its_window_says_so() -> None:
    sentences = why(
        created_at=CREATED,
        requested_at=REQUESTED,
        due_at=REQUESTED,
        asked='delay "3 hours"',
        window=parse_window("friday", "18:00-19:00", NEW_YORK),
        zone=NEW_YORK,
        zone_from="window",
    )

    assert sentences == [
        ASKED,
        "inside the window friday 18:00-19:00 (America/New_York, the window's own zone)",
    ]


def test_a_request_without_a_window_needs_one_sentence() -> None:
    assert why_execution(replace(WAITING, window=None, due_at=REQUESTED)) == [ASKED]


def test_a_request_nobody_worded_only_has_its_instant() -> None:
    at_once = replace(WAITING, asked="", window=None, requested_at=CREATED, due_at=CREATED)

    assert why_execution(at_once) == [
        "asked to run at 2026-03-06T20:10:00.000Z (Friday 15:10, America/New_York)"
    ]


def test_a_time_just_past_runs_as_soon_as_it_may() -> None:
    sentences = why(
        created_at=CREATED,
        requested_at=CREATED - timedelta(seconds=30),
        due_at=CREATED,
        asked='time "2026-03-06T20:09:30Z"',
        window=None,
        zone=UTC_ZONE,
        zone_from="default",
    )

    assert sentences[1:] == ["that is within the last 60 s, so it runs as soon as it may"]


def test_a_retry_tells_its_new_instant_the_attempts_and_the_reason() -> None:
    later = OPENING + timedelta(minutes=4)

    sentences = why_execution(replace(WAITING, due_at=later, begun=1, reason="the receiver answered 503"))

    assert sentences == [
        ASKED,
        MOVED,
        "moved since: due at 2026-03-09T13:04:00.000Z (Monday 2026-03-09 09:04, America/New_York)",
        "waits for another try after 1 attempt: the receiver answered 503",
    ]


def test_an_end_is_told_with_its_reason() -> None:
    cancelled = replace(WAITING, status=Status.CANCELLED, reason="conversion")
    failed = replace(WAITING, status=Status.FAILED, begun=6, reason="timed\nout")
    unexplained = replace(WAITING, status=Status.CANCELLED)

    assert why_execution(cancelled)[-1] == "cancelled: conversion"
    assert why_execution(failed)[-1] == "failed after 6 attempts: timed\\nout"
    assert why_execution(unexplained)[-1] == "cancelled"
    assert why_execution(replace(WAITING, status=Status.SUCCEEDED, begun=1)) == [ASKED, MOVED]
