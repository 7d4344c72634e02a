-- How everything stands, read from the indexes.

-- name: backlog_of
-- Of one integration, what nobody has claimed, and what of it is due; no more than :most of each are counted,
-- in an order that only the index of what waits has.
SELECT (
    SELECT count(*) FROM (
        SELECT 1 FROM executions
        WHERE status = 'pending' AND lease_until IS NULL AND integration = :integration
        ORDER BY due_at LIMIT :most
    ) AS pending
), (
    SELECT count(*) FROM (
        SELECT 1 FROM executions
        WHERE status = 'pending' AND lease_until IS NULL AND integration = :integration AND due_at <= :now
        ORDER BY due_at LIMIT :most
    ) AS due
);

-- name: leased_by_status
SELECT status, count(*) FROM executions WHERE lease_until IS NOT NULL GROUP BY status;

-- name: running_of
SELECT integration, count(*), min(started_at)
FROM executions JOIN attempts ON attempts.execution = number AND attempts.attempt = executions.attempt
WHERE lease_until IS NOT NULL AND status = 'running'
GROUP BY integration
ORDER BY integration;

-- name: count_ended
SELECT count(*) FROM (
    SELECT 1 FROM executions
    WHERE status = :status AND status IN ('succeeded', 'failed', 'cancelled') LIMIT :most
) AS ended;

-- name: failures
-- Those that are failed still; one that failed twice is one.
SELECT integration, executions.reason, count(DISTINCT number) AS failures FROM (
    SELECT execution FROM history WHERE to_status = 'failed' AND at >= :since
    ORDER BY at DESC LIMIT :limit
) AS failed JOIN executions ON number = execution
WHERE status = 'failed'
GROUP BY integration, executions.reason
ORDER BY failures DESC, integration, executions.reason NULLS FIRST;

-- name: ended_by_hour
SELECT at / 3600000 AS hour, to_status, count(*) FROM (
    SELECT at, to_status FROM history WHERE to_status IN ('succeeded', 'failed', 'cancelled') AND at >= :since
    ORDER BY at DESC LIMIT :limit
) AS ended
WHERE to_status IN ('succeeded', 'failed')
GROUP BY hour, to_status
ORDER BY hour, to_status;

-- name: next_of
SELECT due_at, number FROM executions
WHERE status = 'pending' AND lease_until IS NULL AND integration = :integration
ORDER BY due_at
LIMIT :limit;
