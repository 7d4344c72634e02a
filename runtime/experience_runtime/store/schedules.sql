-- The statements of store/schedules.py. The columns of a schedule stand in the order of `_COLUMNS` there.

-- name: insert_schedule
INSERT INTO schedules (
    name, integration, recurrence, zone, "window", skip, catch_up, created_at, updated_at,
    next_at, look_at, paused_at, last, version, payload
)
VALUES (
    :name, :integration, :recurrence, :zone, :window, :skip, :catch_up, :created_at, :updated_at,
    :next_at, :next_at, :paused_at, :last, :version, :payload
)
ON CONFLICT (name) DO NOTHING;

-- name: replace_schedule
UPDATE schedules
SET integration = :integration, recurrence = :recurrence, zone = :zone, "window" = :window, skip = :skip,
    catch_up = :catch_up, updated_at = :updated_at, next_at = :next_at, look_at = :next_at,
    paused_at = :paused_at, version = :version, payload = :payload
WHERE name = :name AND version = :expected_version AND next_at IS NOT DISTINCT FROM :expected_next_at;

-- name: schedule
SELECT name, integration, recurrence, zone, "window", skip, catch_up, created_at, updated_at,
    next_at, paused_at, last, version, payload
FROM schedules WHERE name = :name;

-- name: schedules
SELECT name, integration, recurrence, zone, "window", skip, catch_up, created_at, updated_at,
    next_at, paused_at, last, version, payload
FROM schedules ORDER BY name;

-- name: due_schedules
SELECT name, integration, recurrence, zone, "window", skip, catch_up, created_at, updated_at,
    next_at, paused_at, last, version, payload
FROM schedules
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
SELECT last FROM schedules WHERE name = :name;

-- name: not_over
SELECT number FROM executions
WHERE schedule IS NOT NULL AND status IN ('pending', 'running') AND schedule = :name
LIMIT 1;

-- name: remove_schedule
DELETE FROM schedules WHERE name = :name;

-- name: remove_runs
DELETE FROM schedule_runs WHERE schedule = :name;

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
