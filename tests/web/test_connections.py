"""Slow and half requests: whoever sends them gives way, and everybody else is answered."""

import contextlib
import itertools
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ipaddress import ip_network

import httpx
import pytest
import uvicorn
from experience_runtime.web.guard.connections import Gate, guarded, neighbourhood
from experience_runtime.web.guard.limits import BodyLimit, Crowd
from experience_runtime.web.guard.pressure import Lag
from experience_runtime.web.guard.proxies import Proxied, Trust
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

PATIENCE_SECONDS = 30  # only a real hang takes as long
HALF = b"GET / HTTP/1.1\r\nHost: x\r\n"
WHOLE = HALF + b"\r\n"
POST = (
    b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 100\r\n\r\ntoken=a"
)


@contextmanager
def gated(web: ASGIApp, gate: Gate) -> Iterator[tuple[str, int]]:
    """Serve an application behind a gate; gives the address to connect to."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    config = uvicorn.Config(web, log_config=None, lifespan="off", http=guarded(gate), ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield listener.getsockname()
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def connected(place: tuple[str, int], text: bytes = b"") -> socket.socket:
    opened = socket.create_connection(place, timeout=PATIENCE_SECONDS)
    opened.sendall(text)
    return opened


def rest(connection: socket.socket) -> bytes:
    """What still comes, until the other side ends the connection."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while more := connection.recv(65536):
            found += more
    connection.close()
    return found


def is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False


def test_a_thousand_half_requests_keep_nobody_from_being_answered(web: FastAPI) -> None:
    gate = Gate(most=400, per_address=0)
    with gated(web, gate) as place, contextlib.ExitStack() as held:
        for _ in range(1000):
            held.enter_context(connected(place, HALF))
        with httpx.Client(base_url=f"http://127.0.0.1:{place[1]}", trust_env=False, timeout=30) as client:
            answers = [client.get("/healthz"), client.get("/v1/experiences")]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert len(gate) <= 400


def test_half_requests_are_no_pressure_on_a_server_that_is_behind(web: FastAPI) -> None:
    seconds = itertools.count()
    gate = Gate(most=400, per_address=0, lag=Lag(now=lambda: float(next(seconds))))  # behind whenever asked
    with gated(web, gate) as place, contextlib.ExitStack() as held:
        for _ in range(100):
            held.enter_context(connected(place, HALF))
        with httpx.Client(base_url=f"http://127.0.0.1:{place[1]}", trust_env=False, timeout=30) as client:
            answers = [client.get("/healthz"), client.get("/v1/experiences")]

        assert gate.is_behind() is False
        assert [answer.status_code for answer in answers] == [200, 200]


def test_of_one_address_the_oldest_half_request_gives_way(web: FastAPI) -> None:
    with gated(web, Gate(most=100, per_address=3)) as place:
        half = [connected(place, HALF) for _ in range(3)]
        newest = connected(place, HALF)

        assert rest(half[0]) == b""
        newest.sendall(b"Connection: close\r\n\r\n")
        assert rest(newest).startswith(b"HTTP/1.1 ")
        assert all(is_open(each) for each in half[1:])
        for each in half:
            each.close()


def test_a_proxy_may_keep_as_many_connections_as_it_likes(web: FastAPI) -> None:
    gate = Gate(most=100, per_address=3, is_proxy=lambda address: address == "127.0.0.1")
    with gated(web, gate) as place, contextlib.ExitStack() as held:
        half = [held.enter_context(connected(place, HALF)) for _ in range(9)]
        answer = httpx.get(f"http://127.0.0.1:{place[1]}/healthz", trust_env=False)

        assert answer.status_code == 200
        assert all(is_open(each) for each in half)


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (HALF, b"HTTP/1.1 408 "),
        (b"", b""),
        (POST % b"/login", b"HTTP/1.1 408 "),
        (POST % b"/v1/check", b"HTTP/1.1 408 "),
        # answered before the body is here, which then never comes
        (POST.replace(b"Host", b"Authorization: Bearer x\r\nHost") % b"/v1/check", b"HTTP/1.1 401 "),
        (POST % b"/nowhere", b"HTTP/1.1 404 "),
    ],
    ids=[
        "half a head",
        "nothing",
        "half a form",
        "half a body",
        "half of a stranger's",
        "half a body that nobody waits for",
    ],
)
def test_what_does_not_arrive_in_time_is_not_waited_for(web: FastAPI, sent: bytes, answer: bytes) -> None:
    shorten(web)
    head_seconds = 0.2 if sent in (HALF, b"") else 2  # a whole head is read in time also by a busy machine

    with gated(web, Gate(most=100, per_address=0, deadlines=(head_seconds, 3, 30))) as place:
        found = rest(connected(place, sent))

    assert found.startswith(answer)


