"""The overview of a store, read from its indexes."""

from datetime import datetime

from experience_runtime.domain.executions import Execution, Status
from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.domain.overview import Backlog, Ended, Failures, Overview, Running
from experience_runtime.store import rows
from experience_runtime.store.database import Rows

_MOST_FAILURES = 10_000


def read_overview(
    read: Rows, *, now: datetime, failed_since: datetime, next_limit: int, most: int | None
) -> Overview:
    """Read everything at one instant; only inside `Database.look`. Of a kind `most` are counted at most."""
    most = rows.LARGEST if most is None else most
    backlog = [_backlog(read, integration, first, now, most) for integration, first in read("waiting", {})]
    counts = dict.fromkeys(Status, 0)
    counts[Status.PENDING] = sum(each.pending for each in backlog)
    for status, count in read("leased_by_status", {}):
        counts[Status(status)] += count
    for ended in (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED):
        counts[ended] += read("count_ended", {"status": ended.value, "most": most})[0][0]
    failed = read("failures", {"since": to_ms(failed_since), "limit": _MOST_FAILURES})
    return Overview(
        counts=counts,
        backlog=backlog,
        running=[
            Running(integration=integration, count=count, since=from_ms(since))
            for integration, count, since in read("running_of", {})
        ],
        failures=[Failures(integration=name, reason=reason, count=count) for name, reason, count in failed],
        next=_next(read, backlog, next_limit),
    )


def read_ended(read: Rows, *, since: datetime, most: int) -> list[Ended]:
    """See `stores.Executions.ended_by_hour`."""
    found = read("ended_by_hour", {"since": to_ms(since), "limit": most})
    return [
        Ended(hour=from_ms(hour * 3_600_000), status=Status(status), count=count)
        for hour, status, count in found
    ]


def _backlog(read: Rows, integration: str, first: int, now: datetime, most: int) -> Backlog:
    bound = {"integration": integration, "now": to_ms(now), "most": most}
    pending, due = read("backlog_of", bound)[0]
    return Backlog(integration=integration, pending=pending, due=due, first_due_at=from_ms(first))


def _next(read: Rows, backlog: list[Backlog], limit: int) -> list[Execution]:
    # integration by integration, as the index lies; the earliest of all are among the earliest of each
    found: list[tuple[int, int]] = []
    for each in backlog:
        bound = {"integration": rows.text(each.integration), "limit": limit}
        found += read("next_of", bound)
    return [
        rows.execution(row)
        for _, number in sorted(found)[:limit]
        for row in read("execution", {"number": number})
    ]
