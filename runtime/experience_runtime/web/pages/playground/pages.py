"""The playground: an experience tried out in simulated time, from a form whose whole state is its address."""

import json
from dataclasses import dataclass, replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import ExperienceError, InvalidParameter
from experience_runtime.domain.instants import iso
from experience_runtime.domain.spans import span_text
from experience_runtime.domain.zones import zone_names
from experience_runtime.runtime import Runtime
from experience_runtime.scripts.folders import is_story
from experience_runtime.web.bench import Bench
from experience_runtime.web.experiences import listed
from experience_runtime.web.given import GivenAtOnce, GivenRuntime, GivenSimulations
from experience_runtime.web.guard.access import signed_in
from experience_runtime.web.guard.limits import AtOnce
from experience_runtime.web.guard.login import form_token, own_form
from experience_runtime.web.guard.problems import status_of
from experience_runtime.web.pages.executions import integration_names
from experience_runtime.web.pages.playground.form import (
    LONGEST_ADDRESS,
    LONGEST_MOMENT_MS,
    MOST_STEPS,
    Play,
    field_of,
    make_play,
    read_play,
    read_story,
)
from experience_runtime.web.pages.playground.play import play_out, read_forward
from experience_runtime.web.pages.playground.progress import GivenUnderWay, UnderWay
from experience_runtime.web.pages.playground.view import PlayedOut
from experience_runtime.web.pages.refusals import HtmlRoute
from experience_runtime.web.pages.rendering import back_to, rendering_of
from experience_runtime.web.simulations import Simulations

HERE = "/playground"
_EXAMPLE = """module.exports = function variation (options) {
  return options.integration('slack-update').schedule({ message: 'A basket is waiting' }, {
    key: { reminder: 'basket' },
    delay: '2 hours',
    window: { day: 'monday-friday', time: '09:00-17:00' },
    cancelOnConversion: true
  })
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What plays for one request, and tells its session how far it has come."""

    runtime: Runtime
    simulations: Simulations
    at_once: AtOnce
    under_way: UnderWay
    session: str

    def played(self, play: Play) -> PlayedOut:
        """How it went when its form was sent, if that was just now; else played."""
        return self.under_way.taken(self.session, play.address()) or self.play_out(play)

    def play_out(self, play: Play) -> PlayedOut:
        with self.at_once, self.under_way.heard(self.session) as progress:
            return play_out(self.runtime, self.simulations, play, progress=progress)


async def _stage(
    request: Request,
    runtime: GivenRuntime,
    simulations: GivenSimulations,
    at_once: GivenAtOnce,
    under_way: GivenUnderWay,
) -> Stage:
    return Stage(
        runtime=runtime,
        simulations=simulations,
        at_once=at_once,
        under_way=under_way,
        session=form_token(request),
    )


GivenStage = Annotated[Stage, Depends(_stage)]


class PlayForm(BaseModel):
    """The whole form, as typed; `act` is the button, `last` the address of the last play that worked.

    `file` is the one that is edited beside it, `story_seen` what the story's file was then.
    """

    experience: str = ""
    variation: str = ""
    source: str = ""
    triggers: str = ""
    repair: str = ""
    visitor: str = ""
    timezone: str = ""
    at: str = ""
    data: str = ""
    page: str = ""
    answers: str = ""
    told: str = ""
    by: str = ""
    last: str = ""
    file: str = ""
    story_seen: str = ""
    moment: int = 0
    steps: str = "[]"
    act: str = ""
    forward: str = ""
    emit_type: str = ""
    emit_data: str = ""
    convert_event: str = ""
    cancel_integration: str = ""
    cancel_key: str = ""
    cancel_reason: str = ""

    def play(self) -> Play:
        """The play before its button was pressed. Raises InvalidParameter."""
        try:
            steps = json.loads(self.steps)
        except (ValueError, RecursionError):
            raise InvalidParameter("the steps cannot be read; begin anew") from None
        fields = self.model_dump(include={*Play.model_fields} - {"steps", "repair"})
        chosen = {"source": "", "triggers": ""} if self.experience else {"variation": ""}
        chosen["told"] = self.told.replace("\r\n", "\n")
        return make_play(fields | {"steps": steps, "repair": bool(self.repair)} | chosen)


router = APIRouter(route_class=HtmlRoute, include_in_schema=False, dependencies=[signed_in(Right.TRY)])


