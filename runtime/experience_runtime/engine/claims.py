"""Claims: a request under an Idempotency-Key while it is answered, and what it has made so far.

A process may end in the middle of a request. What the request has written by then stands, so the same request
asked again must not write it a second time: each write leaves what it came to in the claim, in its own
transaction, and whoever takes the claim over is told that instead, write by write in the same order.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from experience_runtime.domain.errors import Conflict
from experience_runtime.domain.executions import Execution
from experience_runtime.domain.instants import from_ms


@dataclass(slots=True, kw_only=True)
class Claim:
    """`asked_at`: when this try was asked. `acts` are the writes there were: the verb, what it came to as a
    JSON value, and when the try that made it was asked, in milliseconds (None: of a version that did not
    say). `told` counts those that were told again. `is_open`: how one of them ends is not known yet; there
    will be another answer. `place`: where in the request what is written now stands, so that nothing else is
    told in its place. `ahead`: how many that are not written yet come before what is planned now."""

    caller: str
    key: str
    owner: str
    asked_at: datetime
    acts: list[tuple[str, Any, int | None]] = field(default_factory=list)
    told: int = 0
    is_open: bool = False
    place: str = ""
    ahead: int = 0


_in_hand: ContextVar[Claim | None] = ContextVar("claim", default=None)


@contextmanager
def in_hand(claim: Claim | None) -> Iterator[None]:
    """Let what is written meanwhile, here and in the threads that are handed this context, be the claim's.

    None: nobody's, as what a simulation writes to a store of its own.
    """
    before = _in_hand.set(claim)
    try:
        yield
    finally:
        _in_hand.reset(before)


def claim_in_hand() -> Claim | None:
    return _in_hand.get()


@contextmanager
def ahead(count: int) -> Iterator[None]:
    """Let what is planned meanwhile come after so many that are planned, and not written yet."""
    claim = claim_in_hand()
    if claim is not None:
        claim.ahead = count
    try:
        yield
    finally:
        if claim is not None:
            claim.ahead = 0


def made_when_asked_at() -> datetime | None:
    """When what comes next was asked the first time, where an earlier try of the request in hand made it.

    It passed the rules of that instant, and will only be told again: what the rules say now is not asked.
    """
    claim = claim_in_hand()
    if claim is None or claim.told + claim.ahead >= len(claim.acts):
        return None
    verb, _, asked_at = claim.acts[claim.told + claim.ahead]
    return from_ms(asked_at) if asked_at is not None and verb.startswith(claim.place) else None


def may_still_run(execution: Execution) -> Conflict:
    """Leave the claim in hand open for what an interrupted try began; return the refusal until it ends."""
    if claim := claim_in_hand():
        claim.is_open = True
    return Conflict(
        f"{execution.id} was executed by the first try of this request, which was interrupted; "
        "whether it was delivered is not known yet: ask again in a moment"
    )
