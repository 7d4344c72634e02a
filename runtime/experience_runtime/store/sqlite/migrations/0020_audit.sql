-- Who changed what, when and from where.

CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT, -- no number is given twice
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    address TEXT NOT NULL,
    kind TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL, -- its id or name; '': several, or one that is not named
    before TEXT, -- JSON, as after: what differs
    after TEXT
) STRICT;

CREATE INDEX audit_object ON audit (kind, object, number);

ALTER TABLE history ADD COLUMN actor TEXT; -- NULL: nobody did it by hand

-- Who began it, and from where.
ALTER TABLE jobs ADD COLUMN actor TEXT;
ALTER TABLE jobs ADD COLUMN address TEXT;
