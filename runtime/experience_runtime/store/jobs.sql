-- What is done to many executions in the background.

-- part: job_columns
id, verb, filter, reason, matching, begun_at, state, seen, done, "cursor", error, actor, address, due_at

-- name: begin_job
INSERT INTO jobs (id, verb, filter, reason, matching, begun_at, state, seen, done, owner, beat_at, actor, address, due_at)
VALUES (:id, :verb, :filter, :reason, :matching, :now, 'running', 0, 0, :owner, :now, :actor, :address, :due_at);

-- name: drop_old_jobs
DELETE FROM jobs WHERE state <> 'running' AND begun_at < :before;

-- name: job
SELECT {job_columns} FROM jobs WHERE id = :id;

-- name: advance_job
UPDATE jobs SET seen = :seen, done = :done, "cursor" = :cursor, beat_at = :now
WHERE id = :id AND owner = :owner AND state = 'running';

-- name: end_job
UPDATE jobs SET state = :state, error = :error WHERE id = :id AND owner = :owner AND state = 'running';

-- name: give_up_job
UPDATE jobs SET owner = '' WHERE id = :id AND owner = :owner AND state = 'running';

-- name: running_jobs
SELECT id, owner, beat_at FROM jobs WHERE state = 'running' ORDER BY begun_at, id;

-- name: take_over_job
UPDATE jobs SET owner = :owner, beat_at = :now WHERE id = :id AND owner = :before AND state = 'running';
