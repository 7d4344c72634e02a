"""Behind Caddy from Debian, with the file of `deploy/`."""

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from experience_runtime.domain.access import Scope

from tests.support.certificates import CERTIFICATE, KEY
from tests.support.needs import lacking

from .conftest import Token, bearing
from .test_proxies import PATIENCE_SECONDS, TRUSTED, _until_listening, behind, browser, log_in

__all__ = ["behind"]

SAMPLE = Path(__file__).parents[2] / "deploy/Caddyfile"
GLOBAL = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"
"""No port 80, and no port to be told new settings at."""


@pytest.fixture
def caddy(tmp_path: Path) -> Iterator[Callable[[str], int]]:
    """Run Debian's Caddy with the file of `deploy/` before this address; gives the port it listens on."""
    command = shutil.which("caddy", path="/usr/sbin:/usr/bin")
    if command is None:
        lacking("caddy is not installed; install caddy")
    place = tmp_path / "caddy"
    place.mkdir()
    (place / "both.pem").write_text(CERTIFICATE + KEY)
    running: list[subprocess.Popen[bytes]] = []

    def run(upstream: str) -> int:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
        said = SAMPLE.read_text()
        for name, value in {
            "ops.example:443": f"localhost:{port}",
            "/etc/ssl/ops.example.pem": str(place / "both.pem"),
            "/etc/ssl/ops.example.key": str(place / "both.pem"),
            "127.0.0.1:8080": upstream.removeprefix("http://"),
        }.items():
            assert name in said
            said = said.replace(name, value)
        (place / "Caddyfile").write_text(GLOBAL + said)
        words = [command, "run", "--config", str(place / "Caddyfile"), "--adapter", "caddyfile"]
        homes = {"HOME": str(place), "XDG_DATA_HOME": str(place), "XDG_CONFIG_HOME": str(place)}
        with (place / "error.log").open("wb") as log:
            running.append(subprocess.Popen(words, env=homes, stderr=log))
        _until_listening(port, running[-1], place / "error.log")
        return port

    yield run
    for process in running:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


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
