-- Tokens: how long each is good for, when it was used last, and what it is for.

ALTER TABLE tokens
    ADD COLUMN expires_at bigint, -- none: it is good until it is revoked
    ADD COLUMN used_at bigint,
    ADD COLUMN note text COLLATE "C" NOT NULL DEFAULT '';
