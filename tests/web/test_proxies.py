"""Behind a proxy: whose word counts, and what stays closed."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from experience_runtime.domain.access import Scope
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import load_settings
from experience_runtime.web.guard.hosts import host_name
from experience_runtime.web.guard.middleware import is_own_origin
from experience_runtime.web.guard.proxies import Trust
from experience_runtime.web.server import make_web
from starlette.datastructures import Headers

from tests.support.serving import serving

from .conftest import Token, bearing
from .proxied import TRUSTED, log_in

# --- while everything is open


@pytest.mark.parametrize(
    "header",
    [
        *("forwarded", "via", "x-forwarded", "x-forwarded-for", "X-Forwarded-Proto", "x-forwarded-anything"),
        *("X-Real-IP", "True-Client-IP", "CF-Ray", "x-original-url", "X-Scheme", "Tailscale-User-Login"),
    ],
)
def test_while_all_is_open_nothing_that_came_through_a_proxy_is_answered(
    client: httpx.Client, token: Token, header: str
) -> None:
    before = client.get("/v1/experiences", headers={header: "127.0.0.1"})
    closed = client.get("/v1/experiences", headers=bearing(token(Scope.AUTHOR), **{header: "127.0.0.1"}))

    assert (before.status_code, before.json()["code"]) == (403, "forbidden")
    assert header.lower() in before.json()["detail"]
    assert "experience tokens create" in before.json()["detail"]
    assert closed.status_code == 200


@pytest.mark.parametrize(("origin", "status"), [("https://ops.example", 403), ("http://localhost:1", 200)])
def test_while_all_is_open_a_browser_that_asked_another_name_is_not_answered(
    client: httpx.Client, origin: str, status: int
) -> None:
    headers = {"origin": origin, "sec-fetch-site": "same-origin"}

    assert client.get("/v1/experiences", headers=headers).status_code == status


def test_the_health_is_told_through_a_proxy_and_under_any_name(client: httpx.Client) -> None:
    answer = client.get("/healthz", headers={"host": "10.1.2.3", "via": "1.1 proxy"})

    assert (answer.status_code, answer.json()) == (200, {"up": True})


def test_a_door_that_was_closed_once_stays_closed(runtime: Runtime, token: Token) -> None:
    token(Scope.OPERATOR)
    runtime.store.tokens.revoke("operator", now=runtime.clock.now())

    with serving(make_web(runtime, is_open=True)) as address:
        answer = httpx.get(f"{address}/v1/experiences", trust_env=False)

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("localhost:8080", "localhost"),
        ("[::1]", "::1"),
        ("[::1]:80", "::1"),
        ("[::1]evil.example", ""),
        ("[::1]:80.evil.example", ""),
        ("127.0.0.1:80evil", ""),
        ("127.0.0.1:1:2", ""),
        ("evil@127.0.0.1", ""),
        ("127.0.0.1 ", ""),
        ("[127.0.0.1", ""),
        ("", ""),
    ],
)
def test_a_host_is_read_from_its_first_sign_to_its_last(host: str, name: str) -> None:
    assert host_name(host) == name


# --- whose word counts


SAID = {
    "x-forwarded-for": "192.0.2.9",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "ops.example",
    "x-forwarded-prefix": "/runtime",
}


def test_a_trusted_proxy_is_believed(behind: Callable[[str], httpx.Client], token: Token) -> None:
    client, text = behind(TRUSTED), token(Scope.OPERATOR)

    opened = log_in(client, text, origin="https://ops.example", **SAID)
    cookie = opened.headers["set-cookie"]
    page = client.get("/executions", headers={**SAID, "cookie": cookie.partition(";")[0]})
    sent_away = client.get("/executions?status=failed", headers=SAID)

    assert (opened.status_code, opened.headers["location"]) == (303, "/runtime/executions")
    assert cookie.startswith("__Host-experience_session=")
    assert "; Secure" in cookie
    assert "Path=/" in cookie
    assert page.status_code == 200
    addresses = re.findall(r'(?:href|src|action)="(/[^"]*)"', page.text)
    assert len(addresses) > 10
    assert [each for each in addresses if not each.startswith("/runtime/")] == []
    assert sent_away.headers["location"] == "/runtime/login?to=%2Fexecutions%3Fstatus%3Dfailed"
    assert client.get("/v1/openapi.json", headers=SAID).json()["servers"] == [{"url": "/runtime"}]
    assert client.get("/v1/openapi.json").json()["servers"] == [{"url": "/"}]


def test_nobody_else_is(behind: Callable[[str], httpx.Client], token: Token) -> None:
    client, text = behind('trusted_proxies = ["10.0.0.0/8"]'), token(Scope.OPERATOR)

    refused = log_in(client, text, origin="https://ops.example", **SAID)
    opened = log_in(client, text, **SAID)

    assert refused.status_code == 403
    assert opened.headers["location"] == "/executions"
    assert opened.headers["set-cookie"].startswith("experience_session=")
    assert "Secure" not in opened.headers["set-cookie"]


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("192.0.2.9", "192.0.2.9"),
        ("203.0.113.1, 192.0.2.9", "192.0.2.9"),  # the first was written by the caller
        ("192.0.2.9, 10.1.2.3", "192.0.2.9"),
        ("10.1.2.3", "10.1.2.3"),
        ("nonsense, 10.1.2.3", "10.1.2.3"),
        ("192.0.2.9:5678", "192.0.2.9"),
        ("[2001:db8::1]:5678", "2001:db8::1"),
        ("nonsense", "127.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
def test_the_caller_is_the_last_address_that_is_no_proxy_of_ours(forwarded: str, client: str) -> None:
    from experience_runtime.web.guard.proxies import Proxied

    seen: list[Any] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["client"][0])

    networks = load_settings(
        environ={"EXPERIENCE_SERVE_TRUSTED_PROXIES": "127.0.0.1,10.0.0.0/8"}
    ).served.trusted_proxies
    scope = {
        "type": "http",
        "client": ("127.0.0.1", 5),
        "headers": [(b"x-forwarded-for", forwarded.encode())],
    }
    with pytest.raises(StopIteration):
        Proxied(app, is_trusted=Trust(networks))(scope, None, None).send(None)  # type: ignore[arg-type]

    assert seen == [client]


@pytest.mark.parametrize(
    "said",
    [
        {"x-forwarded-prefix": '/"><script>'},
        {"x-forwarded-prefix": "//evil.example"},
        {"x-forwarded-prefix": "/a/../b c"},
        {"x-forwarded-host": "a b"},
        {"x-forwarded-proto": "javascript"},
    ],
)
def test_what_a_proxy_cannot_mean_is_passed_over(
    behind: Callable[[str], httpx.Client], said: dict[str, str], token: Token
) -> None:
    token(Scope.OPERATOR)
    answer = behind(TRUSTED).get("/login", headers=said)

    assert answer.status_code == 200
    assert "script>" not in answer.text.replace("</script>", "")
    assert "evil" not in answer.text


@pytest.mark.parametrize(
    "lines", ['trusted_proxies = "127.0.0.1"', "trusted_proxies = [5]", 'trusted_proxies = ["all"]']
)
def test_a_proxy_is_named_by_its_address(folder: Path, lines: str) -> None:
    from experience_runtime.domain.errors import InvalidParameter

    (folder / "experience.toml").write_text(f"[serve]\n{lines}\n")

    with pytest.raises(InvalidParameter, match=r"serve.trusted_proxies"):
        load_settings(config=folder / "experience.toml", environ={})


# --- a proxy that says nothing


@pytest.mark.parametrize(
    ("origin", "host", "is_own"),
    [
        ("https://ops.example", "ops.example:443", True),
        ("http://ops.example", "ops.example:80", True),
        ("https://ops.example", "OPS.example", True),
        ("https://ops.example", "ops.example:80", False),
        ("http://ops.example:8080", "ops.example", False),
        ("https://ops.example", "127.0.0.1:8080", False),
        ("null", "null", False),
        ("file://", "", False),
    ],
)
def test_an_origin_is_the_host_with_or_without_the_usual_port(origin: str, host: str, is_own: bool) -> None:
    assert is_own_origin(Headers({"origin": origin, "host": host})) is is_own


def test_a_browser_that_says_where_it_is_may_log_in_whatever_the_proxy_made_of_the_host(
    client: httpx.Client, token: Token
) -> None:
    said = {"origin": "https://ops.example", "sec-fetch-site": "same-origin"}

    assert log_in(client, token(Scope.OPERATOR), **said).status_code == 303


def test_one_that_does_not_is_shown_a_page_that_names_the_proxy_and_the_setting(
    client: httpx.Client, token: Token
) -> None:
    answer = log_in(client, token(Scope.OPERATOR), origin="http://ops.example")

    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("text/html")
    for word in ("http://ops.example", "proxy", "trusted_proxies", "[serve]", "X-Forwarded-Host"):
        assert word in answer.text
