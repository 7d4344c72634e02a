"""Connections are used again, and what one call left behind never answers another."""

import socket
import threading
from collections.abc import Callable

import pytest
from experience_runtime.integration import IntegrationFailed
from experience_runtime.plugins.http import BODY_BYTES, Outbound

from tests.support.raw_servers import LOOPBACK, NOW, Handler, RawServer, read_head

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
FOR_SOMEBODY_ELSE = b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nsmuggled"


def answering(first: bytes, then: bytes = OK) -> Handler:
    """Answers the first request of a connection with `first`, the others with `then`."""

    def handler(connection: socket.socket, _over: threading.Event) -> None:
        answer = first
        while read_head(connection):
            connection.sendall(answer)
            answer = then

    return handler


@pytest.mark.parametrize("first", [OK, CHUNKED, EMPTY])
def test_a_connection_is_used_again(
    outbound: Outbound, raw: Callable[[Handler], RawServer], first: bytes
) -> None:
    server = raw(answering(first))

    texts = [outbound.request("GET", server.url).text for _ in range(20)]

    assert texts[1:] == ["ok"] * 19
    assert server.connections == 1
    outbound.close()


@pytest.mark.parametrize(
    "first",
    [
        OK + FOR_SOMEBODY_ELSE,
        CHUNKED + FOR_SOMEBODY_ELSE,
        EMPTY + FOR_SOMEBODY_ELSE,
        OK + b"one more line\r\n",
        EMPTY + b"a body that 204 does not have",
    ],
)
def test_what_comes_behind_an_answer_is_no_answer(
    outbound: Outbound, raw: Callable[[Handler], RawServer], first: bytes
) -> None:
    server = raw(answering(first))

    outbound.request("GET", server.url)
    second = outbound.request("GET", server.url)

    assert second.text in ("ok", "")  # never "smuggled", never a failure of a call that was right
    assert second.status in (200, 204)
    assert server.connections == 2
    outbound.close()


def test_the_rest_of_a_long_answer_is_no_answer(
    outbound: Outbound, raw: Callable[[Handler], RawServer]
) -> None:
    long = b"HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n" + b"x" * 200_000
    server = raw(answering(long))

    texts = [outbound.request("GET", server.url).text for _ in range(2)]

    assert texts == ["x" * BODY_BYTES] * 2
    assert server.connections == 2
    outbound.close()


def test_names_of_one_address_share_no_connection(raw: Callable[[Handler], RawServer]) -> None:
    server = raw(answering(OK))
    outbound = Outbound(now=lambda: NOW, allow_private=LOOPBACK, resolve=lambda *_: ["127.0.0.1"])
    port = server.url.rpartition(":")[2]

    for name in ("one.example", "two.example", "one.example"):
        assert outbound.request("GET", f"http://{name}:{port}/").text == "ok"

    assert server.connections == 2
    outbound.close()


def test_a_connection_the_other_side_closed_is_not_used(
    outbound: Outbound, raw: Callable[[Handler], RawServer]
) -> None:
    closed = threading.Event()

    def once(connection: socket.socket, _over: threading.Event) -> None:
        read_head(connection)
        connection.sendall(OK)
        connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    server = raw(once)

    for _ in range(3):
        assert outbound.post(server.url, json={}).text == "ok"
        assert closed.wait(60)
        closed.clear()

    assert server.connections == 3


def test_a_call_that_failed_leaves_nothing_for_the_next(
    outbound: Outbound, raw: Callable[[Handler], RawServer]
) -> None:
    late = threading.Event()

    def too_late(connection: socket.socket, _over: threading.Event) -> None:
        read_head(connection)
        if not late.is_set():
            late.wait(60)
            connection.sendall(FOR_SOMEBODY_ELSE)
        else:
            connection.sendall(OK)

    server = raw(too_late)

    with pytest.raises(IntegrationFailed):
        outbound.send("GET", server.url, timeout=0.2)
    late.set()

    assert outbound.request("GET", server.url).text == "ok"
