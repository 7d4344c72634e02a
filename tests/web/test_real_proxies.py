"""Behind nginx and Caddy from Debian, with the files of `deploy/`."""

import re
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from experience_runtime.domain.access import Scope

from tests.support.certificates import CERTIFICATE
from tests.support.proxies import PATIENCE_SECONDS, Proxy

from .conftest import CONFIG, Token, bearing
from .proxied import FORM, TRUSTED, log_in

DEPLOY = Path(__file__).parents[2] / "deploy"
SAMPLE = DEPLOY / "nginx.conf"


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Callable[[str], int]]:
    """Run Debian's nginx with this server block; gives the port it listens on, put in for `443`."""
    proxy = Proxy("nginx", tmp_path / "nginx", package="nginx-light")

    def run(server: str) -> int:
        place = proxy.place
        server = proxy.settings(server, {"listen 443": f"listen 127.0.0.1:{proxy.port}"})
        temporary = "".join(
            f"{kind}_temp_path {place};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (place / "nginx.conf").write_text(
            f"daemon off; pid {place}/pid; error_log {place}/error.log; events {{}}\n"
            f"http {{ access_log off; {temporary}\n{server}\n}}"
        )
        proxy.start("-p", str(place), "-c", str(place / "nginx.conf"))
        return proxy.port

    yield run
    proxy.stop()


@pytest.fixture
def caddy(tmp_path: Path) -> Iterator[Callable[[str], int]]:
    """Run Debian's Caddy with the file of `deploy/` before this address; gives the port it listens on."""
    proxy = Proxy("caddy", tmp_path / "caddy", package="caddy")

    def run(upstream: str) -> int:
        settings = proxy.place / "Caddyfile"
        # no port 80, and none to be told new settings at
        settings.write_text(
            "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"
            + proxy.settings(
                (DEPLOY / "Caddyfile").read_text(),
                {
                    "ops.example:443": f"localhost:{proxy.port}",
                    "127.0.0.1:8080": upstream.removeprefix("http://"),
                },
            )
        )
        homes = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(proxy.place))
        proxy.start("run", "--config", str(settings), "--adapter", "caddyfile", environment=homes)
        return proxy.port

    yield run
    proxy.stop()


def browser(port: int) -> httpx.Client:
    """A client that speaks to nginx over TLS, under the name that its certificate has."""
    context = ssl.create_default_context(cadata=CERTIFICATE)
    return httpx.Client(
        base_url=f"https://localhost:{port}", verify=context, trust_env=False, timeout=PATIENCE_SECONDS
    )


def before(upstream: httpx.Client, server: str = "") -> str:
    server = server or SAMPLE.read_text()
    return server.replace("http://127.0.0.1:8080", str(upstream.base_url).rstrip("/"))


def test_behind_the_nginx_of_deploy_a_browser_logs_in(
    behind: Callable[[str], httpx.Client], token: Token, nginx: Callable[[str], int]
) -> None:
    upstream, text = behind(TRUSTED), token(Scope.OPERATOR)
    port = nginx(before(upstream))

    with browser(port) as client:
        opened = log_in(client, text, origin=f"https://localhost:{port}", **{"x-forwarded-prefix": "/evil"})
        page = client.get("/executions")
        asked = client.get("/v1/executions", headers=bearing(text))

    assert (opened.status_code, opened.headers["location"]) == (303, "/executions")
    assert opened.headers["set-cookie"].startswith("__Host-experience_session=")
    assert page.status_code == 200
    assert asked.status_code == 200


def test_below_a_path_every_page_is_found(
    behind: Callable[[str], httpx.Client], token: Token, nginx: Callable[[str], int]
) -> None:
    upstream, text = behind(TRUSTED), token(Scope.OPERATOR)
    server = SAMPLE.read_text().replace("location / {", "location /runtime/ {")
    server = server.replace("8080;", "8080/;").replace('X-Forwarded-Prefix ""', "X-Forwarded-Prefix /runtime")
    port = nginx(before(upstream, server))

    with browser(port) as client:
        sent_away = client.get("/runtime/executions")
        opened = client.post(
            "/runtime/login",
            content=f"token={text}&to=/executions",
            headers={**FORM, "origin": f"https://localhost:{port}"},
        )
        page = client.get(opened.headers["location"])
        links = set(re.findall(r'(?:href|src)="([^"#]+)"', page.text))
        found = {link: client.get(link).status_code for link in sorted(links)}

    assert sent_away.headers["location"].startswith("/runtime/login?to=")
    assert opened.headers["location"] == "/runtime/executions"
    assert len(found) > 5
    assert set(found.values()) == {200}


@pytest.mark.parametrize("told", [True, False], ids=["told", "told-nothing"])
def test_an_open_server_behind_it_answers_nobody(
    behind: Callable[[str], httpx.Client], nginx: Callable[[str], int], told: bool
) -> None:
    server = SAMPLE.read_text() if told else re.sub(r"\n *proxy_(set|http).*", "", SAMPLE.read_text())
    with browser(nginx(before(behind(TRUSTED), server))) as client:
        answer = client.get("/v1/experiences")

    assert answer.status_code == 403


def test_an_nginx_that_was_told_nothing_gets_a_login_that_works_or_a_page_that_says_why(
    behind: Callable[[str], httpx.Client], token: Token, nginx: Callable[[str], int]
) -> None:
    upstream, text = behind("per_second = 0" if "per_second" not in CONFIG else ""), token(Scope.OPERATOR)
    server = re.sub(r"\n *proxy_set_header (?!Connection).*", "", SAMPLE.read_text())
    port = nginx(before(upstream, server))

    with browser(port) as client:
        origin = f"https://localhost:{port}"
        new = log_in(client, text, origin=origin, **{"sec-fetch-site": "same-origin"})
        old = log_in(client, text, origin=origin)

    assert new.status_code == 303
    assert old.status_code == 403
    assert "trusted_proxies" in old.text


def test_behind_the_caddy_of_deploy_a_browser_logs_in(
    behind: Callable[[str], httpx.Client],
    token: Token,
    caddy: Callable[[str], int],
) -> None:
    upstream, text = behind(TRUSTED), token(Scope.OPERATOR)
    port = caddy(str(upstream.base_url).rstrip("/"))

    with browser(port) as client:
        forged = {"x-forwarded-prefix": "/evil", "x-forwarded-host": "evil.example", "forwarded": "for=evil"}
        opened = log_in(client, text, origin=f"https://localhost:{port}", **forged)
        page = client.get("/executions", headers=forged)
        asked = client.get("/v1/executions", headers=bearing(text))

    assert (opened.status_code, opened.headers["location"]) == (303, "/executions")
    assert opened.headers["set-cookie"].startswith("__Host-experience_session=")
    assert page.status_code == 200
    assert "evil" not in page.text
    assert asked.status_code == 200
