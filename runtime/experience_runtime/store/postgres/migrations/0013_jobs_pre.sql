-- What is done to many executions in the background: it goes on where it stopped.

CREATE TABLE jobs (
    id text COLLATE "C" PRIMARY KEY,
    verb text COLLATE "C" NOT NULL,
    filter text COLLATE "C" NOT NULL, -- JSON: domain/jobs.py
    reason text COLLATE "C",
    matching bigint NOT NULL,
    begun_at bigint NOT NULL,
    state text COLLATE "C" NOT NULL,
    seen bigint NOT NULL,
    done bigint NOT NULL,
    "cursor" text COLLATE "C", -- where the next batch begins
    error text COLLATE "C",
    owner text COLLATE "C" NOT NULL, -- the process; '': none
    beat_at bigint NOT NULL
);

CREATE INDEX jobs_running ON jobs (begun_at) WHERE state = 'running';
