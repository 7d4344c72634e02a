"""Fills a database with what an installation has after three months: for `benchmarks/questions.py`.

Of every hundred executions 93 succeeded, 4 were cancelled, 2 failed and 1 is pending; five integrations, a
visitor for every five, a tenth of the visitors known by two ids. Beside them their history and attempts, a
sixth as many runs, half as many events, a tenth as many exposures.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

DAY = 86_400_000
SPAN = 90 * DAY

BIG = (
    "executions",
    "history",
    "attempts",
    "runs",
    "run_executions",
    "events",
    "conversions",
    "exposures",
    "persons",
)

_EXECUTIONS = """
WITH RECURSIVE g(n) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT n + 1 FROM g WHERE n < :count),
made(n, at, state) AS (
    SELECT n, :now - :span + n * :span / (:count + 1),
        CASE WHEN n * 3 > :count * 2 AND n % 33 = 0 THEN 'pending' WHEN n % 50 = 7 THEN 'failed'
            WHEN n % 25 = 3 THEN 'cancelled' ELSE 'succeeded' END
    FROM g
)
INSERT INTO executions (
    number, created_at, requested_at, due_at, attempt, begun, retries, cancel_on_conversion, key_is_property,
    status, reason, integration, experience, visitor, key, key_digest, asked, zone, zone_from, zone_rules,
    "window", payload
)
SELECT (at - 1577836800000) * 2097152 + n % 2097152, at, at + 7200000,
    CASE state WHEN 'pending' THEN :now + n * 7919 % 2592000 * 1000 ELSE at + 7200000 END,
    CASE WHEN state IN ('pending', 'cancelled') THEN 0 ELSE 1 END,
    CASE WHEN state IN ('pending', 'cancelled') THEN 0 ELSE 1 END, 5, 1, 0,
    state, CASE state WHEN 'failed' THEN 'integration_failed' WHEN 'cancelled' THEN 'conversion' END,
    CASE WHEN n % 100 = 99 THEN 'rare' WHEN n % 10 = 4 THEN 'webhook' WHEN n % 10 < 4 THEN 'email'
        WHEN n % 10 = 5 THEN 'sms' ELSE 'slack-update' END,
    CASE n % 4 WHEN 0 THEN 'abandoned-basket' WHEN 1 THEN 'welcome' WHEN 2 THEN 'again' ELSE 'survey' END,
    'visitor-' || (n * 7919 % (:count / 5)), '{"email":"ada.' || n || '@example.com"}',
    CAST(CASE state WHEN 'pending' THEN 'key-' || n END AS {bytes}), '2 hours', 'America/New_York', 'window',
    '', 'monday-friday 09:00-17:00', '{"message":"' || 'You left something behind, dear visitor ' || n || '"}'
