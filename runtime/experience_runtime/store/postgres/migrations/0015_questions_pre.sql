-- The questions that people ask of the executions, newest first: of a visitor, an integration, a schedule, and of
-- what ended in a state.
-- `attempt >= 0` holds for every row. It keeps these indexes for the statements that repeat it: no delivery is planned
-- by them.

CREATE INDEX executions_visitor ON executions (visitor, number)
    WHERE visitor IS NOT NULL AND attempt >= 0;

CREATE INDEX executions_integration ON executions (integration, number)
    WHERE attempt >= 0;

CREATE INDEX executions_of_schedule ON executions (schedule, number)
    WHERE schedule IS NOT NULL AND attempt >= 0;

DROP INDEX executions_ended;

CREATE INDEX executions_ended ON executions (status, number)
    WHERE status IN ('succeeded', 'failed', 'cancelled');
