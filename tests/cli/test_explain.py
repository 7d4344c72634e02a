"""experience explain: the instant and its reasons, for a request that is never stored."""

from datetime import datetime

import pytest

from .conftest import CommandLine

AT = ("--at", "2026-03-06T17:10:00Z")  # a Friday, 18:10 at UTC+1


def test_digits_only_are_unix_milliseconds(cli: CommandLine) -> None:
    as_number = cli.json("explain", "--time", "1772900000000", *AT)
    as_text = cli.json("explain", "--time", "2026-03-07T16:13:20.000Z", *AT)

    assert as_number["requested_at"] == as_text["requested_at"] == "2026-03-07T16:13:20.000Z"
    assert "1772900000000" in as_number["why"][0]


@pytest.mark.parametrize("digits", ["1772900000", "9" * 23])
def test_digits_that_are_no_unix_milliseconds_are_refused_as_a_number(cli: CommandLine, digits: str) -> None:
    refusal = cli("explain", "--time", digits, *AT, "--json").refusal

    assert refusal["code"] in ("invalid_time", "beyond_limit")
    assert f'"{digits}"' not in refusal["message"]  # a number has no quotes


@pytest.mark.parametrize(
    ("zone", "due_at", "due_local", "name", "zone_from"),
    [
        (
            ["--timezone-offset", "-60"],
            "2026-03-09T08:00:00.000Z",
            "2026-03-09T09:00:00.000+01:00",
            "UTC+01:00",
            "visitor_offset",
        ),
        (
            ["--timezone-offset", "0"],
            "2026-03-09T09:00:00.000Z",
            "2026-03-09T09:00:00.000+00:00",
            "UTC+00:00",
            "visitor_offset",
        ),
        (
            ["--timezone", "America/New_York"],  # 13:10 there: inside
            "2026-03-06T18:10:00.000Z",
            "2026-03-06T13:10:00.000-05:00",
            "America/New_York",
            "visitor_zone",
        ),
        ([], "2026-03-09T09:00:00.000Z", "2026-03-09T09:00:00.000+00:00", "UTC", "default"),
    ],
)
def test_the_zone_is_the_visitors(
    cli: CommandLine, zone: list[str], due_at: str, due_local: str, name: str, zone_from: str
) -> None:
    window = ("--window-day", "monday-friday", "--window-time", "09:00-17:00")

    plan = cli.json("explain", "--delay", "1h", *window, *zone, *AT)

    assert plan["requested_at"] == "2026-03-06T18:10:00.000Z"
    assert (plan["due_at"], plan["due_local"]) == (due_at, due_local)
    assert (plan["zone"], plan["zone_from"]) == (name, zone_from)


def test_exactly_thirty_days_pass_and_one_millisecond_more_does_not(cli: CommandLine) -> None:
    assert cli.json("explain", "--delay", "2592000000", *AT)["due_at"] == "2026-04-05T17:10:00.000Z"
    assert cli("explain", "--delay", "2592000001", *AT, "--json").refusal["code"] == "beyond_limit"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], "no_delay_or_time"),
        (["--delay", "1h", "--time", "2026-03-07T00:00:00Z"], "delay_and_time"),
        (["--delay", "1 month"], "invalid_delay"),
        (["--delay", ""], "invalid_delay"),
        (["--delay", "-1h"], "invalid_delay"),
        (["--delay", "1h", "--window-day", "someday"], "invalid_window"),
        (["--delay", "1h", "--window-time", "25:00-26:00"], "invalid_window"),
        (["--delay", "1h", "--timezone", "EST5EDT/../../etc/passwd"], "invalid_window"),
        (["--time", "2026-03-06T17:08:59Z"], "in_the_past"),
        (["--time", "2026-02-30T00:00:00Z"], "invalid_time"),
    ],
)
def test_a_refusal_is_a_document_and_exit_code_2(cli: CommandLine, words: list[str], code: str) -> None:
    said = cli("explain", *words, *AT, "--json")

    assert said.refusal["code"] == code
    assert said.err.startswith(f"{code}: ")
    assert cli("explain", *words, *AT).out == ""


def test_without_at_it_is_asked_now(cli: CommandLine) -> None:
    plan = cli.json("explain", "--delay", "0")

    assert datetime.fromisoformat(plan["due_at"]).year >= 2025
    assert plan["requested_at"] == plan["due_at"]
