-- What visitors did, and who they are.

-- name: record_conversion
INSERT INTO conversions (at, visitor, event, received_at) VALUES (:at, :visitor, :event, :now);

-- name: record_event
INSERT INTO events (at, visitor, type, data, received_at)
VALUES (:at, :visitor, :type, :data, :received_at);

-- name: drop_old_events
DELETE FROM events WHERE visitor = :visitor AND number <= (
    SELECT number FROM events WHERE visitor = :visitor ORDER BY number DESC LIMIT 1 OFFSET :kept
);

-- name: events_of
SELECT at, type, data, coalesce(received_at, at) FROM events WHERE visitor = :visitor ORDER BY number DESC LIMIT :limit;

-- name: events_of_person
-- One IN: with an OR beside it PostgreSQL reads the whole table.
SELECT visitor, at, type, data, coalesce(received_at, at) FROM events
WHERE visitor IN (
    SELECT CAST(:visitor AS text) UNION
    SELECT visitor FROM persons WHERE person = (SELECT person FROM persons WHERE visitor = :visitor)
)
ORDER BY number DESC LIMIT :limit;

-- name: moments_of_person
SELECT at, type FROM events
WHERE visitor IN (
    SELECT CAST(:visitor AS text) UNION
    SELECT visitor FROM persons WHERE person = (SELECT person FROM persons WHERE visitor = :visitor)
)
ORDER BY number DESC LIMIT :limit;

-- name: conversions_of_person
SELECT at FROM conversions
WHERE visitor IN (
    SELECT CAST(:visitor AS text) UNION
    SELECT visitor FROM persons WHERE person = (SELECT person FROM persons WHERE visitor = :visitor)
)
ORDER BY at DESC LIMIT :limit;

-- name: states_of_person
SELECT state FROM visitor_states
WHERE visitor IN (
    SELECT CAST(:visitor AS text) UNION
    SELECT visitor FROM persons WHERE person = (SELECT person FROM persons WHERE visitor = :visitor)
)
ORDER BY at, visitor;

-- name: state_of
SELECT state FROM visitor_states WHERE visitor = :visitor;

-- name: begin_state
INSERT INTO visitor_states (visitor, at, state) VALUES (:visitor, :now, '{}') ON CONFLICT (visitor) DO NOTHING;

-- name: hold_state
SELECT state FROM visitor_states WHERE visitor = :visitor {for_update};

-- name: put_state
UPDATE visitor_states SET at = :now, state = :state WHERE visitor = :visitor;

-- name: conversions_of
SELECT at, event, coalesce(received_at, at) FROM conversions WHERE visitor = :visitor ORDER BY at DESC LIMIT :limit;

-- name: ids_of_person
-- Every id of the person that has this one; none when it is no other's.
SELECT visitor FROM persons WHERE person = (SELECT person FROM persons WHERE visitor = :visitor)
ORDER BY visitor;

-- name: put_person
INSERT INTO persons (visitor, person) VALUES (:visitor, :person)
ON CONFLICT (visitor) DO UPDATE SET person = excluded.person;

-- name: visitor
SELECT id, timezone, timezone_offset FROM visitors WHERE id = :id;

-- name: remember_visitor
-- The zone and the offset are one fact told in two ways: whichever is news replaces both.
INSERT INTO visitors (id, timezone, timezone_offset, seen_at)
VALUES (:id, :timezone, :timezone_offset, :now)
ON CONFLICT (id) DO UPDATE SET
    timezone = CASE
        WHEN excluded.timezone IS NULL AND excluded.timezone_offset IS NULL THEN visitors.timezone
        ELSE excluded.timezone END,
    timezone_offset = CASE
        WHEN excluded.timezone IS NULL AND excluded.timezone_offset IS NULL THEN visitors.timezone_offset
        ELSE excluded.timezone_offset END,
    seen_at = excluded.seen_at;
