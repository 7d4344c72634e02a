-- The waiting room: what is scheduled, claimed, run, settled, listed.
-- What stands in braces is filled in by statements.py: {columns} is what `rows.execution` reads.
-- A partial index is used only by a statement that repeats its predicate to the letter: keep
-- `status = 'pending' AND lease_until IS NULL` and its siblings as the migration spells them.
-- On PostgreSQL transactions are READ COMMITTED: an UPDATE that waited for a row judges its WHERE, and computes
-- its SET, by the row as it then is. What needs more than one statement holds a name first (`Database.hold`).

-- name: insert_execution
-- A number already taken inserts nothing; the caller moves to the next one.
INSERT INTO executions ({stored}) VALUES ({values})
ON CONFLICT (number) DO NOTHING
RETURNING number;

-- name: pending_under_key
SELECT {columns} FROM executions
WHERE status = 'pending' AND key_digest IS NOT NULL
    AND key_digest = :key_digest AND {key_owner} = :key_owner;

-- name: cancel_key
UPDATE executions SET status = 'cancelled', reason = :reason, lease_until = NULL
WHERE status = 'pending' AND key_digest IS NOT NULL
    AND key_digest = :key_digest AND {key_owner} = :key_owner
RETURNING number;

-- name: key_pending_elsewhere
SELECT 1 FROM executions
WHERE status = 'pending' AND key_digest IS NOT NULL
    AND key_digest = :key_digest AND {key_owner} <> :key_owner
LIMIT 1;

-- name: cancel
UPDATE executions SET status = 'cancelled', reason = :reason, lease_until = NULL
WHERE number = :number AND status = 'pending'
RETURNING number;

-- name: waiting
-- Each integration that has something waiting, and when its first is due: two index steps an integration.
WITH RECURSIVE found(integration) AS (
    SELECT * FROM (
        SELECT integration FROM executions WHERE status = 'pending' AND lease_until IS NULL
        ORDER BY integration LIMIT 1
    ) AS first
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

-- part: not_shut
-- :shut is a JSON list of [pace key], those that nothing more may begin for; they are walked past, in the index.
pace_key NOT IN (SELECT shut.value ->> 0 FROM {each shut})

-- name: due
-- A row that somebody is about to cancel or convert is passed over.
SELECT due_at, number, pace_key FROM executions
WHERE status = 'pending' AND lease_until IS NULL AND integration = :integration AND due_at <= :now AND {not_shut}
ORDER BY due_at{then_number}
LIMIT :limit
{for_update_skip_locked};

-- name: first_due
SELECT due_at, pace_key FROM executions
WHERE status = 'pending' AND lease_until IS NULL AND integration = :integration AND due_at <= :now AND {not_shut}
ORDER BY due_at
LIMIT :limit;

-- name: held_too_long
SELECT due_at, number, pace_key FROM executions
WHERE status = 'pending' AND lease_until IS NULL AND integration = :integration AND due_at <= :before
    AND pace_key = :pace_key AND (held_at IS NULL OR held_at <= :before)
    AND "window" IS NULL -- a closed one is not held: when its turn comes, it is judged by the hours that were open
ORDER BY due_at{then_number}
LIMIT :limit
{for_update_skip_locked};

-- name: note_held
-- :held is a JSON list of [number, since when its pace kept it waiting].
UPDATE executions SET held_at = coalesce(held_at, CAST(held.value ->> 1 AS bigint))
FROM {each held}
WHERE number = CAST(held.value ->> 0 AS bigint);

-- name: forget_holds
UPDATE executions SET held_at = NULL WHERE number {in_numbers};

-- name: in_flight
-- The last number: those whose call began by :slow_since.
SELECT integration, pace_key, count(*), count(attempts.started_at) FROM executions
LEFT JOIN attempts ON attempts.execution = number AND attempts.attempt = executions.attempt
    AND attempts.started_at <= :slow_since
WHERE lease_until IS NOT NULL
GROUP BY integration, pace_key;

-- name: claim
UPDATE executions SET attempt = attempt + 1, lease_until = :lease_until
WHERE number {in_numbers} AND status = 'pending' AND lease_until IS NULL
RETURNING {columns};

-- name: claimed
SELECT {columns} FROM executions
WHERE number {in_numbers} AND status = 'pending' AND lease_until IS NOT NULL;

-- name: planned_by_others
-- What waits for a window that was planned by other rules of the time zones than these. In the order of `due`.
SELECT {columns} FROM executions
WHERE status = 'pending' AND lease_until IS NULL AND integration = :integration AND due_at >= :from_due
    AND (due_at, number) > (:from_due, :from_number) AND "window" IS NOT NULL AND zone_rules <> :zone_rules
ORDER BY due_at, number
LIMIT :limit
{for_update_skip_locked};

-- name: are_planned_by_others
SELECT number FROM executions
WHERE status = 'pending' AND lease_until IS NULL AND "window" IS NOT NULL AND zone_rules <> :zone_rules
LIMIT 1;

-- name: plan_again
-- :planned is a JSON list of [number, due_at].
UPDATE executions SET due_at = CAST(planned.value ->> 1 AS bigint), zone_rules = :zone_rules
FROM {each planned}
WHERE number = CAST(planned.value ->> 0 AS bigint) AND status = 'pending' AND lease_until IS NULL;

-- name: postpone
UPDATE executions SET due_at = :due_at, lease_until = NULL
WHERE number = :number AND attempt = :attempt AND status = 'pending' AND lease_until IS NOT NULL
RETURNING number;

-- name: unclaim
UPDATE executions SET lease_until = NULL
WHERE number = :number AND attempt = :attempt AND status = 'pending' AND lease_until IS NOT NULL;

-- name: start
-- :held is a JSON list of [number, attempt].
UPDATE executions
SET status = 'running', reason = NULL, begun = begun + 1, lease_until = :lease_until
FROM {each held}
WHERE number = CAST(held.value ->> 0 AS bigint) AND attempt = CAST(held.value ->> 1 AS bigint)
    AND status = 'pending' AND lease_until IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM integration_states
        WHERE integration_states.integration IN (executions.integration, '*') AND paused_at IS NOT NULL
    )
