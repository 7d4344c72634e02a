-- Which visitors there are: those seen lately, and those whose ids begin with a text. Each step reads an index.

-- name: visitors_of_last_runs
SELECT visitor, max(at) FROM (SELECT visitor, at FROM runs ORDER BY number DESC LIMIT :looked_at) AS latest
WHERE visitor IS NOT NULL GROUP BY visitor;

-- name: visitors_of_last_events
SELECT visitor, max(at) FROM (SELECT visitor, at FROM events ORDER BY number DESC LIMIT :looked_at) AS latest
GROUP BY visitor;

-- name: visitors_of_last_executions
SELECT visitor, max(created_at) FROM (
    SELECT visitor, created_at FROM executions
    WHERE attempt >= 0 [[of_experiences: AND experience IS NOT NULL]]
    ORDER BY number DESC LIMIT :looked_at
) AS latest
WHERE visitor IS NOT NULL GROUP BY visitor;

-- name: known_beginning
SELECT id FROM visitors WHERE id >= :beginning AND id < :behind ORDER BY id LIMIT :limit;

-- name: persons_beginning
SELECT visitor FROM persons WHERE visitor >= :beginning AND visitor < :behind ORDER BY visitor LIMIT :limit;

-- name: runs_beginning
-- One index step a visitor, however many runs each has.
WITH RECURSIVE found(visitor) AS (
    SELECT * FROM (
        SELECT visitor FROM runs WHERE visitor IS NOT NULL AND visitor >= :beginning AND visitor < :behind
        ORDER BY visitor LIMIT 1
    ) AS first
    UNION ALL
    SELECT (
        SELECT visitor FROM runs WHERE visitor IS NOT NULL AND visitor > found.visitor AND visitor < :behind
        ORDER BY visitor LIMIT 1
    ) FROM found WHERE found.visitor IS NOT NULL
)
SELECT visitor FROM found WHERE visitor IS NOT NULL LIMIT :limit;

-- name: executions_beginning
WITH RECURSIVE found(visitor) AS (
    SELECT * FROM (
        SELECT visitor FROM executions
        WHERE visitor IS NOT NULL AND attempt >= 0 AND visitor >= :beginning AND visitor < :behind
        ORDER BY visitor LIMIT 1
    ) AS first
    UNION ALL
    SELECT (
        SELECT visitor FROM executions
        WHERE visitor IS NOT NULL AND attempt >= 0 AND visitor > found.visitor AND visitor < :behind
        ORDER BY visitor LIMIT 1
    ) FROM found WHERE found.visitor IS NOT NULL
)
SELECT visitor FROM found WHERE visitor IS NOT NULL LIMIT :limit;

-- name: visitor_seen
SELECT timezone, timezone_offset, seen_at FROM visitors WHERE id = :id;
