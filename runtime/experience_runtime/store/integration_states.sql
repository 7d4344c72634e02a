-- What is known of each integration; the columns stand in the order of `integration_states.COLUMNS`.

-- name: integration_states
SELECT integration, paused_at, pause_reason, failures, opened_at, probe_at, openings, free_at FROM integration_states;

-- name: integration_state
SELECT integration, paused_at, pause_reason, failures, opened_at, probe_at, openings, free_at FROM integration_states
WHERE integration = :integration;

-- name: put_integration_state
INSERT INTO integration_states (integration, paused_at, pause_reason, failures, opened_at, probe_at, openings, free_at)
VALUES (:integration, :paused_at, :pause_reason, :failures, :opened_at, :probe_at, :openings, :free_at)
ON CONFLICT (integration) DO UPDATE SET
    paused_at = excluded.paused_at, pause_reason = excluded.pause_reason, failures = excluded.failures,
    opened_at = excluded.opened_at, probe_at = excluded.probe_at, openings = excluded.openings,
    free_at = excluded.free_at;
