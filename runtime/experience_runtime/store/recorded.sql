-- What visitors did, as `experience backtest` reads it.

-- name: recorded_visitors
SELECT visitor, count(*) FROM events WHERE at >= :since GROUP BY visitor;

-- name: recorded_persons
SELECT visitor, person FROM persons
WHERE person IN (
    SELECT persons.person FROM persons JOIN events ON events.visitor = persons.visitor WHERE events.at >= :since
);

-- name: recorded_newest
SELECT (SELECT max(at) FROM events), (SELECT count(*) FROM runs WHERE at >= :since AND visitor IS NOT NULL);

-- name: recorded_events
SELECT events.visitor, events.at, events.type, events.data
FROM {each ids} JOIN events ON events.visitor = ids.value ->> 0
ORDER BY events.at, events.number;

-- name: recorded_conversions
SELECT conversions.visitor, conversions.at, conversions.event
FROM {each ids} JOIN conversions ON conversions.visitor = ids.value ->> 0
ORDER BY conversions.at, conversions.number;

-- name: recorded_zones
SELECT visitors.id, visitors.timezone, visitors.timezone_offset
FROM {each ids} JOIN visitors ON visitors.id = ids.value ->> 0
ORDER BY visitors.seen_at;
