-- Tokens: how long each is good for, when it was used last, and what it is for.

ALTER TABLE tokens ADD COLUMN expires_at INTEGER; -- none: it is good until it is revoked

ALTER TABLE tokens ADD COLUMN used_at INTEGER;

ALTER TABLE tokens ADD COLUMN note TEXT NOT NULL DEFAULT '';
