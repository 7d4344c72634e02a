"""http against a real server: what a payload holds goes where the settings say, and nowhere else."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from experience_integrations.http import HttpCall, Settings
from experience_runtime.domain.errors import InvalidPayload
from experience_runtime.plugins.http import Outbound
from experience_runtime.plugins.registry import Registry
from experience_runtime.settings.load import Settings as AllSettings
from experience_runtime.testing import check_integration
from pydantic import ValidationError
from pytest_httpserver import HTTPServer

from .conftest import NOW, context_for

SECONDS = int(NOW.timestamp())


def call(server: HTTPServer, outbound: Outbound, payload: Any, *, path: str = "/x", **table: Any) -> Any:
    url = server.url_for("/").replace("localhost", "127.0.0.1").rstrip("/") + path
    settings = Settings.model_validate({"url": url, **table})
    HttpCall().check(payload, settings)
    return HttpCall().call(payload, context_for(settings, outbound))


def test_a_call_goes_as_the_settings_say(httpserver: HTTPServer, outbound: Outbound) -> None:
    httpserver.expect_request("/users/Ann/B ß?/7/true/b").respond_with_json({"done": True}, status=201)
    payload = {"user": "Ann/B ß?", "n": 7, "ok": True, "list": ["a", "b"], "q": "a&b=c"}

    answer = call(
        httpserver,
        outbound,
        payload,
        path="/users/{payload.user}/{payload.n}/{payload.ok}/{payload.list.1}?q={payload.q}&once={execution_id}",
        method="PUT",
        headers={"X-Customer": "no. {payload.n}", "x-at": "{timestamp}"},
        bearer="t0ken",
    )

    (request, _) = httpserver.log[0]
    assert answer == {"status": 201, "body": {"done": True}}
    assert request.environ["REQUEST_URI"] == "/users/Ann%2FB%20%C3%9F%3F/7/true/b?q=a%26b%3Dc&once=ex_1"
    assert (request.method, request.get_json()) == ("PUT", payload)
    told = {
        name: request.headers[name] for name in ("x-customer", "x-at", "authorization", "idempotency-key")
    }
    assert told == {
        "x-customer": "no. 7",
        "x-at": str(SECONDS),
        "authorization": "Bearer t0ken",
        "idempotency-key": "ex_1",
    }


@pytest.mark.parametrize(
    ("table", "kind", "sent"),
    [
        ({"method": "GET"}, None, b""),
        ({"body": "none"}, None, b""),
        ({"body": "form"}, "application/x-www-form-urlencoded", b"a=1&b=x&b=true"),
        ({}, "application/json", b'{"a": 1, "b": ["x", true]}'),
    ],
)
def test_the_body_is_json_or_a_form_or_none(
    httpserver: HTTPServer, outbound: Outbound, table: Mapping[str, Any], kind: str | None, sent: bytes
) -> None:
    httpserver.expect_request("/x").respond_with_data("fine")

    assert call(httpserver, outbound, {"a": 1, "b": ["x", True]}, **table)["body"] == "fine"
    (request, _) = httpserver.log[0]
    assert (request.headers.get("content-type"), request.get_data()) == (kind, sent)


def test_basic_authentication_and_oauth2(httpserver: HTTPServer, outbound: Outbound) -> None:
    httpserver.expect_request("/token").respond_with_json({"access_token": "abc"})
    httpserver.expect_request("/x").respond_with_data("fine")
    token_url = httpserver.url_for("/token").replace("localhost", "127.0.0.1")

    call(httpserver, outbound, {}, basic={"user": "ann", "password": "pä:ss"})
    call(httpserver, outbound, {}, oauth2={"token_url": token_url, "client_id": "c", "client_secret": "s"})

    sent = [request.headers["authorization"] for request, _ in httpserver.log if request.path == "/x"]
    assert sent == [f"Basic {base64.b64encode('ann:pä:ss'.encode()).decode()}", "Bearer abc"]


@pytest.mark.parametrize(
    ("table", "signed", "algorithm", "is_hex"),
    [
        ({}, b"BODY", "sha256", True),
        ({"signs": "v0:{timestamp}:{body}", "prefix": "v0=", "timestamp_header": "x-at"},
         f"v0:{SECONDS}:BODY".encode(), "sha256", True),
        ({"signs": "{method}\n{path}\n{execution_id}\n{body}", "algorithm": "sha512", "encoding": "base64"},
         b"POST\n/x?a=b\nex_1\nBODY", "sha512", False),
    ],
)  # fmt: skip
def test_a_signature_is_made_as_the_api_documents_it(
    httpserver: HTTPServer, outbound: Outbound, table: Any, signed: bytes, algorithm: str, is_hex: bool
) -> None:
    httpserver.expect_request("/x").respond_with_data("fine")
    payload = {"text": "{timestamp} ß"}  # what looks like a placeholder in a body is none

    call(httpserver, outbound, payload, path="/x?a=b", hmac={"secret": "s3cret", "header": "X-Sig", **table})

    (request, _) = httpserver.log[0]
    whole = signed.replace(b"BODY", json.dumps(payload).encode())
    digest = hmac.new(b"s3cret", whole, getattr(hashlib, algorithm)).digest()
    text = digest.hex() if is_hex else base64.b64encode(digest).decode()
    assert request.headers["x-sig"] == table.get("prefix", "") + text
    assert request.headers.get("x-at") == (str(SECONDS) if "timestamp_header" in table else None)


HOSTILE = [
    ("/u/{payload.x}", "..", "holds . or .."),
    ("/u/{payload.x}", "a/../../b", "holds . or .."),
    ("/u/{payload.x}", "..\\b", "holds . or .."),
    ("/u/{payload.x}", "%2e%2e", "holds . or .."),
    ("/u/{payload.x}", "a%252f..", "holds . or .."),
    ("/u/.{payload.x}", ".", "holds . or .."),
    ("/u/{payload.x}{payload.x}", ".", "holds . or .."),
    ("/u/{payload.x}", "a\r\nX-Evil: 1", "line break"),
    ("/u?q={payload.x}", "a\nb", "line break"),
    ("/u/{payload.x}", "a\x00", "control character"),
    ("/u/{payload.x}", "", "1 to 1000"),
    ("/u/{payload.x}", " ", "1 to 1000"),
    ("/u/{payload.x}", "x" * 1001, "1 to 1000"),
    ("/u/{payload.x}/{payload.x}/{payload.x}", "ß" * 300, "at most 2048"),
    ("/u/{payload.x}", "\ud800", "half a character"),
    ("/u/{payload.x}", None, "must be text, a number"),
    ("/u/{payload.x}", {"y": 1}, "must be text, a number"),
    ("/u/{payload.x.y}", "text", "payload.x.y is missing"),
    ("/u/{payload.y}", "x", "payload.y is missing"),
    ("/u/{payload.x.1}", ["a"], "payload.x.1 is missing"),
]


@pytest.mark.parametrize(("path", "value", "says"), HOSTILE)
def test_a_value_that_could_lead_elsewhere_is_refused_when_it_is_scheduled(
    path: str, value: Any, says: str
) -> None:
    table = {"url": f"https://api.example.com{path}"}

    with pytest.raises(InvalidPayload) as caught:
        Registry(AllSettings(integrations={"http": table})).parse_payload("http", {"x": value})

    assert says in caught.value.message


@pytest.mark.parametrize(
    "value", ["@evil.example", "evil.example/", "//evil.example", "\\evil", ":8", "?a#b"]
)
@pytest.mark.parametrize("path", ["/{payload.x}", "/a/{payload.x}?x={payload.x}", "?x={payload.x}"])
def test_no_value_changes_the_host(httpserver: HTTPServer, outbound: Outbound, value: str, path: str) -> None:
    httpserver.expect_request(re.compile(".*"), method="POST").respond_with_data("fine")

    assert call(httpserver, outbound, {"x": value}, path=path)["body"] == "fine"
    assert len(httpserver.log) == 1


@pytest.mark.parametrize(
    ("value", "says"), [("a\r\nX-Evil: 1", "line break"), ("ß", "plain ASCII"), ("\x7f", "control")]
)
def test_a_value_breaks_out_of_no_header(value: str, says: str) -> None:
    table = {"url": "https://api.example.com/", "headers": {"x-name": "n {payload.x}"}}

    with pytest.raises(InvalidPayload) as caught:
        Registry(AllSettings(integrations={"http": table})).parse_payload("http", {"x": value})

    assert says in caught.value.message


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"url": "https://{payload.host}/x"}, "placeholder in its host"),
        ({"url": "https://api.example.com:{payload.port}/x"}, "host"),
        ({"url": "https://api.example.com{payload.x}"}, "placeholder in its host"),
        ({"url": "{payload.url}"}, "starts with"),
        ({"url": "https://a.example/#{payload.x}"}, "behind #"),
        ({"url": "https://a.example/{payload}"}, "placeholder that is none"),
        ({"url": "https://a.example/{secret}"}, "placeholder that is none"),
        ({"url": "https://a.example/{payload.x"}, "brace"),
        ({"url": "https://u:p@a.example/"}, "no user name"),
        ({"headers": {"x-a": "{x}"}}, "placeholder that is none"),
        ({"headers": {"host": "evil.example"}}, "set by the runtime"),
        ({"headers": {"x-a": "a\nb"}}, "line break"),
        ({"headers": {"Idempotency-Key": "1"}}, "idempotency-key twice"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "x-a twice"),
        ({"headers": {"Authorization": "x"}, "bearer": "y"}, "bearer and headers.authorization"),
        ({"basic": {"user": "a:b", "password": "x"}}, "colon"),
        ({"basic": {"user": "a", "pasword": "x"}}, "pasword"),
        ({"method": "GET", "body": "json"}, "with GET"),
        ({"method": "CONNECT"}, "CONNECT"),
        ({"hmac": {"secret": "s", "signs": "{timestamp}"}}, "{body}"),
        ({"hmac": {"secret": "s", "signs": "{body}{x}"}}, "leave the others out"),
        ({"hmac": {"secret": "s", "header": "Authorization"}, "bearer": "t"}, "bearer and hmac"),
    ],
)
def test_settings_that_cannot_be_called_safely_are_refused(table: Mapping[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"url": "https://a.example/", **table})

    assert says in str(caught.value)


SIGNED = {"hmac": {"secret": "s3cret", "signs": "{path}{body}"}, "method": "GET"}


@pytest.mark.parametrize(
    "path", ["/a b", "/caf\u00e9", "/a/../b", "/./a", "/a?b=c d", "/%zz", "/a?", "/a?b='", "/|"]
)
def test_an_address_that_is_sent_in_another_spelling_is_not_signed(path: str) -> None:
    with pytest.raises(ValidationError, match="another spelling"):
        Settings.model_validate({"url": f"https://a.example{path}", **SIGNED})

    Settings.model_validate({"url": f"https://a.example{path}"})  # unsigned, it may


def test_what_is_signed_of_an_address_is_what_is_sent(httpserver: HTTPServer, outbound: Outbound) -> None:
    httpserver.expect_request(re.compile("/.*")).respond_with_data("fine")
    plain = "/A-z0~9._!$&()*+,;=:@/%c3%A4?q=a/b?c:@!$(),;*&d=%20+-._~"

    call(httpserver, outbound, {}, path=plain, **SIGNED)

    (request, _) = httpserver.log[0]
    sent = str(request.environ["REQUEST_URI"])
    assert sent == plain
    assert request.headers["x-signature"] == hmac.new(b"s3cret", sent.encode(), "sha256").hexdigest()


def test_what_cannot_be_a_form_is_refused() -> None:
    registry = Registry(AllSettings(integrations={"http": {"url": "https://a.example/", "body": "form"}}))

    no_forms: list[tuple[Any, str]] = [("text", "must be an object"), ({"a": {}}, "payload.a")]
    for payload, says in [*no_forms, ({"a": [[]]}, "payload.a")]:
        with pytest.raises(InvalidPayload, match=says):
            registry.parse_payload("http", payload)


@pytest.mark.parametrize(
    "more",
    [
        {"bearer": "t0ken-of-mine"},
        {"method": "GET"},
        {"oauth2": {"client_id": "c", "client_secret": "s3cret"}},
        {"hmac": {"secret": "s3cret-of-hmac"}, "body": "form"},
    ],
    ids=str,
)
def test_the_rules_of_integrations_are_kept(more: dict[str, Any]) -> None:
    def table(url: str) -> dict[str, Any]:
        told = {"url": f"{url}/{{payload.x}}", **more}
        return told | (
            {"oauth2": {**more["oauth2"], "token_url": f"{url}/token"}} if "oauth2" in more else {}
        )

    check_integration(
        HttpCall, settings=table, payloads=[{"x": "a b"}], refused=[{"x": ".."}, {}, "text"], answer={"ok": 1}
    )
