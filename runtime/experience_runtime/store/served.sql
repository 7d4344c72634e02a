-- name: put_token
INSERT INTO tokens (digest, name, scopes, origins, created_at)
VALUES (:digest, :name, :scopes, :origins, :created_at)
ON CONFLICT (name) DO NOTHING;

-- name: token
SELECT name, digest, scopes, origins, created_at FROM tokens WHERE digest = :digest;

-- name: tokens
SELECT name, digest, scopes, origins, created_at FROM tokens ORDER BY name;

-- name: any_token
SELECT 1 FROM tokens LIMIT 1;

-- name: revoke_token
DELETE FROM tokens WHERE name = :name RETURNING digest;

-- name: drop_sessions_of
DELETE FROM sessions WHERE token = :token;

-- name: drop_ended_sessions
DELETE FROM sessions WHERE expires_at <= :now;

-- name: begin_session
-- Nothing is inserted for a token that is gone.
INSERT INTO sessions (digest, token, expires_at)
SELECT :digest, digest, :expires_at FROM tokens WHERE digest = :token;

-- name: session_token
SELECT name, tokens.digest, scopes, origins, created_at
FROM sessions JOIN tokens ON tokens.digest = sessions.token
WHERE sessions.digest = :digest AND expires_at > :now;

-- name: end_session
DELETE FROM sessions WHERE digest = :digest;

-- name: drop_old_replies
DELETE FROM replies WHERE claimed_at <= :before;

-- name: claim_reply
INSERT INTO replies (caller, key, request, claimed_at) VALUES (:caller, :key, :request, :now)
ON CONFLICT (caller, key) DO NOTHING;

-- name: reply
SELECT request, claimed_at, status, media_type, body FROM replies WHERE caller = :caller AND key = :key;

-- name: keep_reply
UPDATE replies SET status = :status, media_type = :media_type, body = :body
WHERE caller = :caller AND key = :key AND status IS NULL;

-- name: release_reply
DELETE FROM replies WHERE caller = :caller AND key = :key AND status IS NULL;

-- name: record_event
INSERT INTO events (at, visitor, type, data) VALUES (:at, :visitor, :type, :data);

-- name: drop_old_events
DELETE FROM events WHERE visitor = :visitor AND number <= (
    SELECT number FROM events WHERE visitor = :visitor ORDER BY number DESC LIMIT 1 OFFSET :kept
);

-- name: events_of
SELECT at, type, data FROM events WHERE visitor = :visitor ORDER BY number DESC LIMIT :limit;

-- name: conversions_of
SELECT at, event FROM conversions WHERE visitor = :visitor ORDER BY at DESC LIMIT :limit;

-- name: backlog
SELECT integration, count(*), count(CASE WHEN due_at <= :now THEN 1 END), min(due_at) FROM executions
WHERE status = 'pending' AND lease_until IS NULL
GROUP BY integration
ORDER BY integration;

-- name: leased_by_status
SELECT status, count(*) FROM executions WHERE lease_until IS NOT NULL GROUP BY status;

-- name: ended_by_status
SELECT status, count(*) FROM executions
WHERE status IN ('succeeded', 'failed', 'cancelled')
GROUP BY status;

-- name: failures
SELECT integration, executions.reason, count(*) FROM (
    SELECT execution FROM history WHERE to_status = 'failed' AND at >= :since
    ORDER BY at DESC LIMIT :limit
) JOIN executions ON number = execution
GROUP BY integration, executions.reason
ORDER BY count(*) DESC, integration, executions.reason;

-- name: next_of
SELECT due_at, number FROM executions
WHERE status = 'pending' AND lease_until IS NULL AND integration = :integration
ORDER BY due_at, number
LIMIT :limit;
