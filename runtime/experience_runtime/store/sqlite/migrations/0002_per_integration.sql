-- What waits is claimed integration by integration: one that is paused or limited holds nothing else up.

DROP INDEX executions_due;

CREATE INDEX executions_due ON executions (integration, due_at)
    WHERE status = 'pending' AND lease_until IS NULL;

DROP INDEX executions_leased;

CREATE INDEX executions_leased ON executions (lease_until, integration)
    WHERE lease_until IS NOT NULL;

ALTER TABLE executions ADD COLUMN schedule TEXT; -- the recurring schedule that begot it

CREATE INDEX executions_schedule ON executions (schedule)
    WHERE schedule IS NOT NULL AND status IN ('pending', 'running');

CREATE INDEX conversions_visitor ON conversions (visitor, at);

-- One row an integration that was ever paused, limited, or failed; no row: nothing is known against it.
CREATE TABLE healths (
    integration TEXT PRIMARY KEY,
    paused_at INTEGER,
    pause_reason TEXT,
    failures INTEGER NOT NULL, -- in a row
    opened_at INTEGER, -- the circuit breaker is open since
    probe_at INTEGER, -- when it lets one execution through
    openings INTEGER NOT NULL, -- how often it opened without a success between
    free_at INTEGER -- when the rate admits the next, in microseconds: a fast one is finer than milliseconds
) STRICT, WITHOUT ROWID;
