"""Fairness: receivers that hang leave the others nearly all of the time that these need alone."""

from collections.abc import Mapping
from typing import Any

import pytest
from experience_runtime.domain.admission import Policies, Policy
from experience_runtime.domain.executions import Execution
from experience_runtime.engine.receivers import FRESH
from experience_runtime.integration import IntegrationFailed
from hypothesis import example, given, settings
from hypothesis import strategies as st

from .conftest import NOW
from .policed import Policed
from .staged import Stage

CONCURRENCY = 64
HANGS_SECONDS = 10.0  # the deadline of a call over HTTP
POLICIES = Policies(share=CONCURRENCY // 2, fresh=FRESH, default=Policy(breaker_failures=0))


class Fair(Policed):
    """Integrations whose payload names a receiver, and a receiver that takes its time or hangs."""

    def __init__(self, takes: Mapping[str, float | None]) -> None:
        super().__init__(POLICIES)
        self.stage = Stage(self.clock, CONCURRENCY)
        self.dispatcher = self.dispatcher_on(self.stage)
        self.takes = dict(takes)
        self.taken: dict[str, float] = {}
        for name in ("sms", "mail", *(f"other {n}" for n in range(30))):
            self.integrations.put(name, self._call)
            kind = type(self.integrations.get(name))
            kind.pace_key = lambda _, payload, __: payload["to"]  # type: ignore[method-assign,assignment]

    def _call(self, payload: Any, context: Any) -> Any:
        seconds = self.takes.get(payload["to"])
        self.stage.take(HANGS_SECONDS if seconds is None else seconds)
        if seconds is None:
            raise IntegrationFailed("did not answer within 10 s", may_pass=True)
        self.taken[context.execution_id] = self.elapsed

    def due_to(self, integration: str, to: str, count: int) -> list[Execution]:
        return [self.schedule(integration=integration, payload={"to": to}).execution for _ in range(count)]

    @property
    def elapsed(self) -> float:
        return (self.clock.now() - NOW).total_seconds()

    def seconds_of(self, good: list[Execution], *, is_last: bool = True) -> float:
        """When the last of these was taken."""
        self.stage.run(self.dispatcher, lambda: all(each.id in self.taken for each in good))
        if is_last:
            self.dispatcher.close()
            self.store.close()
        return max(self.taken[each.id] for each in good)


def seconds(*, bad: int, each: int, count: int, takes: float, is_apart: bool) -> float:
    """How long `count` good ones take, all of which became due after those for `bad` receivers that hang."""
    world = Fair({"good": takes})
    for number in range(bad):
        world.due_to(f"other {number}" if is_apart else "sms", f"bad {number}", each)
    return world.seconds_of(world.due_to("sms", "good", count))


@pytest.mark.slow
@settings(max_examples=3, deadline=None)
@given(
    bad=st.integers(1, 30),
    each=st.integers(1, 20),
    count=st.integers(200, 400),
    takes=st.sampled_from([0.05, 0.3, 0.9]),
    is_apart=st.booleans(),
)
@example(bad=1, each=200, count=200, takes=0.05, is_apart=False)
@example(bad=2, each=200, count=200, takes=0.05, is_apart=True)
@example(bad=30, each=20, count=200, takes=0.05, is_apart=False)
def test_receivers_that_hang_leave_a_good_one_nearly_the_time_it_needs_alone(
    bad: int, each: int, count: int, takes: float, is_apart: bool
) -> None:
    alone = seconds(bad=0, each=0, count=count, takes=takes, is_apart=is_apart)

    beside = seconds(bad=bad, each=each, count=count, takes=takes, is_apart=is_apart)

    assert beside <= 1.3 * alone


def test_a_receiver_that_was_well_and_hangs_now_holds_up_the_others_for_a_second_only() -> None:
    world = Fair({"good": 0.1, "turns": 0.1})
    world.seconds_of([*world.due_to("sms", "good", 200), *world.due_to("sms", "turns", 200)], is_last=False)
    world.takes["turns"] = None
    began = world.elapsed

    world.due_to("sms", "turns", 200)
    good = world.seconds_of(world.due_to("sms", "good", 600))

    assert good - began <= 600 / POLICIES.share_of("sms") * 0.1 * 1.3 + 1


def test_a_receiver_that_always_takes_long_is_called_all_the_same() -> None:
    world = Fair({"slow": 4.0})

    needed = world.seconds_of(world.due_to("sms", "slow", 256))

    assert needed <= 1.5 * 4.0 * 256 / POLICIES.share_of("sms")  # it begins with a few
