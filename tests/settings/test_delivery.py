"""Policies: what a `[delivery.NAME]` table means, and what it may not hold."""

from typing import Any

import pytest
from experience_runtime.domain.admission import Policy
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.settings.delivery import read_policy

WHERE = "experience.toml: delivery.slack-update"


@pytest.mark.parametrize(
    ("table", "policy"),
    [
        ({}, Policy(concurrency=None, rate_count=None, breaker_failures=20, breaker_seconds=30)),
        ({"concurrency": 4}, Policy(concurrency=4)),
        ({"per_second": 5}, Policy(rate_count=5, rate_seconds=1)),
        ({"per_minute": 90}, Policy(rate_count=90, rate_seconds=60)),
        ({"per_minute": 60_000}, Policy(rate_count=60_000, rate_seconds=60)),
        ({"breaker_failures": 0}, Policy(breaker_failures=0)),
        ({"breaker_failures": 3, "breaker_seconds": 60}, Policy(breaker_failures=3, breaker_seconds=60)),
        ({"isolate": True}, Policy(isolate=True)),
        ({"isolate": False}, Policy()),
        ({"concurrency": 2.0}, Policy(concurrency=2)),  # TOML and JSON tell numbers apart, people do not
    ],
)
def test_a_table_is_read(table: dict[str, Any], policy: Policy) -> None:
    assert read_policy(table, where=WHERE) == policy


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (
            {"concurrency": 0},
            "concurrency = 0 must be a whole number from 1 to 1000; write for instance concurrency = 10",
        ),
        ({"concurrency": 1001}, "concurrency = 1001 must be a whole number from 1 to 1000"),
        ({"concurrency": True}, "concurrency = true must be a whole number"),
        ({"concurrency": "4"}, 'concurrency = "4" must be a whole number'),
        ({"per_second": 0}, "per_second = 0 must be a whole number from 1 to 1000"),
        ({"per_second": 1.5}, "per_second = 1.5 must be a whole number"),
        ({"per_minute": 60_001}, "per_minute = 60001 must be a whole number from 1 to 60000"),
        ({"breaker_failures": -1}, "breaker_failures = -1 must be a whole number from 0"),
        ({"breaker_seconds": 0}, "breaker_seconds = 0 must be a whole number from 1 to 86400"),
        ({"breaker_seconds": 86_401}, "breaker_seconds = 86401 must be a whole number from 1 to 86400"),
        ({"per_second": None}, "per_second = null must be a whole number"),
        ({"isolate": 1}, "isolate = 1 must be true or false; write isolate = true"),
        ({"isolated": True}, '"isolated" is not a setting; did you mean "isolate"?'),
        ({"per-second": 5}, '"per-second" is not a setting; did you mean "per_second"?'),
        ({"speed": 5}, '"speed" is not a setting; known are: concurrency, per_second, per_minute,'),
        ({"per_second": 5, "per_minute": 90}, "has both per_second and per_minute; keep the one that counts"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(table: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        read_policy(table, where=WHERE)

    assert refused.value.message.startswith(WHERE)
    assert words in refused.value.message


@pytest.mark.parametrize(
    "key", ["concurrency", "per_second", "per_minute", "breaker_failures", "breaker_seconds"]
)
def test_the_value_a_refusal_proposes_is_accepted(key: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        read_policy({key: -1}, where=WHERE)
    proposed = refused.value.message.rsplit(f"{key} = ", 1)[1]

    read_policy({key: int(proposed)}, where=WHERE)
