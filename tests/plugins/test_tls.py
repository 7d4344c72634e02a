"""Whose certificate is accepted."""

import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from experience_runtime.integration import IntegrationFailed
from experience_runtime.plugins.http import BODY_BYTES, Outbound

from tests.support.raw_servers import LOOPBACK, NOW, Handler, RawServer, read_head

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