FROM made
"""

FILLS: tuple[tuple[str, str], ...] = (
    ("executions", _EXECUTIONS),
    (
        "begun",
        "INSERT INTO history (execution, seq, at, from_status, to_status) "
        "SELECT number, 1, due_at, 'pending', 'running' FROM executions WHERE begun > 0",
    ),
    (
        "ended",
        "INSERT INTO history (execution, seq, at, from_status, to_status, reason) "
        "SELECT number, 2, due_at + 300, 'running', status, reason FROM executions WHERE begun > 0",
    ),
    (
        "cancelled",
        "INSERT INTO history (execution, seq, at, from_status, to_status, reason) "
        "SELECT number, 1, created_at + 60000, 'pending', status, reason FROM executions "
        "WHERE status = 'cancelled'",
    ),
    (
        "attempts",
        "INSERT INTO attempts (execution, attempt, started_at, ended_at, outcome, http_status, error, answer"
        ") SELECT number, 1, due_at, due_at + 300, status, CASE status WHEN 'failed' THEN 500 ELSE 200 END, "
        "CASE status WHEN 'failed' THEN 'it answered 500' END, 'ok' FROM executions WHERE begun > 0",
    ),
    (
        "runs",
        'INSERT INTO runs (number, at, experience, visitor, "trigger", outcome, code, message, cpu_ms, '
        "refused, executions, calls, log) "
        "SELECT number, created_at, experience, visitor, 'api', "
        "CASE WHEN begun = 0 THEN 'failed' ELSE 'ok' END, CASE WHEN begun = 0 THEN 'script_failed' END, "
        "CASE WHEN begun = 0 THEN 'basket is not defined' END, 4, 0, '[' || number || ']', '[]', '' "
        "FROM executions WHERE created_at > :now - 15 * 86400000",
    ),
    ("links", "INSERT INTO run_executions (execution, run) SELECT number, number FROM runs"),
    (
        "events",
        "INSERT INTO events (number, at, visitor, type, data) "
        "SELECT number, created_at, visitor, 'page', '{\"path\":\"/basket\"}' FROM executions "
        "WHERE created_at % 2 = 0",
    ),
    (
        "conversions",
        "INSERT INTO conversions (number, at, visitor, event) "
        "SELECT number, created_at + 60000, visitor, 'order' FROM executions WHERE status = 'cancelled'",
    ),
    (
        "exposures",
        "INSERT INTO exposures (number, at, experience, visitor, variation) "
        "SELECT number, created_at, experience, visitor, '101' FROM executions WHERE begun > 0 "
        "AND number % 10 = 0 ON CONFLICT DO NOTHING",
    ),
    (
        "persons",
        "WITH RECURSIVE g(n) AS (SELECT CAST(1 AS bigint) UNION ALL "
        "SELECT n + 1 FROM g WHERE n < :count / 50) "
        "INSERT INTO persons (visitor, person) SELECT 'visitor-' || (n * 10), 'visitor-' || (n * 10) FROM g "
        "UNION ALL SELECT 'crm-' || n, 'visitor-' || (n * 10) FROM g",
    ),
)

_COUNTED = """
UPDATE exposures SET (executions, converted) = (
    SELECT executions, converted FROM counted_exposures AS counted WHERE counted.number = exposures.number
)
"""

Execute = Callable[[str], list[tuple[object, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a database spells what is needed. `made` lists what is made anew: how to name it, and its text."""

    bytes: str
    made: str


SQLITE = Dialect(
    bytes="BLOB",
    made="SELECT type || ' ' || name, sql FROM sqlite_master "
    "WHERE type IN ('index', 'trigger') AND sql IS NOT NULL AND tbl_name IN ({tables}) ORDER BY type",
)
POSTGRES = Dialect(
    bytes="bytea",
    made="SELECT 'INDEX ' || indexname, indexdef FROM pg_indexes WHERE tablename IN ({tables}) "
    "AND indexname NOT IN (SELECT conname FROM pg_constraint) "
    "UNION ALL SELECT 'TRIGGER ' || tgname || ' ON ' || relname, pg_get_triggerdef(pg_trigger.oid) "
    "FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
    "WHERE relname IN ({tables}) AND NOT tgisinternal ORDER BY 1",
)


def fill(execute: Execute, dialect: Dialect, *, count: int, now: int) -> None:
    """Put them in; indexes and triggers are dropped meanwhile, which takes a tenth of the time."""
    tables = ", ".join(f"'{each}'" for each in BIG)
    made = execute(dialect.made.format(tables=tables))
    for name, _ in made:
        execute(f"DROP {name}")
    for what, sql in FILLS:
        began = time.perf_counter()
        text = sql.replace("{bytes}", dialect.bytes)
        for name, value in (("count", count), ("now", now), ("span", SPAN)):
            text = text.replace(f":{name}", f"CAST({value} AS bigint)" if dialect is POSTGRES else str(value))
        execute(text)
        print(f"  {what:<12} {time.perf_counter() - began:6.1f} s", flush=True)
    began = time.perf_counter()
    for _, definition in made:
        execute(str(definition))
    execute("ANALYZE" if dialect is POSTGRES else "SELECT 1")
    execute(_COUNTED)
    print(f"  {'indexes':<12} {time.perf_counter() - began:6.1f} s", flush=True)
