-- What SQLite needs otherwise than ../*.sql have it.

-- name: convert
UPDATE executions SET status = 'cancelled', reason = 'conversion', lease_until = NULL
WHERE status = 'pending' AND cancel_on_conversion = 1
    AND visitor = :visitor AND created_at <= :before
RETURNING number;

-- name: convert_running
-- What runs is not stopped; 2 says that a conversion came meanwhile, so that it is not tried again.
UPDATE executions SET cancel_on_conversion = 2
WHERE lease_until IS NOT NULL AND status = 'running' AND cancel_on_conversion = 1
    AND visitor = :visitor AND created_at <= :before;

-- name: database_clock
-- A file has no clock: what was stored last was stored by now.
SELECT created_at, 0 FROM executions ORDER BY number DESC LIMIT 1;

-- name: erase_answers
-- The key stays: a request that is sent again under it is not carried out again.
UPDATE replies SET media_type = 'application/json', body = :erased
WHERE body IS NOT NULL AND instr(body, :needle) > 0;

-- name: database_size
SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size();
