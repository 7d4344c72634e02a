"""What only the SQLite store promises: an index for every hot statement."""

import re

import apsw
import pytest
from experience_runtime.store.sqlite.database import STATEMENTS
from experience_runtime.store.sqlite.file import open_database
from experience_runtime.store.statements import used


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("waiting", "executions_due (integration>?)"),
        ("due", "executions_due (integration=? AND due_at<?)"),
        ("claim", "INTEGER PRIMARY KEY (rowid=?)"),
        ("in_flight", "executions_leased"),
        ("integration_state", "PRIMARY KEY (integration=?)"),
        ("next_lapse", "executions_leased"),
        ("lapsed", "executions_leased (lease_until>? AND lease_until<?)"),
        ("leased", "executions_leased"),
        ("pending_under_key", "executions_key (key_digest=? AND key_owner=?)"),
        ("cancel_key", "executions_key (key_digest=? AND key_owner=?)"),
        ("key_pending_elsewhere", "executions_key (key_digest=?)"),
        ("convert", "executions_converting (visitor=?)"),
        ("convert_running", "executions_leased"),
        ("converted_since", "conversions_visitor (visitor=? AND at>?)"),
        ("newer_running", "executions_leased"),
        ("renew", "INTEGER PRIMARY KEY (rowid=?)"),
        ("converted_meanwhile", "INTEGER PRIMARY KEY (rowid=?)"),
        ("drop_free_marks", "execute_marks_free (free_at<?)"),
        ("cancel", "INTEGER PRIMARY KEY (rowid=?)"),
        ("start", "INTEGER PRIMARY KEY (rowid=?)"),
        ("record_starts", "PRIMARY KEY (execution=?)"),
        ("settle_ended", "INTEGER PRIMARY KEY (rowid=?)"),
        ("end_attempts", "PRIMARY KEY (execution=? AND attempt=?)"),
        ("record_ends", "PRIMARY KEY (execution=?)"),
        ("settle", "INTEGER PRIMARY KEY (rowid=?)"),
        ("planned_by_others", "executions_due (integration=? AND due_at>?)"),
        ("plan_again", "INTEGER PRIMARY KEY (rowid=?)"),
        ("postpone", "INTEGER PRIMARY KEY (rowid=?)"),
        ("unclaim", "INTEGER PRIMARY KEY (rowid=?)"),
        ("restore", "INTEGER PRIMARY KEY (rowid=?)"),
        ("move", "INTEGER PRIMARY KEY (rowid=?)"),
        ("replay", "INTEGER PRIMARY KEY (rowid=?)"),
        ("execution", "INTEGER PRIMARY KEY (rowid=?)"),
        ("history", "PRIMARY KEY (execution=?)"),
        ("history_of_each", "PRIMARY KEY (execution=?)"),
        ("attempts_of_each", "PRIMARY KEY (execution=?)"),
        ("attempts", "PRIMARY KEY (execution=?)"),
        ("end_attempt", "PRIMARY KEY (execution=? AND attempt=?)"),
        ("visitor", "PRIMARY KEY (id=?)"),
        ("due_schedules", "schedules_due (look_at>? AND look_at<?)"),
        ("next_schedule", "schedules_due (look_at>?)"),
        ("schedule", "sqlite_autoindex_schedules_1 (name=?)"),
        ("move_schedule_on", "sqlite_autoindex_schedules_1 (name=?)"),
        ("replace_schedule", "sqlite_autoindex_schedules_1 (name=?)"),
        ("not_over", "executions_schedule (schedule=?)"),
        ("record_run", "PRIMARY KEY (schedule=?)"),
        ("drop_old_runs", "PRIMARY KEY (schedule=? AND seq<?)"),
        ("schedule_runs", "PRIMARY KEY (schedule=?)"),
        ("token", "PRIMARY KEY (digest=?)"),
        ("drop_ended_sessions", "sessions_expiring (expires_at<?)"),
        ("session_token", "PRIMARY KEY (digest=?)"),
        ("reply", "sqlite_autoindex_replies_1 (caller=? AND key=?)"),
        ("keep_reply", "sqlite_autoindex_replies_1 (caller=? AND key=?)"),
        ("drop_replies", "replies_claimed (claimed_at<?)"),
        ("ended_executions", "executions_ended (status=? AND rowid>? AND rowid<?)"),
        ("events_of", "events_visitor (visitor=?)"),
        ("drop_old_events", "events_visitor (visitor=? AND number<?)"),
        ("conversions_of", "conversions_visitor (visitor=?)"),
        ("backlog_of", "executions_due (integration=? AND due_at<?)"),
        ("count_ended", "executions_ended (status=?)"),
        ("next_of", "executions_due (integration=?)"),
    ],
)
def test_every_hot_statement_uses_its_index(statement: str, index: str) -> None:
    connection = open_database(":memory:")
    plan = _plan(connection, STATEMENTS[statement])

    assert any(f"INDEX {index}" in step or f"USING {index}" in step for step in plan), plan
    # what is in flight is counted by integration, and is never much; what is due at one instant is sorted
    # once, after an upgrade
    assert statement in ("in_flight", "planned_by_others") or not any(
        "TEMP B-TREE" in step for step in plan
    ), plan
    # an index's first entry, a list of numbers and what a statement itself has found are no tables
    no_table = r"json_each|shut|held|begun|ended|CONSTANT|due|pending|planned|found|first|\(subquery"
    scans = [step for step in plan if re.match(rf"SCAN (?!{no_table})", step)]
    assert all("INDEX executions_" in step for step in scans), plan


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("events_of_person", "events_visitor (visitor=?)"),
        ("moments_of_person", "events_visitor (visitor=?)"),
        ("conversions_of_person", "conversions_visitor (visitor=?)"),
    ],
)
def test_a_persons_history_is_found_by_their_ids(statement: str, index: str) -> None:
    plan = _plan(open_database(":memory:"), STATEMENTS[statement])

    assert any(f"INDEX {index}" in step for step in plan), plan
    assert not any(step.startswith("SCAN") and step != "SCAN CONSTANT ROW" for step in plan), plan


