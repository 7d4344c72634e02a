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
        AND created_at <= :before
    RETURNING number, status
)
SELECT number FROM judged WHERE status = 'cancelled';

-- name: convert_running
-- Locks what waits as well as what runs: none of it starts or settles before `convert` has judged it.
SELECT number FROM executions
WHERE cancel_on_conversion = 1 AND status IN ('pending', 'running') AND visitor = :visitor
    AND created_at <= :before
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

-- name: end_standing_still
-- The sessions whose process has stopped in the middle of a transaction, however it waits for that process: what
-- they hold would be held for as long as it stands still. One that runs ends its own before. Of :applications.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user
    AND application_name = ANY (ARRAY(SELECT json_array_elements_text(CAST(:applications AS json))))
    AND wait_event_type = 'Client' AND xact_start < clock_timestamp() - make_interval(secs => :seconds);

-- name: mark_commit
-- The last statement of a transaction. Where `decide_commit` was quicker, it fails, and the transaction with it.
INSERT INTO commit_marks AS held (owner, session, seq) VALUES (:owner, :session, :seq)
ON CONFLICT (owner, session) DO UPDATE
    SET seq = CASE WHEN held.seq < excluded.seq THEN excluded.seq END;

-- name: decide_commit
-- Waits for a transaction that is still at it, and lets one that has not come so far commit no more.
INSERT INTO commit_marks AS held (owner, session, seq) VALUES (:owner, :session, :later)
ON CONFLICT (owner, session) DO UPDATE
    SET seq = CASE held.seq WHEN :seq THEN held.seq ELSE excluded.seq END
RETURNING seq;

-- name: drop_commit_marks
-- Those of this program, which has ended its sessions, and those a crash left behind so many transactions ago.
DELETE FROM commit_marks WHERE (owner, session) IN (
    SELECT owner, session FROM commit_marks WHERE owner = :owner OR age(xmin) > :transactions
    FOR UPDATE SKIP LOCKED
);

-- name: database_clock
-- The only look at the server's clock: it plans nothing by it, and compares.
SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint), 1;

-- name: written_up_to
-- How far the server has written, for whichever of its databases.
SELECT CAST(pg_current_wal_insert_lsn() AS text);

-- name: erase_answers
-- The key stays: a request that is sent again under it is not carried out again.
UPDATE replies SET media_type = 'application/json', body = :erased
WHERE body IS NOT NULL AND position(CAST(:needle AS bytea) IN body) > 0;

-- name: database_size
SELECT pg_database_size(current_database());
