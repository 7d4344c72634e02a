"""What comes back: the cut at 64 KiB, encodings, Retry-After."""

import gzip
import socket
import threading
import zlib
from collections.abc import Callable

import pytest
from experience_runtime.plugins.http import BODY_BYTES, Outbound
from pytest_httpserver import HTTPServer

from tests.support.raw_servers import Handler, RawServer, drips, read_head, says


def test_a_huge_body_is_cut_at_64_kib(outbound: Outbound, raw: Callable[[Handler], RawServer]) -> None:
    server = raw(drips(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 40_000))

    answer = outbound.request("GET", server.url)

    assert answer.text == "x" * BODY_BYTES


def test_of_an_answer_of_a_gigabyte_little_is_read(
    outbound: Outbound, raw: Callable[[Handler], RawServer]
) -> None:
    sent: list[int] = []
    gave_up = threading.Event()

    def gigabyte(connection: socket.socket, _over: threading.Event) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
        try:
            sent.extend(connection.send(b"x" * 100_000) for _ in range(10_000))
        finally:
            gave_up.set()

    server = raw(gigabyte)

    answer = outbound.request("GET", server.url)

    assert gave_up.wait(60)
    assert answer.text == "x" * BODY_BYTES
    assert sum(sent) < 50_000_000  # what the system's buffers took


def test_the_cut_drops_half_a_character(outbound: Outbound, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("x" + "ä" * BODY_BYTES)  # 2 bytes each, off by one

    text = outbound.request("GET", httpserver.url_for("/")).text

    assert len(text.encode()) == BODY_BYTES - 1
    assert "\ufffd" not in text


def test_a_compression_bomb_is_cut_too(outbound: Outbound, httpserver: HTTPServer) -> None:
    bomb = gzip.compress(b"0" * 5_000_000)
    httpserver.expect_request("/").respond_with_data(bomb, headers={"content-encoding": "gzip"})

    assert outbound.request("GET", httpserver.url_for("/")).text == "0" * BODY_BYTES


def test_gzip_and_deflate_are_decoded(outbound: Outbound, httpserver: HTTPServer) -> None:
    for name, body in (("gzip", gzip.compress(b"hi")), ("deflate", zlib.compress(b"hi")), ("br, gzip", b"?")):
        httpserver.expect_request(f"/{name[:2]}").respond_with_data(body, headers={"content-encoding": name})

    texts = [outbound.request("GET", httpserver.url_for(path)).text for path in ("/gz", "/de", "/br")]

    assert texts == ["hi", "hi", ""]


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/plain; charset=iso-8859-1", b"\xe4", "ä"),
        ("text/plain", b"\xe4", "\ufffd"),
        ("text/plain; charset=utf-7", b"+AGE-", "+AGE-"),
        ("text/plain; charset=zip", b"a", "a"),
    ],
)
def test_a_body_is_read_as_utf_8_or_latin_1(
    outbound: Outbound, httpserver: HTTPServer, content_type: str, body: bytes, text: str
) -> None:
    httpserver.expect_request("/").respond_with_data(body, content_type=content_type)

    assert outbound.request("GET", httpserver.url_for("/")).text == text


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("Fri, 06 Mar 2026 17:31:30 GMT", 90.0),
        ("Fri, 06 Mar 2026 17:29:00 GMT", None),  # past
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),  # digits, not ASCII
        ("9" * 5000, 86_400.0),  # a day at most is waited
        ("9999999999", 86_400.0),
        ("86401", 86_400.0),
        ("00000000000007", 7.0),
        ("Fri, 06 Mar 2027 17:31:30 GMT", 86_400.0),
        ("5, 6", 6.0),
        ("6\r\nretry-after: 5", 6.0),
        ("soon\r\nretry-after: 5", 5.0),
        ("5, 6, soon", None),
        ("Fri, 06 Mar 2026 18:31:30 +0100", 90.0),
        ("Fri, 06 Mar 99999 17:31:30 GMT", None),
        ("Fri, 99 Mar 2026 17:31:30 GMT", None),
        ("", None),
    ],
)
def test_retry_after_is_read(
    outbound: Outbound, raw: Callable[[Handler], RawServer], header: str, seconds: float | None
) -> None:
    head = f"HTTP/1.1 429 Slow\r\nretry-after: {header}\r\ncontent-length: 0\r\n\r\n"
    server = raw(says(head.encode()))

    assert outbound.request("GET", server.url).retry_after == seconds


DEFLATED = zlib.compress(b"ok", wbits=-15)  # without its header, as some servers send it


@pytest.mark.parametrize("status", [200, 204, 301, 400, 503])
@pytest.mark.parametrize(
    ("rest", "text"),
    [
        (b"content-encoding: gzip\r\ncontent-length: 2\r\n\r\nok", ""),
        (b"content-encoding: deflate\r\ncontent-length: 4\r\n\r\n" + DEFLATED, ""),
        (b"content-length: 10\r\n\r\nhalf", "half"),
        ("content-length: 10\r\n\r\nhä".encode()[:-1], "h"),
        (b"transfer-encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n", "ok"),
    ],
)
def test_an_answer_counts_by_its_status_also_when_its_body_is_broken(
    outbound: Outbound, raw: Callable[[Handler], RawServer], status: int, rest: bytes, text: str
) -> None:
    server = raw(says(f"HTTP/1.1 {status} So\r\n".encode() + rest))

    answer = outbound.post(server.url)

    assert answer.status == status
    assert answer.text == ("" if status == 204 else text)  # which has no body


def test_an_answer_counts_when_its_end_never_comes(
    outbound: Outbound, raw: Callable[[Handler], RawServer]
) -> None:
    server = raw(drips(b"HTTP/1.1 200 OK\r\n\r\nok", b""))

    answers = [outbound.send("POST", server.url, timeout=2) for _ in range(2)]

    assert [(answer.status, answer.text) for answer in answers] == [(200, "ok")] * 2
    assert server.connections == 2  # the first is not used again
