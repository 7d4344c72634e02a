"""Limits: how many of one integration are called at once, and how many in a second or a minute."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from experience_runtime.domain.admission import Policies, Policy
from experience_runtime.domain.errors import RateLimited
from experience_runtime.domain.executions import Filter, Status
from experience_runtime.engine.delivery import ThreadDelivery
from experience_runtime.engine.dispatcher import Dispatcher
from experience_runtime.plugins.http import Outbound
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.support.raw_servers import LOOPBACK

from .conftest import NOW, Calling
from .policed import Policed

LEASE = timedelta(seconds=120)


class Receiver:
    """Another side that counts, by path, how many calls it has at once and in all; each takes a moment."""

    def __init__(self) -> None:
        self.most: dict[str, int] = {}
        self.calls: dict[str, int] = {}
        self._open: dict[str, int] = {}
        self._mutex = threading.Lock()
        self._never = threading.Event()

    def __call__(self, request: Request) -> Response:
        path = request.path
        with self._mutex:
            self._open[path] = self._open.get(path, 0) + 1
            self.calls[path] = self.calls.get(path, 0) + 1
            self.most[path] = max(self.most.get(path, 0), self._open[path])
        self._never.wait(0.02)
        with self._mutex:
            self._open[path] -= 1
        return Response("ok")


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer(threaded=True) as serving:
        yield serving


def posting_to(url: str) -> Calling:
    return lambda _, context: context.http.post(url).text


def deliver_all(dispatcher: Dispatcher) -> None:
    """Run what is due on the delivery's threads, to the end; the clock stands still."""
    while True:
        dispatcher.wake.clear()
        if not dispatcher.run_due() and not dispatcher.in_flight():
            break
        dispatcher.wake.wait(0.2)
    dispatcher.close()


def busiest(begun: Sequence[datetime], seconds: int) -> int:
    """The most that began in any half-open window of that many seconds."""
    window = timedelta(seconds=seconds)
    return max(sum(at <= other < at + window for other in begun) for at in begun)


# --- concurrency


def test_never_more_than_its_concurrency_are_called_at_once_while_others_go_on(server: HTTPServer) -> None:
    receiver = Receiver()
    for path in ("/sms", "/mail"):
        server.expect_request(path).respond_with_handler(receiver)
    policies = Policies(by_name={"sms": Policy(concurrency=3)})
    outbound = Outbound(now=lambda: NOW, allow_private=LOOPBACK)
    world = Policed(policies, http=outbound)
    for name in ("sms", "mail"):
        url = server.url_for(f"/{name}")
        world.integrations.put(name, posting_to(url))
    limited = world.due(30)
    others = world.due(60, "mail")

    deliver_all(world.dispatcher_on(ThreadDelivery(16)))

    assert set(world.now_is([*limited, *others])) == {Status.SUCCEEDED}
    assert receiver.calls == {"/sms": 30, "/mail": 60}
    assert receiver.most["/sms"] == 3
    assert receiver.most["/mail"] > 3
    outbound.close()
    world.store.close()


def test_what_a_crash_left_takes_up_room_until_it_is_given_back() -> None:
    world = Policed(Policies(by_name={"sms": Policy(concurrency=2)}))
    scheduled = world.due(3)
    left = world.store.claim_due(now=NOW, lease_until=NOW + LEASE, limit=9, policies=world.policies)
    world.store.start_all([(left[0].number, 1)], now=NOW, lease_until=NOW + LEASE)
    assert world.run_all() == 0

    world.store.give_back(now=NOW, everything=True)  # what a worker does when it takes the lock
    world.run_all()

    assert set(world.now_is(scheduled)) == {Status.SUCCEEDED}
    assert [a.outcome for a in world.store.attempts(scheduled[0].number)] == ["lost", "succeeded"]
    world.store.close()


def test_an_execute_is_not_held_up_by_the_concurrency_of_what_is_due() -> None:
    world = Policed(Policies(by_name={"sms": Policy(concurrency=1)}))
    world.due(1)
    world.store.claim_due(now=NOW, lease_until=NOW + LEASE, limit=1, policies=world.policies)

    assert world.dispatcher.call_now(world.execute()) is not None
    world.store.close()


# --- rates


