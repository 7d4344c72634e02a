"""Limits of requests: how large a body may be, how long it may take, and how many one caller may make."""

import asyncio
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from experience_runtime.domain.errors import InvalidParameter, PayloadTooLarge, RateLimited
from experience_runtime.web.guard.connections import neighbourhood
from experience_runtime.web.guard.middleware import ALIVE
from experience_runtime.web.guard.pressure import Queue
from experience_runtime.web.guard.problems import Throttled, problem, refusal

_MOST_BUCKETS = 10_000
_OTHERS = ""


MOST_REQUESTS = 500
"""Requests that are worked on at one time; 40 of them have a thread."""


class Crowd:
    """Refuses a request while so many are worked on, or it would wait long for its turn.

    The one that asks whether the process is up is let in all the same.

    Of one address there are at most `per_address`, also where a trusted proxy says whose it is: who sends a
    hundred bodies slowly, or reads a hundred answers slowly, is in nobody else's way. 0: as many as it likes.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        most: int = MOST_REQUESTS,
        per_address: int = 0,
        is_proxy: Callable[[str], bool] = lambda _: False,
        queue: Queue | None = None,
    ) -> None:
        self._app = app
        self._most = most
        self._per_address = per_address
        self._is_proxy = is_proxy
        self._inside = 0
        self._of: Counter[str] = Counter()
        self._queue = queue or Queue()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == ALIVE:
            await self._app(scope, receive, send)
            return
        if self._inside >= self._most or self._queue.is_too_long():
            detail = f"{self._inside} requests are being answered here, and no more fit; try again"
            await problem(503, RateLimited.code, detail, headers={"Retry-After": "1"})(scope, receive, send)
            return
        address = scope["client"][0] if scope.get("client") else ""
        place = neighbourhood(address)
        if self._per_address and self._of[place] >= self._per_address and not self._is_proxy(address):
            detail = f"{self._of[place]} requests from {place} are being answered here, and no more may be"
            await problem(429, RateLimited.code, detail, headers={"Retry-After": "1"})(scope, receive, send)
            return
        self._inside += 1
        self._of[place] += 1
        turn = self._queue.came()

        async def hear() -> Message:
            with turn.arriving():
                return await receive()

        async def answer(message: Message) -> None:
            turn.answered()
            await send(message)

        try:
            await self._app(scope, hear, answer)
        finally:
            turn.answered()
            self._inside -= 1
            self._of[place] -= 1
            if not self._of[place]:
                del self._of[place]


class BodyLimit:
    """Refuses a body of more than `largest_bytes`, counted while it is read: a header may be missing.

    It must be here within `seconds`, and its length must be said in one way: where a proxy would read
    Content-Length and this server Transfer-Encoding, the next request on the connection is anybody's.
    """

    def __init__(self, app: ASGIApp, *, largest_bytes: int, seconds: float) -> None:
        self._app = app
        self._largest_bytes = largest_bytes
        self._seconds = seconds
        self._late = f"the body was not here within {seconds:g} s; send it at once, or less of it"
        self._detail = (
            f"the body has more than {largest_bytes:,} bytes; send less, or raise largest_body_kib "
            "under [serve] in experience.toml"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _declared_bytes(scope) > self._largest_bytes:
            too_large = refusal(scope["path"], 413, PayloadTooLarge.code, self._detail, headers=_CLOSE)
            await too_large(scope, receive, send)
            return
        if _has_two_lengths(scope):
            doubtful = problem(400, InvalidParameter.code, _TWO_LENGTHS, headers=_CLOSE)
            await doubtful(scope, receive, send)
            return
        read_bytes, is_whole = 0, False
        ends_at = asyncio.get_running_loop().time() + self._seconds

        async def counted() -> Message:
            nonlocal read_bytes, is_whole
            if is_whole:
                return await receive()
            try:
                async with asyncio.timeout_at(ends_at):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, self._late, headers=_CLOSE) from None
            read_bytes += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            if read_bytes > self._largest_bytes:
                # raised where the body is read, and answered as every other refusal
                raise HTTPException(413, self._detail, headers=_CLOSE)
            return message

        await self._app(scope, counted, send)


_CLOSE = {"Connection": "close"}
_TWO_LENGTHS = "the request has both Content-Length and Transfer-Encoding; send one of them"


def _has_two_lengths(scope: Scope) -> bool:
    return {b"content-length", b"transfer-encoding"} <= {name for name, _ in scope["headers"]}


def _declared_bytes(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0


class AtOnce:
    """Lets so many in at a time, and refuses the next: `with at_once: …`.

    `with at_once.of({"this address": 4, "the site shop": 16}): …` lets in at most so many under each name,
    whatever room there is; the first is the caller's own, and the others many share.
    """

    def __init__(
        self, most: int, what: str = "experiences and calls", *, patience_seconds: float = 0.0
    ) -> None:
        """`patience_seconds`: how long the next waits for room before it is refused."""
        self._most = most
        self._what = what
        self._patience_seconds = patience_seconds
        self._room = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()

    @contextmanager
    def of(self, shares: Mapping[str, int]) -> Iterator[None]:
        with self._lock:
            own = next(iter(shares), "")
            for name, share in shares.items():
                # the last half of what many share is for those who have nothing of it yet
                most = share // 2 if name != own and self._held[own] else share
                if self._held[name] >= most:
                    raise Throttled(
                        f"{most} experiences and calls of {name} are under way here, and no more are let in; "
                        "try again",
                        retry_after=1,
                    )
            self._held.update(shares.keys())
        try:
            with self:
                yield
        finally:
            with self._lock:
                self._held.subtract(shares.keys())
                for name in shares:
                    if not self._held[name]:
                        del self._held[name]

    def __enter__(self) -> None:
        if not self._room.acquire(timeout=self._patience_seconds):
            raise Throttled(
                f"{self._most} {self._what} are under way here, and no more fit; try again",
                retry_after=1,
            )

    def __exit__(self, *_: object) -> None:
        self._room.release()


class Buckets:
    """A bucket for each caller: `per_second` requests on average, twice as many at once; 0: no limit.

    Callers beyond `most_callers` share one bucket until there is room: no number of addresses makes anybody's
    bucket full again.
    """

    def __init__(
        self, per_second: float, *, now: Callable[[], float], most_callers: int = _MOST_BUCKETS
    ) -> None:
        self._per_second = per_second
        self._most = max(1.0, 2 * per_second)
        self._most_callers = most_callers
        self._now = now
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # left, and when that was

    def take(self, caller: str, *, leaving: float = 0.0) -> float:
        """Take one request; return 0, or in how many seconds there is one again.

        `leaving` is a part of the bucket, 0 to 1, that stays for others.
        """
        if not self._per_second:
            return 0.0
        now, needed = self._now(), 1 + min(leaving * self._most, self._most - 1)
        with self._lock:
            caller = self._place_of(caller, now)
            left = self._left(caller, now)
            # a bucket fills up to what is needed, but for what is lost in adding up
            wait = 0.0 if left >= needed - 1e-9 else (needed - left) / self._per_second
            self._buckets[caller] = (left if wait else left - 1, now)
            self._buckets.move_to_end(caller)
        return wait

    def is_quiet(self, caller: str) -> bool:
        """Whether a caller has taken less than half of its bucket of late."""
        with self._lock:
            return self._left(caller, self._now()) * 2 >= self._most

    def _left(self, caller: str, now: float) -> float:
        left, at = self._buckets.get(caller, (self._most, now))
        return min(self._most, left + (now - at) * self._per_second)

    def _place_of(self, caller: str, now: float) -> str:
        """The caller's own bucket, or the one of all for whom there is none."""
        if caller in self._buckets or len(self._buckets) < self._most_callers:
            return caller
        oldest = next(iter(self._buckets))
        if self._left(oldest, now) < self._most:
            return _OTHERS
        del self._buckets[oldest]  # it is full: a new one says the same
        return caller
