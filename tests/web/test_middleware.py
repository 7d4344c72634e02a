"""What stands around every request: headers, hosts, origins, body limits, problems."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from experience_runtime.domain.access import Scope
from experience_runtime.runtime import Runtime

from .conftest import Token, bearing


def test_every_answer_has_the_headers(client: httpx.Client) -> None:
    answer = client.get("/nowhere")

    assert answer.status_code == 404
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


def test_what_is_not_there_is_a_problem_document(client: httpx.Client) -> None:
    answer = client.get("/nowhere<script>")

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": 'there is nothing at "/nowhere<script>"; /v1/openapi.json lists what there is',
        "code": "invalid_parameter",
    }


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "8.8.8.8", "", "[::2]:8080"])
def test_while_all_is_open_only_names_of_this_machine_are_answered(client: httpx.Client, host: str) -> None:
    answer = client.get("/v1/openapi.json", headers={"host": host})

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "127.8.8.8", "[::1]:8080"])
def test_the_names_of_this_machine_are_answered(client: httpx.Client, host: str) -> None:
    assert client.get("/v1/openapi.json", headers={"host": host}).status_code == 200


def test_once_there_is_a_token_any_name_is_answered_as_behind_a_proxy(
    client: httpx.Client, token: Token
) -> None:
    headers = bearing(token(Scope.OPERATOR), host="shop.example")

    answer = client.get("/v1/executions", headers=headers)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "own", "sec-fetch-site": "cross-site"},
        {"cookie": "experience_session=x"},
    ],
)
def test_another_sites_page_writes_nothing(client: httpx.Client, headers: dict[str, str]) -> None:
    answer = client.post("/logout", headers=own(headers, client))

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    "headers",
    [{}, {"origin": "own"}, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}],
)
def test_an_own_page_may_write(client: httpx.Client, headers: dict[str, str]) -> None:
    assert client.post("/logout", headers=own(headers, client)).status_code == 303


def test_a_preflight_is_granted_to_the_origins_of_tokens_only(client: httpx.Client, token: Token) -> None:
    key = token(Scope.SITE, origins=["https://shop.example"])
    asked = {"access-control-request-method": "POST"}

    granted = client.options(f"/integrations/k/{key}/x", headers={"origin": "https://shop.example", **asked})
    refused = client.options(f"/integrations/k/{key}/x", headers={"origin": "https://evil.example", **asked})

    assert granted.status_code == 204
    assert granted.headers["access-control-allow-origin"] == "https://shop.example"
    assert "access-control-allow-credentials" not in granted.headers
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers


def own(headers: dict[str, str], client: httpx.Client) -> dict[str, str]:
    """The headers, with the server's own origin where they say `own`."""
    return {name: value.replace("own", str(client.base_url).rstrip("/")) for name, value in headers.items()}


def chunks(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield b"x" * 65536


def test_a_body_that_is_too_large_is_refused_also_in_chunks(client: httpx.Client) -> None:
    whole = client.post("/login", content=b"x" * 600_000)
    chunked = client.post(
        "/login", content=chunks(10), headers={"content-type": "application/x-www-form-urlencoded"}
    )

    for answer in (whole, chunked):
        assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


def test_a_token_opens_a_session_and_logout_ends_it(
    client: httpx.Client, token: Token, runtime: Runtime
) -> None:
    text = token(Scope.OPERATOR)

    opened = client.post("/login", data={"token": text, "to": "/integrations?x=1"})
    cookie = opened.headers["set-cookie"]

    assert (opened.status_code, opened.headers["location"]) == (303, "/integrations?x=1")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert text not in cookie
    secret = client.cookies["experience_session"]
    assert secret.encode() not in Path(runtime.database_path).read_bytes()
    form_token = re.findall(r'name="form_token" value="(\w+)"', client.get("/executions").text)[0]
    client.post("/logout", data={"form_token": form_token}, headers=own({"origin": "own"}, client))
    assert "experience_session" not in client.cookies


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "/a\r\nSet-Cookie: x"]
)
def test_login_sends_nobody_elsewhere(client: httpx.Client, token: Token, to: str) -> None:
    opened = client.post("/login", data={"token": token(Scope.AUTHOR), "to": to})

    assert opened.headers["location"] == "/"


def test_a_site_key_opens_no_session(client: httpx.Client, token: Token) -> None:
    assert client.post("/login", data={"token": token(Scope.SITE)}).status_code == 403
    assert client.post("/login", data={"token": "exp_operator_wrong"}).status_code == 401


def test_a_token_is_bearing_nothing_into_the_headers(client: httpx.Client, token: Token) -> None:
    answer = client.get("/v1/nothing", headers=bearing(token(Scope.OPERATOR)))

    assert answer.status_code == 404
