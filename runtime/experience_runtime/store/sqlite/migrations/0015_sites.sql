-- Which site's key an execution was scheduled with, and how much each has left here.

ALTER TABLE executions ADD COLUMN site TEXT;

CREATE INDEX executions_site ON executions (site)
    WHERE site IS NOT NULL AND status = 'pending';

CREATE TABLE site_usage (
    site TEXT NOT NULL,
    kind TEXT NOT NULL,
    day INTEGER NOT NULL, -- of the proleptic Gregorian calendar, in UTC
    used INTEGER NOT NULL,
    PRIMARY KEY (site, kind, day)
) STRICT, WITHOUT ROWID;
