-- Settings of integrations that operators type, where the settings file allows it.

CREATE TABLE integration_settings (
    integration TEXT PRIMARY KEY,
    version INTEGER NOT NULL, -- how often they were changed
    changed_at INTEGER NOT NULL,
    sealed TEXT NOT NULL -- a Fernet token, whose key stands in the environment
) STRICT, WITHOUT ROWID;
