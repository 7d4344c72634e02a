-- Recurring schedules, and what became of their instants. {schedule_columns} is what `rows.SCHEDULE` reads.

-- name: insert_schedule
INSERT INTO schedules ({schedule_columns}, look_at) VALUES ({schedule_values}, :next_at)
ON CONFLICT (name) DO NOTHING;

-- name: replace_schedule
UPDATE schedules
SET integration = :integration, recurrence = :recurrence, zone = :zone, "window" = :window, skip = :skip,
    catch_up = :catch_up, updated_at = :updated_at, next_at = :next_at, look_at = :next_at,
    paused_at = :paused_at, version = :version, payload = :payload
WHERE name = :name AND version = :expected_version AND next_at IS NOT DISTINCT FROM :expected_next_at;

-- name: schedule
SELECT {schedule_columns} FROM schedules WHERE name = :name;

-- name: schedules
SELECT {schedule_columns} FROM schedules ORDER BY name;

-- name: due_schedules
SELECT {schedule_columns} FROM schedules
WHERE look_at IS NOT NULL AND look_at <= :now
ORDER BY look_at
LIMIT :limit;

-- name: next_schedule
SELECT look_at FROM schedules WHERE look_at IS NOT NULL ORDER BY look_at LIMIT 1;

-- name: move_schedule_on
UPDATE schedules SET next_at = :next_at, look_at = :look_at
WHERE name = :name AND version = :version AND next_at = :expected_next_at
RETURNING last;

-- name: fired_last
UPDATE schedules SET last = :number WHERE name = :name;

-- name: last_fired
-- Held: no other process fires for it before this one has looked and inserted.
SELECT last FROM schedules WHERE name = :name {for_update};

-- name: not_over
SELECT number FROM executions
WHERE schedule IS NOT NULL AND status IN ('pending', 'running') AND schedule = :name
LIMIT 1;

-- name: remove_schedule
DELETE FROM schedules WHERE name = :name;

-- name: remove_runs
DELETE FROM schedule_runs WHERE schedule = :name;

-- name: keep_removed_schedule
INSERT INTO removed_schedules (name, removed_at, schedule) VALUES (:name, :now, :schedule)
ON CONFLICT (name) DO UPDATE SET removed_at = excluded.removed_at, schedule = excluded.schedule;

-- name: removed_schedules
SELECT schedule, removed_at FROM removed_schedules WHERE removed_at > :after ORDER BY removed_at DESC, name;

-- name: removed_schedule
SELECT schedule FROM removed_schedules WHERE name = :name AND removed_at > :after {for_update};

-- name: forget_removed_schedule
DELETE FROM removed_schedules WHERE name = :name;

-- name: drop_runs_of_removed
DELETE FROM schedule_runs WHERE schedule IN (SELECT name FROM removed_schedules WHERE removed_at <= :after);

-- name: drop_removed_schedules
DELETE FROM removed_schedules WHERE removed_at <= :after;

-- name: record_run
INSERT INTO schedule_runs (schedule, seq, at, outcome, recorded_at, execution, reason, count)
VALUES (
    :name,
    (SELECT coalesce(max(seq), 0) + 1 FROM schedule_runs WHERE schedule = :name),
    :at, :outcome, :recorded_at, :execution, :reason, :count
);

-- name: drop_old_runs
DELETE FROM schedule_runs
WHERE schedule = :name
    AND seq <= (SELECT max(seq) FROM schedule_runs WHERE schedule = :name) - :kept;

-- name: schedule_runs
SELECT at, outcome, recorded_at, execution, reason, count
FROM schedule_runs WHERE schedule = :name
ORDER BY seq DESC
LIMIT :limit;
