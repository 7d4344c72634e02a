-- The feed: every state change, in the order in which they are committed. Triggers write `changes`, in the
-- transaction of the change itself, while anybody reads. The reader '' is nobody: it holds the last position.

-- name: begin_reader
INSERT INTO feeds AS known (name, position, seen_at)
SELECT :name, coalesce((SELECT position FROM feeds WHERE name = ''), 0), CAST(:now AS bigint)
WHERE true
ON CONFLICT (name) DO UPDATE SET seen_at = CASE WHEN excluded.seen_at > known.seen_at THEN excluded.seen_at
    ELSE known.seen_at END
RETURNING position;

-- name: fresh_changes
SELECT 1 FROM changes WHERE position IS NULL LIMIT 1;

-- name: hold_feed_end
-- Whoever holds it gives places; the others leave it to them.
SELECT position FROM feeds WHERE name = '' {for_update_skip_locked};

-- name: place_changes
-- By number: of one execution they are given out in the order of its changes, for its row is held meanwhile.
UPDATE changes SET position = CAST(:end AS bigint) + fresh.place
FROM (
    SELECT number AS of, row_number() OVER (ORDER BY number) AS place
    FROM (SELECT number FROM changes WHERE position IS NULL ORDER BY number LIMIT :limit) AS first
) AS fresh
WHERE changes.number = fresh.of;

-- name: note_feed_end
UPDATE feeds SET position = :end WHERE name = '';

-- name: feed_secret
SELECT secret FROM feeds WHERE name = '' AND secret IS NOT NULL;

-- name: make_feed_secret
UPDATE feeds SET secret = :secret WHERE name = '' AND secret IS NULL;

-- name: reader_position
SELECT position FROM feeds WHERE name = :name;

-- name: changes_after
SELECT position, execution, at, from_status, to_status, reason, actor FROM changes
WHERE position IS NOT NULL AND position > :position
ORDER BY position
LIMIT :limit;

-- name: first_change
SELECT min(position) FROM changes WHERE position IS NOT NULL;

-- name: executions_by_number
SELECT {columns} FROM executions WHERE number {in_numbers};

-- name: numbers_there
SELECT number FROM executions WHERE number {in_numbers};

-- name: move_reader
UPDATE feeds SET position = :end WHERE name = :name AND position = :start;

-- name: forget_readers
DELETE FROM feeds WHERE name <> '' AND seen_at < :before;

-- name: prunable_changes
-- Where nobody reads any more, nothing of it is kept.
SELECT number FROM changes
WHERE (
        position IS NOT NULL AND at < :before
        AND position <= coalesce((SELECT min(position) FROM feeds WHERE name NOT IN ('', 'stream')), position)
    )
    OR NOT EXISTS (SELECT 1 FROM feeds WHERE name <> '')
ORDER BY number
LIMIT :limit;

-- name: drop_changes
DELETE FROM changes WHERE number {in_numbers};

-- name: erase_changes
DELETE FROM changes WHERE execution {in_numbers};
