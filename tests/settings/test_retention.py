"""Retention: what the `[retention]` table means, and what it may not hold."""

from datetime import timedelta
from typing import Any

import pytest
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.retention import DEFAULTS, KINDS
from experience_runtime.settings.retention import read_retention


def test_a_table_is_read_and_what_it_leaves_out_has_its_default() -> None:
    read = read_retention({"runs": "2 days", "events": "off", "answers": "24h"}, where="x").kept

    assert read["runs"] == timedelta(days=2)
    assert read["events"] is None
    assert read["answers"] == timedelta(days=1)
    assert read["failed"] == DEFAULTS["failed"]
    assert set(read) == set(KINDS)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"run": "2 days"}, 'did you mean "runs"?'),
        ({"logs": "2 days"}, "known are: succeeded, failed"),
        ({"runs": "0"}, 'retention.runs = "0" must be a duration of at least 1 h'),
        ({"runs": "59 min"}, "at least 1 h"),
        ({"answers": "23 h"}, "at least 24 h"),
        ({"runs": 30}, "retention.runs = 30 must be a duration"),
        ({"runs": "101 years"}, "at most 100 years"),
        ({"runs": "a month"}, 'write runs = "30 days"'),
        ({"runs": "-1 day"}, "at least 1 h"),
        ({"runs": True}, "retention.runs = true must be"),
        ({"runs": "9" * 99}, "at most 100 years"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(table: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        read_retention(table, where="experience.toml")

    assert words in refused.value.message
