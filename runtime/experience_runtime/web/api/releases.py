"""/v1: releases of experiences: made, listed, compared, activated, and gone back from."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field, StrictInt

from experience_runtime.documents.releases import (
    differences_document,
    live_document,
    made_document,
    whole_release_document,
)
from experience_runtime.domain.access import Right
from experience_runtime.domain.releases import MOST_FILES
from experience_runtime.releasing.releasing import Act, Wanted, change, list_releases
from experience_runtime.releasing.releasing import release as put
from experience_runtime.web.api.idempotency import KEY_DOCUMENTED, OnceRoute
from experience_runtime.web.api.openapi import Body, Name, answers
from experience_runtime.web.api.release_models import (
    CHANGED,
    LISTED,
    LIVE,
    MADE,
    WHOLE,
    Differences,
    ListedReleases,
    LiveRelease,
    MadeRelease,
    WholeRelease,
)
from experience_runtime.web.given import GivenAtOnce, GivenRuntime, GivenSimulations
from experience_runtime.web.guard.access import Caller, needs
from experience_runtime.web.guard.problems import Document

_LARGEST = 2**53 - 1

Number = Annotated[int, Path(ge=1, le=_LARGEST, description="The number of a release.")]
Releasing = Annotated[Caller, needs(Right.RELEASE)]
Reading = Annotated[Caller, needs(Right.READ_RUNS)]
_Share = Annotated[
    str | None,
    Field(max_length=20, description="For this share of the visitors only.", examples=["10%"]),
]
_Expected = Annotated[
    StrictInt,
    Field(
        ge=0, le=_LARGEST, description="The `version` of what runs, as you saw it; 0: nothing was released."
    ),
]


class ReleaseBody(Body):
    files: dict[str, str] = Field(
        max_length=MOST_FILES,
        description="Texts by the names of their files.",
        examples=[{"variation.js": "module.exports = function variation (options) {}"}],
    )
    note: str = Field(default="", max_length=1000)
    share: _Share = None
    expected: _Expected | None = Field(
        default=None, description="As of the other changes; left out: whatever runs."
    )


class ActivateBody(Body):
    expected: _Expected
    share: _Share = None


class ChangeBody(Body):
    expected: _Expected


router = APIRouter(prefix="/v1/experiences/{name}/releases", tags=["releases"], route_class=OnceRoute)


@router.get("", summary="List releases", responses=answers(ListedReleases, LISTED, 404))
def list_(
    name: Name,
    runtime: GivenRuntime,
    _: Reading,
    before: Annotated[int | None, Query(ge=1, le=_LARGEST)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Document:
    """What runs, and every release that is kept, newest first. Scopes: author, operator, viewer."""
    return Document(list_releases(runtime, name, before=before, limit=limit))


@router.post(
    "",
    summary="Release an experience",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(MadeRelease, MADE, 409, 413),
)
def release(
    name: Name,
    body: ReleaseBody,
    runtime: GivenRuntime,
    at_once: GivenAtOnce,
    simulations: GivenSimulations,
    caller: Releasing,
) -> Document:
    """Check the files, play their stories, keep them, and let them run; nothing is stored when one fails.

    Scope: operator. With `authors_may_release` an author too.
    """
    wanted = Wanted(
        experience=name,
        files=body.files,
        actor=caller.name,
        note=body.note,
        share=body.share,
        expected=body.expected,
    )
    with at_once:
        return Document(made_document(*put(runtime, wanted, play=simulations.within())))


@router.get("/{number}", summary="Show a release", responses=answers(WholeRelease, WHOLE, 404))
def show(name: Name, number: Number, runtime: GivenRuntime, _: Reading) -> Document:
    """Who made it, and its files with their SHA-256. Scopes: author, operator, viewer."""
    return Document(whole_release_document(runtime.store.releases.release(name, number)))


@router.get("/{number}/diff", summary="Compare two releases", responses=answers(Differences, CHANGED, 404))
def diff(
    name: Name,
    number: Number,
    runtime: GivenRuntime,
    _: Reading,
    against: Annotated[int, Query(ge=1, le=_LARGEST, description="The number of the older one.")],
) -> Document:
    """What this release has changed since the other, as a unified diff of each file that differs.

    Scopes: author, operator, viewer.
    """
    old, new = (runtime.store.releases.release(name, each).files for each in (against, number))
    return Document(differences_document(old, new, old=against, new=number))


@router.post(
    "/{number}/activate",
    summary="Activate a release",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(LiveRelease, LIVE, 404, 409),
)
def activate(
    name: Name, number: Number, body: ActivateBody, runtime: GivenRuntime, caller: Releasing
) -> Document:
    """Let it run, for everybody or for a share of the visitors.

    Scope: operator. With `authors_may_release` an author too.
    """
    done = change(
        runtime,
        name,
        Act.ACTIVATE,
        actor=caller.name,
        expected=body.expected,
        number=number,
        share=body.share,
    )
    return Document(live_document(done))


@router.post(
    "/rollback",
    summary="Roll back",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(LiveRelease, LIVE, 409),
)
def rollback(name: Name, body: ChangeBody, runtime: GivenRuntime, caller: Releasing) -> Document:
    """Let run what ran before the newest change that was no rollback; again, and it goes back further.

    Scope: operator. With `authors_may_release` an author too.
    """
    done = change(runtime, name, Act.ROLLBACK, actor=caller.name, expected=body.expected)
    return Document(live_document(done))


@router.post(
    "/deactivate",
    summary="Deactivate",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(LiveRelease, LIVE, 409),
)
def deactivate(name: Name, body: ChangeBody, runtime: GivenRuntime, caller: Releasing) -> Document:
    """Let nothing run; a rollback undoes it. What was scheduled stays scheduled.

    Scope: operator. With `authors_may_release` an author too.
    """
    done = change(runtime, name, Act.DEACTIVATE, actor=caller.name, expected=body.expected)
    return Document(live_document(done))
