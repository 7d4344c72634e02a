-- Releases: an experience's files, numbered, and which of them runs since when.

CREATE TABLE releases (
    number bigint NOT NULL,
    at bigint NOT NULL,
    size bigint NOT NULL,
    experience text COLLATE "C" NOT NULL,
    actor text COLLATE "C" NOT NULL,
    note text COLLATE "C" NOT NULL,
    digest text COLLATE "C" NOT NULL,
    files bytea NOT NULL, -- JSON: texts by the names of their files
    PRIMARY KEY (experience, number)
);

CREATE TABLE release_changes (
    number bigint PRIMARY KEY,
    at bigint NOT NULL,
    active bigint, -- NULL: none
    partial bigint,
    share bigint, -- ten-thousandths of the visitors that `partial` runs for
    before bigint, -- the change that a rollback goes back to
    experience text COLLATE "C" NOT NULL,
    actor text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL
);

CREATE INDEX release_changes_experience ON release_changes (experience, number);

ALTER TABLE executions ADD COLUMN release bigint; -- NULL: files of a folder
