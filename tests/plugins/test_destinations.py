"""Where a call may go: a name is only as public as every address it has."""

import contextlib
import socket
import threading
from collections.abc import Sequence

import pytest
from experience_runtime.domain.errors import BlockedAddress
from experience_runtime.integration import IntegrationFailed
from experience_runtime.plugins.http import Outbound
from pytest_httpserver import HTTPServer

from tests.support.raw_servers import LOOPBACK, NOW


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0",
     "localhost", "LOCALHOST", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[0:0:0:0:0:ffff:7f00:1]",
     "0x7f.0.0.0x1", "127.0.0.1:80#@public.example", "@127.0.0.1", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
     "[::127.0.0.1]", "127。0。0。1"],
)  # fmt: skip
def test_every_spelling_of_this_machine_is_blocked(httpserver: HTTPServer, host: str) -> None:
    httpserver.expect_request("/").respond_with_data("reached")
    outbound = Outbound(now=lambda: NOW)
    port = "" if "#" in host else f":{httpserver.port}"

    with pytest.raises(BlockedAddress) as caught:
        outbound.post(f"http://{host}{port}/services/SECRET?k=SECRET")

    assert caught.value.code == "blocked_address"
    assert "SECRET" not in str(caught.value)
    assert httpserver.log == []
    outbound.close()


@pytest.mark.parametrize("host", ["127.0.0.1.", "localhost.", "localhost.."])
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


def test_a_name_that_turns_private_is_blocked_when_it_is_looked_up_again(httpserver: HTTPServer) -> None:
    """The connection of the first call is closed by the other side, so the second call looks again."""
    httpserver.expect_request("/").respond_with_data("ok", headers={"connection": "close"})
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    outbound = Outbound(now=lambda: NOW, allow_private=LOOPBACK, resolve=lambda *_: next(answers))
    url = f"http://turns.example:{httpserver.port}/"

    assert outbound.request("GET", url).text == "ok"
    with pytest.raises(BlockedAddress, match=r"turns\.example"):
        outbound.request("GET", url)

    assert len(httpserver.log) == 1
    outbound.close()


def test_a_name_without_addresses_may_pass() -> None:
    outbound = Outbound(now=lambda: NOW, resolve=lambda *_: [])

    with pytest.raises(IntegrationFailed, match="no address") as caught:
        outbound.request("GET", "http://empty.example/")

    assert caught.value.may_pass
    outbound.close()


def test_a_name_server_that_hangs_holds_up_its_own_names_only(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("ok")
    over, begun = threading.Event(), list[str]()

    def hangs_for_some(host: str, _port: int) -> Sequence[str]:
        begun.append(host)
        if host == "hangs.example":
            over.wait(60)
        return ["127.0.0.1"]

    outbound = Outbound(now=lambda: NOW, allow_private=LOOPBACK, resolve=hangs_for_some, deadline_seconds=5)

    def call_what_hangs() -> None:
        with contextlib.suppress(IntegrationFailed):
            outbound.send("GET", f"http://hangs.example:{httpserver.port}/", timeout=0.3)

    threads = [threading.Thread(target=call_what_hangs) for _ in range(40)]
    for thread in threads:
        thread.start()

    answer = outbound.request("GET", f"http://works.example:{httpserver.port}/")

    over.set()
    for thread in threads:
        thread.join()
    assert answer.text == "ok"
    assert sorted(begun) == ["hangs.example", "works.example"]
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
