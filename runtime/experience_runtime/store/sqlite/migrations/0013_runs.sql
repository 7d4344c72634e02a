-- Runs of experiences that ended, for a while.

CREATE TABLE runs (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    experience TEXT NOT NULL,
    visitor TEXT,
    release INTEGER, -- NULL: files of a folder
    "trigger" TEXT NOT NULL,
    outcome TEXT NOT NULL,
    code TEXT,
    message TEXT,
    place TEXT,
    cpu_ms INTEGER NOT NULL,
    refused INTEGER NOT NULL, -- how many of its calls
    executions TEXT NOT NULL, -- a JSON list of numbers
    calls TEXT NOT NULL,
    log TEXT NOT NULL -- last: what lists read never touches its overflow pages
) STRICT;

CREATE INDEX runs_experience ON runs (experience, number);

CREATE INDEX runs_visitor ON runs (visitor, number)
    WHERE visitor IS NOT NULL;

CREATE INDEX runs_ended ON runs (experience, outcome, number);

CREATE INDEX runs_outcome ON runs (outcome, number);

-- Which run asked for an execution.
CREATE TABLE run_executions (
    execution INTEGER NOT NULL,
    run INTEGER NOT NULL,
    PRIMARY KEY (execution, run)
) STRICT, WITHOUT ROWID;

CREATE INDEX run_executions_run ON run_executions (run);
