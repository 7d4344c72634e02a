-- That a person was erased, and how much: nothing of them.

CREATE TABLE erasures (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    counts TEXT NOT NULL -- JSON
) STRICT;
