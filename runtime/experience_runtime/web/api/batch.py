"""/v1/batch: up to 1,000 calls of integrations in one request, each with an answer of its own."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, SkipValidation, ValidationError

from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import ExperienceError, InternalError, InvalidParameter
from experience_runtime.domain.instants import iso
from experience_runtime.domain.visitors import Visitor, make_visitor
from experience_runtime.engine.claims import claim_in_hand
from experience_runtime.engine.prepared import Cancelled, PreparedCancel, PreparedSchedule, Scheduled
from experience_runtime.running.guest_calls import GuestCalls, Started
from experience_runtime.runtime import Runtime
from experience_runtime.web.answering import answer_of
from experience_runtime.web.api.idempotency import KEY_DOCUMENTED, OnceRoute
from experience_runtime.web.api.openapi import Body, Offset, Problem, Zone, answers
from experience_runtime.web.given import GivenAtOnce, GivenRuntime
from experience_runtime.web.guard.access import Caller, needs
from experience_runtime.web.guard.problems import Document, problem_document, told_of

MOST_ITEMS = 1000
MOST_EXECUTES = 50
"""An `execute` is waited for, up to 30 s; so many end before any client has given up."""

_SIDE_BY_SIDE = 10


class BatchItem(Body):
    """One call: what an experience asks, and who it is for."""

    verb: Literal["schedule", "cancel", "execute"]
    integration: str = Field(max_length=200)
    payload: Any = Field(default=None, description="Needed, but by `cancel`, which takes none.")
    options: dict[str, Any] = Field(default={}, description="As in an experience: `key`, `delay`, …")
    visitor: str | None = Field(
        default=None, max_length=200, description="Who it is for; left out, nobody is known."
    )
    timezone: Zone = None
    timezone_offset: Offset = None


_EXAMPLE: dict[str, Any] = {
    "items": [
        {
            "verb": "schedule",
            "integration": "slack-update",
            "payload": {"message": "A basket is waiting"},
            "options": {"key": "basket 17", "delay": "2 hours", "cancelOnConversion": True},
            "visitor": "v1",
            "timezone": "Europe/Paris",
        },
        {"verb": "cancel", "integration": "slack-update", "options": {"key": "basket 16"}, "visitor": "v1"},
    ]
}


class BatchBody(Body):
    """The calls, in their order."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    # each is read for itself: one that is wrong holds up none of the others
    items: list[SkipValidation[BatchItem]] = Field(min_length=1, max_length=MOST_ITEMS)


class ScheduledItem(BaseModel):
    """`status` is that of the execution; `replaced` is the id of the one whose place it took."""

    ok: Literal[True]
    id: str
    status: str
    due_at: str
    replaced: str | None
    warnings: list[str]


class CancelledItem(BaseModel):
    ok: Literal[True]
    cancelled: int
    ids: list[str]
    warnings: list[str]


class ExecutedItem(BaseModel):
    """`result` is what the integration answered."""

    ok: Literal[True]
    id: str
    status: str
    result: Any
    warnings: list[str]


class RefusedItem(BaseModel):
    """Of this one nothing was stored, unless `problem` says that its call failed."""

    ok: Literal[False]
    problem: Problem


class BatchAnswers(BaseModel):
    """An answer for each item, in their order."""

    refused: int = Field(description="How many of the answers are refusals or failures.")
    items: list[ScheduledItem | CancelledItem | ExecutedItem | RefusedItem]


_ANSWERED = {
    "refused": 1,
    "items": [
        {
            "ok": True,
            "id": "ex_0bb6rczg0ryj5",
            "status": "pending",
            "due_at": "2026-03-06T17:30:00.000Z",
            "replaced": None,
            "warnings": [],
        },
        {
            "ok": False,
            "problem": {
                "type": "about:blank",
                "title": "Unprocessable Entity",
                "status": 422,
                "detail": 'delay "soon" is not a duration; write "2 hours"',
                "code": "invalid_delay",
            },
        },
    ],
}

