-- Schedules that were removed less than a day ago: they can be restored, with their runs.
CREATE TABLE removed_schedules (
    name TEXT PRIMARY KEY,
    removed_at INTEGER NOT NULL,
    schedule TEXT NOT NULL -- JSON: the columns of its row
) STRICT;
