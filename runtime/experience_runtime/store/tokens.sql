-- Who may call from outside, and the sessions of pages.

-- part: token_columns
name, tokens.digest, scopes, origins, created_at, tokens.expires_at, used_at, note

-- name: put_token
INSERT INTO tokens (digest, name, scopes, origins, created_at, expires_at, note)
VALUES (:digest, :name, :scopes, :origins, :created_at, :expires_at, :note)
ON CONFLICT (name) DO NOTHING;

-- name: token
SELECT {token_columns} FROM tokens WHERE digest = :digest;

-- name: tokens
SELECT {token_columns} FROM tokens ORDER BY name;

-- name: use_token
UPDATE tokens SET used_at = :now WHERE digest = :digest AND (used_at IS NULL OR used_at < :now);

-- name: had_token
-- A program of the version before keeps a token and no milestone.
SELECT 1 FROM milestones WHERE name = 'token' UNION ALL SELECT 1 FROM tokens LIMIT 1;

-- name: remember_token
INSERT INTO milestones (name, at) VALUES ('token', :created_at) ON CONFLICT (name) DO NOTHING;

-- name: revoke_token
DELETE FROM tokens WHERE name = :name RETURNING {token_columns};

-- name: drop_sessions_of
DELETE FROM sessions WHERE token = :token;

-- name: drop_ended_sessions
DELETE FROM sessions WHERE expires_at <= :now;

-- name: begin_session
-- Nothing is inserted for a token that is gone.
INSERT INTO sessions (digest, token, expires_at)
SELECT CAST(:digest AS {bytes}), digest, :expires_at FROM tokens WHERE digest = :token
{for_share};

-- name: session_token
SELECT {token_columns}
FROM sessions JOIN tokens ON tokens.digest = sessions.token
WHERE sessions.digest = :digest AND sessions.expires_at > :now;

-- name: end_session
DELETE FROM sessions WHERE digest = :digest;