router = APIRouter(prefix="/v1", tags=["integrations"], route_class=OnceRoute)


@router.post(
    "/batch",
    operation_id="sendBatch",
    summary="Schedule, cancel and execute up to 1,000 times",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(BatchAnswers, _ANSWERED, 409, 413),
)
def send_batch(
    request: Request,
    body: BatchBody,
    runtime: GivenRuntime,
    at_once: GivenAtOnce,
    caller: Annotated[Caller, needs(Right.CALL)],
) -> Document:
    """Each item is a call as `/v1/integrations/{name}/…` takes it, and is refused for itself.

    What is scheduled and cancelled is done in one transaction, in the order of the items; then at most 50
    `execute` are called, ten at a time. Send an `Idempotency-Key`: asked again under it, nothing is done
    twice. Scope: operator.
    """
    batch = _Batch(runtime, body.items)
    batch.put()
    if batch.executes:
        with at_once.of(caller.shares):
            batch.execute()
    shown = [_shown(request, each) for each in batch.answers]
    return Document({"refused": sum(not each["ok"] for each in shown), "items": shown})


def _shown(request: Request, answer: dict[str, Any] | ExperienceError) -> dict[str, Any]:
    if not isinstance(answer, ExperienceError):
        return {"ok": True, **answer}
    told = told_of(request, answer)
    return {"ok": False, "problem": problem_document(told.status, told.code, told.message)}


