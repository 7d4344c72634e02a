"""Claims: a request under an Idempotency-Key while it is answered, and what it has made so far.

A process may end in the middle of a request. What the request has written by then stands, so the same request
asked again must not write it a second time: each write leaves what it came to in the claim, in its own
transaction, and whoever takes the claim over is told that instead, write by write in the same order.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from experience_runtime.domain.errors import Conflict
from experience_runtime.domain.executions import Execution


@dataclass(slots=True, kw_only=True)
class Claim:
    """`acts` are the writes there were: the verb, and what it came to as a JSON value. `told` counts those
    that were told again. `is_open`: how one of them ends is not known yet; there will be another answer.
    `place`: where in the request what is written now stands, so that nothing else is told in its place."""

    caller: str
    key: str
    owner: str
    acts: list[tuple[str, Any]] = field(default_factory=list)
    told: int = 0
    is_open: bool = False
    place: str = ""


_in_hand: ContextVar[Claim | None] = ContextVar("claim", default=None)


@contextmanager
def in_hand(claim: Claim) -> Iterator[None]:
    """Let what is written meanwhile, here and in the threads that are handed this context, be the claim's."""
    before = _in_hand.set(claim)
    try:
        yield
    finally:
        _in_hand.reset(before)


def claim_in_hand() -> Claim | None:
    return _in_hand.get()


def may_still_run(execution: Execution) -> Conflict:
    """Leave the claim in hand open for what an interrupted try began; return the refusal until it ends."""
    if claim := claim_in_hand():
        claim.is_open = True
    return Conflict(
        f"{execution.id} was executed by the first try of this request, which was interrupted; "
        "whether it was delivered is not known yet: ask again in a moment"
    )
