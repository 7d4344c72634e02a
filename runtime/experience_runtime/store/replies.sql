-- What each caller was answered under its Idempotency-Key, and what a request has made that is not answered yet.

-- name: claim_reply
INSERT INTO replies (caller, key, request, claimed_at, owner) VALUES (:caller, :key, :request, :now, :owner)
ON CONFLICT (caller, key) DO NOTHING;

-- name: reply
SELECT request, claimed_at, status, media_type, body, owner, acts FROM replies
WHERE caller = :caller AND key = :key;

-- name: take_over_reply
-- Whoever answered it cannot write any more.
UPDATE replies SET owner = :owner, claimed_at = :now
WHERE caller = :caller AND key = :key AND status IS NULL;

-- name: record_act
UPDATE replies SET acts = :acts
WHERE caller = :caller AND key = :key AND status IS NULL AND owner = :owner;

-- name: keep_reply
UPDATE replies SET status = :status, media_type = :media_type, body = :body, acts = NULL
WHERE caller = :caller AND key = :key AND status IS NULL AND owner = :owner;

-- name: release_reply
-- Whether anything was made is asked here: whoever lost the answer to a COMMIT does not know it.
DELETE FROM replies
WHERE caller = :caller AND key = :key AND status IS NULL AND owner = :owner AND acts IS NULL;

-- name: give_up_reply
UPDATE replies SET owner = ''
WHERE caller = :caller AND key = :key AND status IS NULL AND owner = :owner;
