-- Questions by time: when executions are due, and when they ended.
CREATE INDEX executions_by_due ON executions (due_at, number)
    WHERE attempt >= 0;

CREATE INDEX history_ended ON history (at, execution)
    WHERE to_status IN ('succeeded', 'failed', 'cancelled');
