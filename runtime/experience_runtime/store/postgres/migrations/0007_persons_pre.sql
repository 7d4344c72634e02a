-- When what a visitor did was heard of: NULL, at the instant it happened. And which ids are one person.

ALTER TABLE events ADD COLUMN received_at bigint;

ALTER TABLE conversions ADD COLUMN received_at bigint;

CREATE TABLE persons (
    visitor text COLLATE "C" PRIMARY KEY,
    person text COLLATE "C" NOT NULL -- one of the ids, the same for all of them
);

CREATE INDEX persons_person ON persons (person);
