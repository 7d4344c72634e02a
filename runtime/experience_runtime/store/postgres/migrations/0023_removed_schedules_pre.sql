-- Schedules that were removed less than a day ago: they can be restored, with their runs.
CREATE TABLE removed_schedules (
    name text COLLATE "C" PRIMARY KEY,
    removed_at bigint NOT NULL,
    schedule text COLLATE "C" NOT NULL -- JSON: the columns of its row
);
