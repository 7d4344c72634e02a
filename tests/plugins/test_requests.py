"""What an integration sends: forms, queries, authentication, tokens; and what it reads of an answer."""

import json
import pickle
from typing import Any
from urllib.parse import parse_qsl

import pytest
from experience_runtime.domain.errors import BlockedAddress, InvalidParameter, InvalidPayload
from experience_runtime.integration import Answer, Integration, IntegrationFailed, MemoryCache, OAuth2
from experience_runtime.plugins.http import BODY_BYTES, Outbound
from experience_runtime.plugins.registry import Registry
from experience_runtime.settings.load import Settings
from experience_runtime.testing import check_integration
from pydantic import BaseModel, SecretStr
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.support.raw_servers import NOW

TABLE = {"token_url": "https://id.example.com/token", "client_id": "me", "client_secret": "s3cret:/&"}


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"to": "+33 6", "text": "é&="}, [("to", "+33 6"), ("text", "é&=")]),
        ({"n": 1, "f": 1.5, "yes": True}, [("n", "1"), ("f", "1.5"), ("yes", "true")]),
        ({"tag": ["a", "b"], "none": []}, [("tag", "a"), ("tag", "b")]),
        ([("a", "1"), ("a", SecretStr("2"))], [("a", "1"), ("a", "2")]),
    ],
)
def test_a_form_and_a_query_arrive_as_they_were_given(
    outbound: Outbound, httpserver: HTTPServer, fields: Any, sent: Any
) -> None:
    httpserver.expect_request("/").respond_with_data("ok")

    outbound.post(httpserver.url_for("/?kept=1"), form=fields, query=fields)
    outbound.get(httpserver.url_for("/"), query=fields)

    posted, got = (request for request, _ in httpserver.log)
    assert posted.headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qsl(posted.get_data(as_text=True)) == sent
    assert parse_qsl(posted.query_string.decode()) == [("kept", "1"), *sent]
    assert (got.method, parse_qsl(got.query_string.decode())) == ("GET", sent)
    assert got.headers["accept-encoding"] == posted.headers["accept-encoding"] == "identity"


def test_a_user_and_a_secret_go_as_basic_authentication(outbound: Outbound, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("ok")

    outbound.request("PUT", httpserver.url_for("/"), json={"a": 1}, auth=("ada", SecretStr("é:s")))

    request = httpserver.log[0][0]
    assert request.authorization is not None
    assert (request.authorization.username, request.authorization.password) == ("ada", "é:s")
    assert request.get_json() == {"a": 1}


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ({"form": {"a": {}}}, InvalidPayload),
        ({"form": {"a": None}}, InvalidPayload),
        ({"query": {"a": "\ud800"}}, InvalidPayload),
        ({"json": float("nan")}, InvalidPayload),
        ({"form": {"a": 1}, "json": 1}, InvalidParameter),
        ({"auth": ("a:b", "c")}, InvalidParameter),
    ],
)
def test_what_cannot_be_sent_is_refused(outbound: Outbound, what: dict[str, Any], error: type) -> None:
    with pytest.raises(error):
        outbound.post("http://127.0.0.1:1/", **what)


