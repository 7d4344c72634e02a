"""/v1, for authors: run, simulate and check experiences, and explain an instant."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field, StrictBool, StrictInt

from experience_runtime.documents.documents import plan_document
from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import Forbidden, InvalidParameter, ScriptFault
from experience_runtime.domain.instants import parse_start
from experience_runtime.domain.page_facts import MOST_EVENTS, PageFacts, read_page_facts
from experience_runtime.domain.planning import plan
from experience_runtime.domain.visitors import make_visitor
from experience_runtime.running.boot import situation_of
from experience_runtime.runtime import Runtime
from experience_runtime.simulation.play import PlayRequest
from experience_runtime.simulation.simulated import simulated_document
from experience_runtime.simulation.story import parse_story
from experience_runtime.web.api.idempotency import KEY_DOCUMENTED, OnceRoute
from experience_runtime.web.api.models import (
    CHECKED,
    LISTED,
    PLANNED,
    RAN,
    Checked,
    Experiences,
    Planned,
    RunDocument,
)
from experience_runtime.web.api.openapi import Body, Name, Offset, Zone, answers
from experience_runtime.web.experiences import Found, find_experience, listed, written
from experience_runtime.web.given import GivenAtOnce, GivenMetrics, GivenRuns, GivenRuntime, GivenSimulations
from experience_runtime.web.guard.access import Caller, needs
from experience_runtime.web.guard.problems import Document
from experience_runtime.web.simulations import check_steps

_Id = Annotated[str | None, Field(max_length=200, description="Who it runs for; left out, nobody is known.")]
_Repair = Annotated[StrictBool, Field(description="Mend a parameter that is declared again.")]
_Draft = Annotated[
    StrictBool, Field(description="The files on the server's disk, whatever is released of this name.")
]
_Instant = Annotated[str | None, Field(max_length=100, description="An ISO 8601 instant; left out: now.")]


class _Told(Body):
    """What a caller tells of the visitor and the page: the same for a run and a simulation."""

    events: list[dict[str, Any]] | None = Field(
        default=None,
        max_length=MOST_EVENTS,
        description="What happened on the page before, for `options.uv`: each with `type` and `data`.",
        examples=[[{"type": "ecView", "data": {}}]],
    )
    state: dict[str, Any] | None = Field(
        default=None, description="For `options.getVisitorState()`, above what is known of the visitor."
    )
    browser: dict[str, Any] | None = Field(
        default=None, description="The page's facts, for `options.getBrowserState()`: `url`, `referrer`, …"
    )
    cookies: dict[str, str] | None = Field(default=None, description="The page's cookies, by their names.")
    keep_state: StrictBool = Field(
        default=False,
        description="Keep `state` with the visitor, for the runs to come; null takes a member out.",
    )

    def facts(self) -> PageFacts:
        """Raises the Refusal of what cannot be."""
        return read_page_facts(
            events=self.events,
            state=self.state,
            browser=self.browser,
            cookies=self.cookies,
            keep_state=self.keep_state,
        )


class RunBody(_Told):
    visitor: _Id = None
    timezone: Zone = None
    timezone_offset: Offset = None
    data: Any = Field(default=None, description="`options.data`.")
    variation: str | None = Field(default=None, max_length=200)
    repair: _Repair = False
    draft: _Draft = False


class Source(Body):
    """An experience by its name, or its files as texts: one of the two."""

    experience: str | None = Field(default=None, max_length=100)
    files: dict[str, str] | None = Field(
        default=None,
        description="Texts by the names of their files.",
        examples=[{"variation.js": "module.exports = function variation (options) {}"}],
    )
    variation: str | None = Field(default=None, max_length=200)
    repair: _Repair = False
    draft: _Draft = False


class SimulateBody(Source, _Told):
    visitor: _Id = None
    timezone: Zone = None
    timezone_offset: Offset = None
    data: Any = None
    at: _Instant = None
    horizon: str | StrictInt | None = Field(
        default=None, alias="for", description="How long to watch; left out: 30 days."
    )
    story: dict[str, Any] | None = Field(default=None, description="A story, as `story.json` has it.")

    def request(self, *, now: datetime) -> PlayRequest:
        """What is to be played. Raises the Refusal of a story that cannot be read."""
        return PlayRequest(
            now=now,
            visitor=make_visitor(self.visitor, timezone=self.timezone, timezone_offset=self.timezone_offset),
            data=self.data,
            facts=self.facts(),
            story=None if self.story is None else parse_story(self.story, where="story"),
            at=self.at,
            horizon=self.horizon,
        )


class ExplainBody(Body):
    delay: str | StrictInt | None = None
    time: str | StrictInt | None = None
    window: dict[str, Any] | None = Field(
        default=None, examples=[{"day": "monday-friday", "time": "09:00-17:00"}]
    )
    timezone: Zone = None
    timezone_offset: Offset = None
    at: _Instant = None


router = APIRouter(prefix="/v1", tags=["experiences"], route_class=OnceRoute)


@router.get("/experiences", summary="List the experiences", responses=answers(Experiences, LISTED))
def list_experiences(runtime: GivenRuntime, _: Annotated[Caller, needs(Right.READ_RUNS)]) -> Document:
    """Those that are released, and the drafts. Scopes: author, operator, viewer."""
    return Document({"experiences": listed(runtime)})


@router.post(
    "/experiences/{name}/run",
    summary="Run an experience",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(RunDocument, RAN, 404, 409, 413),
)
def run(
    name: Name,
    body: RunBody,
    runs: GivenRuns,
    caller: Annotated[Caller, needs(Right.RUN)],
) -> Document:
    """For real, for one visitor, to its end; the document of `experience run --json`.

    Scopes: author, operator; site for released ones and without keep_state; it sees no log, payload or key.
    """
    facts = body.facts()
    if facts.keep_state and caller.is_limited:
        raise Forbidden(
            "keep_state is not for a site's key, which is in everybody's hands; leave it out, and let your "
            "backend run the experience with it"
        )
    visitor = runs.visitor(body.visitor, timezone=body.timezone, timezone_offset=body.timezone_offset)
    situation = situation_of(visitor, body.data, facts)
    done = runs.run(
        name, situation, caller=caller, variation=body.variation, repair=body.repair, draft=body.draft
    )
    return Document(done)


@router.post(
    "/simulate",
    summary="Simulate an experience",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(RunDocument, RAN, 404, 409, 413),
)
def simulate(
    body: SimulateBody,
    runtime: GivenRuntime,
    metrics: GivenMetrics,
    at_once: GivenAtOnce,
    simulations: GivenSimulations,
    _: Annotated[Caller, needs(Right.TRY)],
) -> Document:
    """In virtual time: what would happen, when and why; nothing leaves and nothing is stored.

    The document of `experience simulate --json`. Scopes: author, operator.
    """
    request = body.request(now=runtime.clock.now())
    check_steps(request)
    story = request.told()  # what is wrong with it is said before anything is read
    with at_once, _found(runtime, body) as found:
        try:
            script = found.prepare(variation=body.variation or story.variation, repair=body.repair)
        except ScriptFault as fault:
            return Document(found.failed(request.visitor, fault).document([]))
        simulated = simulations.play(request, script)
    metrics.ran("simulated", sum(report.cpu_seconds for report in simulated.reports), experience="")
    return Document(simulated_document(simulated))


@router.post(
    "/check",
    summary="Check an experience",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(Checked, CHECKED, 404, 409, 413),
)
def check(
    body: Source, runtime: GivenRuntime, at_once: GivenAtOnce, _: Annotated[Caller, needs(Right.TRY)]
) -> Document:
    """Find what would certainly fail, running nothing; as `experience check --json`.

    Scopes: author, operator.
    """
    with at_once, _found(runtime, body) as found:
        checked = runtime.check(lambda: found.prepare(variation=body.variation, repair=body.repair))
    return Document(checked.document())


@router.post(
    "/explain",
    summary="Explain an instant",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(Planned, PLANNED, 409, 413),
)
def explain(
    body: ExplainBody, runtime: GivenRuntime, _: Annotated[Caller, needs(Right.READ_RUNS)]
) -> Document:
    """When a delay or time and a window would run, and why; nothing is stored.

    Scopes: author, operator, viewer.
    """
    now = runtime.clock.now()
    if body.at is not None:
        now = parse_start(body.at, now=now)
    visitor = make_visitor(None, timezone=body.timezone, timezone_offset=body.timezone_offset)
    asked: Mapping[str, object] = body.model_dump(include={"delay", "time", "window"}, exclude_none=True)
    return Document(plan_document(plan(asked, now=now, visitor=visitor), created_at=now))


@contextmanager
def _found(runtime: Runtime, source: Source) -> Iterator[Found]:
    if (source.experience is None) == (source.files is None):
        raise InvalidParameter(
            'name an experience, or send its files, and not both: {"files": {"variation.js": "…"}}'
        )
    if source.files is not None:
        with written(source.files) as folder:
            yield Found(name=folder.name, path=folder)
    else:
        yield find_experience(runtime, source.experience or "", released_only=False, draft=source.draft)
