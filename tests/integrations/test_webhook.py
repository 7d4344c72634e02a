"""webhook against a server that keeps what it was sent."""

from typing import Any

import pytest
from experience_integrations.webhook import Settings, Webhook
from experience_runtime.domain.errors import NotConfigured
from experience_runtime.integration import IntegrationFailed
from experience_runtime.plugins.http import Outbound
from experience_runtime.plugins.registry import Registry
from experience_runtime.settings.load import Settings as RuntimeSettings
from pytest_httpserver import HTTPServer

from .conftest import context_for


def call(outbound: Outbound, httpserver: HTTPServer, payload: Any = None, **settings: Any) -> Any:
    given = Settings.model_validate({"url": httpserver.url_for("/hook?key=SECRET"), **settings})
    return Webhook().call(payload, context_for(given, outbound))


@pytest.mark.parametrize("payload", [None, 5, "text", ["a"], {"a": {"b": None}}])
def test_any_json_is_posted_with_the_executions_id(
    outbound: Outbound, httpserver: HTTPServer, payload: Any
) -> None:
    httpserver.expect_request("/hook", method="POST").respond_with_json({"got": True}, status=202)

    answer = call(outbound, httpserver, payload)

    request = httpserver.log[0][0]
    assert answer == {"status": 202, "body": {"got": True}}
    assert request.get_json() == payload
    assert request.query_string == b"key=SECRET"
    assert request.headers["webhook-id"] == "ex_1"
    assert request.headers["webhook-timestamp"] == "1772818200"  # whole seconds of NOW


def test_configured_headers_are_sent_and_cannot_replace_the_id(
    outbound: Outbound, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook").respond_with_data("")

    call(outbound, httpserver, headers={"Authorization": "Bearer SECRET", "Webhook-Id": "mine"})

    headers = httpserver.log[0][0].headers
    assert headers["authorization"] == "Bearer SECRET"
    assert headers.get_all("webhook-id") == ["ex_1"]


@pytest.mark.parametrize(
    ("body", "content_type", "given"),
    [
        ("hello", "text/plain", "hello"),
        ("", "text/plain", ""),
        ("5", "text/plain", "5"),
        ("5", "application/json", 5),
        ("[1]", "application/problem+json", [1]),
        ("{not", "application/json", "{not"),
        ("NaN", "application/json", "NaN"),
        ("x" * 5000, "text/plain", "x" * 5000),  # whole: it is redacted before it is cut
    ],
)
def test_the_answer_is_json_or_an_excerpt_of_the_text(
    outbound: Outbound, httpserver: HTTPServer, body: str, content_type: str, given: Any
) -> None:
    httpserver.expect_request("/hook").respond_with_data(body, content_type=content_type)

    assert call(outbound, httpserver) == {"status": 200, "body": given}


def test_an_answer_that_was_cut_says_so(outbound: Outbound, httpserver: HTTPServer) -> None:
    body = '["' + "x" * 70_000 + '"]'
    httpserver.expect_request("/hook").respond_with_data(body, content_type="application/json")

    assert call(outbound, httpserver) == {"status": 200, "body": body[: 64 * 1024], "is_whole": False}


@pytest.mark.parametrize(
    ("status", "may_pass", "says"),
    [
        (301, False, "redirect"),
        (400, False, "400"),
        (404, False, "404"),
        (408, True, "408"),
        (425, True, "425"),
        (429, True, "429"),
        (500, True, "500"),
        (503, True, "503"),
    ],
)
def test_the_status_decides_whether_to_try_again(
    outbound: Outbound, httpserver: HTTPServer, status: int, may_pass: bool, says: str
) -> None:
    httpserver.expect_request("/hook").respond_with_data("no", status=status, headers={"retry-after": "7"})

    with pytest.raises(IntegrationFailed) as caught:
        call(outbound, httpserver)

    assert (caught.value.status, caught.value.may_pass, caught.value.retry_after) == (status, may_pass, 7.0)
    assert says in caught.value.message
    assert "SECRET" not in caught.value.message


def test_a_header_that_cannot_be_sent_does_not_show() -> None:
    table = {"url": "https://hooks.example/", "headers": {"authorization": "SECRET\nSECRET"}}

    with pytest.raises(NotConfigured, match=r"headers\.authorization is wrong") as caught:
        Registry(RuntimeSettings(integrations={"webhook": table})).settings("webhook")

    assert "SECRET" not in str(caught.value)


def test_without_a_url_it_is_not_configured() -> None:
    registry = Registry(RuntimeSettings(integrations={"webhook": {"headers": {"a": "b"}}}))

    with pytest.raises(NotConfigured, match="EXPERIENCE_INTEGRATION__WEBHOOK__URL"):
        registry.settings("webhook")


def test_the_payload_cannot_choose_the_url(outbound: Outbound, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/hook").respond_with_data("")

    call(outbound, httpserver, {"url": httpserver.url_for("/other")})

    assert [request.path for request, _ in httpserver.log] == ["/hook"]