@router.get(HERE)
def playground(
    request: Request, stage: GivenStage, s: str = "", experience: str = "", file: str = ""
) -> Response:
    if s:
        return play_page(request, stage, read_play(s), file=file)
    runtime, bench = stage.runtime, bench_of(request)
    names = [each["name"] for each in listed(runtime)]
    chosen = experience if experience in names else next(iter(names), "")
    if bench is not None and chosen and bench.files(chosen):
        story = file if is_story(file) else bench.story_of(chosen)
        told = Play(experience=chosen, told=bench.read(chosen, story).text)
        if told.told:
            return play_page(request, stage, told, file=file)
    fresh = Play(
        experience=chosen,
        source="" if chosen else _EXAMPLE,
        timezone="Europe/Paris",
        at=iso(runtime.clock.now().replace(second=0, microsecond=0)),
    )
    return play_page(request, stage, fresh, plays=False, file=file)


@router.get(HERE + "/progress")
def progress(request: Request, under_way: GivenUnderWay) -> Response:
    at = under_way.at(form_token(request))
    return JSONResponse({"at": None if at is None else iso(at)})


@router.post(HERE, dependencies=[Depends(own_form)])
def play(request: Request, form: Annotated[PlayForm, Form()], stage: GivenStage) -> Response:
    before = Play()
    try:
        before = form.play()
        if form.act == "story":
            return _story(stage, before)
        if form.act == "keep" and (bench := bench_of(request)) is not None:
            _keep(stage, bench, before, form)
            return back_to(_address(before, form.file))
        after = _acted(stage, before, form)
        read_story(after.story(), is_told=bool(after.told.strip()))
        out = stage.play_out(after)
    except ExperienceError as refusal:
        return play_page(request, stage, before, form=form, problem=refusal)
    if form.last and out.faults:  # beside the last one that worked
        return play_page(request, stage, after, out=out, last=form.last, file=form.file)
    if len(after.address()) <= LONGEST_ADDRESS:
        stage.under_way.keep(stage.session, after.address(), out)
        return back_to(_address(after, form.file))
    return play_page(request, stage, after, out=out, is_too_long=True, file=form.file)


def _address(play: Play, file: str) -> str:
    """Where a play is shown, with the file that is edited beside it."""
    named = f"&{urlencode({'file': file})}" if file else ""
    if len(address := play.address()) <= LONGEST_ADDRESS:
        return f"{HERE}?s={address}{named}#result"
    return f"{HERE}?{urlencode({'experience': play.experience})}{named}#result"


def _keep(stage: Stage, bench: Bench, play: Play, form: PlayForm) -> None:
    """Save the play as the experience's story, as it was written where nothing came on top of it."""
    read_story(play.story(), is_told=bool(play.told.strip()))
    text = play.told if play.told.strip() and not play.steps else _story_text(stage, play)
    bench.write(play.experience, _story_file(bench, play.experience, form.file), text, seen=form.story_seen)


def _story_file(bench: Bench, experience: str, file: str) -> str:
    return file if is_story(file) else bench.story_of(experience)


def _acted(stage: Stage, play: Play, form: PlayForm) -> Play:
    """What the button makes of a play."""
    verb, _, number = form.act.partition("-")
    match verb:
        case "forward":
            return _moved(play, play.moment + read_forward(form.forward))
        case "next" | "end":
            out = stage.play_out(play)
            wanted = out.end_ms if verb == "end" else out.next_ms
            return _moved(play, play.moment if wanted is None else wanted)
        case "start":
            return play.model_copy(update={"moment": 0, "steps": ()})
        case "tell":
            return play.as_told()
        case "form":
            return Play(experience=play.experience, source=play.source, triggers=play.triggers)
        case "remove":
            kept = [step for index, step in enumerate(play.steps) if str(index) != number]
            return play.model_copy(update={"steps": tuple(kept)})
        case "run" | "":
            return play
        case _:
            return _with_step(play, verb, form)


