"""A world whose receivers limit their callers, in virtual time; and the limits that it is judged by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from experience_runtime.domain.admission import Policies, Policy
from experience_runtime.domain.executions import Execution
from experience_runtime.engine.delivery import InlineDelivery
from experience_runtime.integration import Answer

from tests.support.receivers import Bucket, Changing, Limit, Window

from .conftest import NOW
from .policed import Policed

BREAKING = Policies(by_name={"sms": Policy(breaker_failures=3)})
TAKES = timedelta(milliseconds=8)  # a call on loopback


class Paced(Policed):
    """`sms` is called at a receiver with a limit; a payload `{"to": …}` names one of several, by its key."""

    def __init__(self, limit: Callable[[], Limit], *, retry_after: float | None = 1, **options: Any) -> None:
        super().__init__(**{"policies": BREAKING, **options})
        self.limits: dict[str, Limit] = {}
        self.requests: list[tuple[datetime, str, int]] = []  # when, to whom, what was answered
        self._limit = limit
        self._retry_after = retry_after
        self.integrations.put("sms", self._call)
        kind = type(self.integrations.get("sms"))
        kind.pace_key = lambda _, payload, __: payload["to"] if isinstance(payload, dict) else None  # type: ignore[method-assign,assignment]

    def _call(self, payload: Any, _: Any) -> Any:
        to = payload["to"] if isinstance(payload, dict) else ""
        at = self.clock.now()
        limit = self.limits.setdefault(to, self._limit())
        passed = limit.lets_through((at - NOW).total_seconds())
        self.requests.append((at, to, 200 if passed else 429))
        self.clock.advance_to(at + TAKES)
        answer = Answer(200) if passed else Answer(429, text="slow down", retry_after=self._retry_after)
        return answer.require_success().json()

    def due_to(self, to: str, count: int) -> list[Execution]:
        """Schedule as many for one receiver, due now."""
        return [self.schedule(integration="sms", payload={"to": to}).execution for _ in range(count)]

    def run_until_nothing_waits(self, *, for_hours: float = 100) -> None:
        end = self.clock.now() + timedelta(hours=for_hours)
        while (wake := self.dispatcher.next_wake()) is not None and wake <= end:
            self.clock.advance_to(wake)
            self.dispatcher.run_due()

    @property
    def seconds(self) -> float:
        """From the first request to the last that was taken."""
        taken = [at for at, _, status in self.requests if status == 200]
        return (taken[-1] - self.requests[0][0]).total_seconds()


@dataclass(frozen=True)
class Case:
    """What limits a receiver, how many are due to it at one instant, and the seconds they need at best."""

    limit: Callable[[], Limit]
    count: int
    ideal: float

    def judge(self, world: Paced) -> None:
        assert world.seconds <= 1.15 * self.ideal
        assert len(world.requests) <= 1.3 * self.count


CASES = {
    "one a second": Case(lambda: Window(1), 150, 149),
    "one a second, of a bucket": Case(lambda: Bucket(1, 1), 150, 149),
    "five a second": Case(lambda: Bucket(5, 5), 300, 59),
    "ten a second": Case(lambda: Window(10), 1000, 99),
    "a burst, then one a second": Case(lambda: Bucket(1, 30), 150, 120),
    "a burst, then five a second": Case(lambda: Bucket(5, 30), 300, 54),
    "five a second, then one": Case(lambda: Changing(Bucket(5, 5), 75, Bucket(1, 1)), 150, 89),
    "one a second, then five": Case(lambda: Changing(Bucket(1, 1), 50, Bucket(5, 5)), 150, 69),
    "two a second, then five": Case(lambda: Changing(Bucket(2, 2), 150, Bucket(5, 5)), 300, 104),
}


@dataclass
class Refusing:
    """Lets nothing through until then."""

    until: float

    def lets_through(self, at: float) -> bool:
        return at >= self.until


class Late(Paced):
    """Calls begin some milliseconds after they were admitted, and reach their receiver later still."""

    def __init__(self, limit: Callable[[], Limit]) -> None:
        self._chance = Random(0)
        super().__init__(limit)
        self.dispatcher = self.dispatcher_on(InlineDelivery(before=lambda _: self._passes(30)))

    def _call(self, payload: Any, context: Any) -> Any:
        self._passes(15)
        return super()._call(payload, context)

    def _passes(self, milliseconds: float) -> None:
        late = timedelta(milliseconds=self._chance.expovariate(1 / milliseconds))
        self.clock.advance_to(self.clock.now() + late)


class Together(InlineDelivery):
    """Keeps what it is given until it is let go: calls that are on their way at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[tuple[Execution, Callable[[Execution], None]]] = []

    def submit(self, executions: Sequence[Execution], deliver: Callable[[Execution], None]) -> None:
        self._waiting += [(each, deliver) for each in executions]

    def free(self) -> int:
        return 2 - len(self._waiting)

    def go(self) -> None:
        while self._waiting:
            execution, deliver = self._waiting.pop(0)
            deliver(execution)
