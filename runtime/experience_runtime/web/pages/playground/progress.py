"""Progress: how far the simulations of a session have come, and how the last ended, for its pages to show."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from experience_runtime.clocks import monotonic
from experience_runtime.web.pages.playground.view import PlayedOut

_KEPT = 16
_KEPT_SECONDS = 10.0


class UnderWay:
    """The virtual time of each simulation that runs for a session; and how a play went, from the form to the
    page that it leads to."""

    def __init__(self) -> None:
        self._times: dict[str, dict[str, datetime]] = {}
        self._ended: OrderedDict[tuple[str, str], tuple[float, PlayedOut]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, session: str, address: str, out: PlayedOut) -> None:
        """Keep for a moment how a play went; the oldest gives way."""
        with self._lock:
            self._ended[session, address] = monotonic(), out
            while len(self._ended) > _KEPT:
                self._ended.popitem(last=False)

    def taken(self, session: str, address: str) -> PlayedOut | None:
        """How it went, told once; None when it was not played just now."""
        with self._lock:
            at, out = self._ended.pop((session, address), (0.0, None))
        return out if monotonic() - at < _KEPT_SECONDS else None

    def at(self, session: str) -> datetime | None:
        """The latest of them; None when none runs."""
        return max(self._times.get(session, {}).values(), default=None)

    @contextmanager
    def heard(self, session: str) -> Iterator[Callable[[datetime], None]]:
        """Keep what one simulation tells while it runs."""
        own, times = secrets.token_hex(4), self._times.setdefault(session, {})

        def hear(at: datetime) -> None:
            times[own] = at

        try:
            yield hear
        finally:
            times.pop(own, None)
            if not times:
                self._times.pop(session, None)


async def _under_way(request: Request) -> UnderWay:
    under_way = request.app.state.under_way
    assert isinstance(under_way, UnderWay)
    return under_way


GivenUnderWay = Annotated[UnderWay, Depends(_under_way)]
