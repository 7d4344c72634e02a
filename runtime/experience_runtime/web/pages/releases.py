"""The pages of an experience's releases: one with what it changed, and the question before a change."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import Response

from experience_runtime.documents.releases import differences_document, whole_release_document
from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import ExperienceError, Refusal, UnknownRelease
from experience_runtime.domain.releases import Change
from experience_runtime.releasing.releasing import Act, change, live_of
from experience_runtime.runtime import Runtime
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import Caller, signed_in
from experience_runtime.web.guard.login import own_form
from experience_runtime.web.guard.problems import status_of
from experience_runtime.web.pages.refusals import HtmlRoute
from experience_runtime.web.pages.rendering import GivenRendering, Rendering, back_to

HERE = "/experiences"
_LARGEST = 2**53 - 1
_MOST_LINES = 2_000
_DONE = {Act.ACTIVATE: "activated", Act.ROLLBACK: "rolled-back", Act.DEACTIVATE: "deactivated"}

Number = Annotated[int, Path(ge=1, le=_LARGEST)]

router = APIRouter(route_class=HtmlRoute, include_in_schema=False)


@router.get(HERE + "/{name}/releases/{number}", dependencies=[signed_in(Right.READ_RUNS)])
def release(
    request: Request,
    name: str,
    number: Number,
    runtime: GivenRuntime,
    rendering: GivenRendering,
    against: Annotated[int | None, Query(ge=1, le=_LARGEST)] = None,
) -> Response:
    """One release; beside it what differs from another, or from the one before it where that is kept."""
    releases = runtime.store.releases
    found = releases.release(name, number)
    other = against or number - 1
    lines: list[tuple[str, str]] = []
    try:
        before = releases.release(name, other) if other else None
    except UnknownRelease:
        if against is not None:
            raise
        before = None
    if before is not None:
        document = differences_document(before.files, found.files, old=other, new=number)
        lines = list(_lines(document["changed"]))
    return rendering.page(
        request,
        "release.html",
        here=HERE,
        name=name,
        release=whole_release_document(found),
        live=live_of(runtime, name),
        against=None if before is None else other,
        others=[each.number for each in releases.releases(name) if each.number != number],
        lines=lines[:_MOST_LINES],
        is_cut=len(lines) > _MOST_LINES,
    )


@router.get(HERE + "/{name}/releases/ask/{act}", dependencies=[signed_in(Right.RELEASE)])
def ask(
    request: Request,
    name: str,
    act: Act,
    runtime: GivenRuntime,
    rendering: GivenRendering,
    number: Annotated[int | None, Query(ge=1, le=_LARGEST)] = None,
) -> Response:
    return _asked(request, name, act, runtime, rendering, number=number)


@router.post(HERE + "/{name}/releases/ask/{act}", dependencies=[Depends(own_form)])
def do(
    request: Request,
    name: str,
    act: Act,
    runtime: GivenRuntime,
    rendering: GivenRendering,
    caller: Annotated[Caller, signed_in(Right.RELEASE)],
    version: Annotated[int, Form(ge=0, le=_LARGEST)],
    number: Annotated[int | None, Form(ge=1, le=_LARGEST)] = None,
    share: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Change what runs, if it still is what the page showed when it asked."""
    try:
        change(
            runtime,
            name,
            act,
            actor=caller.name,
            expected=version,
            number=number,
            share=share.strip() or None,
        )
    except Refusal as refusal:
        return _asked(request, name, act, runtime, rendering, number=number, share=share, problem=refusal)
    return back_to(f"{HERE}/{quote(name, safe='')}", _DONE[act])


def _asked(
    request: Request,
    name: str,
    act: Act,
    runtime: Runtime,
    rendering: Rendering,
    *,
    number: int | None,
    share: str = "",
    problem: ExperienceError | None = None,
) -> Response:
    live = live_of(runtime, name)
    chosen = runtime.store.releases.release(name, number) if act is Act.ACTIVATE and number else None
    if act is Act.ACTIVATE and chosen is None:
        raise UnknownRelease(
            "no release is named that would be activated; choose one on the experience's page"
        )
    return rendering.page(
        request,
        "release_change.html",
        here=HERE,
        status=200 if problem is None else status_of(problem),
        problem=problem,
        name=name,
        act=act,
        live=live,
        before=_before(runtime, live) if act is Act.ROLLBACK else None,
        chosen=chosen,
        share=share,
    )


def _before(runtime: Runtime, live: Change) -> Change | None:
    """What a rollback goes back to, as far as the newest changes tell."""
    changes = runtime.store.releases.changes(live.experience, limit=200)
    return next((each for each in changes if each.version == live.before), None)


def _lines(changed: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Each line of the diffs with what kind it is."""
    for each in changed:
        for at, line in enumerate(each["diff"]):
            yield ("file" if at < 2 else _KINDS.get(line[:1], "same")), line


_KINDS = {"+": "come", "-": "gone", "@": "place"}
