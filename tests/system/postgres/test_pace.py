"""One pace, kept by four workers: what one of them is told, the others know."""

from collections.abc import Iterator

import pytest
from experience_runtime.domain.executions import Filter, Status
from experience_runtime.engine.delivery import InlineDelivery
from experience_runtime.engine.dispatcher import Dispatcher
from experience_runtime.store.opening import open_postgres

from tests.engine.paced import CASES, Case, Paced
from tests.support.postgres import shared

WORKERS = 4


class Shared(Paced):
    """Four dispatchers, each with sessions and a memory of its own, that take turns on one clock."""

    def __init__(self, case: Case, address: str) -> None:
        super().__init__(case.limit, store=open_postgres(address))
        self._stores = [self.store, *(open_postgres(address) for _ in range(WORKERS - 1))]
        self._dispatchers = [self._on(store) for store in self._stores]

    def _on(self, store: object) -> Dispatcher:
        self.store, kept = store, self.store  # type: ignore[assignment]
        try:
            return self.dispatcher_on(InlineDelivery())
        finally:
            self.store = kept

    def run_all_until_nothing_waits(self) -> None:
        while (wake := self._dispatchers[0].next_wake()) is not None:
            self.clock.advance_to(wake)
            self._dispatchers.append(self._dispatchers.pop(0))
            for dispatcher in self._dispatchers:
                dispatcher.run_due()

    def close(self) -> None:
        for store in self._stores:
            store.close()


@pytest.fixture
def opened(request: pytest.FixtureRequest) -> Iterator[tuple[Case, Shared]]:
    case = CASES[request.param]
    world = Shared(case, shared().database())
    yield case, world
    world.close()


@pytest.mark.parametrize(
    "opened",
    [
        "one a second",
        "five a second",
        "a burst, then one a second",
        "five a second, then one",
        "two a second, then five",
    ],
    indirect=True,
)
def test_four_workers_keep_the_pace_of_one_receiver_as_one_does(opened: tuple[Case, Shared]) -> None:
    case, world = opened
    world.due(case.count)

    world.run_all_until_nothing_waits()

    assert world.store.count(Filter(statuses=[Status.SUCCEEDED])) == case.count
    case.judge(world)
