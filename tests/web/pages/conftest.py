"""A shop, really served on loopback, and a real Chromium that looks at it.

Whatever a test does, its pages may write nothing to the console and ask no other host for anything.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from experience_runtime.domain.access import Scope, new_token
from experience_runtime.domain.executions import Execution, Filter
from experience_runtime.domain.visitors import Visitor
from experience_runtime.runtime import Runtime
from experience_runtime.web.server import make_web
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request, expect

from tests.support.needs import lacking
from tests.support.serving import serving
from tests.web.pages.sample import due_later, fill, make_folder, open_runtime

CHROMIUM = "/usr/bin/chromium"
WAIT_MS = 60_000  # for what is not there yet; a loaded machine takes its time
_ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    if not os.path.exists(CHROMIUM):
        lacking(f"there is no {CHROMIUM}: apt-get install chromium")
    expect.set_options(timeout=WAIT_MS)
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS.split())
    yield browser
    browser.close()


@dataclass
class Shop:
    """The served application, and the pages that look at it."""

    runtime: Runtime
    address: str
    chromium: Browser
    expected: list[str] = field(default_factory=list)
    _console: list[str] = field(default_factory=list)
    _elsewhere: list[str] = field(default_factory=list)

    def page(self, *, script: bool = True, scheme: str = "light", width: int = 1280) -> Page:
        """A new page of a browser of its own."""
        context = self.chromium.new_context(
            base_url=self.address,
            java_script_enabled=script,
            color_scheme="dark" if scheme == "dark" else "light",
            viewport={"width": width, "height": 900},
            timezone_id="Europe/Paris",
        )
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self._console.append(str(error)))
        page.on("request", self._asked)
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        # a refusal is answered with its status, and the browser says so of the page itself
        if not message.text.startswith("Failed to load resource: the server responded with a status of 4"):
            self._console.append(f"{message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.address).netloc:
            self._elsewhere.append(request.url)

    def judge(self) -> None:
        for context in self.chromium.contexts:
            context.close()
        assert self._console == []
        assert self._elsewhere == []

    def executions(self, **filter: object) -> list[Execution]:
        """The matching executions, newest first."""
        return list(self.runtime.store.find(Filter(**filter), limit=500).executions)  # type: ignore[arg-type]

    def schedule(self, *, visitor: str = "ada", payload: object = None, **options: object) -> str:
        """Schedule one for a visitor in Paris; return its id."""
        scheduled = self.runtime.scheduler.schedule(
            "update-crm",
            {"n": 1} if payload is None else payload,
            {"delay": "1 hour", **options},
            visitor=Visitor(id=visitor, timezone="Europe/Paris"),
            experience="basket-reminder",
        )
        return scheduled.execution.id

    def token(self, *scopes: Scope) -> str:
        """Make a token, after which nothing is open any more; return its text."""
        text, token = new_token("-".join(scopes), scopes, [], now=self.runtime.clock.now())
        self.runtime.store.tokens.put(token)
        return text


@pytest.fixture
def empty_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chromium: Browser) -> Iterator[Shop]:
    """A shop where nothing happened yet."""
    monkeypatch.chdir(tmp_path)
    make_folder(tmp_path)
    with open_runtime(tmp_path) as runtime:
        runtime.for_serving()
        web = make_web(runtime, is_open=True)
        with serving(web) as address:
            shop = Shop(runtime, address, chromium)
            yield shop
            shop.judge()
        web.state.jobs.close()


@pytest.fixture
def shop(empty_shop: Shop) -> Shop:
    """A shop with two days behind it and a month ahead."""
    fill(empty_shop.runtime, empty_shop.runtime.clock.now())
    due_later(empty_shop.runtime)
    return empty_shop
