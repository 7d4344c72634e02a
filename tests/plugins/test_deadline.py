"""How long a call may take: one deadline, however slow the other side is."""

import contextlib
import socket
import threading
from collections.abc import Callable, Sequence

import pytest
from experience_runtime.clocks import monotonic
from experience_runtime.integration import IntegrationFailed
from experience_runtime.plugins.http import Outbound
from pytest_httpserver import HTTPServer

from tests.support.raw_servers import LOOPBACK, NOW, Handler, RawServer, drips

SHORT = 0.3  # seconds: the deadline of a test that waits for one
SLACK = 20.0  # seconds: what a loaded machine may add; a call without an end has more


def assert_over_in_time(call: Callable[[], object]) -> IntegrationFailed:
    began = monotonic()
    with pytest.raises(IntegrationFailed) as caught:
        call()
    assert monotonic() - began < SHORT + SLACK
    assert caught.value.may_pass
    return caught.value


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"", b""),  # silence
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\nx: ", b"y"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_a_dripped_answer_ends_at_the_deadline(
    outbound: Outbound, raw: Callable[[Handler], RawServer], start: bytes, piece: bytes
) -> None:
    server = raw(drips(start, piece))

    failure = assert_over_in_time(lambda: outbound.send("GET", server.url, timeout=SHORT))

    assert "within 0.3 s" in str(failure)


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"z"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    ],
)
def test_a_dripped_body_is_cut_at_the_deadline(
    outbound: Outbound, raw: Callable[[Handler], RawServer], start: bytes, piece: bytes
) -> None:
    server = raw(drips(start, piece))
    began = monotonic()

    answer = outbound.send("GET", server.url, timeout=SHORT)

    assert monotonic() - began < SHORT + SLACK
    assert answer.status == 200
    assert set(answer.text) in ({"z"}, {"a"})


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1;x=y\r\na\r\n" * 5),
        (
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\0",
            b"\0\0\0\xff\xff" * 999,
        ),
    ],
)
def test_a_flood_that_says_nothing_ends_at_the_deadline(
    outbound: Outbound, raw: Callable[[Handler], RawServer], start: bytes, piece: bytes
) -> None:
    def floods(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(start)
        while not over.is_set():
            connection.sendall(piece)

    server = raw(floods)
    began = monotonic()

    with contextlib.suppress(IntegrationFailed):
        outbound.send("GET", server.url, timeout=SHORT)

    assert monotonic() - began < SHORT + SLACK


def test_a_dripped_tls_handshake_ends_at_the_deadline(
    outbound: Outbound, raw: Callable[[Handler], RawServer]
) -> None:
    server = raw(drips(b"\x16\x03\x03\x40\x00", b"\x02"))  # a record of 16 KiB, byte by byte

    assert_over_in_time(lambda: outbound.send("GET", server.url.replace("http:", "https:"), timeout=SHORT))


def test_a_reader_who_takes_its_time_ends_at_the_deadline(
    outbound: Outbound, raw: Callable[[Handler], RawServer]
) -> None:
    def slow(connection: socket.socket, over: threading.Event) -> None:
        while not over.wait(0.02):
            connection.recv(4096)

    server = raw(slow)

    body = b"x" * 20_000_000
    assert_over_in_time(lambda: outbound.send("POST", server.url, content=body, timeout=SHORT))


def test_a_slow_name_ends_at_the_deadline() -> None:
    over = threading.Event()

    def slow(_host: str, _port: int) -> Sequence[str]:
        over.wait(60)
        return []

    outbound = Outbound(now=lambda: NOW, resolve=slow, deadline_seconds=SHORT)

    assert_over_in_time(lambda: outbound.request("GET", "http://slow.example/"))

    over.set()
    outbound.close()


def never_answers(stack: contextlib.ExitStack, host: str, port: int) -> int:
    """Open a port whose queue is full: the next connection waits for ever."""
    full = stack.enter_context(socket.create_server((host, port), backlog=0))
    for _ in range(4):
        waiting = stack.enter_context(socket.socket())
        waiting.setblocking(False)
        waiting.connect_ex(full.getsockname())
    number: int = full.getsockname()[1]
    return number


def test_a_slow_connection_ends_at_the_deadline() -> None:
    with contextlib.ExitStack() as stack:
        port = never_answers(stack, "127.0.0.1", 0)
        outbound = Outbound(now=lambda: NOW, allow_private=LOOPBACK, deadline_seconds=SHORT)

        assert_over_in_time(lambda: outbound.request("GET", f"http://127.0.0.1:{port}/"))

        outbound.close()


def test_the_calls_of_one_delivery_share_their_time(
    outbound: Outbound, raw: Callable[[Handler], RawServer]
) -> None:
    server = raw(drips(b"", b""))
    http = outbound.within(SHORT)

    assert_over_in_time(lambda: http.request("GET", server.url))
    with pytest.raises(IntegrationFailed):
        http.post(server.url)

    assert server.connections == 1  # nothing was left for the second


def test_a_timeout_only_shortens(raw: Callable[[Handler], RawServer]) -> None:
    server = raw(drips(b"", b""))
    outbound = Outbound(now=lambda: NOW, allow_private=LOOPBACK, deadline_seconds=SHORT)

    assert_over_in_time(lambda: outbound.send("GET", server.url, timeout=60))

    outbound.close()


def test_a_dead_address_leaves_time_for_the_next(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("ok")
    with contextlib.ExitStack() as stack:
        never_answers(stack, "127.0.0.2", httpserver.port)
        outbound = Outbound(
            now=lambda: NOW,
            allow_private=LOOPBACK,
            resolve=lambda *_: ["127.0.0.2", "127.0.0.1"],
            deadline_seconds=1,
        )

        answer = outbound.request("GET", f"http://two.example:{httpserver.port}/")

        assert answer.text == "ok"
        assert httpserver.log[0][0].headers["host"] == f"two.example:{httpserver.port}"
        outbound.close()


def test_names_that_hang_hold_up_no_address_and_few_other_names(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("ok")
    over = threading.Event()

    def hangs(host: str, _port: int) -> Sequence[str]:
        if host.startswith("slow"):
            over.wait(60)
        return ["127.0.0.1"]

    outbound = Outbound(now=lambda: NOW, resolve=hangs, allow_private=LOOPBACK, deadline_seconds=5)

    def call_slow(number: int) -> None:
        with contextlib.suppress(IntegrationFailed):
            outbound.request("GET", f"http://slow{number}.example/")

    def answers(host: str) -> str:
        return outbound.send("GET", f"http://{host}:{httpserver.port}/", timeout=SHORT + SLACK).text

    def hanging(count: int) -> list[threading.Thread]:
        threads = [threading.Thread(target=call_slow, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        return threads

    threads = hanging(20)
    assert answers("fast.example") == "ok"
    threads += hanging(70)
    assert answers("127.0.0.1") == "ok"

    over.set()
    for thread in threads:
        thread.join()
    outbound.close()
