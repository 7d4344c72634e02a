"""What people type into the pages' forms: kept as texts, read by the same rules as everywhere."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from experience_runtime.domain.payloads import read_json
from experience_runtime.domain.schedules import CatchUp


class _Form(BaseModel):
    model_config = ConfigDict(extra="ignore")


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
    version: Annotated[str, Field(pattern="^[0-9]{0,18}$")] = ""
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
        "version": str(document["version"]),
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
