-- The questions that people ask of the executions, newest first: of a visitor, an integration, a schedule.
-- Those by the state of what ended have executions_ended: an index of SQLite ends with the number.
-- `attempt >= 0` holds for every row. It keeps these indexes for the statements that repeat it: no delivery is planned
-- by them.

CREATE INDEX executions_visitor ON executions (visitor)
    WHERE visitor IS NOT NULL AND attempt >= 0;

CREATE INDEX executions_integration ON executions (integration)
    WHERE attempt >= 0;

CREATE INDEX executions_of_schedule ON executions (schedule)
    WHERE schedule IS NOT NULL AND attempt >= 0;