def shorten(web: FastAPI) -> None:
    """Let a body take 50 ms; the middleware is made with the first request."""
    for each in web.user_middleware:
        if each.cls is BodyLimit:  # type: ignore[comparison-overlap]
            each.kwargs["seconds"] = 0.05


def test_a_byte_now_and_then_is_no_head_in_time(web: FastAPI) -> None:
    with gated(web, Gate(most=100, per_address=0, deadlines=(0.5, 30, 30))) as place:
        slow = connected(place, HALF)
        sender = threading.Thread(target=_drip, args=(slow,))
        sender.start()

        answer = rest(slow)
        sender.join(PATIENCE_SECONDS)

    assert answer.startswith(b"HTTP/1.1 408 ")


def _drip(connection: socket.socket) -> None:
    """Send a byte whenever the last one is out and the server has had 20 ms, until it ends the connection."""
    over = threading.Event()
    with contextlib.suppress(OSError):
        while not over.wait(0.02):
            connection.sendall(b"a")


def test_who_reads_none_of_an_answer_loses_the_connection() -> None:
    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("x" * 50_000_000)(scope, receive, send)

    gate = Gate(most=100, per_address=0, deadlines=(30, 30, 0.2))
    with gated(large, gate) as place:
        idle = connected(place, WHOLE)
        gone = threading.Event()
        leave = gate.leave

        def leaving(connection: object) -> None:
            leave(connection)  # type: ignore[arg-type]
            gone.set()

        gate.leave = leaving  # type: ignore[method-assign]

        assert gone.wait(PATIENCE_SECONDS)
        assert len(rest(idle)) < 50_000_000


@pytest.mark.parametrize(
    "lengths",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"transfer-encoding: chunked\r\ncontent-length: 0\r\n",
    ],
)
def test_a_request_with_two_lengths_ends_its_connection(web: FastAPI, lengths: bytes) -> None:
    smuggled = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with gated(web, Gate(most=100, per_address=0)) as place:
        sent = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\n" + lengths + b"\r\n0\r\n\r\n" + smuggled
        found = rest(connected(place, sent))

    assert found.startswith(b"HTTP/1.1 400 ")
    assert found.count(b"HTTP/1.1 ") == 1
    assert b"connection: close" in found.lower()


def test_a_crowd_is_told_to_come_again_and_the_health_is_told_all_the_same() -> None:
    come, freed = threading.Semaphore(0), threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/wait":
            come.release()
            await run_in_threadpool(freed.wait, PATIENCE_SECONDS)
        await PlainTextResponse("ok")(scope, receive, send)

    with gated(Crowd(app, most=2), Gate(most=100, per_address=0)) as (_, port):

        def get(path: str) -> httpx.Response:
            return httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=PATIENCE_SECONDS)

        with ThreadPoolExecutor(2) as two:
            waiting = [two.submit(get, "/wait") for _ in range(2)]
            for _ in waiting:
                assert come.acquire(timeout=PATIENCE_SECONDS)
            refused, alive = get("/other"), get("/healthz")
            freed.set()
        after = get("/other")

    assert (refused.status_code, refused.json()["code"]) == (503, "rate_limited")
    assert refused.headers["retry-after"] == "1"
    assert (alive.status_code, after.status_code) == (200, 200)


def test_one_address_behind_a_proxy_keeps_nobody_else_from_being_answered() -> None:
    came, freed = threading.Semaphore(0), threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/wait":
            came.release()
            await run_in_threadpool(freed.wait, PATIENCE_SECONDS)
        await PlainTextResponse("ok")(scope, receive, send)

    is_proxy = Trust((ip_network("127.0.0.1"),))
    web = Proxied(Crowd(app, most=9, per_address=2, is_proxy=is_proxy), is_trusted=is_proxy)
    with gated(web, Gate(most=100, per_address=1, is_proxy=is_proxy)) as (_, port):

        def get(path: str, address: str = "") -> int:
            headers = {"X-Forwarded-For": address} if address else {}
            url = f"http://127.0.0.1:{port}{path}"
            return httpx.get(url, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS).status_code

        with ThreadPoolExecutor(5) as many:
            greedy = ["2001:db8::1", "2001:db8::2", "", "", ""]
            waiting = [many.submit(get, "/wait", address) for address in greedy]
            for _ in waiting:
                assert came.acquire(timeout=PATIENCE_SECONDS)
            answers = [get("/", "2001:db8::3"), get("/healthz", "2001:db8::3"), get("/", "192.0.2.1")]
            freed.set()
        after = get("/", "2001:db8::3")

    assert answers == [429, 200, 200]
    assert after == 200


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_what_one_customer_is_given_counts_as_one_address(address: str, counted_as: str) -> None:
    assert neighbourhood(address) == counted_as
