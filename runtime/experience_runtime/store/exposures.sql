-- Exposures: which of its variations an experience showed to whom first.

-- part: exposed_ids
-- Of an experience, under every id of the person that it was shown to.
SELECT exposures.number AS number, exposures.variation AS variation, exposures.at AS at, exposures.visitor AS visitor
    FROM exposures WHERE experience = :experience
    UNION
    SELECT exposures.number, exposures.variation, exposures.at, others.visitor
    FROM exposures
    JOIN persons ON persons.visitor = exposures.visitor
    JOIN persons AS others ON others.person = persons.person
    WHERE experience = :experience

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

-- name: count_exposures
SELECT variation, count(*) FROM exposures WHERE experience = :experience GROUP BY variation;

-- name: count_exposed_executions
SELECT exposed.variation, count(*)
FROM ({exposed_ids}) AS exposed
JOIN executions ON executions.visitor = exposed.visitor AND executions.created_at >= exposed.at
WHERE executions.experience = :experience
GROUP BY exposed.variation;

-- name: count_exposed_conversions
SELECT exposed.variation, count(DISTINCT exposed.number)
FROM ({exposed_ids}) AS exposed
JOIN conversions ON conversions.visitor = exposed.visitor AND conversions.at >= exposed.at
GROUP BY exposed.variation;

-- name: erase_exposures
DELETE FROM exposures WHERE visitor = :visitor;

-- name: drop_old_exposures
DELETE FROM exposures WHERE number IN (
    SELECT number FROM exposures WHERE at < :before ORDER BY at LIMIT :limit {for_update_skip_locked}
);
