"""Alerts: what a table `[alerts.NAME]` means, and what it may not hold."""

from datetime import date, timedelta
from typing import Any

import pytest
from experience_runtime.domain.alerts import EVERY, Condition
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.settings.alerts import read_alert
from experience_runtime.settings.serving import read_served

WHERE = "experience.toml: alerts.ops"
GOOD = {"integration": "slack-update", "on": ["disk"]}


def test_a_table_is_read() -> None:
    on = ["breaker_opened", "run_failed > 5/min", "execution_failed >0/h", "lag > 1.5 min"]
    rule = read_alert("ops", {**GOOD, "on": on, "every": "1h"}, where=WHERE)

    assert rule.on == (
        Condition(kind="breaker_opened", words="breaker_opened"),
        Condition(kind="run_failed", words="run_failed > 5/min", above=5, within=timedelta(minutes=1)),
        Condition(kind="execution_failed", words="execution_failed >0/h", above=0, within=timedelta(hours=1)),
        Condition(kind="lag", words="lag > 1.5 min", longer_than=timedelta(seconds=90)),
    )
    assert rule.every == timedelta(hours=1)
    assert read_alert("ops", GOOD, where=WHERE).every == EVERY


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"integrations": "x"}, '"integrations" is not a setting; did you mean "integration"?'),
        ({"colour": "x"}, "known are: integration, on, every, payload"),
        ({"integration": ""}, 'names no integration that tells people; write integration = "slack-update"'),
        ({"on": []}, "on = [] must list what to be told of"),
        ({"on": "disk"}, 'on = "disk" must list'),
        ({"on": ["execution_fails"]}, 'did you mean "execution_failed"?'),
        ({"on": ["breakers > 3/min"]}, 'did you mean "breaker_opened"?'),
        ({"on": ["moon"]}, "known are: execution_failed, run_failed"),
        ({"on": [5]}, "on has 5, which is nothing to be told of"),
        ({"on": ["lag"]}, 'on has "lag", which cannot be read; write "lag > 60 s"'),
        ({"on": ["lag > 60"]}, 'write "lag > 60 s"'),
        ({"on": ["lag < 60 s"]}, 'write "lag > 60 s"'),
        ({"on": ["disk > 5/min"]}, 'on has "disk > 5/min", which cannot be read; write "disk"'),
        ({"on": ["run_failed > 5"]}, 'write "run_failed > 5/min" or "run_failed"'),
        ({"on": ["run_failed > 5/day"]}, 'write "run_failed > 5/min"'),
        ({"on": ["run_failed >= 5/min"]}, 'write "run_failed > 5/min"'),
        ({"on": ["disk", "disk"]}, "on has disk twice"),
        ({"every": 15}, "every = 15 must be a duration from 10 s to 7 days"),
        ({"every": "9 s"}, 'write every = "15 min"'),
        ({"every": "8 days"}, 'write every = "15 min"'),
        ({"payload": {"body": "help"}}, "says nowhere what happened; write {text} where"),
        ({"payload": date(2026, 3, 2)}, "says nowhere what happened"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(table: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        read_alert("ops", {**GOOD, **table}, where=WHERE)

    assert refused.value.message.startswith(WHERE)
    assert words in refused.value.message


def test_the_address_of_the_pages_is_a_plain_one() -> None:
    def read(url: object) -> str | None:
        return read_served({"public_url": url}, {}, frozenset(), where="x").public_url

    assert read("https://runtime.example/below/") == "https://runtime.example/below"
    for wrong in (
        "runtime.example",
        "ftp://a",
        "https://u:hidden@a",
        "https://a?b=c",
        "https://a b",
        5,
        "http://a:x",
    ):
        with pytest.raises(InvalidParameter, match="public_url is not the address of the pages") as refused:
            read(wrong)
        assert "hidden" not in refused.value.message
