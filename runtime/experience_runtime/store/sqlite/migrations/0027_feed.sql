-- State changes, kept while anybody reads them: webhooks and streams.
CREATE TABLE feeds (
    name TEXT PRIMARY KEY, -- '' is nobody's: its position is the last there is
    position INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    position INTEGER, -- NULL until it is given its place in the order of all
    execution INTEGER NOT NULL,
    at INTEGER NOT NULL,
    from_status TEXT, -- NULL: it was made
    to_status TEXT NOT NULL,
    reason TEXT,
    actor TEXT
) STRICT;

CREATE UNIQUE INDEX changes_position ON changes (position) WHERE position IS NOT NULL;

CREATE INDEX changes_fresh ON changes (number) WHERE position IS NULL;

CREATE INDEX changes_execution ON changes (execution);

CREATE TRIGGER executions_told AFTER INSERT ON executions
WHEN NEW.integration <> 'state-changes' AND EXISTS (SELECT 1 FROM feeds WHERE name <> '')
BEGIN
    INSERT INTO changes (execution, at, to_status) VALUES (NEW.number, NEW.created_at, NEW.status);
END;

CREATE TRIGGER history_told AFTER INSERT ON history
WHEN EXISTS (SELECT 1 FROM feeds WHERE name <> '')
    AND (SELECT integration FROM executions WHERE number = NEW.execution) <> 'state-changes'
BEGIN
    INSERT INTO changes (execution, at, from_status, to_status, reason, actor)
    VALUES (NEW.execution, NEW.at, NEW.from_status, NEW.to_status, NEW.reason, NEW.actor);
END;
