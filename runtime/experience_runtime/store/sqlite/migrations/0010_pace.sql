-- Pace: how fast a receiver may be called, learned from its own answers.

ALTER TABLE executions ADD COLUMN pace_key TEXT NOT NULL DEFAULT ''; -- whose pace it keeps; '': its integration's

ALTER TABLE executions ADD COLUMN held_at INTEGER; -- since when that pace kept it waiting

-- What is held is walked past without a look at its rows.
DROP INDEX executions_due;

CREATE INDEX executions_due ON executions (integration, due_at, pace_key)
    WHERE status = 'pending' AND lease_until IS NULL;

DROP INDEX executions_leased;

CREATE INDEX executions_leased ON executions (lease_until, integration, pace_key)
    WHERE lease_until IS NOT NULL;

CREATE TABLE paces (
    integration TEXT NOT NULL,
    pace_key TEXT NOT NULL,
    state TEXT NOT NULL, -- JSON: domain/pace.py
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (integration, pace_key)
) STRICT, WITHOUT ROWID;
