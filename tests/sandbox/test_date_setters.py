"""A Date set to what is no number is invalid, as in browsers: every setter compared with node."""

import json
import os
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from experience_runtime.domain.offset_table import FIRST_YEAR, LAST_YEAR
from experience_runtime.domain.visitors import Visitor
from experience_runtime.running.guest import Limits

from tests.conftest import Lab
from tests.support.needs import lacking

PROGRAM = (Path(__file__).parent / "date_setters.js").read_text(encoding="utf-8")


def told_by_node(zone: str) -> list[str]:
    node = shutil.which("node")
    if node is None:
        lacking("node is not installed: there is nothing to compare with")
    done = subprocess.run(
        [node, "-e", f"{PROGRAM}\nconsole.log(JSON.stringify(told()))"],
        env={"TZ": zone, "PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
    )
    lines = json.loads(done.stdout)
    assert isinstance(lines, list)
    return lines


def is_covered(line: str) -> bool:
    """Whether the date that was set is one that the tables of zones reach, or none."""
    time = line.split()[-1]
    years = (datetime(FIRST_YEAR, 1, 2, tzinfo=UTC), datetime(LAST_YEAR, 12, 30, tzinfo=UTC))
    return time == "NaN" or years[0].timestamp() * 1000 < int(time) < years[1].timestamp() * 1000


@pytest.mark.parametrize("zone", ["UTC", "Europe/Paris", "America/St_Johns"])
def test_every_setter_does_what_node_does(lab: Lab, zone: str) -> None:
    expected = told_by_node(zone)
    lab.limits = replace(Limits(), cpu_turn_seconds=4.0, cpu_run_seconds=4.0)

    text = f"{PROGRAM}\nmodule.exports = o => told().forEach(line => o.log.info(line))"
    report = lab.run(text, visitor=Visitor(id="ada", timezone=zone))

    assert report.outcome == "ran", report.error
    got = [line["message"] for line in report.log]
    assert len(got) == len(expected) > 2500
    compared = [pair for pair in zip(expected, got, strict=True) if zone == "UTC" or is_covered(pair[0])]
    assert len(compared) > 1500
    assert [pair for pair in compared if pair[0] != pair[1]] == []


def test_an_hour_that_is_missing_makes_no_message_for_now(lab: Lab) -> None:
    report = lab.does(
        "const at = new Date(); at.setHours(options.data.hour, 0, 0, 0)\n"
        "await echo.schedule(1, { time: at.getTime() })"
    )

    assert report.error is not None
    assert report.error.code == "invalid_time"
    assert lab.executions() == []