def _with_step(play: Play, verb: str, form: PlayForm) -> Play:
    """A play in which one thing more happens, at its moment."""
    step = {
        "emit": {"type": form.emit_type, "data": form.emit_data},
        "convert": {"event": form.convert_event},
        "cancel": {
            "integration": form.cancel_integration,
            "key": form.cancel_key,
            "reason": form.cancel_reason,
        },
        "again": {},
    }.get(verb)
    if step is None:
        raise InvalidParameter("the form has no such button; load the page again")
    if verb == "emit" and not form.emit_type.strip():
        raise InvalidParameter("the event has no type; write one such as ecBasketItem")
    if verb == "cancel" and not (form.cancel_integration.strip() and form.cancel_key.strip()):
        raise InvalidParameter("cancel needs an integration and a key, as the experience scheduled it")
    if len(play.steps) >= MOST_STEPS:
        raise InvalidParameter(f"a play has at most {MOST_STEPS} steps; remove one")
    do = "run" if verb == "again" else verb
    added = [each.model_dump() for each in play.steps] + [
        {"after": play.moment, "do": do, "visitor": form.by.strip()} | step
    ]
    return make_play(play.model_dump() | {"steps": added})


def _moved(play: Play, moment: int) -> Play:
    if moment > LONGEST_MOMENT_MS:
        raise InvalidParameter(
            f"time would be {span_text(moment / 1000)} after the start; a play is watched for 30 days"
        )
    return play.model_copy(update={"moment": moment})


def _story(stage: Stage, play: Play) -> Response:
    return Response(
        _story_text(stage, play),
        media_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="story.json"'},
    )


def _story_text(stage: Stage, play: Play) -> str:
    """The play as a story's text; one that expects nothing yet expects what happened."""
    told = play.story()
    out = stage.play_out(play)
    if out.expect and "expect" not in told:
        told["expect"] = list(out.expect)
    return json.dumps(told, ensure_ascii=True, indent=2) + "\n"


def play_page(
    request: Request,
    stage: Stage,
    play: Play,
    *,
    form: PlayForm | None = None,
    problem: ExperienceError | None = None,
    out: PlayedOut | None = None,
    plays: bool = True,
    is_too_long: bool = False,
    last: str = "",
    file: str = "",
    written: str | None = None,
) -> Response:
    """The page of a play, which is played here unless `out` says how it went. `written` is what was edited in
    `file` and could not be saved."""
    if out is None and plays and problem is None:
        try:
            out = stage.played(play)
        except ExperienceError as refusal:
            problem = refusal
    typed = play.model_dump() if form is None else form.model_dump() | {"repair": bool(form.repair)}
    last = last or (form.last if form is not None else "")
    works = out is not None and not out.faults
    address = play.address()
    return rendering_of(request).page(
        request,
        "playground.html",
        here=HERE,
        status=200 if problem is None else status_of(problem),
        problem=problem,
        invalid="" if problem is None else field_of(problem.message),
        play=play,
        typed=PlayForm(forward="1 hour").model_dump() | {"repair": False} | typed,
        steps=json.dumps([step.model_dump(exclude_defaults=True) for step in play.steps]),
        step_rows=[
            {"index": index, "after": "+" + span_text(step.after / 1000), "words": step.words}
            for index, step in enumerate(play.steps)
        ],
        moment="+" + span_text(play.moment / 1000),
        out=out,
        before=None if works or not last else _played_before(stage, last),
        bench=_bench_view(request, play, (form.file if form else "") or file, written),
        s=address if len(address) <= LONGEST_ADDRESS else "",
        last=address if works and len(address) <= LONGEST_ADDRESS else last,
        is_too_long=is_too_long,
        longest_address=LONGEST_ADDRESS,
        experiences=[each["name"] for each in listed(stage.runtime)],
        zones=zone_names(),
        conversion_names=stage.runtime.settings.conversions,
        integrations=integration_names(stage.runtime),
    )


def bench_of(request: Request) -> Bench | None:
    """Where files are edited; None where the playground only plays."""
    bench = request.app.state.bench
    assert bench is None or isinstance(bench, Bench)
    return bench


def _bench_view(request: Request, play: Play, file: str, written: str | None) -> dict[str, Any] | None:
    bench = bench_of(request)
    if bench is None or not (files := bench.files(play.experience)):
        return None
    opened = bench.read(play.experience, file if file in files else files[0])
    story = bench.read(play.experience, _story_file(bench, play.experience, opened.file))
    return {
        "files": files,
        "opened": opened if written is None else replace(opened, text=written),
        "story": story.file,
        "story_seen": story.seen,
        "opened_is_story": is_story(opened.file),
        "saved": bench.saved,
        "follows": request.method == "GET",
    }


def _played_before(stage: Stage, address: str) -> PlayedOut | None:
    """The last play that worked; None when it does so no more."""
    try:
        out = stage.play_out(read_play(address))
    except ExperienceError:
        return None
    return None if out.faults else out
