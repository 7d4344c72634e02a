-- What each caller was answered under its Idempotency-Key.

-- name: drop_old_replies
DELETE FROM replies WHERE claimed_at <= :before;

-- name: claim_reply
INSERT INTO replies (caller, key, request, claimed_at) VALUES (:caller, :key, :request, :now)
ON CONFLICT (caller, key) DO NOTHING;

-- name: reply
SELECT request, claimed_at, status, media_type, body FROM replies WHERE caller = :caller AND key = :key;

-- name: keep_reply
UPDATE replies SET status = :status, media_type = :media_type, body = :body
WHERE caller = :caller AND key = :key AND status IS NULL;

-- name: release_reply
DELETE FROM replies WHERE caller = :caller AND key = :key AND status IS NULL;
