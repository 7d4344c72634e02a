-- name: paces
SELECT integration, pace_key, state FROM paces ORDER BY integration, pace_key;

-- name: put_pace
INSERT INTO paces (integration, pace_key, state, seen_at) VALUES (:integration, :pace_key, :state, :seen_at)
ON CONFLICT (integration, pace_key) DO UPDATE SET state = excluded.state, seen_at = excluded.seen_at;

-- name: drop_pace
DELETE FROM paces WHERE integration = :integration AND pace_key = :pace_key;
