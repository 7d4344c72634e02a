-- name: healths
SELECT integration, paused_at, pause_reason, failures, opened_at, probe_at, openings, free_at FROM healths;

-- name: health
SELECT integration, paused_at, pause_reason, failures, opened_at, probe_at, openings, free_at FROM healths
WHERE integration = :integration;

-- name: put_health
INSERT INTO healths (integration, paused_at, pause_reason, failures, opened_at, probe_at, openings, free_at)
VALUES (:integration, :paused_at, :pause_reason, :failures, :opened_at, :probe_at, :openings, :free_at)
ON CONFLICT (integration) DO UPDATE SET
    paused_at = excluded.paused_at, pause_reason = excluded.pause_reason, failures = excluded.failures,
    opened_at = excluded.opened_at, probe_at = excluded.probe_at, openings = excluded.openings,
    free_at = excluded.free_at;
