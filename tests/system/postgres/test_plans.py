"""What only the PostgreSQL store promises: no hot statement reads all of a big table."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from experience_runtime.store import rows
from experience_runtime.store.postgres.database import STATEMENTS
from experience_runtime.store.statements import used

from tests.support.executions import an_execution
from tests.support.postgres import shared

COUNT = 200_000
BIG = (
    "runs",
    "run_executions",
    "executions",
    "history",
    "attempts",
    "conversions",
    "visitors",
    "execute_marks",
    "events",
    "persons",
)


@pytest.fixture(scope="module")
def filled() -> Iterator[psycopg.Connection[Any]]:
    """Executions that wait, some leased and some ended, with their history; of ten integrations."""
    with psycopg.connect(shared().database(), autocommit=True) as connection:
        connection.execute(
            """
            INSERT INTO executions (
                number, status, attempt, begun, retries, cancel_on_conversion,
                created_at, requested_at, due_at, lease_until,
                integration, visitor, key, key_digest, key_is_property, asked, zone, zone_from, payload
            )
            SELECT n,
                CASE WHEN n %% 20 = 0 THEN 'succeeded' WHEN n %% 5000 = 1 THEN 'running' ELSE 'pending' END,
                1, 1, 5, 1, n, n, n, CASE n %% 5000 WHEN 1 THEN n WHEN 2 THEN n END,
                'integration ' || n %% 10, 'visitor ' || n / 3, '{}', decode(md5(n::text), 'hex'),
                0, '1 day', 'UTC', 'default', '{}'
            FROM generate_series(1, %s) AS n
            """,
            [COUNT],
        )
        for table, columns, values in (
            ("history", "execution, seq, at, from_status, to_status", "n, 1, n, 'pending', 'running'"),
            ("attempts", "execution, attempt, started_at", "n, 1, n"),
            ("conversions", "at, visitor, event", "n, 'visitor ' || n, 'bought'"),
            (
                "runs",
                'number, at, cpu_ms, refused, experience, visitor, "trigger", '
                "outcome, executions, calls, log",
                "n, n, 1, 0, 'experience ' || n % 10, 'visitor ' || n, 'site', "
                "CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'ran' END, '[]', '[]', '[]'",
            ),
            ("run_executions", "execution, run", "n, n"),
            ("visitors", "id, seen_at", "'visitor ' || n, n"),
            ("events", "at, visitor, type, data", "n, 'visitor ' || n / 3, 'ecView', '{}'"),
            ("persons", "visitor, person", "'visitor ' || n, 'visitor ' || n / 2"),
            ("execute_marks", "key_digest, key_owner, free_at", "decode(md5(n::text), 'hex'), '', n"),
        ):
            fill = f"INSERT INTO {table} ({columns}) SELECT {values} FROM generate_series(1, {COUNT}) AS n"  # noqa: S608 - of this table
            connection.execute(fill.encode())
        connection.execute("VACUUM ANALYZE")
        yield connection


HOT = """
    pending_under_key cancel_key key_pending_elsewhere cancel record_conversion convert
    convert_running waiting due in_flight claim claimed postpone start begin_attempts record_starts
    settle_ended end_attempts record_ends settle converted_meanwhile converted_since newer_running renew
    lapsed leased unclaim replay restore move next_lapse execution hold_execution insert_history history
    end_attempt attempts visitor remember_visitor drop_free_marks take_mark integration_state not_over
    leased_by_status next_of conversions_of events_of_person moments_of_person conversions_of_person
    history_of_each attempts_of_each planned_by_others plan_again