ALSO = " ".join(
    f"{each}_also" for each in ("integration", "schedule", "due_from", "due_until", "failed_from")
)
"""What is asked besides, and may take no index: the order is worth more."""

SORTED = (
    "run_failures",
    "pending_by_quarter",
    *(f"newest_{each}" for each in ("waiting", "due", "finished", "failed", "at_once")),
    "find_numbers_by_due",
)
"""These sort what they found, and there is a bound to that."""


@pytest.mark.parametrize(
    ("statement", "asked", "index"),
    [
        ("find", "", "INTEGER PRIMARY KEY (rowid<?)"),
        ("find", "of_experiences", "INTEGER PRIMARY KEY (rowid<?)"),
        ("find", "visitor", "executions_visitor (visitor=? AND rowid<?)"),
        ("find", "visitor of_experiences", "executions_visitor (visitor=? AND rowid<?)"),
        ("find", "integration", "executions_integration (integration=? AND rowid<?)"),
        ("find", "schedule", "executions_of_schedule (schedule=? AND rowid<?)"),
        ("find", "status ended", "executions_ended (status=? AND rowid<?)"),
        ("find", f"down_to {ALSO}", "INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (
            "find",
            f"down_to {ALSO} text payload_part is_past_at_once",
            "INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
        ),
        ("find", f"down_to visitor {ALSO}", "executions_visitor (visitor=? AND rowid>? AND rowid<?)"),
        ("find", f"down_to status ended {ALSO}", "executions_ended (status=? AND rowid>? AND rowid<?)"),
        (
            "find_numbers",
            "status visitor failed_from_also failed_until_also",
            "INTEGER PRIMARY KEY (rowid=?)",
        ),
        ("find_numbers_by_due", "after_due after_number integration", "INTEGER PRIMARY KEY (rowid=?)"),
        ("find_by_due", "", "executions_by_due"),
        ("find_by_due", f"due_from due_until {ALSO}", "executions_by_due (due_at>? AND due_at<?)"),
        ("find_by_due", f"due_from after_due up_to_due {ALSO}", "executions_by_due (due_at>?)"),
        ("newest_along", "is_own_index visitor", "executions_visitor (visitor=? AND rowid<?)"),
        ("end_of_step", "", "INTEGER PRIMARY KEY (rowid<?)"),
        ("end_of_step", "status ended", "COVERING INDEX executions_ended (status=? AND rowid<?)"),
        ("end_of_step", "is_own_index integration", "executions_integration (integration=? AND rowid<?)"),
        ("end_of_step_by_due", "due_from", "executions_by_due (due_at>?)"),
        ("newest_waiting", "integration", "executions_due (integration=?)"),
        ("newest_waiting", "integration", "executions_leased (lease_until>?)"),
        ("newest_due", "due_from due_until", "executions_by_due (due_at>? AND due_at<?)"),
        ("newest_finished", "", "history_ended (at>? AND at<?)"),
        ("newest_failed", "", "history_failed (at>? AND at<?)"),
        ("newest_at_once", "", "executions_visitor (visitor=?"),
        ("newest_at_once", "", "executions_visitor (visitor>? AND visitor<?"),
        ("newest_at_once", "", "INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        ("count_waiting", "", "executions_due"),
        ("count_among_waiting", "text", "INTEGER PRIMARY KEY (rowid=?)"),
        ("count_finished", "", "history_ended (at>? AND at<?)"),
        ("pending_by_quarter", "", "executions_due (integration=? AND due_at>? AND due_at<?)"),
        ("count_up_to", "due_from due_until", "executions_by_due (due_at>? AND due_at<?)"),
        ("count", "status ended", "executions_ended (status=?)"),
        ("count", "visitor", "executions_visitor (visitor=?)"),
        ("find_runs", "", "INTEGER PRIMARY KEY (rowid<?)"),
        ("find_runs", "experience", "runs_experience (experience=? AND number<?)"),
        ("find_runs", "outcome", "runs_outcome (outcome=? AND number<?)"),
        ("find_runs", "outcome experience", "runs_ended (experience=? AND outcome=? AND number<?)"),
        ("find_runs", "visitor", "runs_visitor (visitor=? AND number<?)"),
        ("newer_runs", "", "INTEGER PRIMARY KEY (rowid>?)"),
        ("newer_runs", "outcome experience", "runs_ended (experience=? AND outcome=? AND number>?)"),
        ("run_failures", "", "runs_ended (experience=? AND outcome=?)"),
        ("runs_of_execution", "", "PRIMARY KEY (execution=?)"),
        ("old_runs", "", "INTEGER PRIMARY KEY (rowid<?)"),
        ("drop_runs", "", "INTEGER PRIMARY KEY (rowid=?)"),
        ("drop_run_links", "", "run_executions_run (run=?)"),
    ],
)
def test_what_people_ask_has_its_index(statement: str, asked: str, index: str) -> None:
    connection = open_database(":memory:")

    plan = _plan(connection, used(STATEMENTS[statement], dict.fromkeys(asked.split(), 1)))

    assert any(f"INDEX {index}" in step or f"USING {index}" in step for step in plan), plan
    assert statement in SORTED or not any("TEMP B-TREE" in step for step in plan), plan


def _plan(connection: apsw.Connection, statement: str) -> list[str]:
    with_nulls = dict.fromkeys(_parameters(statement))
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", with_nulls)]


def _parameters(statement: str) -> list[str]:
    return re.findall(r":(\w+)", statement)
