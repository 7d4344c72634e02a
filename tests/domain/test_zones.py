"""Zones. Source: reference/schedule-options#windowtimezoneoffset."""

import re
import zoneinfo
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from experience_runtime.domain import zones
from experience_runtime.domain.errors import InvalidWindow
from experience_runtime.domain.zones import UTC as UTC_ZONE
from experience_runtime.domain.zones import fixed_zone, iana_zone, iso_local, parse_zone
from hypothesis import given
from hypothesis import strategies as st

YEAR_2025 = datetime(2025, 1, 1, tzinfo=UTC)
WINTER = datetime(2026, 3, 4, 10, 30, 15, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minutes_behind", "name", "ahead_minutes"),
    [
        (-60, "UTC+01:00", 60),
        (300, "UTC-05:00", -300),
        (0, "UTC+00:00", 0),
        (-0.0, "UTC+00:00", 0),
        (60.0, "UTC-01:00", -60),
        (-345, "UTC+05:45", 345),
        (-840, "UTC+14:00", 840),
        (840, "UTC-14:00", -840),
    ],
)
def test_an_offset_counts_minutes_behind_utc(minutes_behind: object, name: str, ahead_minutes: int) -> None:
    zone = fixed_zone(minutes_behind)

    assert zone.name == name
    assert zone.offset_at(WINTER) == timedelta(minutes=ahead_minutes)
    assert parse_zone(name) == zone


@pytest.mark.parametrize(
    "value", [True, 841, -841, 1.5, "60", None, float("nan"), float("inf"), 10**4000, [60]]
)
def test_an_offset_that_is_not_whole_minutes_within_14_hours_is_refused(value: object) -> None:
    fixed_zone(1)  # so that a cache that took true for 1 would show

    with pytest.raises(InvalidWindow, match="-840 to 840"):
        fixed_zone(value)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Europe/Pariss", "Europe/Paris"),
        ("europe/paris", "Europe/Paris"),
        ("Paris", "Europe/Paris"),
        ("new york", "America/New_York"),
        ("America/New York", "America/New_York"),
        ("utc", "UTC"),
        ("Z", "UTC"),
        ("CEST", "Europe/Paris"),
        ("pdt", "America/Los_Angeles"),
        ("AEST", "Australia/Sydney"),
    ],
)
def test_a_mistyped_name_is_refused_with_the_one_meant(name: str, meant: str) -> None:
    with pytest.raises(InvalidWindow, match=f'did you mean "{meant}"'):
        iana_zone(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../../../etc/passwd",
        "Europe",
        "Europe/",
        "posixrules",
        "Europe/Paris\0",
        "\ud800",
        "UTC+1",
    ],
)
def test_a_name_outside_the_list_is_refused(name: str) -> None:
    with pytest.raises(InvalidWindow) as caught:
        iana_zone(name)

    assert caught.value.message.isprintable()


@pytest.mark.parametrize("name", [None, 5, True, ["Europe/Paris"], b"Europe/Paris"])
def test_a_name_that_is_no_text_is_refused(name: object) -> None:
    with pytest.raises(InvalidWindow, match="not a string"):
        iana_zone(name)


@pytest.mark.parametrize("name", ["Europe/Paris", "UTC", "Asia/Calcutta", "Antarctica/Troll", "UTC-03:30"])
def test_a_stored_spelling_reads_back(name: str) -> None:
    assert parse_zone(name).name == name


@pytest.mark.parametrize("text", ["UTC+15:00", "UTC+1:00", "UTC+01:00 ", "utc+01:00"])
def test_a_spelling_that_is_never_stored_does_not_read_back(text: str) -> None:
    with pytest.raises(InvalidWindow):
        parse_zone(text)


def test_utc_is_one_zone_however_it_is_made() -> None:
    assert iana_zone("UTC") == UTC_ZONE
    assert iana_zone("UTC") != fixed_zone(0)


