"""What goes wrong on the way, and that no message and no log line holds a secret."""

import contextlib
import logging
import socket
from collections.abc import Callable

import pytest
from experience_runtime.integration import IntegrationFailed
from experience_runtime.plugins.http import Outbound
from pytest_httpserver import HTTPServer

from tests.support.raw_servers import Handler, RawServer, says


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
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


def test_no_log_line_of_any_library_holds_the_address(
    outbound: Outbound, httpserver: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    httpserver.expect_request("/services/SECRET").respond_with_data("ok")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)

    with caplog.at_level(logging.DEBUG):
        outbound.post(httpserver.url_for("/services/SECRET?k=SECRET"), headers={"authorization": "SECRET"})

    assert "SECRET" not in caplog.text
