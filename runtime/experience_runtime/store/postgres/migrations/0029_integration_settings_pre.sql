-- Settings of integrations that operators type, where the settings file allows it.

CREATE TABLE integration_settings (
    integration text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL, -- how often they were changed
    changed_at bigint NOT NULL,
    sealed text COLLATE "C" NOT NULL -- a Fernet token, whose key stands in the environment
);
