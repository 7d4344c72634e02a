"""Real servers on loopback: what an integration may send, how long it may take, and where it may go."""

import contextlib
import gzip
import ipaddress
import json
import logging
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from experience_runtime import __version__
from experience_runtime.clocks import monotonic
from experience_runtime.domain.errors import BlockedAddress, InvalidParameter, InvalidPayload
from experience_runtime.integration import IntegrationFailed
from experience_runtime.outbound import BODY_BYTES, Outbound, origin, redact_url, refusal
from pytest_httpserver import HTTPServer
from werkzeug import Response

NOW = datetime(2026, 3, 6, 17, 30, tzinfo=UTC)
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
SHORT = 0.3  # seconds: the deadline of a test that waits for one
SLACK = 2.0  # seconds: what a loaded machine may add

# Made for these tests alone: self-signed, for "localhost", valid until 2126.
CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIBlDCCATugAwIBAgIUcLDf62SfXjm1t0a6be510IjiUmMwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTIyMTIwM1oYDzIxMjYxMDI4
MjIxMjAzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQjKzgok+qTIJ9AcH6gndp/BXpUCfs9/vx9pXhVEbStAib0ozr5nREJ
0WcoIqn2AgSiVFsWMyrJ+obsDwNKgXdWo2kwZzAdBgNVHQ4EFgQUaXmWk+Z5UAGJ
brvvgMUdMxUw2aMwHwYDVR0jBBgwFoAUaXmWk+Z5UAGJbrvvgMUdMxUw2aMwFAYD
VR0RBA0wC4IJbG9jYWxob3N0MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwID
RwAwRAIgfBSakjuLDZfsZNfxf183AIgTT3FvTGL8dH45hYg8dGECIFgJJqWnTQrJ
80ZTuiaLEPRwtagxgwXsi9fxmZQhMWVq
-----END CERTIFICATE-----
"""
KEY = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgHb/T/FDo6JO/lIbH
ihbl+avlWjvedQ00XPCjDWbkRe2hRANCAAQjKzgok+qTIJ9AcH6gndp/BXpUCfs9
/vx9pXhVEbStAib0ozr5nREJ0WcoIqn2AgSiVFsWMyrJ+obsDwNKgXdW
-----END PRIVATE KEY-----
"""

Handler = Callable[[socket.socket, threading.Event], None]


@pytest.fixture
def outbound() -> Iterator[Outbound]:
    outbound = Outbound(now=lambda: NOW, allow_private=LOOPBACK, deadline_seconds=5)
    yield outbound
    outbound.close()


class RawServer:
    """A socket that answers with whatever the handler writes; `over` is set when the test is."""

    def __init__(self, handler: Handler) -> None:
        self.over = threading.Event()
        self.connections = 0
        self._handler = handler
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            if self.over.is_set():
                connection.close()
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self._handler(connection, self.over)

    def close(self) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            socket.create_connection(self._socket.getsockname(), timeout=1).close()
        self._threads[0].join()
        self._socket.close()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def raw() -> Iterator[Callable[[Handler], RawServer]]:
    with contextlib.ExitStack() as stack:

        def start(handler: Handler) -> RawServer:
            server = RawServer(handler)
            stack.callback(server.close)
            return server

        yield start


