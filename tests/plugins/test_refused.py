"""What is refused before anything is sent."""

import pytest
from experience_runtime.domain.errors import BlockedAddress, InvalidParameter
from experience_runtime.domain.urls import require_web_address
from experience_runtime.integration import IntegrationFailed
from experience_runtime.plugins.http import Outbound

from tests.support.raw_servers import NOW

NOT_PLAIN = [
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
    "http://127.0.0.1%2e/SECRET",
    "http://127.0.0.1%00.example.com/SECRET",
    "http://127.0.0.1 /SECRET",
    "http://127.0.0.1;example.com/SECRET",
    "http://127.0.0.1,example.com/SECRET",
    "http://127.0.0.1\\@example.com/SECRET",
    "http://example.com\\@127.0.0.1/SECRET",
    "http://127.0.0.1%2f@example.com/SECRET",
    "http://[fe80::1%25eth0]/SECRET",
    "http://[::1%25lo]/SECRET",
    "http://[127.0.0.1]/SECRET",
    "http://\u24dbocalhost/SECRET",
    "http://local\u00adhost/SECRET",
    "http:\\\\127.0.0.1/SECRET",
    "https://xn--SECRET-a/",
    "https://xn--a/SECRET",
]
BAD_PUNYCODE = [url for url in NOT_PLAIN if "xn--" in url]  # only who sends it knows all of it


@pytest.mark.parametrize("url", NOT_PLAIN)
def test_what_is_not_a_plain_web_address_is_refused(url: str) -> None:
    outbound = Outbound(now=lambda: NOW, resolve=lambda *_: pytest.fail("looked up"))

    with pytest.raises(InvalidParameter) as caught:
        outbound.request("GET", url)

    assert "SECRET" not in str(caught.value)
    outbound.close()


@pytest.mark.parametrize("url", [url for url in NOT_PLAIN if url not in BAD_PUNYCODE])
def test_a_setting_refuses_what_a_call_would_refuse(url: str) -> None:
    with pytest.raises(ValueError, match="must ") as caught:
        require_web_address(url)

    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "HTTPS://EXAMPLE.com:443/a?b#c",
        "http://127.0.0.1:8080/",
        "http://[::1]:8080/",
        "http://bücher.example/ä b",
        "https://xn--bcher-kva.example/",
        "https://example.com:/",
    ],
)
def test_a_setting_takes_what_a_call_takes(url: str) -> None:
    outbound = Outbound(now=lambda: NOW, resolve=lambda *_: [])

    require_web_address(url)
    with pytest.raises((IntegrationFailed, BlockedAddress)):
        outbound.request("GET", url)

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
