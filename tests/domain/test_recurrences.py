"""Recurrences: how one is written and which instants it makes.

Source: reference/recurring-schedules#how-often.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.recurrences import parse_recurrence
from experience_runtime.domain.zones import UTC as UTC_ZONE
from experience_runtime.domain.zones import iana_zone

NOW = datetime(2026, 3, 6, 16, 30, 15, 250_000, tzinfo=UTC)  # a Friday, 17:30 in Paris
PARIS = iana_zone("Europe/Paris")


@pytest.mark.parametrize(
    ("options", "asked", "document"),
    [
        (
            {"every": "15 minutes"},
            "every 15 minutes",
            {"every": "15 minutes", "starting": "2026-03-06T16:30:00.000Z"},
        ),
        (
            {"every": "1h", "starting": "2026-03-01T09:00:00+01:00"},
            "every 1 hour",
            {"every": "1 hour", "starting": "2026-03-01T08:00:00.000Z"},
        ),
        (
            {"every": "60s"},
            "every 1 minute",
            {"every": "1 minute", "starting": "2026-03-06T16:30:00.000Z"},
        ),
        (
            {"every": "31 days"},
            "every 744 hours",
            {"every": "744 hours", "starting": "2026-03-06T16:30:00.000Z"},
        ),
        ({"daily": "09:00"}, "daily at 09:00", {"daily": "09:00"}),
        (
            {"weekly": "Friday, monday 23:59"},
            "weekly on monday,friday at 23:59",
            {"weekly": "monday,friday 23:59"},
        ),
        (
            {"weekly": "friday-monday 00:00"},
            "weekly on friday-monday at 00:00",
            {"weekly": "friday-monday 00:00"},
        ),
        ({"weekly": "sunday-saturday 09:00"}, "daily at 09:00", {"daily": "09:00"}),
        ({"cron": " 0  9 * * mon-fri "}, "cron 0 9 * * mon-fri", {"cron": "0 9 * * mon-fri"}),
    ],
)
def test_a_recurrence_is_said_stored_and_read_back(
    options: dict[str, Any], asked: str, document: dict[str, str]
) -> None:
    recurrence = parse_recurrence(options, PARIS, now=NOW)

    assert recurrence.asked == asked
    assert recurrence.document == document
    assert parse_recurrence(document, PARIS, now=NOW + timedelta(days=9)) == recurrence


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, ["does not say how often", 'daily: "09:00"']),
        ({"daily": "09:00", "cron": "0 9 * * *"}, ["daily and cron", "exactly one"]),
        ({"every": "5 s"}, ['"5 s"', "1 minute to 31 days"]),
        ({"every": "90 s"}, ['"90 s"', "whole minutes"]),
        ({"every": "150 s"}, ['"150 s"', 'like "2 minutes"']),
        ({"every": 15}, ["every 15", "15 minutes"]),
        ({"every": "0 minutes"}, ['"0 minutes"', "1 minute"]),
        ({"every": "32 days"}, ['"32 days"', "31 days"]),
        ({"every": "often"}, ['"often"', '"15 minutes"']),
        ({"every": ["15 minutes"]}, ["15 minutes"]),
        ({"every": "1 hour", "starting": "soon"}, ["starting", '"soon"', "2026-03-06"]),
        ({"every": "1 hour", "starting": 5}, ["starting 5", "2026-03-06"]),
        ({"every": "1 hour", "starting": "2026-02-30"}, ["starting", "does not exist"]),
        ({"daily": "09:00", "starting": "2026-03-06"}, ["goes with every, not with daily", "leave it out"]),
        ({"daily": "9:00"}, ['"9:00"', "HH:MM", '"09:00"']),
        ({"daily": "24:00"}, ['"24:00"', "23:59"]),
        ({"daily": 9}, ["daily 9", "HH:MM"]),
        ({"weekly": "monday"}, ['"monday"', "no time", "monday,friday 09:00"]),
        ({"weekly": "09:00"}, ["names no day", '"monday,friday 09:00"']),
        ({"weekly": "mon 09:00"}, ["weekly", '"mon"', 'did you mean "monday"']),
        ({"weekly": 5}, ["weekly 5", "monday,friday 09:00"]),
        ({"cron": "0 0 9 * * 1-5"}, ["6 fields", '"0 9 * * 1-5", without seconds']),
        ({"cron": "0 9 * *"}, ["4 fields", "day of the week"]),
        ({"cron": ""}, ["0 fields"]),
        ({"cron": "@daily"}, ["macro", '"0 0 * * *"']),
        ({"cron": "@reboot"}, ["macro", "0 9 * * 1-5"]),
        ({"cron": "61 9 * * *"}, ["Bad minute", "minute 0-59"]),
        ({"cron": "0 9 * * 8"}, ["Bad day-of-week", "0-7"]),
        ({"cron": "0 17-9 * * *"}, ["Bad hour"]),
        ({"cron": "*/0 9 * * *"}, ["Bad minute"]),
        ({"cron": "0 0 30 2 *"}, ["0 0 30 2", "never comes"]),
        ({"cron": "0 0 */31 * MON#2"}, ["never comes", "exclude each other"]),
        ({"cron": "\u0661 9 * * *"}, ["Bad minute"]),
        ({"cron": 5}, ["cron 5", "is not a string"]),
        ({"cron": "0," * 60 + "0 9 * * *"}, ["at most 100 characters"]),
    ],
)
def test_what_is_no_recurrence_is_refused_with_the_value_the_rule_and_the_fix(
    options: dict[str, Any], said: list[str]
) -> None:
    with pytest.raises(InvalidParameter) as caught:
        parse_recurrence(options, PARIS, now=NOW)

    assert [part for part in said if part not in caught.value.message] == []
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("options", "after", "instants"),
    [
        # counted from the anchor, on no clock at all
        ({"every": "40 minutes"}, NOW, ["2026-03-06T17:10Z", "2026-03-06T17:50Z", "2026-03-06T18:30Z"]),
        (
            {"every": "12 hours", "starting": "2026-03-28T09:00Z"},
            NOW,
            ["2026-03-28T09:00Z", "2026-03-28T21:00Z", "2026-03-29T09:00Z"],  # the clock changes on the 29th
        ),
        ({"every": "1 hour", "starting": "2020-01-01T00:20Z"}, NOW, ["2026-03-06T17:20Z"]),
        ({"every": "1 hour", "starting": "2026-03-07T09:20"}, NOW, ["2026-03-07T08:20Z"]),  # in the zone
        ({"every": "1 hour", "starting": "2026-03-08"}, NOW, ["2026-03-07T23:00Z"]),
        ({"daily": "17:30"}, NOW, ["2026-03-07T16:30Z", "2026-03-08T16:30Z"]),
        ({"daily": "17:31"}, NOW, ["2026-03-06T16:31Z"]),
        ({"weekly": "monday,friday 09:00"}, NOW, ["2026-03-09T08:00Z", "2026-03-13T08:00Z"]),
        ({"weekly": "friday 17:30"}, NOW, ["2026-03-13T16:30Z"]),
        ({"cron": "0 9 * * 1-5"}, NOW, ["2026-03-09T08:00Z", "2026-03-10T08:00Z"]),
        ({"cron": "*/20 * * * *"}, NOW, ["2026-03-06T16:40Z", "2026-03-06T17:00Z"]),
        ({"cron": "0 0 29 2 *"}, NOW, ["2028-02-28T23:00Z", "2032-02-28T23:00Z"]),
        ({"cron": "0 12 1 * MON#1"}, NOW, ["2026-04-01T10:00Z", "2026-04-06T10:00Z"]),  # either day will do
        ({"cron": "0 12 L * *"}, NOW, ["2026-03-31T10:00Z"]),
        ({"cron": "0 12 * * 7"}, NOW, ["2026-03-08T11:00Z"]),
    ],
)
def test_the_instants_follow_each_other(
    options: dict[str, Any], after: datetime, instants: list[str]
) -> None:
    recurrence = parse_recurrence(options, PARIS, now=NOW)

    found: list[datetime] = []
    for _ in instants:
        at = recurrence.next_after(found[-1] if found else after)
        assert at is not None
        found.append(at)

    assert found == [datetime.fromisoformat(text) for text in instants]


@pytest.mark.parametrize("options", [{"every": "15 minutes"}, {"daily": "09:00"}, {"cron": "0 9 * * *"}])
def test_an_instant_is_never_its_own_next(options: dict[str, Any]) -> None:
    recurrence = parse_recurrence(options, UTC_ZONE, now=NOW)
    first = recurrence.next_after(NOW)
    assert first is not None

    just_before = recurrence.next_after(first - timedelta(milliseconds=1))
    following = recurrence.next_after(first)

    assert just_before == first
    assert following is not None
    assert following > first
