-- Runs of experiences that ended.
-- What stands in [[…]] belongs to the statement only where its parameter is bound.

-- part: run_columns
number, at, experience, visitor, release, "trigger", outcome, code, message, place, cpu_ms, refused, executions, calls

-- name: keep_run
-- A number already taken inserts nothing; the caller moves to the next one.
INSERT INTO runs ({run_columns}, log)
VALUES (
    :number, :at, :experience, :visitor, :release, :trigger, :outcome, :code, :message, :place, :cpu_ms, :refused,
    :executions, :calls, :log
)
ON CONFLICT (number) DO NOTHING
RETURNING number;

-- name: link_run
INSERT INTO run_executions (execution, run)
SELECT CAST(made.value ->> 0 AS bigint), CAST(:number AS bigint) FROM {each made}
WHERE 1 = 1
ON CONFLICT (execution, run) DO NOTHING;

-- name: run
SELECT {run_columns}, log FROM runs WHERE number = :number;

-- name: find_runs
SELECT {run_columns} FROM runs
WHERE number < :before
    [[AND experience = :experience]]
    [[AND outcome = :outcome]]
    [[AND visitor = :visitor AND visitor IS NOT NULL]]
    [[AND code = :code]]
    [[AND place = :place]]
ORDER BY number DESC
LIMIT :limit;

-- name: newer_runs
SELECT {run_columns} FROM runs
WHERE number > :after
    [[AND experience = :experience]]
    [[AND outcome = :outcome]]
    [[AND visitor = :visitor AND visitor IS NOT NULL]]
    [[AND code = :code]]
    [[AND place = :place]]
ORDER BY number
LIMIT :limit;

-- name: run_failures
-- Of one experience, the failures that are alike, the most frequent first.
SELECT code, place, count(*) AS times, max(number) AS newest, max(message) FROM (
    SELECT code, place, number, message FROM runs
    WHERE experience = :experience AND outcome = 'failed'
    ORDER BY number DESC LIMIT :limit
) AS failed
GROUP BY code, place
ORDER BY times DESC, newest DESC;

-- name: run_counts
-- Of each experience, how its newest runs ended.
SELECT experience, outcome, count(*), max(at) FROM (
    SELECT experience, outcome, at FROM runs ORDER BY number DESC LIMIT :limit
) AS newest
GROUP BY experience, outcome
ORDER BY experience, outcome;

-- name: run_is_kept
SELECT 1 FROM runs WHERE number = :number;

-- name: runs_of_execution
SELECT run FROM run_executions WHERE execution = :execution ORDER BY run;

-- name: old_runs
SELECT number FROM runs WHERE number < :before ORDER BY number LIMIT :limit;

-- name: drop_run_links
DELETE FROM run_executions WHERE run {in_numbers};

-- name: drop_runs
DELETE FROM runs WHERE number {in_numbers};
