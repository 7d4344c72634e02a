-- Alerts: how each rule of the settings stands, and which process looks.

-- name: begin_alert
INSERT INTO alerts (name, next_at, state) VALUES (:name, 0, :state)
ON CONFLICT (name) DO NOTHING;

-- name: alert_rests
SELECT 1 FROM alerts WHERE name = :name AND next_at > :now AND next_at <= :latest;

-- name: take_alert
-- Whoever takes it holds it until then: no other process looks meanwhile. Later than any would hold it: the clock
-- was put back.
UPDATE alerts SET next_at = :next_at
WHERE name = :name AND (next_at <= :now OR next_at > :latest)
RETURNING state;

-- name: keep_alert
UPDATE alerts SET state = :state, next_at = :next_at WHERE name = :name AND next_at = :held_until;

-- name: alerts
SELECT name, state FROM alerts ORDER BY name;

-- name: failed_runs
-- By number: they are given out in the order of time.
SELECT experience, code, count(*) FROM runs
WHERE number >= :since AND outcome = 'failed'
GROUP BY experience, code
ORDER BY count(*) DESC, experience, code;

-- name: skipped_runs
SELECT schedule, outcome, sum(count) FROM schedule_runs
WHERE outcome <> 'fired' AND recorded_at >= :since
GROUP BY schedule, outcome
ORDER BY schedule, outcome;
