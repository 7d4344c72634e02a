-- The release of the time zones' rules that an execution was planned by; '': it was not kept.

ALTER TABLE executions ADD COLUMN zone_rules TEXT NOT NULL DEFAULT '';
