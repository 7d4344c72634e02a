"""Progress: how far the simulations of a session have come, for its pages to show."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request


class UnderWay:
    """The virtual time of each simulation that runs for a session."""

    def __init__(self) -> None:
        self._times: dict[str, dict[str, datetime]] = {}

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