RETURNING number, attempt;

-- name: begin_attempts
-- :begun is a JSON list of [number, attempt, started_at].
INSERT INTO attempts (execution, attempt, started_at)
SELECT CAST(begun.value ->> 0 AS bigint), CAST(begun.value ->> 1 AS bigint), CAST(begun.value ->> 2 AS bigint)
FROM {each begun};

-- name: record_starts
-- The row of an execution is locked by whoever writes its history: no two take the same place in it.
INSERT INTO history (execution, seq, at, from_status, to_status)
SELECT CAST(begun.value ->> 0 AS bigint),
    (SELECT coalesce(max(seq), 0) + 1 FROM history WHERE execution = CAST(begun.value ->> 0 AS bigint)),
    CAST(begun.value ->> 2 AS bigint), 'pending', 'running'
FROM {each begun};

-- name: settle_ended
-- :ended is a JSON list of [number, attempt, status, reason, now, http_status, error, answer].
UPDATE executions SET status = ended.value ->> 2, reason = ended.value ->> 3, lease_until = NULL
FROM {each ended}
WHERE number = CAST(ended.value ->> 0 AS bigint) AND attempt = CAST(ended.value ->> 1 AS bigint) AND status = 'running'
RETURNING {columns};

-- name: end_attempts
UPDATE attempts
SET outcome = ended.value ->> 2, ended_at = CAST(ended.value ->> 4 AS bigint), http_status = CAST(ended.value ->> 5 AS bigint),
    error = ended.value ->> 6, answer = ended.value ->> 7
FROM {each ended}
WHERE execution = CAST(ended.value ->> 0 AS bigint) AND attempt = CAST(ended.value ->> 1 AS bigint);

-- name: record_ends
INSERT INTO history (execution, seq, at, from_status, to_status, reason)
SELECT CAST(ended.value ->> 0 AS bigint),
    (SELECT coalesce(max(seq), 0) + 1 FROM history WHERE execution = CAST(ended.value ->> 0 AS bigint)),
    CAST(ended.value ->> 4 AS bigint), 'running', ended.value ->> 2, ended.value ->> 3
FROM {each ended};

-- name: settle
UPDATE executions
SET status = :status, reason = :reason, due_at = coalesce(:due_at, due_at), lease_until = NULL,
    begun = begun - CAST(:is_held AS integer),
    held_at = CASE CAST(:is_held AS integer) WHEN 1 THEN coalesce(held_at, :now) END
WHERE number = :number AND attempt = :attempt AND status = 'running'
RETURNING {columns};

-- name: end_attempt
UPDATE attempts
SET ended_at = :now, outcome = :outcome, http_status = :http_status, error = :error, answer = :answer,
    next_at = :next_at, next_because = :next_because
WHERE execution = :number AND attempt = :attempt;

-- name: converted_meanwhile
SELECT 1 FROM executions WHERE number = :number AND cancel_on_conversion = 2;

-- name: awaits_conversion
SELECT 1 FROM executions
WHERE visitor = :visitor AND attempt >= 0 AND status IN ('pending', 'running') AND cancel_on_conversion > 0
LIMIT 1;

