-- What PostgreSQL needs otherwise than ../*.sql have it, under the same names, with the same bound values and
-- answers; every other statement is theirs.
-- Transactions are READ COMMITTED: an UPDATE that waited for a row judges its WHERE, and computes its SET,
-- by the row as it then is. What needs more than one statement holds a name first (`Database.hold`).

-- name: pending_under_key
SELECT {columns} FROM executions
WHERE status = 'pending' AND key_digest IS NOT NULL
    AND key_digest = :key_digest AND CASE key_is_property WHEN 1 THEN '' ELSE visitor END = :key_owner;

-- name: cancel_key
UPDATE executions SET status = 'cancelled', reason = :reason, lease_until = NULL
WHERE status = 'pending' AND key_digest IS NOT NULL
    AND key_digest = :key_digest AND CASE key_is_property WHEN 1 THEN '' ELSE visitor END = :key_owner
RETURNING number;

-- name: key_pending_elsewhere
SELECT 1 FROM executions
WHERE status = 'pending' AND key_digest IS NOT NULL
    AND key_digest = :key_digest AND CASE key_is_property WHEN 1 THEN '' ELSE visitor END <> :key_owner
LIMIT 1;

-- name: convert
-- One statement, so that no row can change from one state to the other between two. What runs is not
-- stopped; 2 says that a conversion came meanwhile, so that it is not tried again.
WITH judged AS (
    UPDATE executions SET
        status = CASE status WHEN 'pending' THEN 'cancelled' ELSE status END,
        reason = CASE status WHEN 'pending' THEN 'conversion' ELSE reason END,
        lease_until = CASE status WHEN 'pending' THEN NULL ELSE lease_until END,
        cancel_on_conversion = CASE status WHEN 'running' THEN 2 ELSE cancel_on_conversion END
    WHERE cancel_on_conversion = 1 AND status IN ('pending', 'running') AND visitor = :visitor
    RETURNING number, status
)
SELECT number FROM judged WHERE status = 'cancelled';

-- name: convert_running
-- Locks what waits as well as what runs: none of it starts or settles before `convert` has judged it.
SELECT number FROM executions
WHERE cancel_on_conversion = 1 AND status IN ('pending', 'running') AND visitor = :visitor
ORDER BY number
FOR UPDATE;

-- name: waiting
-- Each integration that has something waiting, and when its first is due: two index steps an integration.
WITH RECURSIVE found(integration) AS (
    (
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
-- A row that somebody is about to cancel or convert is passed over.
SELECT due_at, number, integration FROM executions
WHERE status = 'pending' AND lease_until IS NULL AND integration = :integration AND due_at <= :now
ORDER BY due_at, number
LIMIT :limit
FOR UPDATE SKIP LOCKED;

-- name: in_flight
SELECT integration, count(*) FROM executions WHERE lease_until IS NOT NULL GROUP BY integration;

-- name: claim
UPDATE executions SET attempt = attempt + 1, lease_until = :lease_until
WHERE number = ANY (ARRAY(SELECT json_array_elements_text(CAST(:numbers AS json))::bigint))
    AND status = 'pending' AND lease_until IS NULL
RETURNING {columns};

-- name: claimed
SELECT {columns} FROM executions
WHERE number = ANY (ARRAY(SELECT json_array_elements_text(CAST(:numbers AS json))::bigint)) AND status = 'pending' AND lease_until IS NOT NULL;

-- name: start
-- :held is a JSON list of [number, attempt].
WITH held AS (SELECT value FROM json_array_elements(CAST(:held AS json)) AS listed(value))
UPDATE executions
SET status = 'running', reason = NULL, begun = begun + 1, lease_until = :lease_until
FROM held
WHERE number = (held.value ->> 0)::bigint AND attempt = (held.value ->> 1)::integer
    AND status = 'pending' AND lease_until IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM integration_states WHERE integration_states.integration = executions.integration AND paused_at IS NOT NULL
    )
RETURNING number, attempt;

-- name: begin_attempts
-- :begun is a JSON list of [number, attempt].
INSERT INTO attempts (execution, attempt, started_at)
SELECT (value ->> 0)::bigint, (value ->> 1)::integer, :now
FROM json_array_elements(CAST(:begun AS json)) AS listed(value);

-- name: record_starts
-- The row of an execution is locked by whoever writes its history: no two take the same place in it.
INSERT INTO history (execution, seq, at, from_status, to_status)
SELECT (value ->> 0)::bigint,
    (SELECT coalesce(max(seq), 0) + 1 FROM history WHERE execution = (value ->> 0)::bigint),
    :now, 'pending', 'running'
FROM json_array_elements(CAST(:begun AS json)) AS listed(value);

-- name: settle_ended
-- :ended is a JSON list of [number, attempt, status, reason, now, http_status, error, answer].
WITH ended AS (SELECT value FROM json_array_elements(CAST(:ended AS json)) AS listed(value))
UPDATE executions SET status = ended.value ->> 2, reason = ended.value ->> 3, lease_until = NULL
FROM ended
WHERE number = (ended.value ->> 0)::bigint AND attempt = (ended.value ->> 1)::integer AND status = 'running'
RETURNING {columns};

-- name: end_attempts
WITH ended AS (SELECT value FROM json_array_elements(CAST(:ended AS json)) AS listed(value))
UPDATE attempts
SET outcome = ended.value ->> 2, ended_at = (ended.value ->> 4)::bigint,
    http_status = (ended.value ->> 5)::integer, error = ended.value ->> 6, answer = ended.value ->> 7
FROM ended
WHERE execution = (ended.value ->> 0)::bigint AND attempt = (ended.value ->> 1)::integer
    AND ended_at IS NULL;

-- name: record_ends
INSERT INTO history (execution, seq, at, from_status, to_status, reason)
SELECT (value ->> 0)::bigint,
    (SELECT coalesce(max(seq), 0) + 1 FROM history WHERE execution = (value ->> 0)::bigint),
    (value ->> 4)::bigint, 'running', value ->> 2, value ->> 3
FROM json_array_elements(CAST(:ended AS json)) AS listed(value);

-- name: newer_running
SELECT 1 FROM executions
WHERE lease_until IS NOT NULL AND status = 'running' AND number > :number
    AND key_digest = :key_digest AND CASE key_is_property WHEN 1 THEN '' ELSE visitor END = :key_owner;

-- name: lapsed
-- What somebody else is settling or giving back at this moment is left to them.
SELECT {columns} FROM executions
WHERE lease_until IS NOT NULL AND lease_until <= :now
ORDER BY number
FOR UPDATE SKIP LOCKED;

-- name: leased
-- A running row that may not be retried is left to its lease: it may be another process's `execute`.
SELECT {columns} FROM executions
WHERE lease_until IS NOT NULL
    AND (lease_until <= :now OR status = 'pending' OR retries > 0)
ORDER BY number
FOR UPDATE SKIP LOCKED;

-- name: hold_execution
SELECT {columns} FROM executions WHERE number = :number FOR UPDATE;

-- name: find
SELECT {columns} FROM executions
WHERE number < :before
    AND (CAST(:statuses AS text) IS NULL
        OR status = ANY (ARRAY(SELECT json_array_elements_text(CAST(:statuses AS json)))))
    AND (CAST(:integration AS text) IS NULL OR integration = :integration)
    AND (CAST(:visitor AS text) IS NULL OR visitor = :visitor)
    AND (CAST(:experience AS text) IS NULL OR experience = :experience)
    AND (CAST(:schedule AS text) IS NULL OR schedule = :schedule)
    AND (CAST(:reason AS text) IS NULL OR reason = :reason)
    AND (CAST(:created_from AS bigint) IS NULL OR created_at >= :created_from)
    AND (CAST(:created_until AS bigint) IS NULL OR created_at < :created_until)
    AND (CAST(:due_from AS bigint) IS NULL OR due_at >= :due_from)
    AND (CAST(:due_until AS bigint) IS NULL OR due_at < :due_until)
    AND (CAST(:text AS text) IS NULL OR number = :text_number
        OR substr(visitor, 1, length(:text)) = :text OR strpos(key, :text) > 0)
ORDER BY number DESC
LIMIT :limit;

-- name: count
SELECT count(*) FROM executions
WHERE (CAST(:statuses AS text) IS NULL
        OR status = ANY (ARRAY(SELECT json_array_elements_text(CAST(:statuses AS json)))))
    AND (CAST(:integration AS text) IS NULL OR integration = :integration)
    AND (CAST(:visitor AS text) IS NULL OR visitor = :visitor)
    AND (CAST(:experience AS text) IS NULL OR experience = :experience)
    AND (CAST(:schedule AS text) IS NULL OR schedule = :schedule)
    AND (CAST(:reason AS text) IS NULL OR reason = :reason)
    AND (CAST(:created_from AS bigint) IS NULL OR created_at >= :created_from)
    AND (CAST(:created_until AS bigint) IS NULL OR created_at < :created_until)
    AND (CAST(:due_from AS bigint) IS NULL OR due_at >= :due_from)
    AND (CAST(:due_until AS bigint) IS NULL OR due_at < :due_until)
    AND (CAST(:text AS text) IS NULL OR number = :text_number
        OR substr(visitor, 1, length(:text)) = :text OR strpos(key, :text) > 0);

-- name: remember_visitor
-- The zone and the offset are one fact told in two ways: whichever is news replaces both.
INSERT INTO visitors (id, timezone, timezone_offset, seen_at)
VALUES (:id, :timezone, :timezone_offset, :now)
ON CONFLICT (id) DO UPDATE SET
    timezone = CASE
        WHEN excluded.timezone IS NULL AND excluded.timezone_offset IS NULL THEN visitors.timezone
        ELSE excluded.timezone END,
    timezone_offset = CASE
        WHEN excluded.timezone IS NULL AND excluded.timezone_offset IS NULL THEN visitors.timezone_offset
        ELSE excluded.timezone_offset END,
    seen_at = excluded.seen_at;

-- name: drop_free_marks
DELETE FROM execute_marks WHERE (key_digest, key_owner) IN (
    SELECT key_digest, key_owner FROM execute_marks WHERE free_at <= :now FOR UPDATE SKIP LOCKED
);

-- name: take_mark
-- One that is free may still stand here: whoever drops it at this moment may yet fail to.
-- A mark further ahead than a new one could be was taken before the machine's clock was put back. The minute
-- is for two that read the clock and come in the other order.
INSERT INTO execute_marks AS held (key_digest, key_owner, free_at) VALUES (:key_digest, :key_owner, :free_at)
ON CONFLICT (key_digest, key_owner) DO UPDATE SET free_at = excluded.free_at
    WHERE held.free_at <= :now OR held.free_at > excluded.free_at + 60000;

-- name: hold
SELECT pg_advisory_xact_lock(hashtextextended(:name, 0));

-- name: defer_jobs
-- The delivery engine's own function; :jobs is a JSON list of {"queue": …, "args": …}.
SELECT procrastinate_defer_jobs_v1(
    array_agg(
        ROW(queue, 'deliver', 0, NULL, NULL, args, NULL)::procrastinate_job_to_defer_v1
    )
)
FROM json_to_recordset(CAST(:jobs AS json)) AS job(queue text, args jsonb);

-- name: begin_session
-- Nothing is inserted for a token that is gone.
INSERT INTO sessions (digest, token, expires_at)
SELECT CAST(:digest AS bytea), digest, :expires_at FROM tokens WHERE digest = :token
FOR SHARE;

-- name: failures
SELECT integration, executions.reason, count(*) FROM (
    SELECT execution FROM history WHERE to_status = 'failed' AND at >= :since
    ORDER BY at DESC LIMIT :limit
) AS failed JOIN executions ON number = execution
GROUP BY integration, executions.reason
ORDER BY count(*) DESC, integration, executions.reason NULLS FIRST;

-- name: last_fired
-- Held: no other process fires for it before this one has looked and inserted.
SELECT last FROM schedules WHERE name = :name FOR UPDATE;
