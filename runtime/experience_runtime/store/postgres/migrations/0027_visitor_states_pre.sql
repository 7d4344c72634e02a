-- What callers told of a visitor, and said to keep: a JSON object.

CREATE TABLE visitor_states (
    visitor text COLLATE "C" PRIMARY KEY,
    at bigint NOT NULL,
    state text NOT NULL
);
