-- How far the removal of what was kept long enough has come, and how much it has removed.

CREATE TABLE pruning (
    kind text COLLATE "C" PRIMARY KEY,
    "cursor" bigint NOT NULL,
    next_at bigint NOT NULL, -- nothing is removed before
    removed bigint NOT NULL
);