"""


@pytest.mark.parametrize("statement", HOT.split())
def test_no_hot_statement_reads_a_whole_table(filled: psycopg.Connection[Any], statement: str) -> None:
    _assert_reads_no_whole_table(filled, STATEMENTS[statement])


@pytest.mark.parametrize(
    "statement",
    [
        "run_failures",
        "runs_of_execution",
        "old_runs",
        "drop_runs",
        "pending_by_quarter",
    ],
)
def test_what_is_asked_beside_deliveries_reads_no_whole_table_either(
    filled: psycopg.Connection[Any], statement: str
) -> None:
    _assert_reads_no_whole_table(filled, STATEMENTS[statement])


ALSO = " ".join(
    f"{each}_also" for each in ("integration", "schedule", "due_from", "due_until", "failed_from")
)
"""What is asked besides, and may take no index: the order is worth more."""

SETS = [*(f"newest_{each}" for each in ("due", "finished", "failed", "at_once")), "backlog_of"]

ASKED = {
    "find": [
        "",
        "visitor",
        "integration",
        "schedule",
        "status ended",
        f"down_to {ALSO}",
        f"down_to visitor {ALSO}",
    ],
    "find_numbers": ["status visitor failed_from_also failed_until_also"],
    "find_by_due": ["", "due_from due_until", f"due_from due_until after_due after_number {ALSO}"],
    "count_up_to": ["due_from due_until"],
    "newest_along": ["is_own_index visitor", "status ended"],
    "end_of_step": ["", "is_own_index visitor", "status ended", "is_own_index integration"],
    "end_of_step_by_due": ["due_from"],
    **{each: ["due_from due_until"] for each in SETS},
    "find_runs": ["", "visitor", "experience", "outcome", "outcome experience"],
    "newer_runs": ["", "experience", "outcome experience"],
    "same_key": ["", "of_experiences"],
}


@pytest.mark.parametrize(
    ("statement", "asked"), [(statement, asked) for statement, each in ASKED.items() for asked in each]
)
def test_what_people_ask_has_a_plan_of_its_own(
    filled: psycopg.Connection[Any], statement: str, asked: str
) -> None:
    text = used(STATEMENTS[statement], dict.fromkeys(asked.split(), 1))

    plan = _assert_reads_no_whole_table(filled, text)

    if asked not in (
        "visitor",
        "schedule",
        f"down_to visitor {ALSO}",
    ) and statement not in (*SETS, "find_numbers"):  # a few rows may be sorted
        assert "Sort" not in plan, plan


def _assert_reads_no_whole_table(filled: psycopg.Connection[Any], text: str) -> str:
    values = {name: VALUES.get(name) for name in re.findall(r"%\((\w+)\)s", text)}

    plan = "\n".join(row[0] for row in filled.execute(f"EXPLAIN {text}".encode(), values))

    for table in BIG:
        assert f"Seq Scan on {table}" not in plan, plan
    assert "Backward using events_pkey" not in plan, plan  # all events, until there are enough
    return plan


VALUES: dict[str, Any] = {
    "due_from": 100,
    "due_until": 150,
    "failed_from": 100,
    "failed_until": 150,
    "finished_from": 100,
    "finished_until": 150,
    "after_due": 100,
    "after_number": 100,
    "begins": "visitor 77",
    "down_to": 180_000,
    "due_from_also": 100,
    "due_until_also": 150,
    "ends": "visitor 77\U0010ffff",
    "failed_from_also": 100,
    "failed_until_also": 150,
    "first_id": 7,
    "ids": '["visitor 7"]',
    "integration_also": "integration 3",
    "last_id": 9,
    "length": 10,
    "schedule_also": "daily",
    "statuses": '["pending"]',
    "step": 1000,
    "waits": 1,
    "most": 1000,
    **rows.values(an_execution(7)),
    "status": "failed",
    "outcome": "failed",
    "experience": "experience 3",
    "schedule": "daily",
    "execution": 7,
    "after": 199_990,
    "integration": "integration 3",
    "visitor": "visitor 7",
    "number": 7,
    "numbers": "[1, 2, 3]",
    "planned": "[[1, 1], [2, 1]]",
    "zone_rules": "2026f",
    "from_due": 50,
    "from_number": 50,
    "held": "[[1, 1], [2, 1]]",
    "begun": "[[1, 1, 0], [2, 1, 0]]",
    "ended": '[[1, 1, "succeeded", null, 1, 200, null, "{}"]]',
    "key_digest": b"d" * 16,
    "key_owner": "ada",
    "now": 50,
    "at": 50,
    "before": 2**62,
    "limit": 50,
    "lease_until": 70,
    "due_at": 70,
    "free_at": 70,
    "attempt": 1,
    "id": "visitor 7",
    "event": "bought",
    "name": "daily",
}
