-- What callers told of a visitor, and said to keep: a JSON object.

CREATE TABLE visitor_states (
    visitor TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;