def test_a_local_instant_is_spelled_with_its_offset() -> None:
    assert iso_local(WINTER, fixed_zone(-60)) == "2026-03-04T11:30:15.250+01:00"
    assert iso_local(WINTER, iana_zone("America/New_York")) == "2026-03-04T05:30:15.250-05:00"
    assert iso_local(WINTER, UTC_ZONE) == "2026-03-04T10:30:15.250+00:00"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("America/New_York", "2026-03-08T07:00:00+00:00"),
        ("America/New_York", "2026-11-01T06:00:00+00:00"),
        ("Australia/Lord_Howe", "2026-04-04T15:00:00+00:00"),  # half an hour
        ("Antarctica/Troll", "2026-03-29T01:00:00+00:00"),  # two hours
        ("Pacific/Apia", "2011-12-30T10:00:00+00:00"),  # a whole day skipped, at UTC midnight - 14 h
        ("Africa/Cairo", "2026-04-23T22:00:00+00:00"),
    ],
)
def test_the_next_change_is_found_to_the_second(name: str, change: str) -> None:
    zone, at = iana_zone(name), datetime.fromisoformat(change)
    before, after = at - timedelta(milliseconds=1), at + timedelta(days=9)

    assert zone.next_change(at - timedelta(days=9), after) == at
    assert zone.next_change(before, at) == at
    assert zone.next_change(at, after) is None
    assert zone.next_change(at - timedelta(days=9), before) is None


def test_a_change_at_midnight_utc_belongs_to_either_side_exactly_once() -> None:
    zone = iana_zone("Africa/Windhoek")
    at = datetime(2017, 4, 2, tzinfo=UTC)

    assert zone.next_change(at - timedelta(hours=1), at) == at
    assert zone.next_change(at - timedelta(days=3), at + timedelta(days=3)) == at
    assert zone.next_change(at, at + timedelta(days=3)) is None


def test_a_fixed_offset_never_changes() -> None:
    assert fixed_zone(-60).next_change(WINTER, WINTER + timedelta(days=365)) is None
    assert UTC_ZONE.next_change(WINTER, WINTER + timedelta(days=365)) is None


@given(
    name=st.sampled_from(["America/New_York", "Africa/Casablanca", "America/Santiago", "Europe/London"]),
    start=st.integers(0, 5 * 365 * 86_400_000).map(lambda ms: YEAR_2025 + timedelta(milliseconds=ms)),
    hours=st.integers(0, 15 * 24),
)
def test_there_is_a_change_exactly_where_hourly_steps_see_one(name: str, start: datetime, hours: int) -> None:
    zone, until = iana_zone(name), start + timedelta(hours=hours)
    offsets = [zone.offset_at(start + timedelta(hours=step)) for step in range(hours + 1)]

    change = zone.next_change(start, until)

    assert (change is not None) == (len(set(offsets)) > 1)
    if change is not None:
        assert start < change <= until
        assert zone.offset_at(change) != zone.offset_at(change - timedelta(milliseconds=1))


def test_the_pinned_rules_win_over_the_systems_own(tmp_path: Path) -> None:
    system = tmp_path / "America/Vancouver"
    system.parent.mkdir()
    with files("tzdata").joinpath("zoneinfo", "Asia", "Tokyo").open("rb") as tokyo:
        system.write_bytes(tokyo.read())  # a system whose files say something else
    before = zoneinfo.TZPATH
    zones._iana.cache_clear()
    zoneinfo.ZoneInfo.clear_cache()
    zoneinfo.reset_tzpath(to=[tmp_path])
    try:
        zone = iana_zone("America/Vancouver")
    finally:
        zoneinfo.reset_tzpath(to=before)
        zones._iana.cache_clear()

    assert zone.offset_at(datetime(2020, 1, 1, tzinfo=UTC)) == timedelta(hours=-8)


def test_the_release_of_the_rules_is_told() -> None:
    assert re.fullmatch(r"20[0-9]{2}[a-z]", zones.rules_version())


@pytest.mark.parametrize(
    ("name", "behind"),
    [
        ("UTC+2", -120),
        ("GMT+1", -60),
        ("GMT-5", 300),
        ("utc + 5:30", -330),
        ("+02:00", -120),
        ("-0800", 480),
        ("UTC+14", -840),
    ],
)
def test_an_offset_for_a_name_is_answered_by_the_offset(name: str, behind: int) -> None:
    with pytest.raises(InvalidWindow, match=f"as a fixed offset it is timezoneOffset: {behind};"):
        iana_zone(name)


@pytest.mark.parametrize("name", ["UTC+15", "GMT+1:75", "CESTT", "XST", "+", "", " "])
def test_nothing_by_its_sound_alone_is_suggested_that_is_another_clock(name: str) -> None:
    with pytest.raises(InvalidWindow, match='write one like "Europe/Paris"'):
        iana_zone(name)
