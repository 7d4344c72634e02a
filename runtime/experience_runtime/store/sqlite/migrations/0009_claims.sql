-- A request under an Idempotency-Key says who answers it, and what it has made so far.

ALTER TABLE replies ADD COLUMN owner TEXT; -- the process that answers it

ALTER TABLE replies ADD COLUMN acts TEXT; -- a JSON list: what each of its writes came to
