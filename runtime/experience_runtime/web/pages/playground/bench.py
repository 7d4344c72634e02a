"""The playground of `experience dev`: files saved from the page, and pages told of each save."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel

from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import ExperienceError
from experience_runtime.web.bench import Bench
from experience_runtime.web.guard.access import signed_in
from experience_runtime.web.guard.login import own_form
from experience_runtime.web.guard.problems import told_of
from experience_runtime.web.pages.playground.form import Play, read_play
from experience_runtime.web.pages.playground.pages import HERE, GivenStage, PlayForm, play_page
from experience_runtime.web.pages.refusals import HtmlRoute
from experience_runtime.web.pages.rendering import back_to

LOOK_SECONDS = 0.03
_QUIET_SECONDS = 15.0  # a proxy, or a browser that is gone, is found out by a line that says nothing

router = APIRouter(route_class=HtmlRoute, include_in_schema=False, dependencies=[signed_in(Right.TRY)])


class FileForm(BaseModel):
    """A file as it was edited; `seen` says what it was when the page showed it, `s` is the play beside it."""

    experience: str
    file: str
    text: str = ""
    seen: str = ""
    s: str = ""


@router.post(HERE + "/file", dependencies=[Depends(own_form)])
def save(request: Request, form: Annotated[FileForm, Form()], stage: GivenStage) -> Response:
    """Save a file; a page with script asks for what became of it, and stays where it is."""
    bench: Bench = request.app.state.bench
    is_asked_aside = request.headers.get("x-live") == "1"
    try:
        opened = bench.write(form.experience, form.file, form.text, seen=form.seen)
    except ExperienceError as refusal:
        told = told_of(request, refusal)
        if is_asked_aside:
            return JSONResponse({"code": told.code, "message": told.message}, status_code=told.status)
        play = read_play(form.s) if form.s else Play(experience=form.experience)
        typed = PlayForm(
            **play.model_dump(include={*PlayForm.model_fields} - {"steps", "repair"}), file=form.file
        )
        return play_page(request, stage, play, form=typed, problem=refusal, written=form.text)
    if is_asked_aside:
        return JSONResponse({"seen": opened.seen})
    kept = {"s": form.s} if form.s else {"experience": form.experience}
    return back_to(f"{HERE}?{urlencode(kept | {'file': form.file})}#files")


@router.get(HERE + "/saved")
async def saved(request: Request) -> Response:
    """The number of the newest look, now and whenever there is another, as server-sent events."""
    bench: Bench = request.app.state.bench
    return StreamingResponse(_told(bench), media_type="text/event-stream")


async def _told(bench: Bench) -> AsyncIterator[str]:
    number, quiet = -1, 0.0
    while not bench.is_over:
        if bench.saved.number != number:
            number, quiet = bench.saved.number, 0.0
            yield f"event: saved\ndata: {json.dumps({'number': number})}\n\n"
        elif quiet >= _QUIET_SECONDS:
            quiet = 0.0
            yield ": nothing new\n\n"
        await asyncio.sleep(LOOK_SECONDS)
        quiet += LOOK_SECONDS
