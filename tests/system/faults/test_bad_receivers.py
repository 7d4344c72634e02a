"""Bad receivers: each ends in a state that says why, and what stands beside it goes through."""

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_network
from typing import Any

import pytest
from experience_runtime.clocks import SystemClock
from experience_runtime.domain.admission import Policies, Policy
from experience_runtime.domain.executions import Attempt, Execution, Filter, Status
from experience_runtime.engine.delivery import ThreadDelivery
from experience_runtime.engine.dispatcher import Dispatcher
from experience_runtime.engine.scheduler import Scheduler
from experience_runtime.engine.worker import Worker
from experience_runtime.plugins.http import Outbound
from experience_runtime.plugins.registry import Registry
from experience_runtime.settings.load import load_settings
from experience_runtime.store.opening import open_postgres, open_sqlite
from experience_runtime.store.postgres.relay import ProcrastinateRelay

from tests.support.postgres import shared
from tests.support.raw_servers import RawServer
from tests.support.receivers import (
    WELL,
    Behaviour,
    asks_to_wait,
    at_first,
    closes,
    closes_in_the_body,
    drips,
    hangs,
    resets,
    says,
    sends_a_gigabyte,
    sends_something_else,
    slow,
)

from .nursery import AtOnce
from .workload import until

DEADLINE_SECONDS = 4  # far above what a good answer takes on a loaded machine
GOOD = 20
SIX_TIMES = ["retry"] * 5 + ["failed"]
THREE_TIMES = ["retry", "retry", "succeeded"]
ONCE = ["failed"]
ASKED = timedelta(seconds=1)


def _in_two_seconds() -> str:
    # whole seconds: it may be one in truth
    return format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)


@dataclass(frozen=True)
class Case:
    behave: Behaviour
    outcomes: list[str]
    http_status: int | None
    error: str | None
    waits: timedelta = timedelta(0)


CASES = {
    "good": Case(WELL, ["succeeded"], 200, None),
    "slow": Case(slow(0.3), ["succeeded"], 200, None),
    "seconds": Case(asks_to_wait(lambda: "1"), ["held", "succeeded"], 429, "answered 429", ASKED),
    "date": Case(asks_to_wait(_in_two_seconds), ["held", "succeeded"], 429, "answered 429", ASKED * 0.9),
    "500": Case(says("500 Oops", body=b"why"), SIX_TIMES, 500, "answered 500"),
    "400": Case(says("400 Bad Request", body=b"why"), ONCE, 400, "answered 400"),
    "redirect": Case(says("302 Found", "location: /good"), ONCE, 302, "redirect, which is not followed"),
    # it said 200, so it has taken the message: to send it again would be worse than a body that is cut short
    "drips": Case(drips, ["succeeded"], 200, None),
    "hangs": Case(at_first(hangs, 2), THREE_TIMES, None, "did not answer within"),
    "closes": Case(closes, SIX_TIMES, None, "not HTTP"),
    "resets": Case(at_first(resets, 2), THREE_TIMES, None, "broke"),
    "closes in the body": Case(closes_in_the_body, ["succeeded"], 200, None),
    "sends something else": Case(sends_something_else, SIX_TIMES, None, "not HTTP"),
    "sends 1 GB": Case(sends_a_gigabyte, ["succeeded"], 200, None),
}


