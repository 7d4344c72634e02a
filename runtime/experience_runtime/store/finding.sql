-- Finding executions: lists and counts of what a filter means. `walking.py` says which statement answers what.

-- part: filter
-- Each [[…]] belongs to the statement only where its parameter is bound: what is asked then has a plan of its own.
-- `attempt >= 0` beside it, which holds for every row, opens the indexes that are for people's questions only.
    [[AND status = :status]]
    [[ended: AND status IN ('succeeded', 'failed', 'cancelled')]]
    [[AND status {in_statuses}]]
    [[AND integration = :integration]]
    [[AND visitor = :visitor]]
    [[AND experience = :experience]]
    [[of_experiences: AND experience IS NOT NULL]]
    [[AND schedule = :schedule]]
    [[AND reason = :reason]]
    [[AND created_at >= :created_from]]
    [[AND created_at < :created_until]]
    [[AND due_at >= :due_from]]
    [[AND due_at < :due_until]]
    [[AND number IN (
        SELECT execution FROM history
        WHERE to_status IN ('succeeded', 'failed', 'cancelled') AND at >= :finished_from AND at < :finished_until
    )]]
    [[AND number IN (
        SELECT execution FROM history WHERE to_status = 'failed' AND at >= :failed_from AND at < :failed_until
    )]]
    {residual}
    [[AND {position}({lower payload}, CAST(:payload_part AS text)) > 0]]
    [[AND (
        {position}({lower visitor}, CAST(:text AS text)) > 0 OR {position}({lower key}, CAST(:text AS text)) > 0
        OR (
            SELECT 1 FROM persons JOIN (SELECT visitor AS id, person AS whose FROM persons) AS others ON whose = person
            WHERE persons.visitor = executions.visitor AND {position}({lower id}, CAST(:text AS text)) > 0
            LIMIT 1
        ) IS NOT NULL
        OR CASE WHEN :id_mask > 0 THEN
            (number & :id_mask) = :id_part
            OR (:id_room >= 1 AND ((number >> 5) & :id_mask) = :id_part)
            OR (:id_room >= 2 AND ((number >> 10) & :id_mask) = :id_part)
            OR (:id_room >= 3 AND ((number >> 15) & :id_mask) = :id_part)
            OR (:id_room >= 4 AND ((number >> 20) & :id_mask) = :id_part)
            OR (:id_room >= 5 AND ((number >> 25) & :id_mask) = :id_part)
            OR (:id_room >= 6 AND ((number >> 30) & :id_mask) = :id_part)
            OR (:id_room >= 7 AND ((number >> 35) & :id_mask) = :id_part)
        END
    )]]

-- part: residual
-- The same for what is walked through in another order: no index is taken for these.
    [[AND status || '' = :status_also]]
    [[AND coalesce(integration, '') = :integration_also]]
    [[AND coalesce(visitor, '') = :visitor_also]]
    [[AND coalesce(schedule, '') = :schedule_also]]
    [[AND due_at + 0 >= :due_from_also]]
    [[AND due_at + 0 < :due_until_also]]
    [[AND EXISTS (
        SELECT 1 FROM history
        WHERE execution = number AND to_status IN ('succeeded', 'failed', 'cancelled')
            AND at + 0 >= :finished_from_also AND at + 0 < :finished_until_also
    )]]
    [[AND EXISTS (
        SELECT 1 FROM history
        WHERE execution = number AND to_status = 'failed'
            AND at + 0 >= :failed_from_also AND at + 0 < :failed_until_also
    )]]
    [[AND NOT ({at_once}) AND :is_past_at_once = 1]]

-- part: at_once
-- What an index finds of a text: a visitor's own id or another of theirs, the beginning of one, that of an execution.
visitor IS NOT NULL AND (
    visitor {in_ids}
    OR (visitor >= :begins AND visitor < :ends AND substr(visitor, 1, :length) = :begins)
) OR (number >= :first_id AND number <= :last_id)

-- name: find
SELECT {columns} FROM executions
WHERE number < :before [[AND number >= :down_to]] AND attempt >= 0 {filter}
ORDER BY number DESC
LIMIT :limit;

-- name: find_by_due
SELECT {columns} FROM executions
WHERE attempt >= 0 [[AND (due_at > :after_due OR number > :after_number)]]
    [[AND (due_at < :up_to_due OR number <= :up_to_number)]] {filter}
ORDER BY due_at, number
LIMIT :limit;

-- name: find_numbers
-- Of those that were found already: what of them the rest of a filter means.
SELECT {columns} FROM executions
WHERE number {in_numbers} {filter}
ORDER BY number DESC
LIMIT :limit;

-- name: find_numbers_by_due
SELECT {columns} FROM executions
WHERE number {in_numbers} [[AND (due_at > :after_due OR (due_at = :after_due AND number > :after_number))]] {filter}
ORDER BY due_at, number
LIMIT :limit;

-- part: along
-- What an index finds in the order of the numbers.
    [[is_own_index: AND attempt >= 0]]
    [[AND status = :status]]
    [[ended: AND status IN ('succeeded', 'failed', 'cancelled')]]
    [[AND integration = :integration]]
    [[AND visitor = :visitor]]
    [[AND schedule = :schedule]]

