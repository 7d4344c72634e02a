-- Alerts: how each rule of the settings stands, and until when a process looks after it.

CREATE TABLE alerts (
    name text COLLATE "C" PRIMARY KEY,
    next_at bigint NOT NULL, -- nobody looks before
    state text COLLATE "C" NOT NULL -- JSON: what was found, since when, and what people were told
);

CREATE INDEX schedule_runs_not_fired ON schedule_runs (recorded_at) WHERE outcome <> 'fired';
