"""Forms: a schedule put into the form and taken out again is the same schedule."""

from datetime import UTC, datetime

import pytest
from experience_runtime.documents.documents import as_it_is, schedule_document
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.schedules import CatchUp, Schedule, parse_timing, timing_texts
from experience_runtime.web.pages.forms import ScheduleForm, schedule_form

NOW = datetime(2026, 3, 6, 15, 30, tzinfo=UTC)
WINDOW = {"day": "monday-friday", "time": "09:00-17:00"}


@pytest.mark.parametrize(
    "options",
    [
        {"every": "90 minutes", "starting": "2026-03-06T09:00:00Z"},
        {"every": "1 hour", "starting": "2026-03-06T09:00:00Z", "window": WINDOW},
        {"daily": "09:00", "skip": ["2026-12-25", "2027-01-01"]},
        {"weekly": "friday-monday 23:59", "window": {"time": "22:00-06:00"}},
        {"cron": "*/15 9-17 * * 1-5", "window": {"day": "tuesday"}},
    ],
)
def test_a_schedule_comes_out_of_its_form_as_it_went_in(options: dict[str, object]) -> None:
    timing = parse_timing(options | {"timezone": "Europe/Paris"}, now=NOW)
    recurrence, zone, window, skip = timing_texts(timing)
    schedule = Schedule(
        name="digest",
        integration="webhook",
        recurrence=recurrence,
        zone=zone,
        window=window,
        payload='{"a":1}',
        skip=skip,
        catch_up=CatchUp.NONE,
        created_at=NOW,
        updated_at=NOW,
        next_at=NOW,
    )

    form = schedule_form(schedule_document(schedule, redact=str, shown=as_it_is))

    assert timing_texts(parse_timing(form.options(), now=NOW)) == (recurrence, zone, window, skip)
    assert form.options()["catch_up"] == "none"
    assert form.read_payload() == {"a": 1}


def test_a_field_left_empty_takes_no_default() -> None:
    with pytest.raises(InvalidParameter):
        parse_timing(ScheduleForm(kind="daily", daily_time="", timezone="UTC").options(), now=NOW)