-- name: newest_along
SELECT number FROM executions WHERE number < :before {along}
ORDER BY number DESC LIMIT :limit;

-- name: end_of_step
SELECT number FROM executions WHERE number < :before {along}
ORDER BY number DESC LIMIT 1 OFFSET :step;

-- name: end_of_step_by_due
SELECT due_at, number FROM executions
WHERE attempt >= 0 [[AND due_at >= :due_from]] [[AND due_at < :due_until]]
    [[AND (due_at > :after_due OR number > :after_number)]]
ORDER BY due_at, number LIMIT 1 OFFSET :step;

-- part: set_waiting
-- :waits where those are meant that nobody has claimed; of the few that are leased those in :statuses.
SELECT number FROM executions
WHERE status = 'pending' AND lease_until IS NULL AND :waits = 1
    [[AND integration = :integration]] [[AND due_at >= :due_from]] [[AND due_at < :due_until]]
UNION ALL
SELECT number FROM executions
WHERE lease_until IS NOT NULL AND status {in_statuses}
    [[AND integration = :integration]] [[AND due_at >= :due_from]] [[AND due_at < :due_until]]

-- part: set_due
SELECT number FROM executions WHERE attempt >= 0 [[AND due_at >= :due_from]] [[AND due_at < :due_until]]

-- part: set_finished
SELECT execution AS number FROM history
WHERE to_status IN ('succeeded', 'failed', 'cancelled') AND at >= :finished_from AND at < :finished_until

-- part: set_failed
SELECT execution AS number FROM history
WHERE to_status = 'failed' AND at >= :failed_from AND at < :failed_until

-- part: set_at_once
SELECT number FROM executions WHERE attempt >= 0 AND visitor {in_ids}
UNION ALL
SELECT number FROM executions
WHERE attempt >= 0 AND visitor >= :begins AND visitor < :ends AND substr(visitor, 1, :length) = :begins
UNION ALL
SELECT number FROM executions WHERE number >= :first_id AND number <= :last_id

-- name: count_waiting
SELECT count(*) FROM (SELECT 1 FROM ({set_waiting}) AS found LIMIT :most) AS counted;

-- name: count_due
SELECT count(*) FROM (SELECT 1 FROM ({set_due}) AS found LIMIT :most) AS counted;

-- name: count_finished
SELECT count(*) FROM (SELECT 1 FROM ({set_finished}) AS found LIMIT :most) AS counted;

-- name: count_failed
SELECT count(*) FROM (SELECT 1 FROM ({set_failed}) AS found LIMIT :most) AS counted;

-- name: count_at_once
SELECT count(*) FROM (SELECT 1 FROM ({set_at_once}) AS found LIMIT :most) AS counted;

-- name: newest_waiting
-- The + 0 of these: what is few is sorted, and no whole table is walked through for it in this order.
SELECT number FROM ({set_waiting}) AS found WHERE number + 0 < :before ORDER BY number + 0 DESC LIMIT :limit;

-- name: newest_due
SELECT number FROM ({set_due}) AS found WHERE number + 0 < :before ORDER BY number + 0 DESC LIMIT :limit;

-- name: newest_finished
SELECT number FROM ({set_finished}) AS found WHERE number + 0 < :before ORDER BY number + 0 DESC LIMIT :limit;

-- name: newest_failed
SELECT number FROM ({set_failed}) AS found WHERE number + 0 < :before ORDER BY number + 0 DESC LIMIT :limit;

-- name: newest_at_once
SELECT number FROM ({set_at_once}) AS found WHERE number + 0 < :before ORDER BY number + 0 DESC LIMIT :limit;

-- name: first_leased_due
SELECT min(due_at) FROM executions WHERE lease_until IS NOT NULL;

-- name: count
SELECT count(*) FROM executions WHERE attempt >= 0 {filter};

-- name: count_up_to
SELECT count(*) FROM (
    SELECT 1 FROM executions
    WHERE attempt >= 0 [[AND number < :before]] [[AND number >= :down_to]] {filter} LIMIT :most
) AS found;

-- name: pending_by_quarter
-- Of one integration: what nobody has claimed, and what is claimed and not begun; as `set_waiting` has them.
SELECT (due_at - :due_from) / 900000 AS quarter, count(*) FROM (
    SELECT due_at FROM executions
    WHERE status = 'pending' AND lease_until IS NULL AND integration = :integration
        AND due_at >= :due_from AND due_at < :due_until
    UNION ALL
    SELECT due_at FROM executions
    WHERE lease_until IS NOT NULL AND status = 'pending' AND integration = :integration
        AND due_at >= :due_from AND due_at < :due_until
) AS found
GROUP BY quarter
ORDER BY quarter;

-- name: leased_integrations
SELECT DISTINCT integration FROM executions WHERE lease_until IS NOT NULL;

-- name: count_among_waiting
SELECT count(*) FROM executions WHERE number IN ({set_waiting}) {filter};
