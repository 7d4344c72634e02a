-- When what a visitor did was heard of: NULL, at the instant it happened. And which ids are one person.

ALTER TABLE events ADD COLUMN received_at INTEGER;

ALTER TABLE conversions ADD COLUMN received_at INTEGER;

CREATE TABLE persons (
    visitor TEXT PRIMARY KEY,
    person TEXT NOT NULL -- one of the ids, the same for all of them
) STRICT, WITHOUT ROWID;

CREATE INDEX persons_person ON persons (person);
