"""/v1/stream: the state changes of executions as they happen, as server-sent events."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from experience_runtime.clocks import monotonic
from experience_runtime.documents.state_changes import event_text, state_change_document
from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import DatabaseUnavailable, InvalidParameter
from experience_runtime.domain.state_changes import EventType, StateChange, is_of
from experience_runtime.domain.values import shown
from experience_runtime.engine.feed import Feed, Told
from experience_runtime.runtime import Runtime
from experience_runtime.web.api.openapi import Body, Responses, answers
from experience_runtime.web.api.state_changes import STATE_CHANGE, StateChangeEvent
from experience_runtime.web.api.stream_ids import MOST_DIGITS, Ids, Mark, Positions, Sealed
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import Access, Caller, needs
from experience_runtime.web.guard.problems import Throttled

READER = "stream"
MOST_STREAMS = 50
MOST_OF_CALLER = 10
LONGEST_SECONDS = 3600
LOOK_SECONDS = 1.0
QUIET_SECONDS = 15.0
BATCH = 100


class Streams:
    """The streams that are open in this process; `ending` is set when they are to end."""

    def __init__(self, *, most: int = MOST_STREAMS, most_of_caller: int = MOST_OF_CALLER) -> None:
        self.ending = threading.Event()
        self._most = most
        self._most_of_caller = most_of_caller
        self._lock = threading.Lock()
        self._open: Counter[str] = Counter()

    def require_room(self, caller: str) -> None:
        """Throttled where there are enough."""
        if self._is_full(caller):
            raise Throttled(
                f"{self._open[caller]} streams of {shown(caller)}, and {self._open.total()} in all, are open "
                "here, and no more are let in; end one, or read one for several purposes",
                retry_after=5,
            )

    @contextmanager
    def one(self, caller: str) -> Iterator[bool]:
        """Count one while it lasts; whether there was room."""
        with self._lock:
            has_room = not self._is_full(caller)
            self._open[caller] += 1
        try:
            yield has_room
        finally:
            with self._lock:
                self._open[caller] -= 1
                if not self._open[caller]:
                    del self._open[caller]

    def _is_full(self, caller: str) -> bool:
        return self._open.total() >= self._most or self._open[caller] >= self._most_of_caller


class Wanted(Body):
    """Of what to tell, from where on, and how long."""

    type: list[EventType] = Field(
        default=[], max_length=20, description="Only these types; may be given several times."
    )
    integration: list[str] = Field(
        default=[], max_length=50, description="Only executions of these integrations."
    )
    after: int | None = Field(
        default=None,
        ge=0,
        lt=10**MOST_DIGITS,
        description="Go on after this position; 0, the only one for authors, is the oldest that is kept. "
        "`Last-Event-ID` wins.",
    )
    seconds: int = Field(
        default=LONGEST_SECONDS,
        ge=0,
        le=LONGEST_SECONDS,
        description="End after so long; 0 tells what there is, and ends.",
    )


def _answers() -> Responses:
    given = answers(StateChangeEvent, STATE_CHANGE)
    example = f"id: 1207\nevent: execution.failed\ndata: {event_text(dict(STATE_CHANGE))}\n\n"
    given[200] = {
        "description": "Server-sent events; the `data` of each is a `StateChangeEvent`.",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": example}},
    }
    return given


router = APIRouter(prefix="/v1", tags=["executions"])


@router.get(
    "/stream",
    operation_id="streamStateChanges",
    summary="Follow state changes",
    response_class=StreamingResponse,
    responses=_answers(),
)
def stream(
    request: Request,
    wanted: Annotated[Wanted, Query()],
    runtime: GivenRuntime,
    caller: Annotated[Caller, needs(Right.READ_RUNS)],
    last_event_id: Annotated[
        str | None, Header(max_length=64, description="The `id` of the last event that was received.")
    ] = None,
) -> StreamingResponse:
    """What happens to executions, within about a second, as server-sent events.

    Ask again with the last `id` as `Last-Event-ID`, and nothing is missing: changes are kept for a day after
    they were told. Scopes: operator, viewer; author, who is told of what experiences made.
    """
    streams: Streams = request.app.state.streams
    access: Access = request.app.state.access
    streams.require_room(caller.name)
    feed, sees_all = runtime.store.feed, caller.may(Right.READ)
    feed.begin(READER, now=runtime.clock.now())
    ids = Positions() if sees_all else Sealed(feed.secret(), runtime.clock)
    following = _Following(
        runtime=runtime,
        feed=feed,
        wanted=wanted,
        ids=ids,
        is_over=streams.ending.is_set,
        may_go_on=lambda: access.is_still_good(caller),
        sees_all=sees_all,
    )
    start, gap = following.begin(_mark(wanted.after, last_event_id, ids))

    async def told() -> AsyncIterator[str]:
        with streams.one(caller.name) as has_room:
            if has_room:
                async for text in following.follow(start, gap):
                    yield text

    return StreamingResponse(told(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@dataclass(frozen=True, kw_only=True)
class _Following:
    """One stream."""

    runtime: Runtime
    feed: Feed
    wanted: Wanted
    ids: Ids
    is_over: Callable[[], bool]
    may_go_on: Callable[[], bool]
    sees_all: bool

    def begin(self, mark: Mark | None) -> tuple[int, str]:
        """Where it begins, and what is said first."""
        end = self.feed.arrange()
        if mark is None:
            return end, ""
        first = self.feed.first() or end + 1
        is_ahead, is_missed = mark.position > end, mark.position < first - 1
        start = end if is_ahead else max(mark.position, first - 1)
        if not mark.position:
            return start, ""  # from the oldest there is was asked for
        if self.sees_all:
            gap = self._event("gap", start, {"after": mark.text, "first": start + 1})
            return start, gap if is_ahead or is_missed else ""
        gap = self._event("gap", start, {"after": mark.text, "first": None})
        return start, gap if is_ahead or mark.is_old else ""

    async def follow(self, position: int, said: str) -> AsyncIterator[str]:
        ends_at = monotonic() + self.wanted.seconds
        yield f"retry: 3000\n{self._id(position)}\n{said}"
        quiet_since = monotonic()
        while True:
            try:
                told = await run_in_threadpool(self._look, position)
                if monotonic() - quiet_since >= QUIET_SECONDS:
                    if not await run_in_threadpool(self.may_go_on):
                        return
                    quiet_since = monotonic()
                    yield f": still here\n{self._id(position)}\n"
            except DatabaseUnavailable:
                return  # whoever reads asks again
            if text := "".join(self._line(each) for each in told.changes if self._is_wanted(each)):
                yield text
            has_more, position = told.position > position, told.position
            if has_more and not self.is_over():
                continue
            if self.is_over() or monotonic() >= ends_at:
                yield f"{self._id(position)}\n"
                return
            await asyncio.sleep(LOOK_SECONDS)

    def _look(self, position: int) -> Told:
        self.feed.arrange()
        return self.feed.after(position, limit=BATCH)

    def _is_wanted(self, change: StateChange) -> bool:
        if not self.sees_all and change.execution.experience is None:
            return False
        if self.wanted.type and change.type not in self.wanted.type:
            return False
        return is_of(change, tuple(self.wanted.integration))

    def _line(self, change: StateChange) -> str:
        redact, shown = self.runtime.settings.redact, self.runtime.integrations.shown
        document = state_change_document(change, redact=redact, shown=shown)
        if not self.sees_all:
            document["data"]["position"] = None
        return self._event(change.type, change.position, document)

    def _event(self, name: str, position: int, document: dict[str, Any]) -> str:
        return f"{self._id(position)}event: {name}\ndata: {event_text(document)}\n\n"

    def _id(self, position: int) -> str:
        return f"id: {self.ids.write(position)}\n"


def _mark(after: int | None, last_event_id: str | None, ids: Ids) -> Mark | None:
    if last_event_id is not None:
        return ids.read(last_event_id)
    if after is None:
        return None
    if after and isinstance(ids, Sealed):
        raise InvalidParameter(
            f"after is {after}, and authors are told no positions; send the id of the last event as "
            "Last-Event-ID, or after=0 for the oldest that is kept"
        )
    return ids.read(str(after))
