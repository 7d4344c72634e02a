"""The alerts of a SQL store: how each rule stands, who looks now, and what happened lately."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from experience_runtime.domain.alerts import AlertState, Firing, Found
from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.engine.keeping import Happened
from experience_runtime.engine.numbering import first_number_of
from experience_runtime.store import rows
from experience_runtime.store.database import Database

_MOST_FAILURES = 10_000


class SqlAlerts:
    """`keeping.Alerts` in the store's own database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, name: str, *, now: datetime, until: datetime) -> AlertState | None:
        look = {"name": name, "now": to_ms(now), "latest": to_ms(until)}

        def act() -> AlertState | None:
            self._database.execute("begin_alert", {"name": name, "state": _text(AlertState())})
            found = self._database.execute("take_alert", look | {"next_at": to_ms(until)})
            return _state(found[0][0]) if found else None

        if self._database.read(lambda: self._database.execute("alert_rests", look)):
            return None  # nothing is written for that
        return self._database.write_aside(act)

    def keep(self, name: str, state: AlertState, *, held_until: datetime, next_at: datetime) -> bool:
        bound = {
            "name": name,
            "state": _text(state),
            "held_until": to_ms(held_until),
            "next_at": to_ms(next_at),
        }
        return bool(self._database.write_aside(lambda: self._database.execute_counted("keep_alert", bound)))

    def all(self) -> dict[str, AlertState]:
        found = self._database.read(lambda: self._database.execute("alerts", {}))
        return {name: _state(state) for name, state in found}

    def failed_executions(self, since: datetime) -> Sequence[Happened]:
        bound = {"since": to_ms(since), "limit": _MOST_FAILURES}
        return self._happened("failures", bound)

    def failed_runs(self, since: datetime) -> Sequence[Happened]:
        return self._happened("failed_runs", {"since": first_number_of(since)})

    def skipped(self, since: datetime) -> Sequence[Happened]:
        return self._happened("skipped_runs", {"since": to_ms(since)})

    def _happened(self, statement: str, bound: rows.Values) -> Sequence[Happened]:
        found = self._database.look(lambda read: read(statement, bound))
        return [Happened(subject=subject, how=how or "", count=int(count)) for subject, how, count in found]


def _text(state: AlertState) -> str:
    return json.dumps(
        {
            "sent_at": _ms(state.sent_at),
            "error": state.error,
            "firing": [
                {
                    "kind": each.found.kind,
                    "subject": each.found.subject,
                    "text": each.found.text,
                    "page": each.found.page,
                    "since": to_ms(each.since),
                    "told_at": _ms(each.told_at),
                    "is_open": each.is_open,
                    "holds": each.holds,
                }
                for each in state.firing.values()
            ],
        }
    )


def _state(text: str) -> AlertState:
    held = json.loads(text)
    firing = [_firing(each) for each in held["firing"]]
    return AlertState(
        firing={each.found.key: each for each in firing},
        sent_at=_instant(held["sent_at"]),
        error=held["error"],
    )


def _firing(held: dict[str, Any]) -> Firing:
    return Firing(
        found=Found(kind=held["kind"], subject=held["subject"], text=held["text"], page=held["page"]),
        since=from_ms(held["since"]),
        told_at=_instant(held["told_at"]),
        is_open=held["is_open"],
        holds=held["holds"],
    )


def _ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)


def _instant(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)
