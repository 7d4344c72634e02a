-- Runs of experiences that ended, for a while.

CREATE TABLE runs (
    number bigint PRIMARY KEY,
    at bigint NOT NULL,
    release bigint, -- NULL: files of a folder
    cpu_ms integer NOT NULL,
    refused integer NOT NULL, -- how many of its calls
    experience text COLLATE "C" NOT NULL,
    visitor text COLLATE "C",
    "trigger" text COLLATE "C" NOT NULL,
    outcome text COLLATE "C" NOT NULL,
    code text COLLATE "C",
    message text COLLATE "C",
    place text COLLATE "C",
    executions text COLLATE "C" NOT NULL, -- a JSON list of numbers
    calls text COLLATE "C" NOT NULL,
    log text COLLATE "C" NOT NULL
);

CREATE INDEX runs_experience ON runs (experience, number);

CREATE INDEX runs_visitor ON runs (visitor, number)
    WHERE visitor IS NOT NULL;

CREATE INDEX runs_ended ON runs (experience, outcome, number);

CREATE INDEX runs_outcome ON runs (outcome, number);

-- Which run asked for an execution.
CREATE TABLE run_executions (
    execution bigint NOT NULL,
    run bigint NOT NULL,
    PRIMARY KEY (execution, run)
);

CREATE INDEX run_executions_run ON run_executions (run);
