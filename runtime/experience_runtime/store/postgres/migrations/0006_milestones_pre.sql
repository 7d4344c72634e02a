-- What happened once and stays so. `token`: there was a token, so the door never opens again.

CREATE TABLE milestones (
    name text COLLATE "C" PRIMARY KEY,
    at bigint NOT NULL
);

INSERT INTO milestones (name, at) SELECT 'token', min(created_at) FROM tokens HAVING count(*) > 0;