class _Batch:
    """The items of one request, and what each came to."""

    def __init__(self, runtime: Runtime, raw: Sequence[Any]) -> None:
        self._runtime = runtime
        self._zones: dict[str, Visitor] = {}  # of the visitors whose zone an item told
        self._known: dict[str, Visitor] = {}
        self._items: list[BatchItem | ExperienceError] = [_read(at, each) for at, each in enumerate(raw)]
        self._found: dict[int, dict[str, Any] | ExperienceError] = {}

    @property
    def answers(self) -> list[dict[str, Any] | ExperienceError]:
        return [self._found[at] for at in range(len(self._items))]

    @property
    def executes(self) -> list[tuple[int, BatchItem]]:
        return [
            (at, each)
            for at, each in enumerate(self._items)
            if isinstance(each, BatchItem) and each.verb == "execute"
        ]

    def put(self) -> None:
        """Schedule and cancel, all in one transaction; keep the zones that were told."""
        asked: dict[int, PreparedSchedule | PreparedCancel | ExperienceError] = {}
        for at, item in enumerate(self._items):
            if isinstance(item, ExperienceError) or item.verb != "execute":
                asked[at] = self._prepared(item)
        done = self._runtime.scheduler.carry_out_all(list(asked.values()))
        for at, each in zip(asked, done, strict=True):
            self._found[at] = each if isinstance(each, ExperienceError) else self._told(each)
        self._keep_zones()

    def execute(self) -> None:
        """Begin each `execute` in the order of the items, and call them side by side."""
        calls: dict[int, tuple[Started, list[str], Future[Any]]] = {}
        with ThreadPoolExecutor(max_workers=_SIDE_BY_SIDE, thread_name_prefix="batch") as pool:
            for number, (at, item) in enumerate(self.executes):
                lines: list[str] = []
                try:
                    with _in_place(at):
                        started = self._begun(number, item, lines)
                except ExperienceError as error:
                    self._found[at] = _of_item(error)
                else:
                    answering = pool.submit(copy_context().run, answer_of, self._runtime, started)
                    calls[at] = started, lines, answering
            for at, (started, lines, answering) in calls.items():
                try:
                    result = answering.result()
                except ExperienceError as error:
                    self._found[at] = _of_item(error)
                else:
                    self._found[at] = {
                        "id": started.execution.id,
                        "status": "succeeded",
                        "result": result,
                        "warnings": lines,
                    }
        self._keep_zones()

    def _prepared(
        self, item: BatchItem | ExperienceError
    ) -> PreparedSchedule | PreparedCancel | ExperienceError:
        if isinstance(item, ExperienceError):
            return item
        scheduler = self._runtime.scheduler
        try:
            visitor = self._visitor(item)
            prepared: PreparedSchedule | PreparedCancel
            if item.verb == "cancel":
                prepared = scheduler.prepare_cancel_of(item.integration, item.options, visitor=visitor)
            else:
                prepared = scheduler.prepare_schedule(
                    item.integration, item.payload, item.options, visitor=visitor
                )
        except ExperienceError as error:
            return _of_item(error)
        self._note_zone(item, visitor)
        return prepared

    def _begun(self, number: int, item: BatchItem, lines: list[str]) -> Started:
        if number >= MOST_EXECUTES:
            raise InvalidParameter(
                f"a batch has at most {MOST_EXECUTES} execute, and this is one more; send it in another batch"
            )
        visitor = self._visitor(item)
        calls = GuestCalls(scheduler=self._runtime.scheduler, visitor=visitor, experience=None)
        started = calls.execute(item.integration, item.payload, item.options, self._noted_in(lines))
        self._note_zone(item, visitor)
        return started

    def _told(self, done: Scheduled | Cancelled) -> dict[str, Any]:
        lines: list[str] = []
        if isinstance(done, Cancelled):
            return {**GuestCalls.cancelled(done, self._noted_in(lines)), "warnings": lines}
        GuestCalls.scheduled(done, self._noted_in(lines))
        made = done.execution
        return {
            "id": made.id,
            "status": made.status.value,
            "due_at": iso(made.due_at),
            "replaced": done.replaced,
            "warnings": lines,
        }

    def _noted_in(self, lines: list[str]) -> Any:
        return lambda _level, line: lines.append(self._runtime.settings.redact(line))

    def _visitor(self, item: BatchItem) -> Visitor:
        """Whom an item is for: with the zone that it tells, that one before it told, or that is known."""
        given = make_visitor(item.visitor, timezone=item.timezone, timezone_offset=item.timezone_offset)
        if given.id is None or item.timezone is not None or item.timezone_offset is not None:
            return given
        if given.id not in self._known:
            self._known[given.id] = self._runtime.store.visitor(given.id) or given
        return self._known[given.id]

    def _note_zone(self, item: BatchItem, visitor: Visitor) -> None:
        if visitor.id is not None and (item.timezone is not None or item.timezone_offset is not None):
            self._zones[visitor.id] = self._known[visitor.id] = visitor

    def _keep_zones(self) -> None:
        if self._zones:
            self._runtime.store.remember_visitors(list(self._zones.values()), now=self._runtime.clock.now())
            self._zones.clear()


def _read(at: int, raw: Any) -> BatchItem | ExperienceError:
    try:
        item = BatchItem.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        path = ".".join(str(part) for part in ("items", at, *first["loc"]))
        return InvalidParameter(f"body {json.dumps(path)}: {first['msg']}; see /docs for what it may be")
    has_payload = "payload" in item.model_fields_set
    if item.verb == "cancel" and has_payload:
        return InvalidParameter("cancel takes no payload; leave it out")
    if item.verb != "cancel" and not has_payload:
        return InvalidParameter(f"{item.verb} needs a payload; write what the integration is to be sent")
    return item


def _of_item(error: ExperienceError) -> ExperienceError:
    """What refuses one item; what is a failure of ours ends the whole request."""
    if isinstance(error, InternalError):
        raise error
    return error


@contextmanager
def _in_place(at: int) -> Iterator[None]:
    """Let what is written meanwhile be told again for this item only."""
    claim = claim_in_hand()
    if claim is None:
        yield
        return
    claim.place = f"item {at}: "
    try:
        yield
    finally:
        claim.place = ""
