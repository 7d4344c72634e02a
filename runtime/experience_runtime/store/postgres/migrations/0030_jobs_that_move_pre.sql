-- Where a job moves executions to, before the window of each.

ALTER TABLE jobs ADD COLUMN due_at bigint;