def read_head(connection: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(65536)
        if not piece:
            break
        head += piece
    return head


def says(answer: bytes) -> Handler:
    """A handler that reads the request, answers with these bytes, and closes."""

    def handler(connection: socket.socket, _over: threading.Event) -> None:
        read_head(connection)
        connection.sendall(answer)

    return handler


def drips(start: bytes, piece: bytes) -> Handler:
    """A handler that never stops: one piece every 20 ms."""

    def handler(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(start)
        while not over.wait(0.02):
            connection.sendall(piece)

    return handler


# What is sent


def test_a_post_sends_ascii_json_and_our_user_agent(outbound: Outbound, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/hook").respond_with_json({"done": True}, status=201)

    answer = outbound.post(httpserver.url_for("/hook?a=1"), json={"ä": 1}, headers={"X-Extra": "yes"})

    request = httpserver.log[0][0]
    assert request.method == "POST"
    assert request.query_string == b"a=1"
    assert request.data == b'{"\\u00e4": 1}'
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == f"experience-runtime/{__version__}"
    assert request.headers["x-extra"] == "yes"
    assert request.headers["host"] == f"localhost:{httpserver.port}"
    assert (answer.status, answer.json()) == (201, {"done": True})
    assert answer.headers["content-type"] == "application/json"


def test_a_caller_may_set_its_own_content_type(outbound: Outbound, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("")

    outbound.post(httpserver.url_for("/"), json=[], headers={"Content-Type": "application/x"})

    assert httpserver.log[0][0].headers["content-type"] == "application/x"


def test_a_get_sends_no_body(outbound: Outbound, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/", method="GET").respond_with_data("hello")

    assert outbound.request("get", httpserver.url_for("/")).text == "hello"
    assert "content-length" not in httpserver.log[0][0].headers


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, {"a": object()}])
def test_what_is_not_json_is_not_sent(outbound: Outbound, value: object) -> None:
    with pytest.raises(InvalidPayload):
        outbound.post("http://127.0.0.1:9/", json=value)


def test_a_connection_is_used_again(outbound: Outbound, raw: Callable[[Handler], RawServer]) -> None:
    def twice(connection: socket.socket, _over: threading.Event) -> None:
        for _ in range(2):
            read_head(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    server = raw(twice)

    assert [outbound.request("GET", server.url).text for _ in range(2)] == ["ok", "ok"]
    assert server.connections == 1


def test_the_environment_and_cookies_change_nothing(
    outbound: Outbound, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    httpserver.expect_request("/").respond_with_data("ok", headers={"set-cookie": "visitor=1"})

    outbound.request("GET", httpserver.url_for("/"))
    outbound.request("GET", httpserver.url_for("/"))

    assert "cookie" not in httpserver.log[1][0].headers


def test_a_redirect_is_an_answer_and_not_followed(outbound: Outbound, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("", status=302, headers={"location": "/other"})

    assert outbound.post(httpserver.url_for("/")).status == 302
    assert len(httpserver.log) == 1


# What comes back


def test_a_huge_body_is_cut_at_64_kib(outbound: Outbound, raw: Callable[[Handler], RawServer]) -> None:
    server = raw(drips(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 40_000))

    answer = outbound.request("GET", server.url)

    assert answer.text == "x" * BODY_BYTES


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


# What goes wrong


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 300_000 + b"\r\n\r\n",
    ],
)
def test_invalid_http_may_pass(
    outbound: Outbound, raw: Callable[[Handler], RawServer], answer: bytes
) -> None:
    server = raw(says(answer))

    with pytest.raises(IntegrationFailed) as caught:
        outbound.post(f"{server.url}/services/T0/SECRET?token=SECRET", json={})

    assert caught.value.may_pass
    assert "SECRET" not in str(caught.value)


def test_an_unfinished_upgrade_is_just_an_answer(
    outbound: Outbound, raw: Callable[[Handler], RawServer]
) -> None:
    server = raw(says(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n"))

    with contextlib.suppress(IntegrationFailed):
        assert outbound.request("GET", server.url).status == 101


def test_a_refused_connection_may_pass_and_hides_the_path(outbound: Outbound) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(IntegrationFailed, match="refused") as caught:
        outbound.post(f"http://127.0.0.1:{port}/services/SECRET?k=SECRET")

    assert caught.value.may_pass
    assert f"http://127.0.0.1:{port}/…" in str(caught.value)
    assert "SECRET" not in str(caught.value)


def test_a_server_without_tls_gives_no_secure_connection(
    outbound: Outbound, raw: Callable[[Handler], RawServer]
) -> None:
    def plain(connection: socket.socket, _over: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Plain HTTP\r\n\r\n")

    server = raw(plain)

    with pytest.raises(IntegrationFailed, match="no secure connection") as caught:
        outbound.post(server.url.replace("http:", "https:") + "/SECRET")

    assert caught.value.may_pass
    assert "SECRET" not in str(caught.value)


@pytest.fixture
def tls_url(tmp_path: Path, raw: Callable[[Handler], RawServer]) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (tmp_path / "both.pem").write_text(CERTIFICATE + KEY)
    context.load_cert_chain(tmp_path / "both.pem")

    def secure(connection: socket.socket, _over: threading.Event) -> None:
        with context.wrap_socket(connection, server_side=True) as encrypted:
            read_head(encrypted)
            encrypted.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"s" * BODY_BYTES)

    return raw(secure).url.replace("http:", "https:")


def test_a_certificate_nobody_signed_is_not_accepted(outbound: Outbound, tls_url: str) -> None:
    with pytest.raises(IntegrationFailed, match=r"was not accepted: self.signed certificate") as caught:
        outbound.post(f"{tls_url}/SECRET")

    assert "SECRET" not in str(caught.value)


def test_a_certificate_is_for_the_name_and_not_for_the_address(tls_url: str) -> None:
    trusting = ssl.create_default_context(cadata=CERTIFICATE)
    outbound = Outbound(now=lambda: NOW, allow_private=LOOPBACK, ssl_context=trusting)

    with pytest.raises(IntegrationFailed, match="was not accepted"):
        outbound.request("GET", tls_url)  # 127.0.0.1; the certificate says localhost

    answer = outbound.request("GET", tls_url.replace("127.0.0.1", "localhost"))

    assert answer.text == "s" * BODY_BYTES
    outbound.close()


def test_no_log_line_of_any_library_holds_the_address(
    outbound: Outbound, httpserver: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    httpserver.expect_request("/services/SECRET").respond_with_data("ok")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)

    with caplog.at_level(logging.DEBUG):
        outbound.post(httpserver.url_for("/services/SECRET?k=SECRET"), headers={"authorization": "SECRET"})

    assert "SECRET" not in caplog.text


# The deadline


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
        (b"HTTP/1.1 200 OK\r\n\r\n", b"z"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_a_dripped_answer_ends_at_the_deadline(
    outbound: Outbound, raw: Callable[[Handler], RawServer], start: bytes, piece: bytes
) -> None:
    server = raw(drips(start, piece))

    failure = assert_over_in_time(lambda: outbound.request("GET", server.url, timeout=SHORT))

    assert "within 0.3 s" in str(failure)


def test_a_dripped_tls_handshake_ends_at_the_deadline(
    outbound: Outbound, raw: Callable[[Handler], RawServer]
) -> None:
    server = raw(drips(b"\x16\x03\x03\x40\x00", b"\x02"))  # a record of 16 KiB, byte by byte

    assert_over_in_time(lambda: outbound.request("GET", server.url.replace("http:", "https:"), timeout=SHORT))


def test_a_reader_who_takes_its_time_ends_at_the_deadline(
    outbound: Outbound, raw: Callable[[Handler], RawServer]
) -> None:
    def slow(connection: socket.socket, over: threading.Event) -> None:
        while not over.wait(0.02):
            connection.recv(4096)

    server = raw(slow)

    body = b"x" * 20_000_000
    assert_over_in_time(lambda: outbound.request("POST", server.url, content=body, timeout=SHORT))


def test_a_slow_name_ends_at_the_deadline() -> None:
    over = threading.Event()

    def slow(_host: str, _port: int) -> Sequence[str]:
        over.wait(10)
        return []

    outbound = Outbound(now=lambda: NOW, resolve=slow, deadline_seconds=SHORT)

    assert_over_in_time(lambda: outbound.request("GET", "http://slow.example/"))

    over.set()
    outbound.close()


def test_a_slow_connection_ends_at_the_deadline() -> None:
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # fill the queue: the next SYN is not answered
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        outbound = Outbound(now=lambda: NOW, allow_private=LOOPBACK, deadline_seconds=SHORT)

        assert_over_in_time(lambda: outbound.request("GET", f"http://127.0.0.1:{full.getsockname()[1]}/"))

        outbound.close()


def test_the_calls_of_one_delivery_share_their_time(
    outbound: Outbound, raw: Callable[[Handler], RawServer]
) -> None:
    server = raw(drips(b"", b""))
    http = outbound.within(SHORT)

    assert_over_in_time(lambda: http.request("GET", server.url))
    began = monotonic()
    with pytest.raises(IntegrationFailed):
        http.post(server.url)

    assert monotonic() - began < SHORT  # nothing was left for the second


def test_a_timeout_only_shortens(raw: Callable[[Handler], RawServer]) -> None:
    server = raw(drips(b"", b""))
    outbound = Outbound(now=lambda: NOW, allow_private=LOOPBACK, deadline_seconds=SHORT)

    assert_over_in_time(lambda: outbound.request("GET", server.url, timeout=60))

    outbound.close()


def test_a_dead_address_leaves_time_for_the_next(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("ok")
    outbound = Outbound(
        now=lambda: NOW, allow_private=LOOPBACK, resolve=lambda *_: ["127.0.0.2", "127.0.0.1"]
    )

    answer = outbound.request("GET", f"http://two.example:{httpserver.port}/")

    assert answer.text == "ok"
    assert httpserver.log[0][0].headers["host"] == f"two.example:{httpserver.port}"
    outbound.close()


# Where it may go

BLOCKED = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",  # a cloud's metadata service
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",  # a cloud's metadata service
    "169.254.169.254",  # a cloud's metadata service
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",  # IPv4-compatible
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",  # IPv4-translated
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",  # Teredo
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::1",  # 6to4 of 127.0.0.1
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("text", BLOCKED)
def test_an_address_that_is_not_public_is_blocked(text: str) -> None:
    assert refusal(ipaddress.ip_address(text)) is not None


@pytest.mark.parametrize(
    "text",
    ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "192.0.1.1", "223.255.255.255",
     "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2620:4f:8000::1"],
)  # fmt: skip
def test_a_public_address_is_not_blocked(text: str) -> None:
    assert refusal(ipaddress.ip_address(text)) is None


def test_only_the_listed_network_is_allowed() -> None:
    allowed = [ipaddress.ip_network("10.1.0.0/16")]

    assert refusal(ipaddress.ip_address("10.1.2.3"), allowed) is None
    assert refusal(ipaddress.ip_address("::ffff:10.1.2.3"), allowed) is None
    assert refusal(ipaddress.ip_address("10.2.0.1"), allowed) is not None


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0",
     "localhost", "LOCALHOST", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[0:0:0:0:0:ffff:7f00:1]",
     "127。0。0。1"],
)  # fmt: skip
def test_every_spelling_of_this_machine_is_blocked(httpserver: HTTPServer, host: str) -> None:
    httpserver.expect_request("/").respond_with_data("reached")
    outbound = Outbound(now=lambda: NOW)

    with pytest.raises(BlockedAddress) as caught:
        outbound.post(f"http://{host}:{httpserver.port}/services/SECRET?k=SECRET")

    assert caught.value.code == "blocked_address"
    assert "SECRET" not in str(caught.value)
    assert httpserver.log == []
    outbound.close()


@pytest.mark.parametrize("host", ["127.0.0.1.", "localhost.", "127.0.0.1%2e"])
def test_a_trailing_dot_reaches_nothing(httpserver: HTTPServer, host: str) -> None:
    httpserver.expect_request("/").respond_with_data("reached")
    outbound = Outbound(now=lambda: NOW)

    # blocked where the resolver takes it for the address, not found where it does not
    with pytest.raises((BlockedAddress, IntegrationFailed)):
        outbound.post(f"http://{host}:{httpserver.port}/")

    assert httpserver.log == []
    outbound.close()


def test_one_private_address_among_public_ones_blocks_the_name() -> None:
    outbound = Outbound(now=lambda: NOW, resolve=lambda *_: ["8.8.8.8"] * 20 + ["10.0.0.1"])

    with pytest.raises(BlockedAddress, match=r'"mixed\.example" is a private address'):
        outbound.request("GET", "http://mixed.example/")

    outbound.close()


def test_the_checked_address_is_the_one_called(httpserver: HTTPServer) -> None:
    """A name that changes between the check and the call (DNS rebinding) is only looked up once."""
    httpserver.expect_request("/").respond_with_data("ok")
    lookups: list[str] = []

    def changing(host: str, _port: int) -> Sequence[str]:
        lookups.append(host)
        return ["127.0.0.1"] if len(lookups) == 1 else ["10.0.0.1"]

    outbound = Outbound(now=lambda: NOW, allow_private=LOOPBACK, resolve=changing)

    assert outbound.request("GET", f"http://rebound.example:{httpserver.port}/").text == "ok"
    assert lookups == ["rebound.example"]
    outbound.close()


def test_a_name_nobody_has_may_pass() -> None:
    def unknown(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    outbound = Outbound(now=lambda: NOW, resolve=unknown)

    with pytest.raises(
        IntegrationFailed, match=r"http://nobody\.example/…: Name or service not known"
    ) as caught:
        outbound.request("GET", "http://nobody.example/SECRET")

    assert caught.value.may_pass
    outbound.close()


# What is refused before anything is sent


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/SECRET",
        "file:///SECRET",
        "gopher://example.com/SECRET",
        "example.com/SECRET",
        "//example.com/SECRET",
        "http:///SECRET",
        "http:SECRET",
        "",
        "http://[::1/SECRET",
        "http://example.com:0/SECRET",
        "http://example.com:99999/SECRET",
        "http://example.com:x/SECRET",
        "http://ann:SECRET@example.com/",
        "http://SECRET@example.com/",
        "http://example.com/SECRET\r\nx: y",
        "http://example.com/\x00SECRET",
        "http://example.com/SECRET\x85",
        "http://exam\tple.com/SECRET",
        "http://example.com/SECRET" + "a" * 2048,
        "http://example.com/SECRET\ud800",
        "http://0177.0.0.01/SECRET",
        "http://１２７.0.0.1/SECRET",
        "http://" + "a" * 300 + ".\u2764.com./SECRET",
    ],
)
def test_what_is_not_a_plain_web_address_is_refused(url: str) -> None:
    outbound = Outbound(now=lambda: NOW, resolve=lambda *_: pytest.fail("looked up"))

    with pytest.raises(InvalidParameter) as caught:
        outbound.request("GET", url)

    assert "SECRET" not in str(caught.value)
    outbound.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x", "SECRET\r\ny: z"),
        ("x", "SECRET\n"),
        ("x", "SECRET\x00"),
        ("x", "SECRETä"),
        ("x", " SECRET"),
        ("x\r\ny", "SECRET"),
        ("x y", "SECRET"),
        ("", "SECRET"),
        ("Host", "SECRET"),
        ("content-length", "5"),
        ("Transfer-Encoding", "chunked"),
        ("connection", "upgrade"),
    ],
)
def test_a_header_that_could_change_the_request_is_refused(outbound: Outbound, name: str, value: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        outbound.post("http://127.0.0.1:9/", headers={name: value})

    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("method", ["", "GET /\r\n", "G T", "connect", "GÉT"])
def test_a_method_that_is_not_one_is_refused(outbound: Outbound, method: str) -> None:
    with pytest.raises(InvalidParameter):
        outbound.request(method, "http://127.0.0.1:9/")


# What may be shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://Example.com/hooks/1", "https://example.com/hooks/1"),
        ("https://ann:pw@example.com:8443/a?token=x#y", "https://example.com:8443/a?…"),
        ("http://[::1]:80/a#frag", "http://[::1]:80/a"),
        ("https://example.com?x", "https://example.com?…"),
        ("https://example.com:x/secret", "[not a URL]"),
        ("secret", "[not a URL]"),
        ("http://[secret/", "[not a URL]"),
        ("", "[not a URL]"),
    ],
)
def test_redact_url_drops_userinfo_query_and_fragment(url: str, shown: str) -> None:
    assert redact_url(url) == shown


def test_an_error_text_shows_the_origin_only() -> None:
    assert origin("https://ann:pw@hooks.slack.com/services/T/B/SECRET?x=1") == "https://hooks.slack.com/…"


def test_calls_of_many_threads_do_not_share_a_deadline(outbound: Outbound, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_handler(
        lambda request: Response(json.dumps(len(request.data)))
    )
    found: list[object] = []

    def call(size: int) -> None:
        found.append(outbound.request("POST", httpserver.url_for("/"), content=b"x" * size).json())

    threads = [threading.Thread(target=call, args=(size,)) for size in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(str, found)) == [str(size) for size in range(1, 9)]
