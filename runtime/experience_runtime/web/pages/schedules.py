"""The page that an integration's settings have for recurring schedules: the form, and what there is."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from experience_runtime.documents.documents import instants_document, run_document, schedule_document
from experience_runtime.domain.errors import Conflict, ExperienceError, Refusal, UnknownSchedule
from experience_runtime.domain.schedules import Schedule
from experience_runtime.domain.windows import DAYS
from experience_runtime.domain.zones import zone_names
from experience_runtime.engine.recurring import Shown
from experience_runtime.runtime import Runtime
from experience_runtime.web.guard.access import signed_in
from experience_runtime.web.guard.login import own_form
from experience_runtime.web.guard.problems import status_of
from experience_runtime.web.pages.forms import ScheduleForm, fresh_schedule_form, schedule_form
from experience_runtime.web.pages.integrations import HERE, description_of, example_of, path_of
from experience_runtime.web.pages.refusals import HtmlRoute
from experience_runtime.web.pages.rendering import Rendering, back_to
from experience_runtime.web.pages.wording import relative

_RUNS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Preview:
    asked: str
    zone: str
    instants: Sequence[dict[str, str]]


def make_router(runtime: Runtime, rendering: Rendering) -> APIRouter:
    router = APIRouter(route_class=HtmlRoute, include_in_schema=False, dependencies=[signed_in()])
    writes = [Depends(own_form)]

    @router.get(HERE + "/{name}/schedule")
    def schedule(request: Request, name: str, edit: str = "") -> Response:
        if not edit:
            return page(request, name, fresh_schedule_form(example_of(name)))
        found = runtime.recurring.show(edit).schedule
        if found.integration != name:
            return back_to(f"{path_of(found.integration)}/schedule?edit={quote(edit, safe='')}")
        form = schedule_form(found)
        if _has_secrets(found):
            form = form.model_copy(update={"payload": ""})
        return page(request, name, form, editing=edit)

    @router.post(HERE + "/{name}/schedule", dependencies=writes)
    def save(
        request: Request,
        name: str,
        form: Annotated[ScheduleForm, Form()],
    ) -> Response:
        if form.act == "preview":
            return page(request, name, form, editing=form.editing)
        try:
            before = find(form.name)
            if before is not None and form.name != form.editing:
                raise Conflict(
                    f"a schedule is named {form.name} already; edit that one, or choose another name"
                )
            keeps = before is not None and not form.payload.strip()
            payload = json.loads(before.payload) if keeps and before is not None else form.read_payload()
            runtime.recurring.set(form.name, name, payload, form.options())
        except Refusal as refusal:
            return page(request, name, form, editing=form.editing, problem=refusal)
        return back_to(f"{path_of(name)}/schedule", "saved")

    @router.post(HERE + "/{name}/schedule/{schedule_name}/{verb}", dependencies=writes)
    def act(
        request: Request,
        name: str,
        schedule_name: str,
        verb: Literal["pause", "resume", "run", "remove"],
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
        except UnknownSchedule:
            raise
        except Refusal as refusal:
            return page(request, name, fresh_schedule_form(example_of(name)), acted=refusal)
        done = {"pause": "paused", "resume": "resumed", "run": "run", "remove": "removed"}[verb]
        return back_to(f"{path_of(name)}/schedule", f"schedule-{done}")

    def find(schedule_name: str) -> Schedule | None:
        try:
            return runtime.recurring.show(schedule_name).schedule
        except UnknownSchedule:
            return None

    def page(
        request: Request,
        name: str,
        form: ScheduleForm,
        *,
        editing: str = "",
        problem: ExperienceError | None = None,
        acted: ExperienceError | None = None,
    ) -> Response:
        preview: _Preview | None = None
        wrong: ExperienceError | None = None
        try:
            timing, instants = runtime.recurring.preview(form.options())
            zone = timing.zone.name
            preview = _Preview(
                asked=timing.recurrence.asked, zone=zone, instants=instants_document(instants, zone)
            )
        except Refusal as refusal:
            wrong = refusal
        refused = problem or acted
        own = [each.name for each in runtime.recurring.list() if each.integration == name]
        return rendering.page(
            request,
            "schedule.html",
            here=HERE,
            tab="schedule",
            status=200 if refused is None else status_of(refused),
            name=name,
            found=description_of(runtime, name),
            form=form,
            editing=editing,
            hides_payload=bool(editing) and not form.payload,
            problem=problem,
            acted=acted,
            preview=preview,
            wrong=wrong,
            days=DAYS,
            zones=zone_names(),
            schedules=[_row(runtime.recurring.show(each)) for each in own],
        )

    def _row(shown: Shown) -> dict[str, Any]:
        now, schedule = runtime.clock.now(), shown.schedule
        document = schedule_document(schedule, redact=runtime.settings.redact)
        how = [f"{kind} {text}" for kind, text in document["recurrence"].items() if kind != "starting"]
        upcoming = instants_document(shown.next, schedule.zone)
        return document | {
            "how": ", ".join(how),
            "window": schedule.window,
            "is_paused": schedule.paused_at is not None,
            "next": upcoming[0] if upcoming else None,
            "relative": relative(shown.next[0], now) if shown.next else "",
            "runs": [run_document(run) for run in shown.runs[:_RUNS]],
        }

    def _has_secrets(schedule: Schedule) -> bool:
        shown = schedule_document(schedule, redact=runtime.settings.redact)["payload"]
        return bool(shown != json.loads(schedule.payload))

    return router
