-- What is served: who may call, which answers were given, and what visitors did.

CREATE TABLE tokens (
    digest BLOB PRIMARY KEY, -- SHA-256: the token itself is kept nowhere
    name TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    origins TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    digest BLOB PRIMARY KEY,
    token BLOB NOT NULL, -- the digest of the token it was given for
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_expiring ON sessions (expires_at);

-- The answer each caller got under an Idempotency-Key; no status: it is being worked out.
CREATE TABLE replies (
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    request BLOB NOT NULL,
    claimed_at INTEGER NOT NULL,
    status INTEGER,
    media_type TEXT,
    body BLOB,
    PRIMARY KEY (caller, key)
) STRICT;

CREATE INDEX replies_claimed ON replies (claimed_at);

CREATE TABLE events (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    visitor TEXT NOT NULL,
    type TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT;

CREATE INDEX events_visitor ON events (visitor, number);

-- Counted by state without reading a row; what waits is not in it, and stays as small as it was.
CREATE INDEX executions_ended ON executions (status)
    WHERE status IN ('succeeded', 'failed', 'cancelled');

CREATE INDEX history_failed ON history (at)
    WHERE to_status = 'failed';
