-- The statements of the store, named by the verb they serve; what PostgreSQL needs otherwise stands in
-- postgres/statements.sql. {columns} is rows.COLUMNS, {stored} and {values} what an insert writes.
-- A partial index is used only by a statement that repeats its predicate to the letter: keep
-- `status = 'pending' AND lease_until IS NULL` and its siblings as the migration spells them.

-- name: insert_execution
-- A number already taken inserts nothing; the caller moves to the next one.
INSERT INTO executions ({stored}) VALUES ({values})
ON CONFLICT (number) DO NOTHING;

-- name: pending_under_key
SELECT {columns} FROM executions
WHERE status = 'pending' AND key_digest IS NOT NULL
    AND key_digest = :key_digest AND key_owner = :key_owner;

-- name: cancel_key
UPDATE executions SET status = 'cancelled', reason = :reason, lease_until = NULL
WHERE status = 'pending' AND key_digest IS NOT NULL
    AND key_digest = :key_digest AND key_owner = :key_owner
RETURNING number;

-- name: key_pending_elsewhere
SELECT 1 FROM executions
WHERE status = 'pending' AND key_digest IS NOT NULL
    AND key_digest = :key_digest AND key_owner <> :key_owner
LIMIT 1;

-- name: cancel
UPDATE executions SET status = 'cancelled', reason = :reason, lease_until = NULL
WHERE number = :number AND status = 'pending'
RETURNING number;

-- name: record_conversion
INSERT INTO conversions (at, visitor, event) VALUES (:now, :visitor, :event);

-- name: convert
UPDATE executions SET status = 'cancelled', reason = 'conversion', lease_until = NULL
WHERE status = 'pending' AND cancel_on_conversion = 1
    AND visitor = :visitor
RETURNING number;

-- name: convert_running
-- What runs is not stopped; 2 says that a conversion came meanwhile, so that it is not tried again.
UPDATE executions SET cancel_on_conversion = 2
WHERE lease_until IS NOT NULL AND status = 'running' AND cancel_on_conversion = 1
    AND visitor = :visitor;

-- name: waiting
-- Each integration that has something waiting, and when its first is due: two index steps an integration.
WITH RECURSIVE found(integration) AS (
    SELECT * FROM (
        SELECT integration FROM executions WHERE status = 'pending' AND lease_until IS NULL
        ORDER BY integration LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT integration FROM executions WHERE status = 'pending' AND lease_until IS NULL
            AND integration > found.integration
        ORDER BY integration LIMIT 1
    ) FROM found WHERE found.integration IS NOT NULL
)
SELECT integration, (
    SELECT due_at FROM executions WHERE status = 'pending' AND lease_until IS NULL
        AND integration = found.integration
    ORDER BY due_at LIMIT 1
) FROM found WHERE integration IS NOT NULL;

-- name: due
SELECT due_at, number, integration FROM executions
WHERE status = 'pending' AND lease_until IS NULL AND integration = :integration AND due_at <= :now
ORDER BY due_at
LIMIT :limit;

-- name: in_flight
SELECT integration, 1 FROM executions WHERE lease_until IS NOT NULL;

-- name: claim
UPDATE executions SET attempt = attempt + 1, lease_until = :lease_until
WHERE number IN (SELECT value FROM json_each(:numbers)) AND status = 'pending' AND lease_until IS NULL
RETURNING {columns};

-- name: claimed
SELECT {columns} FROM executions
WHERE number IN (SELECT value FROM json_each(:numbers)) AND status = 'pending' AND lease_until IS NOT NULL;

-- name: postpone
UPDATE executions SET due_at = :due_at, lease_until = NULL
WHERE number = :number AND attempt = :attempt AND status = 'pending' AND lease_until IS NOT NULL
RETURNING number;

