"""The agenda of a day: what waits to go out on it, and what schedules will add, by a zone's clock."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from experience_runtime.documents.documents import Redact
from experience_runtime.domain.admission import hold_of
from experience_runtime.domain.errors import InvalidParameter, InvalidWindow
from experience_runtime.domain.executions import Execution, Filter, Sort, Status
from experience_runtime.domain.instants import from_ms, iso, to_ms
from experience_runtime.domain.moments import day_bounds
from experience_runtime.domain.places import Place
from experience_runtime.domain.schedules import Schedule, timing_of
from experience_runtime.domain.zones import Zone, iso_local
from experience_runtime.engine.stores import Executions

MOST_INSTANTS = 10_000
"""Of all schedules together; what a schedule of every second would add is said to be more."""

_CURSOR = re.compile(r"(\d{1,14})\.(?:at\.([\w-]+)|ex_\w{13})", re.ASCII)  # 14 digits end in the year 5138
_QUARTER = timedelta(minutes=15)  # every zone's hours begin with one
_TICK = timedelta(milliseconds=1)


class Agenda:
    """Looks ahead; it changes nothing."""

    def __init__(
        self,
        *,
        store: Executions,
        schedules: Callable[[], Sequence[Schedule]],
        holds: Callable[[], dict[str, str]],
        redact: Redact,
    ) -> None:
        self._store = store
        self._schedules = schedules
        self._holds = holds
        self._redact = redact

    def of(
        self, day: date, zone: Zone, *, now: datetime, cursor: str | None = None, limit: int
    ) -> dict[str, Any]:
        """The document of `experience agenda --json`: totals of the day, and a page of its entries.

        An instant of a schedule stands before the executions of the same millisecond. InvalidParameter for a
        cursor that is none.
        """
        start, end = day_bounds(day, zone)
        instants = list(islice(self._instants(max(start, now), end), MOST_INSTANTS + 1))
        is_whole = len(instants) <= MOST_INSTANTS
        instants = sorted(instants[:MOST_INSTANTS])
        counts = self._store.pending_by_quarter(start=start, end=end)
        holds = self._holds()
        by_hour: dict[str, Counter[str]] = {}
        by_integration: dict[str, Counter[str]] = {}

        def count(kind: str, integration: str, at: datetime, number: int) -> None:
            hour = f"{zone.local(at):%H}:00"
            by_hour.setdefault(hour, Counter())[kind] += number
            by_integration.setdefault(integration, Counter())[kind] += number

        for integration, quarter, number in counts:
            count("executions", integration, start + quarter * _QUARTER, number)
        for at, _, integration in instants:
            count("instants", integration, at, 1)
        late = Filter(statuses=[Status.PENDING], due_until=start)
        entries, following = self._entries(instants, start, end, zone, cursor=cursor, limit=limit)
        return {
            "day": day.isoformat(),
            "zone": zone.name,
            "from": iso(start),
            "until": iso(end),
            "executions": sum(number for _, _, number in counts),
            "instants": len(instants),
            "is_whole": is_whole,
            "late": self._store.count(late) if start <= now < end else 0,
            "integrations": [
                {"integration": name, **_both(by_integration[name]), "held": hold_of(holds, name)}
                for name in sorted(by_integration)
            ],
            "hours": [{"hour": hour, **_both(by_hour[hour])} for hour in sorted(by_hour)],
            "entries": entries,
            "next": following,
        }

    def _instants(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, str, str]]:
        """(instant, schedule, integration) of every run to come, schedule by schedule."""
        for schedule in self._schedules():
            at = schedule.next_at
            if at is None or at >= end:
                continue
            try:
                timing = timing_of(schedule)
            except InvalidWindow:  # a zone that this machine does not know: the schedule's page says so
                continue
            if at < start:
                at = timing.next_after(start - _TICK)
            while at is not None and at < end:
                yield at, schedule.name, schedule.integration
                at = timing.next_after(at)

    def _entries(
        self,
        instants: Sequence[tuple[datetime, str, str]],
        start: datetime,
        end: datetime,
        zone: Zone,
        *,
        cursor: str | None,
        limit: int,
    ) -> tuple[list[dict[str, Any]], str | None]:
        since, after, of_execution = _read_cursor(cursor, start)
        filter = Filter(statuses=[Status.PENDING], due_from=max(start, since), due_until=end)
        page = self._store.find(filter, sort=Sort.DUE, cursor=cursor if of_execution else None, limit=limit)

        def comes(at: datetime, schedule: str) -> bool:
            return at > since or (at == since and not of_execution and schedule > after)

        runs = [each for each in instants if comes(each[0], each[1])] if cursor else instants
        merged = [(at, 0, name, self._run(at, name, of, zone)) for at, name, of in runs[: limit + 1]]
        merged += [(each.due_at, 1, each.id, self._execution(each, zone)) for each in page.executions]
        merged.sort(key=lambda entry: entry[:3])
        shown = merged[:limit]
        if len(merged) <= limit and page.next is None:
            return [entry for *_, entry in shown], None
        at, kind, id, _ = shown[-1]
        last = {each.id: each for each in page.executions}
        following = str(Place.of(last[id], Sort.DUE)) if kind else f"{to_ms(at)}.at.{id}"
        return [entry for *_, entry in shown], following

    def _run(self, at: datetime, schedule: str, integration: str, zone: Zone) -> dict[str, Any]:
        return _entry(at, zone, integration) | {"execution": None, "visitor": None, "schedule": schedule}

    def _execution(self, execution: Execution, zone: Zone) -> dict[str, Any]:
        return _entry(execution.due_at, zone, execution.integration) | {
            "execution": execution.id,
            "visitor": None if execution.visitor is None else self._redact(execution.visitor),
            "schedule": execution.schedule,
        }


def _entry(at: datetime, zone: Zone, integration: str) -> dict[str, Any]:
    return {"at": iso(at), "local": iso_local(at, zone), "integration": integration}


def _both(counts: Counter[str]) -> dict[str, int]:
    return {"executions": counts["executions"], "instants": counts["instants"]}


def _read_cursor(cursor: str | None, start: datetime) -> tuple[datetime, str, bool]:
    """When the last entry of the page before was, its schedule, and whether it was an execution."""
    if cursor is None:
        return start, "", False
    form = _CURSOR.fullmatch(cursor)
    if form is None:
        raise InvalidParameter(
            f"{cursor[:64]!r} is not a cursor of an agenda; pass the `next` of the page before, unchanged"
        )
    return from_ms(int(form[1])), form[2] or "", form[2] is None
