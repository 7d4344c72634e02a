-- By its mark a transaction is found again whose COMMIT got no answer: what stands here came with what it did.
-- One row a session that has written, changed by each of its transactions.

CREATE TABLE commit_marks (
    owner uuid NOT NULL, -- the program that opened the session
    session integer NOT NULL,
    seq bigint NOT NULL, -- of the last transaction; one that is smaller than what stands here may not commit
    PRIMARY KEY (owner, session)
) WITH (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
