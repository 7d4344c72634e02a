-- What is done to many executions in the background: it goes on where it stopped.

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    verb TEXT NOT NULL,
    filter TEXT NOT NULL, -- JSON: domain/jobs.py
    reason TEXT,
    matching INTEGER NOT NULL,
    begun_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    seen INTEGER NOT NULL,
    done INTEGER NOT NULL,
    "cursor" TEXT, -- where the next batch begins
    error TEXT,
    owner TEXT NOT NULL, -- the process; '': none
    beat_at INTEGER NOT NULL
) STRICT;

CREATE INDEX jobs_running ON jobs (begun_at) WHERE state = 'running';
