"""The page that an integration's settings have for recurring schedules: the form, and what there is."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from experience_runtime.documents.documents import instants_document
from experience_runtime.domain.access import Right
from experience_runtime.domain.admission import hold_of
from experience_runtime.domain.errors import (
    Conflict,
    ExperienceError,
    InvalidPayload,
    PayloadTooLarge,
    Refusal,
    UnknownSchedule,
)
from experience_runtime.domain.schedules import Schedule
from experience_runtime.domain.windows import DAYS
from experience_runtime.domain.zones import UTC, zone_names
from experience_runtime.runtime import Runtime
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import signed_in
from experience_runtime.web.guard.login import own_form
from experience_runtime.web.guard.problems import status_of
from experience_runtime.web.pages.forms import ScheduleForm, fresh_schedule_form, schedule_form
from experience_runtime.web.pages.integrations import HERE, path_of
from experience_runtime.web.pages.refusals import HtmlRoute
from experience_runtime.web.pages.rendering import GivenRendering, Rendering, back_to
from experience_runtime.web.pages.wording import relative

_RUNS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Preview:
    asked: str
    zone: str
    instants: Sequence[dict[str, str]]


router = APIRouter(route_class=HtmlRoute, include_in_schema=False, dependencies=[signed_in(Right.READ)])
_WRITES = [signed_in(Right.CHANGE), Depends(own_form)]
_DONE = {"pause": "paused", "resume": "resumed", "run": "run", "remove": "removed", "restore": "restored"}


@router.get("/schedules")
def schedules(request: Request, runtime: GivenRuntime, rendering: GivenRendering) -> Response:
    now, holds = runtime.clock.now(), runtime.operations.holds()
    found = [
        _listed(each, now) | {"held": hold_of(holds, each["integration"])}
        for each in runtime.lookup.schedules()["schedules"]
    ]
    return rendering.page(
        request,
        "schedules.html",
        here=HERE,
        schedules=sorted(found, key=lambda each: (each["next_at"] or "~", each["name"])),
        troubles=runtime.lookup.troubles(),
    )


@router.get(HERE + "/{name}/schedule")
def schedule(
    request: Request, name: str, runtime: GivenRuntime, rendering: GivenRendering, edit: str = ""
) -> Response:
    if not edit:
        form = fresh_schedule_form(runtime.integrations.example(name))
        return _page(request, name, runtime, rendering, form)
    found = runtime.lookup.schedule(edit)
    if found["integration"] != name:
        return back_to(f"{path_of(found['integration'])}/schedule?edit={quote(edit, safe='')}")
    form = schedule_form(found)
    if _hides(runtime.recurring.get(edit), found):
        form = form.model_copy(update={"payload": ""})
    return _page(request, name, runtime, rendering, form, editing=edit)


@router.post(HERE + "/{name}/schedule", dependencies=_WRITES)
def save(
    request: Request,
    name: str,
    form: Annotated[ScheduleForm, Form()],
    runtime: GivenRuntime,
    rendering: GivenRendering,
) -> Response:
    if form.act == "preview":
        return _page(request, name, runtime, rendering, form, editing=form.editing)
    try:
        before = runtime.recurring.find(form.name)
        if before is not None and form.name != form.editing:
            raise Conflict(f"a schedule is named {form.name} already; edit that one, or choose another name")
        keeps = before is not None and not form.payload.strip()
        payload = json.loads(before.payload) if keeps and before is not None else form.read_payload()
        expected = int(form.version) if form.version and form.editing else None
        runtime.recurring.set(form.name, name, payload, form.options(), expected=expected)
    except Refusal as refusal:
        if (now := runtime.recurring.find(form.editing)) is not None:  # the next try knows what was told
            form = form.model_copy(update={"version": str(now.version)})
        return _page(request, name, runtime, rendering, form, editing=form.editing, problem=refusal)
    return back_to(f"{path_of(name)}/schedule?edit={quote(form.name, safe='')}", "saved")


@router.post(HERE + "/{name}/schedule/{schedule_name}/{verb}", dependencies=_WRITES)
def act(
    request: Request,
    name: str,
    schedule_name: str,
    verb: Literal["pause", "resume", "run", "remove", "restore"],
    runtime: GivenRuntime,
    rendering: GivenRendering,
) -> Response:
    try:
        match verb:
            case "pause":
                runtime.recurring.pause(schedule_name)
            case "resume":
                runtime.recurring.resume(schedule_name)
            case "run":
                runtime.recurring.run_now(schedule_name)
            case "remove":
                runtime.recurring.remove(schedule_name)
            case "restore":
                runtime.operations.restore_schedule(schedule_name)
    except UnknownSchedule:
        raise
    except Refusal as refusal:
        form = fresh_schedule_form(runtime.integrations.example(name))
        return _page(request, name, runtime, rendering, form, acted=refusal)
    return back_to(f"{path_of(name)}/schedule", f"schedule-{_DONE[verb]}")


def _page(
    request: Request,
    name: str,
    runtime: Runtime,
    rendering: Rendering,
    form: ScheduleForm,
    *,
    editing: str = "",
    problem: ExperienceError | None = None,
    acted: ExperienceError | None = None,
) -> Response:
    preview, wrong = _preview(runtime, form)
    refused = problem or acted
    own = [each.name for each in runtime.recurring.list() if each.integration == name]
    now = runtime.clock.now()
    return rendering.page(
        request,
        "schedule.html",
        here=HERE,
        tab="schedule",
        status=200 if refused is None else status_of(refused),
        name=name,
        found=runtime.lookup.integration(name),
        troubles=runtime.lookup.troubles().get(name, []),
        form=form,
        editing=editing,
        hides_payload=bool(editing) and not form.payload,
        problem=problem,
        invalid="" if problem is None else _field_of(problem, form),
        is_fresh=not editing and problem is None and form.timezone == UTC.name and not form.name,
        acted=acted,
        preview=preview,
        wrong=wrong,
        days=DAYS,
        zones=zone_names(),
        removed=[
            {"name": each.name, "ago": relative(at, now), "at": at.isoformat()}
            for each, at in runtime.operations.removed_schedules()
            if each.integration == name
        ],
        audit=runtime.lookup.audit.of("schedule", editing) if editing else [],
        schedules=[_row(runtime.lookup.schedule(each), now) for each in own],
    )


def _field_of(problem: ExperienceError, form: ScheduleForm) -> str:
    """The id of the field that a refusal is about, as far as its code and its first words tell."""
    begins = problem.message.removeprefix("a schedule is ").split(" ")[0].strip('":')
    match problem.code, begins:
        case ((InvalidPayload.code | PayloadTooLarge.code), _):
            return "payload"
        case _, "name" | "named" | "schedule":
            return "name"
        case _, "timezone" | "zone":
            return "timezone"
        case _, "window":
            return "window_day"
        case _, "skip":
            return "skip"
        case Conflict.code, _:
            return ""
    return {"every": "every_count", "daily": "daily_time", "weekly": "weekly_time", "cron": "cron"}.get(
        form.kind, ""
    )


def _preview(runtime: Runtime, form: ScheduleForm) -> tuple[_Preview | None, Refusal | None]:
    """The next runs of what the form says, or why there are none."""
    try:
        timing, instants = runtime.recurring.preview(form.options())
    except Refusal as refusal:
        return None, refusal
    zone = timing.zone.name
    upcoming = instants_document(instants, zone)
    return _Preview(asked=timing.recurrence.asked, zone=zone, instants=upcoming), None


def _listed(document: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    how = [f"{kind} {text}" for kind, text in document["recurrence"].items() if kind != "starting"]
    window, next_at = document["window"], document["next_at"]
    return {
        **document,
        "how": ", ".join(how),
        "window": None if window is None else f"{window['day']} {window['time']}",
        "is_paused": document["paused_at"] is not None,
        "relative": "" if next_at is None else relative(datetime.fromisoformat(next_at), now),
    }


def _row(document: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    upcoming = document["next"]
    return {
        **_listed(document, now),
        "next": upcoming[0] if upcoming else None,
        "relative": relative(datetime.fromisoformat(upcoming[0]["at"]), now) if upcoming else "",
        "runs": document["runs"][:_RUNS],
    }


def _hides(schedule: Schedule, document: Mapping[str, Any]) -> bool:
    """Whether the document leaves something of the payload out: then it must not come back from a form."""
    return bool(document["payload"] != json.loads(schedule.payload))
