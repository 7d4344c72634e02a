-- Who changed what.
-- What stands in [[…]] belongs to the statement only where its parameter is bound.

-- name: note_audit
INSERT INTO audit (at, actor, address, kind, action, object, before, after)
VALUES (:at, :actor, :address, :kind, :action, :object, :before, :after);

-- name: audit
SELECT number, at, actor, address, kind, action, object, before, after FROM audit
WHERE number < :below
    [[AND kind = :kind]]
    [[AND action = :action]]
    [[AND actor = :actor]]
    [[AND object = :object]]
    [[AND at >= :since]]
    [[AND at < :until]]
ORDER BY number DESC
LIMIT :limit;

-- name: prunable_audit
SELECT number, at FROM audit ORDER BY number LIMIT :limit;

-- name: drop_audit
DELETE FROM audit WHERE number {in_numbers};

-- name: count_old_audit
SELECT count(*) FROM audit WHERE at < :before;

-- name: erase_audit_of_executions
-- That somebody changed it stays, and not what was said of it. :ids is a JSON list of [id].
UPDATE audit SET before = NULL, after = NULL
WHERE kind = 'execution' AND object IN (SELECT ids.value ->> 0 FROM {each ids});

-- name: erase_audit
UPDATE audit SET before = NULL, after = NULL
WHERE {position}(coalesce(before, ''), :needle) > 0 OR {position}(coalesce(after, ''), :needle) > 0;
