"""The words of a filter: the same everywhere, read by a zone's clock, and refused where they are none."""

from dataclasses import fields
from datetime import UTC, date, datetime

import pytest
from experience_runtime.cli.executions import executions
from experience_runtime.domain.errors import InvalidParameter, InvalidTime
from experience_runtime.domain.executions import Filter, Status
from experience_runtime.domain.filters import NAMES, TABLE, read_filter, read_sort
from experience_runtime.domain.moments import day_bounds, read_day, read_moment
from experience_runtime.domain.zones import parse_zone
from experience_runtime.web.api.executions import Wanted as ApiWanted
from experience_runtime.web.pages.wanted import Wanted, read_query

NOW = datetime(2026, 3, 29, 10, 30, tzinfo=UTC)  # in Paris the clock was put forward in the night before
PARIS = parse_zone("Europe/Paris")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def test_every_face_takes_the_words_of_the_table() -> None:
    assert {each.of for each in TABLE} == {each.name for each in fields(Filter)} - {"of_experiences"}
    assert set(ApiWanted.model_fields) == {*NAMES, "zone"}
    words = {"--because" if name == "reason" else "--" + name.replace("_", "-") for name in NAMES}
    for verb in ("list", "cancel", "replay"):
        command = executions.commands[verb]
        assert {*words, "--zone"} <= {flag for each in command.params for flag in each.opts}
    assert Wanted([(name, "failed") for name in NAMES]).query.count("=failed") == len(NAMES)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-03-29T12:00:00Z", utc(2026, 3, 29, 12)),
        ("2026-03-29T12:00", utc(2026, 3, 29, 10)),
        ("2026-03-29T12:00:00.250", utc(2026, 3, 29, 10, 0, 0, 250_000)),
        ("2026-03-29T12:00-05:00", utc(2026, 3, 29, 17)),
        ("2026-03-29", utc(2026, 3, 28, 23)),
        ("2026-03-29T02:30", utc(2026, 3, 29, 1)),  # jumped over
        ("now", NOW),
        ("noon", utc(2026, 3, 29, 10)),
        (" 9:00 ", utc(2026, 3, 29, 7)),
        ("today", utc(2026, 3, 28, 23)),
        ("Yesterday 9:00", utc(2026, 3, 28, 8)),
        ("tomorrow noon", utc(2026, 3, 30, 10)),
    ],
)
def test_a_moment_without_an_offset_is_by_the_zones_clock(text: str, at: datetime) -> None:
    assert read_moment(text, zone=PARIS, now=NOW) == at


@pytest.mark.parametrize(
    "text", ["", "soon", "24:00", "12", "0001-01-01", "tomorrow2026-01-01", "1774773000000"]
)
def test_what_is_no_moment_is_refused_with_its_word(text: str) -> None:
    with pytest.raises(InvalidTime, match=r"^failed_since: "):
        read_filter({"failed_since": text}, zone="Asia/Tokyo", now=NOW)


def test_a_day_is_one_of_the_zones_calendar() -> None:
    assert read_day("today", zone=parse_zone("Pacific/Kiritimati"), now=NOW) == date(2026, 3, 30)
    start, end = day_bounds(read_day("2026-03-29", zone=PARIS, now=NOW), PARIS)
    assert (end - start).total_seconds() == 23 * 3600
    for wrong in ("2026-02-30", "20260329", "monday", "0000-01-01"):
        with pytest.raises(InvalidTime, match="is not a day"):
            read_day(wrong, zone=PARIS, now=NOW)


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("failed_sinc=noon", "did you mean failed_since"),
        ("because=x", "there are status, "),
        ("status=completed", "is not a state"),
        ("sort=newest&zone=Europe/Pariss&since=noon", "Europe/Paris"),
    ],
)
def test_a_page_refuses_what_it_does_not_know(query: str, hint: str) -> None:
    with pytest.raises(InvalidParameter, match=hint):
        read_query(query).filter(now=NOW)


def test_an_order_there_is_not_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="newest or due"):
        read_sort("oldest")


def test_a_filter_is_the_same_in_its_address_and_in_words() -> None:
    wanted = read_query(
        "status=failed&status=cancelled&visitor=a%26b%3Dc&reason=conversion&failed_since=noon&zone=Asia%2FTokyo&cursor=x"
    )

    assert wanted.query == (
        "status=failed&status=cancelled&visitor=a%26b%3Dc&reason=conversion&failed_since=noon&zone=Asia%2FTokyo"
    )
    assert wanted.filter(now=NOW) == Filter(
        statuses=(Status.FAILED, Status.CANCELLED),
        visitor="a&b=c",
        reason="conversion",
        failed_from=datetime(2026, 3, 29, 3, tzinfo=UTC),
    )
    assert wanted.words == (
        "failed or cancelled, for visitor a&b=c, because of conversion, failed since noon (Asia/Tokyo)"
    )
