-- Which of its variations an experience showed to whom first.

CREATE TABLE exposures (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    experience TEXT NOT NULL,
    visitor TEXT NOT NULL,
    variation TEXT NOT NULL,
    release INTEGER, -- NULL: files of a folder
    UNIQUE (experience, visitor)
) STRICT;

CREATE INDEX exposures_visitor ON exposures (visitor);

CREATE INDEX exposures_at ON exposures (at);
