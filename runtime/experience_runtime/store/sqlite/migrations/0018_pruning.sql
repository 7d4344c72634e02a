-- How far the removal of what was kept long enough has come, and how much it has removed.

CREATE TABLE pruning (
    kind TEXT PRIMARY KEY,
    "cursor" INTEGER NOT NULL,
    next_at INTEGER NOT NULL, -- nothing is removed before
    removed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
