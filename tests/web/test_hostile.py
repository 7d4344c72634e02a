"""Hostile requests: bodies, headers, paths and names meant to break out, to crash, or to be shown."""

import contextlib
import json
import logging
import socket
from typing import Any

import httpx
import pytest
from experience_runtime.domain.access import Scope
from experience_runtime.domain.executions import Filter
from experience_runtime.runtime import Runtime
from experience_runtime.web.guard.access_log import shown_path

from .conftest import Token, bearing

JSON = {"content-type": "application/json"}
RUN = "/v1/experiences/reminder/run"

HOSTILE = [
    "<script>alert(1)</script>",
    "' OR 1=1; DROP TABLE executions; --",
    "../../../../etc/passwd",
    "a\r\nX-Injected: yes",
    "\u202ereversed",
    "{{7*7}}${7*7}",
    "%00%0d%0a",
    "\ud800",
    "𝔘𝔫𝔦" * 40,
]


def refused(answer: httpx.Response) -> str:
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "x-injected" not in answer.headers
    assert "Traceback" not in answer.text
    return str(answer.json()["code"])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"[]",
        b"null",
        b'"text"',
        b'{"data": NaN}',
        b'{"data": Infinity}',
        b'{"data": 1e999}',
        b'{"data": -1e999}',
        b'{"data": ' + b"1" * 5000 + b"}",
        b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"visitor": "\xff\xfe"}',
        b'{"visitor": "\\ud800"}',
        b'{"visitor": "a\\u0000b"}',
        b'{"visitor": 1}',
        b'{"visitor": ["a"]}',
        b'{"visitor": {"$ne": null}}',
        b'{"unknown": 1}',
        b'{"__proto__": {"a": 1}}',
        b'{"timezone": "../../etc/passwd"}',
        b'{"timezone_offset": 99999999999999999999}',
        "{}".encode("utf-16"),
        b'{"visitor": "%s"}' % (b"v" * 201),
    ],
)
def test_a_body_that_is_not_what_it_should_be_is_refused(
    client: httpx.Client, runtime: Runtime, body: bytes
) -> None:
    assert refused(client.post(RUN, content=body, headers=JSON)) in (
        "invalid_parameter",
        "invalid_window",
    )
    assert runtime.store.count(Filter()) == 0


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_a_body_of_another_kind_is_refused(client: httpx.Client, runtime: Runtime, kind: str) -> None:
    assert refused(client.post(RUN, content=b'{"visitor": "v1"}', headers={"content-type": kind}))
    assert runtime.store.count(Filter()) == 0


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_kept_or_refused_and_never_act(
    client: httpx.Client, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    caplog.set_level(logging.INFO)
    bodies: list[tuple[str, str, Any]] = [
        ("POST", RUN, {"visitor": text}),
        ("POST", RUN, {"visitor": "v", "data": {text: text}}),
        ("POST", RUN, {"visitor": "v", "variation": text}),
        ("POST", RUN, {"visitor": "v", "timezone": text}),
        ("POST", "/v1/simulate", {"experience": text}),
        ("POST", "/v1/simulate", {"files": {"variation.js": text}}),
        ("POST", "/v1/simulate", {"files": {text: "1"}}),
        ("POST", "/v1/simulate", {"experience": "reminder", "at": text}),
        ("POST", "/v1/simulate", {"experience": "reminder", "story": {text: text}}),
        ("POST", "/v1/explain", {"delay": text}),
        ("POST", "/v1/explain", {"delay": 1, "window": {text: text}}),
        ("POST", "/v1/bulk/cancel", {"filter": {"visitor": text}, "dry_run": True}),
        ("POST", "/v1/preview", {"cron": text, "timezone": text}),
        ("PUT", "/v1/visitors/v1", {"timezone": text}),
        ("POST", "/v1/visitors/v1/events", {"type": text}),
        ("POST", "/v1/visitors/v1/events", {"type": "ecView", "data": text}),
        ("POST", "/v1/visitors/v1/convert", {"event": text}),
        ("POST", "/v1/integrations/webhook/call", {"payload": {"body": text}}),
    ]
    for method, path, body in bodies:
        answer = client.request(method, path, content=json.dumps(body), headers=JSON)
        assert answer.status_code < 500, (path, body, answer.text)
        assert "x-injected" not in answer.headers
        assert answer.headers["content-type"] in ("application/json", "application/problem+json")
    safe = text.encode("utf-8", "replace").decode()
    for query in ("visitor", "integration", "reason", "text", "since", "cursor"):
        answer = client.get("/v1/executions", params={query: safe})
        assert answer.status_code in (200, 422)
    assert all("\n" not in record.getMessage() for record in caplog.records)
    assert client.get("/v1/executions").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/v1/executions/..%2f..%2fetc%2fpasswd",
        "/v1/integrations/%2e%2e%2f%2e%2e",
        "/v1/schedules/%00",
        "/v1/visitors/%0d%0aX-Injected:%20yes",
        "/v1/visitors/%ff",
        "/v1/jobs/%3Cscript%3E",
        "/static/..%2f..%2fexperience.toml",
        "/static/%2e%2e/%2e%2e/experience.toml",
        "/v1/executions/ex_%F0%9F%92%A9",
    ],
)
def test_paths_lead_nowhere_else(client: httpx.Client, path: str) -> None:
    answer = client.get(path)

    refused(answer)
    assert "127.0.0.1:9" not in answer.text  # from the settings file


