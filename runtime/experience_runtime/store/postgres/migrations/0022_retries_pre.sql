-- When an attempt that failed was to be made again, and why then.
ALTER TABLE attempts ADD COLUMN next_at bigint;

ALTER TABLE attempts ADD COLUMN next_because text;