-- name: converted_since
-- :visitor is an id of the person that the execution is for.
SELECT 1 FROM executions JOIN conversions ON conversions.visitor = :visitor
WHERE executions.number = :number AND cancel_on_conversion > 0 AND conversions.at >= created_at
LIMIT 1;

-- name: same_key
-- The others of this visitor under this key, the newest first; what is one for the whole property has no index.
SELECT {columns} FROM executions
WHERE visitor = :visitor AND attempt >= 0 AND key_digest = :key_digest AND {key_owner} = :visitor AND number <> :number
    [[of_experiences: AND experience IS NOT NULL]]
ORDER BY number DESC LIMIT :limit;

-- name: newer_running
-- The + keeps SQLite from walking through all that is newer; the few that are leased have an index.
SELECT 1 FROM executions
WHERE lease_until IS NOT NULL AND status = 'running' AND +number > :number
    AND key_digest = :key_digest AND {key_owner} = :key_owner;

-- name: renew
UPDATE executions SET lease_until = :lease_until
WHERE number = :number AND attempt = :attempt AND lease_until IS NOT NULL;

-- name: lapsed
-- What somebody else is settling or giving back at this moment is left to them.
SELECT {columns} FROM executions
WHERE lease_until IS NOT NULL AND lease_until <= :now
{for_update_skip_locked};

-- name: leased
-- A running row that may not be retried is left to its lease: it may be another process's `execute`.
SELECT {columns} FROM executions
WHERE lease_until IS NOT NULL
    AND (lease_until <= :now OR status = 'pending' OR retries > 0)
{for_update_skip_locked};

-- name: next_lapse
SELECT min(lease_until) FROM executions WHERE lease_until IS NOT NULL;

-- name: replay
UPDATE executions SET status = 'pending', reason = :reason, begun = 0, due_at = :now, held_at = NULL,
    payload = coalesce(CAST(:payload AS text), payload), pace_key = coalesce(CAST(:pace_key AS text), pace_key)
WHERE number = :number AND status IN ('failed', 'succeeded')
RETURNING {columns};

-- name: restore
-- The reason 'conversion' alone may be what a person wrote.
UPDATE executions SET status = 'pending', reason = :reason, held_at = NULL
WHERE number = :number AND status = 'cancelled' AND due_at > :now
    AND NOT (cancel_on_conversion > 0 AND coalesce(reason, '') = 'conversion')
RETURNING {columns};

-- name: move
-- Whoever has claimed it and not begun finds it no longer leased.
UPDATE executions
SET requested_at = :due_at, due_at = :due_at, asked = '', zone_rules = :zone_rules, held_at = NULL, lease_until = NULL
WHERE number = :number AND status = 'pending'
RETURNING {columns};

-- name: execution
SELECT {columns} FROM executions WHERE number = :number;

-- name: hold_execution
SELECT {columns} FROM executions WHERE number = :number {for_update};

-- name: history
SELECT at, from_status, to_status, reason, actor, payload_before FROM history WHERE execution = :number ORDER BY seq;

-- name: history_of_each
SELECT execution, at, from_status, to_status, reason, actor, payload_before FROM history WHERE execution {in_numbers}
ORDER BY execution, seq;

-- name: insert_history
-- A row's birth is not here: `created_at` tells it, and waiting rows stay small.
INSERT INTO history (execution, seq, at, from_status, to_status, reason, actor, payload_before)
VALUES (
    :execution,
    (SELECT coalesce(max(seq), 0) + 1 FROM history WHERE execution = :execution),
    :at, :from_status, :to_status, :reason, :actor, :payload_before
);

-- name: attempts
SELECT attempt, started_at, ended_at, outcome, http_status, error, answer, next_at, next_because
FROM attempts WHERE execution = :number ORDER BY attempt;

-- name: attempts_of_each
SELECT execution, attempt, started_at, ended_at, outcome, http_status, error, answer, next_at, next_because
FROM attempts WHERE execution {in_numbers} ORDER BY execution, attempt;

-- name: drop_free_marks
DELETE FROM execute_marks WHERE (key_digest, key_owner) IN (
    SELECT key_digest, key_owner FROM execute_marks WHERE free_at <= :now {for_update_skip_locked}
);

-- name: take_mark
-- One that is free may still stand here: whoever drops it at this moment may yet fail to.
-- A mark further ahead than a new one could be was taken before the machine's clock was put back. The minute
-- is for two that read the clock and come in the other order.
INSERT INTO execute_marks AS held (key_digest, key_owner, free_at) VALUES (:key_digest, :key_owner, :free_at)
ON CONFLICT (key_digest, key_owner) DO UPDATE SET free_at = excluded.free_at
    WHERE held.free_at <= :now OR held.free_at > excluded.free_at + 60000;
