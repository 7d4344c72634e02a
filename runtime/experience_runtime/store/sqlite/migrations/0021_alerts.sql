-- Alerts: how each rule of the settings stands, and until when a process looks after it.

CREATE TABLE alerts (
    name TEXT PRIMARY KEY,
    next_at INTEGER NOT NULL, -- nobody looks before
    state TEXT NOT NULL -- JSON: what was found, since when, and what people were told
) STRICT, WITHOUT ROWID;

CREATE INDEX schedule_runs_not_fired ON schedule_runs (recorded_at) WHERE outcome <> 'fired';