@pytest.mark.parametrize(("count", "seconds"), [(3, 1), (20, 1), (7, 60)])
def test_no_window_sees_more_begin_than_the_rate_retries_and_executes_too(count: int, seconds: int) -> None:
    world = Policed(
        Policies(by_name={"sms": Policy(rate_count=count, rate_seconds=seconds, breaker_failures=0)})
    )
    scheduled, turns = world.due(4 * count), 0

    while (wake := world.dispatcher.next_wake()) is not None:
        world.clock.advance_to(wake)
        turns += 1
        world.answers(429 if turns % 3 == 0 else 200)
        if turns % 5 == 0:
            with suppress(RateLimited):
                scheduled.append(world.execute())
        world.dispatcher.run_due()

    begun = world.begun(scheduled)
    assert len(begun) > 4 * count
    assert busiest(begun, seconds) <= count
    world.store.close()


def test_a_rate_that_is_used_up_says_when_the_next_may_begin() -> None:
    world = Policed(Policies(by_name={"sms": Policy(rate_count=2, rate_seconds=60)}))
    _, second = world.due(2)
    world.run_all()

    waits = world.operations.waits_because([world.execution(second.id)])

    assert waits == {
        second.id: "the rate of sms is used up (2 in 60 s); the next may begin at 2026-03-02T12:00:30.000Z"
    }
    assert world.dispatcher.next_wake() == NOW + timedelta(seconds=30)
    world.store.close()


def test_an_execute_beyond_the_rate_is_refused_says_when_and_leaves_nothing_behind() -> None:
    world = Policed(Policies(by_name={"sms": Policy(rate_count=2, rate_seconds=60)}))
    world.execute()

    with pytest.raises(RateLimited) as refused:
        world.execute()

    assert refused.value.message == (
        "the rate of sms is used up (2 in 60 s); the next may begin at 2026-03-02T12:00:30.000Z; "
        "wait, or schedule it with delay: 0"
    )
    assert world.store.count(Filter()) == 1
    world.advance(seconds=30)
    assert world.execute().status is Status.RUNNING
    world.store.close()


def test_an_open_breaker_does_not_make_an_execute_rate_limited() -> None:
    world = Policed(Policies(by_name={"sms": Policy(rate_count=1000, breaker_failures=1)}))
    world.answers(503)
    world.due(1)
    world.run_all()
    assert world.operations.holds().keys() == {"sms"}

    assert world.execute().status is Status.RUNNING
    world.store.close()


def test_what_an_execute_spends_what_is_due_waits_for() -> None:
    world = Policed(Policies(by_name={"sms": Policy(rate_count=2, rate_seconds=60)}))
    scheduled = world.due(1)
    world.execute()

    assert world.run_all() == 0
    world.advance(seconds=30)
    assert world.run_all() == 1
    assert world.begun(scheduled) == [NOW + timedelta(seconds=30)]
    world.store.close()


def test_many_threads_that_execute_at_once_keep_the_rate() -> None:
    world = Policed(Policies(by_name={"sms": Policy(rate_count=5)}))
    begin, admitted = threading.Barrier(16), list[str]()

    def try_it() -> None:
        begin.wait(60)
        try:
            admitted.append(world.execute().id)
        except RateLimited:
            return

    threads = [threading.Thread(target=try_it) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(admitted) == 1
    world.store.close()


@pytest.mark.parametrize(
    "policy",
    [Policy(rate_count=1, rate_seconds=60), Policy(concurrency=1), Policy(rate_count=2, concurrency=1)],
)
def test_a_limited_integration_holds_up_no_other(policy: Policy) -> None:
    world = Policed(Policies(by_name={"sms": policy}))
    world.due(200)
    world.store.claim_due(now=NOW, lease_until=NOW + LEASE, limit=1, policies=world.policies)
    world.advance(seconds=1)
    other = world.due(1, "mail")

    world.run_all()

    assert world.now_is(other) == [Status.SUCCEEDED]
    world.store.close()


def test_a_slow_integration_leaves_room_for_the_others() -> None:
    go, quick = threading.Event(), threading.Event()
    world = Policed(Policies(share=1))
    world.integrations.put("sms", lambda *_: go.wait(60))
    world.integrations.put("mail", lambda *_: quick.set())
    world.due(5, "sms")
    world.advance(seconds=1)
    world.due(1, "mail")
    dispatcher = world.dispatcher_on(ThreadDelivery(2))

    dispatcher.run_due()

    assert quick.wait(60)
    go.set()
    dispatcher.close()
    assert world.store.count(Filter(statuses=[Status.PENDING])) == 4


def test_what_may_never_be_called_is_told_before_anybody_has_tried() -> None:
    world = Policed(Policies(by_name={"sms": Policy(concurrency=0)}))

    assert world.operations.holds() == {"sms": "sms may not be called: its concurrency is 0"}