def raw(client: httpx.Client, request: bytes) -> bytes:
    """Send bytes as they are; return what came back."""
    with socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=60) as line:
        parts = []
        with contextlib.suppress(ConnectionError):  # it need not read to the end what it refuses
            line.sendall(request)
            while part := line.recv(65536):
                parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /v1/executions HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n",
        b"GET /v1/executions HTTP/1.1\r\n\r\n",
        b"GET /v1/executions HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\x00b\r\n\r\n",
        b"POST /v1/check HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/check HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: " + b"a" * 1_000_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_no_good_http_is_not_answered_with_good_news(client: httpx.Client, request_: bytes) -> None:
    answer = raw(client, request_.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))

    assert not answer.startswith(b"HTTP/1.1 2"), answer[:200]
    assert client.get("/healthz").status_code == 200


def test_a_secret_of_the_settings_is_in_no_answer(client: httpx.Client, runtime: Runtime) -> None:
    secret = "http://127.0.0.1:9/"

    for path in ("/v1/integrations", "/v1/integrations/webhook", "/v1/openapi.json", "/metrics"):
        assert secret not in client.get(path).text
    echoed = client.post("/v1/explain", json={"delay": "https://shop.example/hook?token=abc"})
    assert "token=abc" not in echoed.text
    assert secret in str(runtime.settings.integration("webhook"))  # it would have been there to be shown


def test_a_secret_that_a_person_gave_as_a_reason_is_in_no_answer(client: httpx.Client) -> None:
    secret = "http://127.0.0.1:9/"  # the webhook's url, by the settings
    reason = {"reason": f"see {secret}"}
    made = [client.post(RUN, json={"visitor": each}).json()["executions"][0]["id"] for each in ("v1", "v2")]

    answers = [
        client.post("/v1/integrations/webhook/pause", json=reason),
        client.post(f"/v1/executions/{made[0]}/cancel", json=reason),
        *(client.get(f"/v1/{path}") for path in ("integrations", "integrations/webhook", "executions")),
        *(client.get(f"/v1/executions/{each}") for each in made),
        *(client.get(path) for path in ("/", "/executions", "/settings/integrations/webhook")),
    ]

    assert {answer.status_code for answer in answers} == {200}
    for answer in answers:
        assert "see " in answer.text
        assert secret not in answer.text


def test_the_log_has_no_query_no_key_and_no_token(
    client: httpx.Client, token: Token, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    key = token(Scope.SITE)

    client.post(f"/integrations/k/{key}/x?secret=1")
    client.get("/v1/executions?visitor=somebody", headers=bearing(key))

    ours = [r.getMessage() for r in caplog.records if r.name.startswith("experience_runtime")]
    assert any(line.startswith("POST /integrations/k/…/x 200") for line in ours)
    for hidden in (key, "secret=1", "somebody"):
        assert hidden not in str(ours)


def test_a_defect_in_the_log_has_no_key_either(
    client: httpx.Client, token: Token, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    key = token(Scope.SITE)
    monkeypatch.setattr(
        "experience_runtime.web.wire.gateway.posted_object", lambda _: 1 / 0
    )  # a defect of ours

    answer = client.post(f"/integrations/k/{key}/conversion", json={})

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "POST /integrations/k/{site_key}/conversion failed" in caplog.text
    assert key not in caplog.text


@pytest.mark.parametrize(
    "path",
    [
        "/visitors/k/{}/events",
        "/assets/shop/k/{}/events",  # under no name that is served
        "/runtime/integrations/k/{}/conversion",  # a prefix that the proxy left on
        "//csml/apps/k/{}",
        "/Integrations/k/{}",
        "/visitors/run/x/{}",
        "/{}",
    ],
)
def test_no_path_that_nearly_takes_a_key_puts_it_into_the_log(
    client: httpx.Client, token: Token, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    caplog.set_level(logging.INFO)
    key = token(Scope.SITE)

    client.post(path.format(key))
    client.post(path.format(key.replace("_", "%5f")))

    ours = str([r.getMessage() for r in caplog.records if r.name.startswith("experience_runtime")])
    assert "POST /" in ours
    assert key[9:] not in ours


def test_a_path_in_the_log_is_short() -> None:
    assert len(shown_path("/" + "a" * 10_000)) <= 300


def test_a_defect_of_ours_is_told_without_its_details(
    client: httpx.Client, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    runtime.store.close()

    answer = client.get("/v1/executions")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert runtime.database_path not in answer.text
    foreign = client.get("/v1/executions", headers={"origin": "https://shop.example"})
    assert (foreign.status_code, foreign.json()["code"]) == (500, "internal_error")
    assert answer.headers["content-security-policy"]
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
    assert "was closed" in caplog.text
