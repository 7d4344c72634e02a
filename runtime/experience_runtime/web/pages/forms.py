"""What people type into the pages' forms: kept as texts, read by the same rules as everywhere."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict

from experience_runtime.domain.errors import InvalidParameter, InvalidPayload
from experience_runtime.domain.executions import Filter, Status
from experience_runtime.domain.instants import parse_time
from experience_runtime.domain.schedules import CatchUp
from experience_runtime.domain.values import refuse_constant, shown


class _Form(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Wanted(_Form):
    """The filter of a list of executions, as its form and its address have it."""

    q: str = ""
    status: list[str] = []
    integration: str = ""
    visitor: str = ""
    experience: str = ""
    schedule: str = ""
    because: str = ""
    since: str = ""
    until: str = ""
    cursor: str = ""
    did: str = ""

    def filter(self, *, now: datetime) -> Filter:
        """What it means. Raises InvalidParameter or InvalidTime."""
        for name in self.status:
            if name not in list(Status):
                raise InvalidParameter(
                    f"status {shown(name)} is not a state; choose among {', '.join(Status)}"
                )
        return Filter(
            statuses=tuple(Status(name) for name in self.status),
            integration=self.integration or None,
            visitor=self.visitor or None,
            experience=self.experience or None,
            schedule=self.schedule or None,
            reason=self.because or None,
            created_from=parse_time(self.since, now=now).at if self.since else None,
            created_until=parse_time(self.until, now=now).at if self.until else None,
            text=self.q.strip() or None,
        )

    @property
    def query(self) -> str:
        """The same as the query of an address, without what is left empty."""
        return urlencode(self.pairs)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Each field with its texts, one pair a text."""
        return [
            (name, text)
            for name, value in self.model_dump(exclude={"cursor", "did"}).items()
            for text in (value if isinstance(value, list) else [value])
            if text
        ]

    @property
    def words(self) -> str:
        """The filter for people; "" when everything is meant."""
        parts = [] if not self.status else [" or ".join(self.status)]
        named = {"integration": "of", "visitor": "for visitor", "experience": "of experience"}
        named |= {"q": "matching", "schedule": "of schedule", "because": "because of"}
        named |= {"since": "created since", "until": "created before"}
        parts += [f"{words} {value}" for name, words in named.items() if (value := getattr(self, name))]
        return ", ".join(parts)


_FRESH: dict[str, str] = {
    "kind": "daily",
    "every_count": "15",
    "every_unit": "minutes",
    "daily_time": "09:00",
    "weekly_time": "09:00",
    "timezone": "UTC",
    "catch_up": CatchUp.ONE.value,
}


class ScheduleForm(_Form):
    """The form of one recurring schedule; every field a text, empty when it was left so.

    An empty field is read as its default: no other default than empty is right here.
    """

    name: str = ""
    kind: str = ""
    every_count: str = ""
    every_unit: str = ""
    starting: str = ""
    daily_time: str = ""
    weekly_days: list[str] = []
    weekly_time: str = ""
    cron: str = ""
    timezone: str = ""
    window_day: str = ""
    window_from: str = ""
    window_until: str = ""
    payload: str = ""
    skip: str = ""
    catch_up: str = ""
    editing: str = ""
    act: str = ""

    def options(self) -> dict[str, object]:
        """The options of `Recurring.set`; the domain says what is wrong with them."""
        how: Mapping[str, object] = {
            "every": {"every": f"{self.every_count.strip()} {self.every_unit}"},
            "daily": {"daily": self.daily_time},
            "weekly": {"weekly": f"{','.join(self.weekly_days)} {self.weekly_time}"},
            "cron": {"cron": self.cron},
        }.get(self.kind, {})
        if self.kind == "every" and self.starting:
            how = {**how, "starting": self.starting}
        return {
            **how,
            "timezone": self.timezone.strip() or None,
            "window": self._window(),
            "skip": self.skip.replace(",", " ").split(),
            "catch_up": self.catch_up or None,
        }

    def _window(self) -> dict[str, str] | None:
        window = {}
        if self.window_day.strip():
            window["day"] = self.window_day.strip()
        if self.window_from or self.window_until:
            window["time"] = f"{self.window_from or '00:00'}-{self.window_until or '23:59'}"
        return window or None

    def read_payload(self) -> Any:
        """The payload's JSON value. Raises InvalidPayload."""
        return read_json(self.payload)


def fresh_schedule_form(payload: str) -> ScheduleForm:
    """The form of a schedule that is yet to be made."""
    return ScheduleForm.model_validate(_FRESH | {"payload": payload})


def schedule_form(document: Mapping[str, Any]) -> ScheduleForm:
    """The form filled in with the document of a schedule that exists."""
    recurrence: dict[str, str] = document["recurrence"]
    window = document["window"] or {"day": "", "time": ""}
    fields: dict[str, Any] = _FRESH | {
        "name": document["name"],
        "timezone": document["timezone"],
        "payload": json.dumps(document["payload"], ensure_ascii=False, indent=2),
        "skip": "\n".join(document["skip"]),
        "catch_up": document["catch_up"],
        "window_day": "" if window["day"] == "sunday-saturday" else window["day"],
    }
    if window["time"]:
        fields["window_from"], _, fields["window_until"] = window["time"].partition("-")
    match recurrence:
        case {"every": text}:
            count, unit = text.split(" ")
            fields |= {"kind": "every", "every_count": count, "every_unit": unit.rstrip("s") + "s"}
            fields["starting"] = recurrence.get("starting", "")
        case {"daily": text}:
            fields |= {"kind": "daily", "daily_time": text}
        case {"weekly": text}:
            days, _, time = text.rpartition(" ")
            fields |= {"kind": "weekly", "weekly_days": _days(days), "weekly_time": time}
        case _:
            fields |= {"kind": "cron", "cron": recurrence.get("cron", "")}
    return ScheduleForm.model_validate(fields)


def _days(text: str) -> list[str]:
    from experience_runtime.domain.windows import DAYS, parse_window
    from experience_runtime.domain.zones import UTC

    days = parse_window(text, None, UTC).days
    return [name for number, name in enumerate(DAYS) if number in days]


def read_json(text: str, what: str = "the payload") -> Any:
    """The value of a JSON text a person typed. Raises InvalidPayload."""
    try:
        return json.loads(text, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidPayload(
            f'{what} is not JSON: {error}; write for instance {{"message": "Hello"}}'
        ) from None
