-- What PostgreSQL needs otherwise than ../*.sql have it, or beside them.

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
