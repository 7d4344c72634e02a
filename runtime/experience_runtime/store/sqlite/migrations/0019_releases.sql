-- Releases: an experience's files, numbered, and which of them runs since when.

CREATE TABLE releases (
    experience TEXT NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    note TEXT NOT NULL,
    digest TEXT NOT NULL,
    size INTEGER NOT NULL,
    files BLOB NOT NULL, -- JSON: texts by the names of their files
    PRIMARY KEY (experience, number)
) STRICT;

CREATE TABLE release_changes (
    number INTEGER PRIMARY KEY,
    experience TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    active INTEGER, -- NULL: none
    partial INTEGER,
    share INTEGER, -- ten-thousandths of the visitors that `partial` runs for
    before INTEGER -- the change that a rollback goes back to
) STRICT;

CREATE INDEX release_changes_experience ON release_changes (experience, number);

ALTER TABLE executions ADD COLUMN release INTEGER; -- NULL: files of a folder
