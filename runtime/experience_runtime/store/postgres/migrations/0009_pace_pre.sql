-- Pace: how fast a receiver may be called, learned from its own answers.

ALTER TABLE executions
    ADD COLUMN pace_key text COLLATE "C" NOT NULL DEFAULT '', -- whose pace it keeps; '': its integration's
    ADD COLUMN held_at bigint; -- since when that pace kept it waiting

CREATE TABLE paces (
    integration text COLLATE "C" NOT NULL,
    pace_key text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL, -- JSON: domain/pace.py
    seen_at bigint NOT NULL,
    PRIMARY KEY (integration, pace_key)
);
