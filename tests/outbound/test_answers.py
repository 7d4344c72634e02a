"""What comes back: the cut at 64 KiB, encodings, Retry-After."""

import gzip
import socket
import threading
import zlib
from collections.abc import Callable

import pytest
from experience_runtime.outbound import BODY_BYTES, Outbound
from pytest_httpserver import HTTPServer

from .servers import Handler, RawServer, drips, read_head, says


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

    assert gave_up.wait(5)
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
        ("9" * 5000, None),
        ("5, 6", None),
        ("999999999", 999_999_999.0),  # a day at most is waited, see domain/retries.py
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
