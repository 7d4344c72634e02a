"""Where a call may go: a name is only as public as every address it has."""

import socket
from collections.abc import Sequence

import pytest
from experience_runtime.domain.errors import BlockedAddress
from experience_runtime.integration import IntegrationFailed
from experience_runtime.outbound import Outbound
from pytest_httpserver import HTTPServer

from .servers import LOOPBACK, NOW


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
