-- Settings of integrations, sealed. A row stays when they are removed: its version goes on.

-- name: integration_settings_version
SELECT coalesce(sum(version), 0) FROM integration_settings;

-- name: integration_settings
SELECT integration, version, changed_at, sealed FROM integration_settings ORDER BY integration;

-- name: integration_settings_of
SELECT integration, version, changed_at, sealed FROM integration_settings WHERE integration = :integration;

-- name: put_integration_settings
INSERT INTO integration_settings (integration, version, changed_at, sealed)
VALUES (:integration, :version, :changed_at, :sealed)
ON CONFLICT (integration) DO UPDATE SET
    version = excluded.version, changed_at = excluded.changed_at, sealed = excluded.sealed;
