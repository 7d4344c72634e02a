-- Exposures: which of its variations an experience showed to whom first.

-- name: exposure_of_person
SELECT variation FROM exposures
WHERE experience = :experience AND visitor IN (
    SELECT CAST(:visitor AS text) UNION
    SELECT visitor FROM persons WHERE person = (SELECT person FROM persons WHERE visitor = :visitor)
)
ORDER BY number LIMIT 1;

-- name: drop_other_exposures
DELETE FROM exposures
WHERE experience = :experience AND variation <> :variation AND visitor IN (
    SELECT CAST(:visitor AS text) UNION
    SELECT visitor FROM persons WHERE person = (SELECT person FROM persons WHERE visitor = :visitor)
);

-- name: note_exposure
INSERT INTO exposures (experience, visitor, variation, at, release)
VALUES (:experience, :visitor, :variation, :at, :release)
ON CONFLICT (experience, visitor) DO NOTHING;

-- name: exposures_of
SELECT experience, visitor, variation, at, release FROM exposures WHERE visitor = :visitor ORDER BY number;

-- name: tally_exposures
-- Triggers keep the counts: those of the migration that has `counted_exposures`.
SELECT variation, count(*), CAST(sum(executions) AS bigint), CAST(sum(converted) AS bigint)
FROM exposures WHERE experience = :experience GROUP BY variation;

-- name: erase_exposures
DELETE FROM exposures WHERE visitor = :visitor;

-- name: drop_old_exposures
DELETE FROM exposures WHERE number IN (
    SELECT number FROM exposures WHERE at < :before ORDER BY at LIMIT :limit {for_update_skip_locked}
);
