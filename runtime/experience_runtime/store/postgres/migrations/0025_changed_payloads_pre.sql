-- What an execution was to be called with, before somebody replayed it with another payload.
ALTER TABLE history ADD COLUMN payload_before text COLLATE "C"; -- NULL: the payload stayed
