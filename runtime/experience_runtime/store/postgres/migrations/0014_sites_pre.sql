-- Which site's key an execution was scheduled with, and how much each has left here.

ALTER TABLE executions ADD COLUMN site text COLLATE "C";

CREATE INDEX executions_site ON executions (site)
    WHERE site IS NOT NULL AND status = 'pending';

CREATE TABLE site_usage (
    site text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    day bigint NOT NULL, -- of the proleptic Gregorian calendar, in UTC
    used bigint NOT NULL,
    PRIMARY KEY (site, kind, day)
);