-- name: start
-- :held is a JSON list of [number, attempt].
UPDATE executions
SET status = 'running', reason = NULL, begun = begun + 1, lease_until = :lease_until
FROM json_each(:held) AS held
WHERE number = held.value ->> 0 AND attempt = held.value ->> 1
    AND status = 'pending' AND lease_until IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM integration_states WHERE integration_states.integration = executions.integration AND paused_at IS NOT NULL
    )
RETURNING number, attempt;

-- name: begin_attempts
-- :begun is a JSON list of [number, attempt].
INSERT INTO attempts (execution, attempt, started_at)
SELECT value ->> 0, value ->> 1, :now FROM json_each(:begun);

-- name: record_starts
INSERT INTO history (execution, seq, at, from_status, to_status)
SELECT value ->> 0, (SELECT coalesce(max(seq), 0) + 1 FROM history WHERE execution = value ->> 0),
    :now, 'pending', 'running'
FROM json_each(:begun);

-- name: settle_ended
-- :ended is a JSON list of [number, attempt, status, reason, now, http_status, error, answer].
UPDATE executions SET status = ended.value ->> 2, reason = ended.value ->> 3, lease_until = NULL
FROM json_each(:ended) AS ended
WHERE number = ended.value ->> 0 AND attempt = ended.value ->> 1 AND status = 'running'
RETURNING {columns};

-- name: end_attempts
UPDATE attempts
SET outcome = ended.value ->> 2, ended_at = ended.value ->> 4, http_status = ended.value ->> 5,
    error = ended.value ->> 6, answer = ended.value ->> 7
FROM json_each(:ended) AS ended
WHERE execution = ended.value ->> 0 AND attempt = ended.value ->> 1 AND ended_at IS NULL;

-- name: record_ends
INSERT INTO history (execution, seq, at, from_status, to_status, reason)
SELECT value ->> 0, (SELECT coalesce(max(seq), 0) + 1 FROM history WHERE execution = value ->> 0),
    value ->> 4, 'running', value ->> 2, value ->> 3
FROM json_each(:ended);

-- name: settle
UPDATE executions
SET status = :status, reason = :reason, due_at = coalesce(:due_at, due_at), lease_until = NULL
WHERE number = :number AND attempt = :attempt AND status = 'running'
RETURNING {columns};

-- name: converted_meanwhile
SELECT 1 FROM executions WHERE number = :number AND cancel_on_conversion = 2;

-- name: converted_since
SELECT 1 FROM executions JOIN conversions USING (visitor)
WHERE executions.number = :number AND cancel_on_conversion > 0 AND conversions.at >= created_at
LIMIT 1;

-- name: newer_running
-- The + keeps SQLite from walking through all that is newer; the few that are leased have an index.
SELECT 1 FROM executions
WHERE lease_until IS NOT NULL AND status = 'running' AND +number > :number
    AND key_digest = :key_digest AND key_owner = :key_owner;

-- name: renew
UPDATE executions SET lease_until = :lease_until
WHERE number = :number AND attempt = :attempt AND lease_until IS NOT NULL;

-- name: lapsed
SELECT {columns} FROM executions
WHERE lease_until IS NOT NULL AND lease_until <= :now;

-- name: leased
-- A running row that may not be retried is left to its lease: it may be another process's `execute`.
SELECT {columns} FROM executions
WHERE lease_until IS NOT NULL
    AND (lease_until <= :now OR status = 'pending' OR retries > 0);

-- name: unclaim
UPDATE executions SET lease_until = NULL
WHERE number = :number AND attempt = :attempt AND status = 'pending' AND lease_until IS NOT NULL;

-- name: replay
UPDATE executions SET status = 'pending', reason = :reason, begun = 0, due_at = :now
WHERE number = :number AND status IN ('failed', 'succeeded')
RETURNING {columns};

-- name: next_lapse
SELECT min(lease_until) FROM executions WHERE lease_until IS NOT NULL;

-- name: execution
SELECT {columns} FROM executions WHERE number = :number;

-- name: hold_execution
-- One writes at a time here; elsewhere this keeps others from the row.
SELECT {columns} FROM executions WHERE number = :number;