def test_half_an_answer_is_never_read_as_nothing(outbound: Outbound, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_json(["x" * BODY_BYTES])

    answer = outbound.get(httpserver.url_for("/"))

    assert not answer.is_whole
    with pytest.raises(IntegrationFailed, match="longer than 64 KiB") as caught:
        answer.json()
    assert not caught.value.may_pass
    assert Answer(200, text="no JSON").json() is None


def test_another_protocol_gets_a_connection_to_an_allowed_address_only(
    outbound: Outbound, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/").respond_with_data("ok")
    guarded = Outbound(now=lambda: NOW)

    with outbound.within(5).connect("127.0.0.1", httpserver.port) as connection:
        assert 0 < (connection.gettimeout() or 0) <= 5
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.")
    with pytest.raises(BlockedAddress, match="a loopback address"):
        guarded.connect("127.0.0.1", httpserver.port)
    with pytest.raises(IntegrationFailed, match="no connection to") as caught:
        outbound.connect("127.0.0.1", 1)
    assert caught.value.may_pass


def test_what_is_kept_ends_and_the_oldest_makes_room() -> None:
    now = [0.0]
    cache = MemoryCache(now=lambda: now[0])
    cache.set("token", "t1", seconds=10)

    assert cache.get("token") == "t1"
    now[0] = 10.0
    assert cache.get("token") is None
    for number in range(1001):
        cache.set(str(number), "x", seconds=10)
    assert (cache.get("0"), cache.get("1"), cache.get("1000")) == (None, "x", "x")


def test_what_is_kept_is_redacted_as_a_secret_is_and_belongs_to_one_integration() -> None:
    settings = Settings()
    registry = Registry(settings)

    registry.cache("webhook").set("token", "the-token-of-today", seconds=10)

    assert registry.cache("webhook").get("token") == "the-token-of-today"
    assert registry.cache("slack-update").get("token") is None
    assert settings.redact('{"echo": "the-token-of-today"}') == '{"echo": "[redacted]"}'
    assert settings.redact("dGhlLXRva2VuLW9mLXRvZGF5") == "[redacted]"  # in base64
    assert pickle.loads(pickle.dumps(settings)) == settings


class _Client(BaseModel):
    oauth2: OAuth2


class Tokened(Integration[_Client, Any]):
    name = "tokened"
    settings = _Client

    def call(self, payload: Any, context: Any) -> Any:
        headers = {"idempotency-key": context.execution_id}
        url = "https://api.example.com/messages"
        sent = context.settings.oauth2.request(context, "POST", url, json=payload, headers=headers)
        return sent.require_success().json()


def test_a_client_that_fetches_its_tokens_keeps_the_rules() -> None:
    check_integration(Tokened, settings={"oauth2": TABLE}, payloads=[{"to": "+1"}], answer={"id": 1})


class _Api:
    """Gives tokens t1, t2, … and takes the newest only."""

    def __init__(self, httpserver: HTTPServer, **told: Any) -> None:
        self.tokens: list[Request] = []
        self.called_with: list[str] = []
        self.told = {"expires_in": 3600, **told}
        httpserver.expect_request("/token").respond_with_handler(self._token)
        httpserver.expect_request("/api").respond_with_handler(self._call)
        self.oauth2 = OAuth2.model_validate(
            TABLE | {"token_url": httpserver.url_for("/token"), "scope": "a b"}
        )
        self.url = httpserver.url_for("/api")

    def _token(self, request: Request) -> Response:
        self.tokens.append(request)
        return Response(json.dumps({"access_token": f"t{len(self.tokens)}", **self.told}))

    def _call(self, request: Request) -> Response:
        self.called_with.append(request.headers["authorization"])
        is_newest = self.called_with[-1] == f"Bearer t{len(self.tokens)}"
        return Response("{}", status=200 if is_newest else 401)

    def call(self, outbound: Outbound, cache: MemoryCache) -> int:
        class Context:
            http = outbound

        Context.cache = cache  # type: ignore[attr-defined]
        return self.oauth2.request(Context(), "POST", self.url, json=1).status  # type: ignore[arg-type]


def test_a_token_is_fetched_once_and_again_when_it_is_refused(
    outbound: Outbound, httpserver: HTTPServer
) -> None:
    api, cache = _Api(httpserver), MemoryCache()

    assert [api.call(outbound, cache), api.call(outbound, cache)] == [200, 200]
    api.tokens.append(api.tokens[0])  # somebody revokes it
    assert api.call(outbound, cache) == 200

    asked = api.tokens[0]
    assert asked.authorization is not None
    assert (asked.authorization.username, asked.authorization.password) == ("me", "s3cret%3A%2F%26")
    assert parse_qsl(asked.get_data(as_text=True)) == [("grant_type", "client_credentials"), ("scope", "a b")]
    assert api.called_with == ["Bearer t1", "Bearer t1", "Bearer t1", "Bearer t3"]


@pytest.mark.parametrize(
    ("told", "fetched"), [({"expires_in": 30}, 2), ({"expires_in": "x"}, 1), ({"expires_in": 31}, 1)]
)
def test_a_token_is_not_used_to_its_last_seconds(
    outbound: Outbound, httpserver: HTTPServer, told: dict[str, Any], fetched: int
) -> None:
    api, cache = _Api(httpserver, **told), MemoryCache(now=lambda: 0.0)

    api.call(outbound, cache)
    api.call(outbound, cache)

    assert len(api.tokens) == fetched


@pytest.mark.parametrize("token", [None, 5, "", "a\nb", "é"])
def test_an_answer_that_holds_no_token_fails_and_shows_nothing(
    outbound: Outbound, httpserver: HTTPServer, token: Any
) -> None:
    api = _Api(httpserver, access_token=token)

    with pytest.raises(IntegrationFailed, match="no access token") as caught:
        api.call(outbound, MemoryCache())

    assert not caught.value.may_pass
    assert "s3cret" not in f"{caught.value} {api.oauth2!r}"
    assert api.called_with == []
