"""Pressure: more than can be answered is refused at once, and told when to come again."""

import contextlib
from collections.abc import Callable

import httpx
import pytest
from experience_runtime.web.guard.connections import Gate, is_whole
from experience_runtime.web.guard.pressure import LONGEST_WAIT_SECONDS, Lag, Queue, Turn
from starlette.responses import PlainTextResponse

from .test_connections import connected, gated, rest

THREADS = 40


class Time:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def time() -> Time:
    return Time()


def let_in(queue: Queue, most: int = 1000) -> list[Turn]:
    """Let requests in until one is refused."""
    turns: list[Turn] = []
    while len(turns) < most and not queue.is_too_long():
        turns.append(queue.came())
    return turns


def test_a_burst_is_let_in_and_then_as_many_as_are_answered_in_time(time: Time) -> None:
    queue = Queue(threads=lambda: THREADS, now=time)

    turns = let_in(queue)
    assert len(turns) == THREADS + 60
    time.at += LONGEST_WAIT_SECONDS
    for _ in range(50):
        turns.pop().answered()

    turns += let_in(queue)
    assert len(turns) == 50 + 40  # so many that 50 wait, as many as were answered just now
    time.at += 3 * LONGEST_WAIT_SECONDS
    turns.pop().answered()
    assert let_in(queue) == []  # nothing gets done any more
    for _ in range(60):
        turns.pop().answered()
    assert len(let_in(queue, 40)) == 40  # nobody waits: a burst is let in again


def test_slow_bodies_and_answers_that_have_begun_keep_nobody_out(time: Time) -> None:
    queue = Queue(threads=lambda: THREADS, now=time)
    with contextlib.ExitStack() as slow:
        for _ in range(200):
            queue.came().answered()  # a stream
            slow.enter_context(queue.came().arriving())
        early = queue.came()
        with early.arriving():
            early.answered()  # refused before its body was here
        time.at += 60

        assert len(let_in(queue)) == THREADS + 60
    assert let_in(queue) == []  # the bodies have come, and their turn has not


def test_a_loop_that_is_behind_on_many_connections_is_noticed(time: Time) -> None:
    lag = Lag(now=time)
    ticks: list[Callable[[], object]] = []
    lag.watch(lambda: 0, call_later=lambda _, tick, connections: ticks.append(lambda: tick(connections)))

    time.at += 0.5
    assert not lag.is_behind(lambda: 100)
    time.at += 0.2
    assert lag.is_behind(lambda: 100)
    assert not lag.is_behind(lambda: 49)  # so few keep no loop busy; the machine may
    ticks.pop()()
    assert not lag.is_behind(lambda: 100)


@pytest.mark.parametrize(
    ("text", "is_here"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", False),
        (b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", True),
        (b"POST / HTTP/1.1\r\ncontent-length:3\r\nHost: a\r\n\r\nab", False),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", False),
    ],
)
def test_the_rest_of_a_request_is_waited_for_where_some_is_to_come(text: bytes, is_here: bool) -> None:
    assert is_whole(text) is is_here


def test_what_is_refused_unread_is_told_when_to_come_again_and_the_health_is_told_all_the_same() -> None:
    full = [True]
    answer = PlainTextResponse("ok")
    with gated(answer, Gate(most=100, per_address=0, is_full=lambda: full[0])) as place:
        url = f"http://127.0.0.1:{place[1]}"
        refused = httpx.post(f"{url}/v1/anything", json={"a": 1}, trust_env=False)
        is_up = httpx.get(f"{url}/healthz", trust_env=False)
        late = connected(place, b"POST /v1/anything HTTP/1.1\r\nContent-Length: 5\r\n\r\n")
        late.sendall(b"12345")  # it comes after the answer, which is read all the same
        seen = rest(late)
        full[0] = False
        taken = httpx.post(f"{url}/v1/anything", json={"a": 1}, trust_env=False)

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.json()["code"] == "rate_limited"
    assert refused.headers["content-type"] == "application/problem+json"
    assert seen.startswith(b"HTTP/1.1 503 ")
    assert (is_up.status_code, taken.status_code) == (200, 200)
