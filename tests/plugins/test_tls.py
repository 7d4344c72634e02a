"""Whose certificate is accepted."""

import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from experience_runtime.integration import IntegrationFailed
from experience_runtime.plugins.http import BODY_BYTES, Outbound

from tests.support.certificates import CERTIFICATE, KEY
from tests.support.raw_servers import LOOPBACK, NOW, Handler, RawServer, read_head


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
