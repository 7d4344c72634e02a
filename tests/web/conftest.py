"""A served application in this process: a real store on file, real sandbox workers, and requests to it."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from experience_runtime.domain.access import Scope, new_token
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import load_settings
from experience_runtime.web.server import make_web
from fastapi import FastAPI
from playwright.sync_api import Playwright, sync_playwright

from tests.support.browsers import patience
from tests.support.proxies import PATIENCE_SECONDS
from tests.support.serving import serving

from .snippet_server import SHOP

REMINDER = """
module.exports = function variation (options) {
  options.log.info('told to the author')
  return options.integration('webhook').schedule({ body: { remind: 'the payload' } }, {
    key: { reminder: 'basket' }, delay: '2 hours', cancelOnConversion: true
  })
}
"""
CONFIG = """
[serve]
drafts = "drafts"
per_second = 0
per_address = 0

[experiences]
reminder = "released/reminder"

[integrations.webhook]
url = "http://127.0.0.1:9/"
site = true
"""

Token = Callable[..., str]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """The one that drives every browser of this process: there may be no second one."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(autouse=True)
def patient(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that uses a browser does not wait for ever, also for a call that takes no time limit."""
    if "playwright" not in request.fixturenames:
        yield
        return
    with patience(request.getfixturevalue("playwright")):
        yield


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the settings, one released experience and one draft; the current one."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "experience.toml", CONFIG)
    write(tmp_path / "released/reminder/variation.js", REMINDER)
    write(tmp_path / "drafts/draft/variation.js", REMINDER)
    return tmp_path


@pytest.fixture
def runtime(folder: Path) -> Iterator[Runtime]:
    with Runtime(load_settings(config=folder / "experience.toml", environ={})) as made:
        yield made


@pytest.fixture
def web(runtime: Runtime) -> FastAPI:
    return make_web(runtime, is_open=True)


@pytest.fixture
def client(web: FastAPI) -> Iterator[httpx.Client]:
    """Requests from this machine, without a token: everything is open until there is one."""
    with (
        serving(web) as address,
        httpx.Client(base_url=address, follow_redirects=False, trust_env=False, timeout=120) as opened,
    ):
        yield opened


@pytest.fixture
def token(runtime: Runtime) -> Token:
    """Make a token of these scopes, kept under its name; return its text."""

    def make(*scopes: Scope, name: str = "", origins: Sequence[str] = ()) -> str:
        text, made = new_token(
            name or "-".join(scopes), scopes or tuple(Scope), origins, now=runtime.clock.now()
        )
        runtime.store.tokens.put(made)
        return text

    return make


@pytest.fixture
def key(token: Token) -> str:
    """A site's key of the shop."""
    return token(Scope.SITE, name="shop", origins=[SHOP])


def bearing(text: str, **headers: str) -> dict[str, str]:
    """The headers of a request with this token."""
    return {"Authorization": f"Bearer {text}", **headers}


@pytest.fixture
def behind(folder: Path) -> Iterator[Callable[[str], Any]]:
    """Serve with these lines under [serve]; gives a client of it."""
    opened: list[Any] = []

    def serve(lines: str) -> httpx.Client:
        (folder / "experience.toml").write_text(CONFIG.replace("[serve]", f"[serve]\n{lines}"))
        runtime = Runtime(load_settings(config=folder / "experience.toml", environ={}))
        server = serving(make_web(runtime, is_open=True))
        client = httpx.Client(base_url=server.__enter__(), trust_env=False, timeout=PATIENCE_SECONDS)
        opened.extend([runtime.close, lambda: server.__exit__(None, None, None), client.close])
        return client

    yield serve
    for close in reversed(opened):
        close()
