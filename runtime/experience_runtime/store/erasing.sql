-- Erasing a person: everything that names one of their ids.

-- name: executions_of_visitor
SELECT number, status FROM executions WHERE visitor = :visitor AND attempt >= 0 ORDER BY number {for_update};

-- name: executions_naming
-- Of recurring schedules, which are nobody's.
SELECT number, status FROM executions
WHERE schedule IS NOT NULL AND attempt >= 0 AND {position}(payload, :needle) > 0
ORDER BY number {for_update};

-- name: schedules_naming
SELECT name FROM schedules WHERE {position}(payload, :needle) > 0 ORDER BY name;

-- name: removed_naming
-- Its payload is a text within a JSON text.
SELECT name FROM removed_schedules WHERE {position}(schedule, :needle) > 0 ORDER BY name;

-- name: runs_of_visitor
SELECT number FROM runs WHERE visitor = :visitor AND visitor IS NOT NULL;

-- name: erase_history
DELETE FROM history WHERE execution {in_numbers};

-- name: erase_attempts
DELETE FROM attempts WHERE execution {in_numbers};

-- name: erase_execution_links
DELETE FROM run_executions WHERE execution {in_numbers};

-- name: erase_executions
DELETE FROM executions WHERE number {in_numbers};

-- name: erase_events
DELETE FROM events WHERE visitor = :visitor;

-- name: erase_state
DELETE FROM visitor_states WHERE visitor = :visitor;

-- name: erase_conversions
DELETE FROM conversions WHERE visitor = :visitor;

-- name: erase_marks
DELETE FROM execute_marks WHERE key_owner = :visitor;

-- name: erase_visitor
DELETE FROM visitors WHERE id = :visitor;

-- name: erase_person
DELETE FROM persons WHERE visitor = :visitor;

-- name: erase_jobs
-- One that is under way ends soon: it finds nothing of them any more.
DELETE FROM jobs WHERE state <> 'running' AND {position}(filter, :needle) > 0;

-- name: count_events
SELECT count(*) FROM events WHERE visitor = :visitor;

-- name: count_conversions
SELECT count(*) FROM conversions WHERE visitor = :visitor;

-- name: record_erasure
INSERT INTO erasures (at, counts) VALUES (:now, :counts);