class World:
    """A worker on threads and the real clock, and one receiver that behaves as each payload says."""

    def __init__(self, database: str) -> None:
        self._attempts: dict[str, int] = {}
        self.server = RawServer(self._behave)
        url = {"EXPERIENCE_INTEGRATION__WEBHOOK__URL": f"{self.server.url}/hook"}
        registry = Registry(load_settings(environ=url))
        clock = SystemClock()
        address = shared().database() if database == "postgresql" else ":memory:"
        self.store = open_postgres(address) if database == "postgresql" else open_sqlite(address)
        self.scheduler = Scheduler(store=self.store, clock=clock, integrations=registry, conversions=())
        self._outbound = Outbound(
            now=clock.now,
            allow_private=[ip_network("127.0.0.1/32")],
            deadline_seconds=DEADLINE_SECONDS,
            ssl_context=ssl.create_default_context(),
        )
        dispatcher = Dispatcher(
            store=self.store,
            clock=clock,
            integrations=registry,
            http=self._outbound,
            delivery=ThreadDelivery(16),
            random=AtOnce(),
            policies=Policies(default=Policy(breaker_failures=0)),  # the breaker has tests of its own
            relay=ProcrastinateRelay(self.store.database, address) if database == "postgresql" else None,
        )
        worker = Worker(dispatcher, self.store, clock, poll_seconds=0.02)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=worker.run, args=(self._stop,))
        self._thread.start()

    def schedule(self, behaviour: str) -> Execution:
        return self.scheduler.schedule("webhook", behaviour, {"delay": 0}, visitor=None).execution

    def wait_until_nothing_waits(self) -> None:
        until(lambda: not self.store.count(Filter(statuses=[Status.PENDING, Status.RUNNING])))

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._outbound.close()
        self.server.close()
        self.store.close()

    def _behave(self, connection: socket.socket, over: threading.Event) -> None:
        with contextlib.suppress(OSError), connection.makefile("rb") as lines:
            headers = dict(_fields(lines))
            behaviour = json.loads(lines.read(int(headers["content-length"])))
            execution_id = headers["webhook-id"]
            self._attempts[execution_id] = self._attempts.get(execution_id, 0) + 1
            CASES[behaviour].behave(connection, over, self._attempts[execution_id])


def _fields(lines: Any) -> Iterator[tuple[str, str]]:
    for line in iter(lines.readline, b"\r\n"):
        name, colon, value = line.decode().partition(":")
        if colon:
            yield name.lower(), value.strip()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def ended(request: pytest.FixtureRequest) -> Iterator[tuple[World, dict[str, Execution], list[Execution]]]:
    """Every behaviour at once, with good receivers among them, until nothing waits."""
    world = World(request.param)
    world.schedule("good")
    world.wait_until_nothing_waits()  # what a first call loads is loaded
    bad = {name: world.schedule(name) for name in CASES}
    good = [world.schedule("good") for _ in range(GOOD)]
    world.wait_until_nothing_waits()
    yield world, bad, good
    world.close()


@pytest.mark.parametrize("name", CASES)
def test_a_bad_receiver_ends_in_a_state_that_says_why(
    ended: tuple[World, dict[str, Execution], list[Execution]], name: str
) -> None:
    world, bad, _ = ended
    case = CASES[name]

    found = world.store.execution(bad[name].number)
    attempts = _sent(world.store.attempts(found.number))

    assert [attempt.outcome for attempt in attempts] == case.outcomes, attempts
    assert attempts[0].http_status == case.http_status
    assert (case.error or "") in (attempts[0].error or "")
    assert (attempts[0].error is None) == (case.error is None)
    assert found.status == case.outcomes[-1]
    assert found.reason == ("integration_failed" if found.status is Status.FAILED else None)
    assert _waited(attempts) >= case.waits


def test_no_answer_is_kept_beyond_its_excerpt(
    ended: tuple[World, dict[str, Execution], list[Execution]],
) -> None:
    world, bad, _ = ended

    (attempt,) = _sent(world.store.attempts(bad["sends 1 GB"].number))

    assert attempt.answer is not None
    assert len(attempt.answer.encode()) <= 4096


def test_what_stands_beside_bad_receivers_goes_through_once(
    ended: tuple[World, dict[str, Execution], list[Execution]],
) -> None:
    world, _, good = ended

    attempts = [_sent(world.store.attempts(execution.number)) for execution in good]

    assert [[attempt.outcome for attempt in each] for each in attempts] == [["succeeded"]] * GOOD


def test_the_worker_is_well_after_all_of_them(
    ended: tuple[World, dict[str, Execution], list[Execution]],
) -> None:
    world, _, _ = ended

    later = world.schedule("good")
    world.wait_until_nothing_waits()

    assert world.store.execution(later.number).status is Status.SUCCEEDED


def _sent(attempts: list[Attempt]) -> list[Attempt]:
    """Without those that were held back because the receiver had just asked another call to wait."""
    return [attempt for attempt in attempts if attempt.outcome != "held" or attempt.http_status is not None]


def _waited(attempts: list[Attempt]) -> timedelta:
    """From the end of the first attempt to the start of the second."""
    if len(attempts) < 2 or attempts[0].ended_at is None:
        return timedelta(0)
    return attempts[1].started_at - attempts[0].ended_at