-- name: find
SELECT {columns} FROM executions
WHERE number < :before
    AND (:statuses IS NULL OR status IN (SELECT value FROM json_each(:statuses)))
    AND (:integration IS NULL OR integration = :integration)
    AND (:visitor IS NULL OR visitor = :visitor)
    AND (:experience IS NULL OR experience = :experience)
    AND (:schedule IS NULL OR schedule = :schedule)
    AND (:reason IS NULL OR reason = :reason)
    AND (:created_from IS NULL OR created_at >= :created_from)
    AND (:created_until IS NULL OR created_at < :created_until)
    AND (:due_from IS NULL OR due_at >= :due_from)
    AND (:due_until IS NULL OR due_at < :due_until)
    AND (:text IS NULL OR number = :text_number OR substr(visitor, 1, length(:text)) = :text
        OR instr(key, :text) > 0)
ORDER BY number DESC
LIMIT :limit;

-- name: count
SELECT count(*) FROM executions
WHERE (:statuses IS NULL OR status IN (SELECT value FROM json_each(:statuses)))
    AND (:integration IS NULL OR integration = :integration)
    AND (:visitor IS NULL OR visitor = :visitor)
    AND (:experience IS NULL OR experience = :experience)
    AND (:schedule IS NULL OR schedule = :schedule)
    AND (:reason IS NULL OR reason = :reason)
    AND (:created_from IS NULL OR created_at >= :created_from)
    AND (:created_until IS NULL OR created_at < :created_until)
    AND (:due_from IS NULL OR due_at >= :due_from)
    AND (:due_until IS NULL OR due_at < :due_until)
    AND (:text IS NULL OR number = :text_number OR substr(visitor, 1, length(:text)) = :text
        OR instr(key, :text) > 0);

-- name: insert_history
-- A row's birth is not here: `created_at` tells it, and waiting rows stay small.
INSERT INTO history (execution, seq, at, from_status, to_status, reason)
VALUES (
    :execution,
    (SELECT coalesce(max(seq), 0) + 1 FROM history WHERE execution = :execution),
    :at, :from_status, :to_status, :reason
);

-- name: history
SELECT at, from_status, to_status, reason FROM history WHERE execution = :number ORDER BY seq;

-- name: end_attempt
UPDATE attempts
SET ended_at = :now, outcome = :outcome, http_status = :http_status, error = :error, answer = :answer
WHERE execution = :number AND attempt = :attempt AND ended_at IS NULL;

-- name: attempts
SELECT attempt, started_at, ended_at, outcome, http_status, error, answer
FROM attempts WHERE execution = :number ORDER BY attempt;

-- name: visitor
SELECT id, timezone, timezone_offset FROM visitors WHERE id = :id;

-- name: remember_visitor
-- The zone and the offset are one fact told in two ways: whichever is news replaces both.
INSERT INTO visitors (id, timezone, timezone_offset, seen_at)
VALUES (:id, :timezone, :timezone_offset, :now)
ON CONFLICT (id) DO UPDATE SET
    timezone = CASE
        WHEN excluded.timezone IS NULL AND excluded.timezone_offset IS NULL THEN timezone
        ELSE excluded.timezone END,
    timezone_offset = CASE
        WHEN excluded.timezone IS NULL AND excluded.timezone_offset IS NULL THEN timezone_offset
        ELSE excluded.timezone_offset END,
    seen_at = excluded.seen_at;

-- name: drop_free_marks
DELETE FROM execute_marks WHERE free_at <= :now;

-- name: take_mark
-- A mark further ahead than a new one could be was taken before the machine's clock was put back. The minute
-- is for two that read the clock and come in the other order.
INSERT INTO execute_marks (key_digest, key_owner, free_at) VALUES (:key_digest, :key_owner, :free_at)
ON CONFLICT (key_digest, key_owner) DO UPDATE SET free_at = excluded.free_at
    WHERE free_at > excluded.free_at + 60000;
