-- Recurring schedules: rows that beget their next execution, and what became of their instants.

CREATE TABLE schedules (
    name TEXT PRIMARY KEY,
    integration TEXT NOT NULL,
    recurrence TEXT NOT NULL,
    zone TEXT NOT NULL,
    "window" TEXT,
    skip TEXT NOT NULL,
    catch_up TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    next_at INTEGER,
    look_at INTEGER, -- next_at, or later when begetting failed
    paused_at INTEGER,
    last INTEGER, -- the number of the execution begotten last
    version INTEGER NOT NULL,
    payload TEXT NOT NULL
) STRICT;

CREATE INDEX schedules_due ON schedules (look_at)
    WHERE look_at IS NOT NULL;

CREATE TABLE schedule_runs (
    schedule TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    execution INTEGER,
    reason TEXT,
    count INTEGER NOT NULL,
    PRIMARY KEY (schedule, seq)
) STRICT, WITHOUT ROWID;
