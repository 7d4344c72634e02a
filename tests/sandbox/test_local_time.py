"""Local time in a guest is what it is in browsers: every hour around every change, compared with node."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from experience_runtime.domain.offset_table import FIRST_YEAR, LAST_YEAR, offset_table
from experience_runtime.domain.visitors import Visitor
from experience_runtime.domain.zones import iana_zone

from tests.conftest import Lab
from tests.support.needs import lacking

PROGRAM = (Path(__file__).parent / "local_time.js").read_text(encoding="utf-8")
ZONES = (
    "America/New_York",
    "America/Los_Angeles",
    "America/St_Johns",  # half an hour off the hour
    "America/Santiago",  # changes at midnight, and southern
    "Europe/London",
    "Europe/Paris",
    "Africa/Cairo",  # changes at midnight
    "Africa/Casablanca",  # a month without summer time, by the moon
    "Asia/Jerusalem",
    "Australia/Sydney",
    "Australia/Lord_Howe",  # summer time is half an hour
    "Pacific/Chatham",  # a quarter of an hour off the hour
)
COMPARED = (datetime(2025, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
# Morocco gave up its summer time on 20 September 2026, which the rules of an older node do not know.
LAST_COMPARED = {"Africa/Casablanca": datetime(2026, 9, 1, tzinfo=UTC)}


def changes(zone: str) -> list[int]:
    """The changes of the compared years, in Unix milliseconds."""
    ends_at = LAST_COMPARED.get(zone, COMPARED[1])
    first, last = (int(at.timestamp() * 1000) for at in (COMPARED[0], ends_at))
    return [
        minutes * 60_000
        for minutes in offset_table(iana_zone(zone))[1::2]
        if first <= minutes * 60_000 < last
    ]


def told_by_node(zone: str, moments: Sequence[int]) -> list[str]:
    node = shutil.which("node")
    if node is None:
        lacking("node is not here to compare with: apt-get install nodejs")
    done = subprocess.run(
        [node, "-e", f"{PROGRAM}\nconsole.log(JSON.stringify(told({json.dumps(moments)})))"],
        env={"TZ": zone, "PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
    )
    lines = json.loads(done.stdout)
    assert isinstance(lines, list)
    return lines


def told_by_guest(lab: Lab, zone: str, moments: Sequence[int]) -> list[str]:
    lines: list[str] = []
    for moment in moments:  # a turn each: the CPU limit is a turn's
        text = f"{PROGRAM}\nmodule.exports = o => told([{moment}]).forEach(line => o.log.info(line))"
        report = lab.run(text, visitor=Visitor(id="ada", timezone=zone))
        assert report.outcome == "ran", report.error
        lines += [line["message"] for line in report.log]
    return lines


@pytest.mark.parametrize("zone", ZONES)
def test_local_time_is_what_node_says(lab: Lab, zone: str) -> None:
    moments = changes(zone)
    assert len(moments) >= 4

    expected = told_by_node(zone, moments)

    got = told_by_guest(lab, zone, moments)
    assert len(got) == len(expected) == 97 * len(moments)
    assert [pair for pair in zip(expected, got, strict=True) if pair[0] != pair[1]][:3] == []


def test_the_tables_name_their_years() -> None:
    assert (FIRST_YEAR, LAST_YEAR) == (1990, 2069)
