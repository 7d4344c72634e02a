-- A request under an Idempotency-Key says who answers it, and what it has made so far.

ALTER TABLE replies
    ADD COLUMN owner text COLLATE "C", -- the process that answers it
    ADD COLUMN acts text COLLATE "C"; -- a JSON list: what each of its writes came to
