-- The waiting room, its history, and who is known. Instants are Unix milliseconds.

CREATE TABLE executions (
    number INTEGER PRIMARY KEY,
    status TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    begun INTEGER NOT NULL,
    retries INTEGER NOT NULL,
    cancel_on_conversion INTEGER NOT NULL, -- 2: asked for, and one came while it ran
    created_at INTEGER NOT NULL,
    requested_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    lease_until INTEGER,
    integration TEXT NOT NULL,
    experience TEXT,
    visitor TEXT,
    key TEXT,
    key_digest BLOB,
    key_is_property INTEGER NOT NULL,
    key_owner TEXT NOT NULL GENERATED ALWAYS AS (iif(key_is_property, '', visitor)) VIRTUAL, -- 20 bytes a row saved
    asked TEXT NOT NULL,
    zone TEXT NOT NULL,
    zone_from TEXT NOT NULL,
    "window" TEXT,
    reason TEXT,
    payload TEXT NOT NULL -- last: what filters read then never touches its overflow pages
) STRICT;

CREATE INDEX executions_due ON executions (due_at)
    WHERE status = 'pending' AND lease_until IS NULL;

CREATE INDEX executions_leased ON executions (lease_until)
    WHERE lease_until IS NOT NULL;

CREATE UNIQUE INDEX executions_key ON executions (key_digest, key_owner)
    WHERE status = 'pending' AND key_digest IS NOT NULL;

CREATE INDEX executions_converting ON executions (visitor)
    WHERE status = 'pending' AND cancel_on_conversion = 1;

CREATE TABLE history (
    execution INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    from_status TEXT NOT NULL,
    to_status TEXT NOT NULL,
    reason TEXT,
    PRIMARY KEY (execution, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
    execution INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    outcome TEXT,
    http_status INTEGER,
    error TEXT,
    answer TEXT,
    PRIMARY KEY (execution, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE conversions (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    visitor TEXT NOT NULL,
    event TEXT NOT NULL
) STRICT;

CREATE TABLE visitors (
    id TEXT PRIMARY KEY,
    timezone TEXT,
    timezone_offset INTEGER,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE execute_marks (
    key_digest BLOB NOT NULL,
    key_owner TEXT NOT NULL,
    free_at INTEGER NOT NULL,
    PRIMARY KEY (key_digest, key_owner)
) STRICT, WITHOUT ROWID;

CREATE INDEX execute_marks_free ON execute_marks (free_at);
