-- Releases of experiences, and which of them runs since when.

-- part: release_columns
experience, number, at, actor, note, digest, size

-- part: release_change_columns
experience, number, at, actor, action, active, partial, share, before

-- name: insert_release
INSERT INTO releases ({release_columns}, files)
VALUES (:experience, :number, :at, :actor, :note, :digest, :size, :files);

-- name: last_release
SELECT coalesce(max(number), 0) FROM releases WHERE experience = :experience;

-- name: release
SELECT {release_columns}, files FROM releases WHERE experience = :experience AND number = :number;

-- name: releases
SELECT {release_columns} FROM releases
WHERE experience = :experience AND number < :before
ORDER BY number DESC LIMIT :limit;

-- name: insert_release_change
INSERT INTO release_changes ({release_change_columns})
VALUES (:experience, :number, :at, :actor, :action, :active, :partial, :share, :before);

-- name: last_release_change
SELECT coalesce(max(number), 0) FROM release_changes;

-- name: release_change
SELECT {release_change_columns} FROM release_changes WHERE number = :number AND experience = :experience;

-- name: release_changes
SELECT {release_change_columns} FROM release_changes
WHERE experience = :experience
ORDER BY number DESC LIMIT :limit;

-- name: live_releases
-- Of each experience its newest change.
SELECT {release_change_columns} FROM release_changes
WHERE number IN (SELECT max(number) FROM release_changes GROUP BY experience)
ORDER BY experience;
