-- Pruning: what is over and was kept long enough.

-- name: begin_pruning
INSERT INTO pruning (kind, "cursor", next_at, removed) VALUES (:kind, 0, 0, 0)
ON CONFLICT (kind) DO NOTHING;

-- name: take_pruning
-- One that another worker is at is left to it.
SELECT "cursor" FROM pruning WHERE kind = :kind AND next_at <= :now {for_update_skip_locked};

-- name: note_pruning
UPDATE pruning SET "cursor" = :cursor, next_at = :next_at, removed = removed + :removed WHERE kind = :kind;

-- name: pruned
SELECT kind, removed FROM pruning ORDER BY kind;

-- name: ended_executions
-- In the order they were made in, with the instant of their last change. One that somebody is replaying is left.
SELECT number, (SELECT max(at) FROM history WHERE execution = number) FROM executions
WHERE status = :status AND status IN ('succeeded', 'failed', 'cancelled')
    AND number > :cursor AND number < :below
ORDER BY number
LIMIT :limit
{for_update_skip_locked};

-- name: prunable_events
SELECT number, coalesce(received_at, at) FROM events WHERE number > :cursor ORDER BY number LIMIT :limit;

-- name: drop_events
DELETE FROM events WHERE number {in_numbers};

-- name: prunable_conversions
-- One that an execution of this person would still be cancelled by, were it replayed, stays with it.
SELECT number, coalesce(received_at, at), EXISTS (
    SELECT 1 FROM executions
    WHERE attempt >= 0 AND visitor IS NOT NULL AND cancel_on_conversion > 0 AND created_at <= conversions.at
        AND visitor IN (
            SELECT conversions.visitor UNION
            SELECT others.visitor FROM persons JOIN persons AS others ON others.person = persons.person
            WHERE persons.visitor = conversions.visitor
        )
) FROM conversions WHERE number > :cursor ORDER BY number LIMIT :limit;

-- name: drop_conversions
DELETE FROM conversions WHERE number {in_numbers};

-- name: drop_replies
DELETE FROM replies WHERE (caller, key) IN (
    SELECT caller, key FROM replies WHERE claimed_at < :before
    ORDER BY claimed_at LIMIT :limit {for_update_skip_locked}
);

-- name: count_ended_executions
SELECT count(*) FROM executions
WHERE status = :status AND status IN ('succeeded', 'failed', 'cancelled') AND number < :below
    AND coalesce((SELECT max(at) FROM history WHERE execution = number), 0) < :before;

-- name: count_old_runs
SELECT count(*) FROM runs WHERE number < :below;

-- name: count_old_events
SELECT (SELECT count(*) FROM events WHERE coalesce(received_at, at) < :before)
    + (SELECT count(*) FROM exposures WHERE at < :before);

-- part: where_releases_are_old
-- Nothing has run them since, there are :kept newer ones, and no run that is kept names them.
at < :before AND (
    SELECT count(*) FROM releases AS newer
    WHERE newer.experience = releases.experience AND newer.number > releases.number
) >= :kept AND NOT EXISTS (
    SELECT 1 FROM release_changes AS ran
    WHERE ran.experience = releases.experience AND releases.number IN (ran.active, ran.partial) AND coalesce((
        SELECT ended.at FROM release_changes AS ended
        WHERE ended.experience = ran.experience AND ended.number > ran.number
        ORDER BY ended.number LIMIT 1
    ), :before) >= :before
) AND NOT EXISTS (
    SELECT 1 FROM runs WHERE runs.experience = releases.experience AND runs.release = releases.number
)

-- name: old_releases
SELECT experience, number FROM releases WHERE {where_releases_are_old} ORDER BY experience, number LIMIT :limit;

-- name: count_old_releases
SELECT count(*) FROM releases WHERE {where_releases_are_old};

-- name: drop_release
DELETE FROM releases WHERE experience = :experience AND number = :number;

-- name: count_old_replies
SELECT count(*) FROM replies WHERE claimed_at < :before;
