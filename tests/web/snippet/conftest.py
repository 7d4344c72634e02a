"""A served process, a shop of another origin, and Debian's Chromium with a zone of its own."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.support.needs import lacking

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CONFIG = """
[serve]
per_second = 0
per_address = 0
snippet_path = "/assets/shop"
[experiences]
reminder = "reminder"
facts = "facts"
[integrations.webhook]
url = "http://127.0.0.1:9/"
site = true
"""
REMINDER = """
module.exports = function variation (options) {
  return options.integration('webhook').schedule({ remind: options.meta.visitorId }, {
    key: { reminder: 'basket' },
    delay: '1 day',
    window: { time: '09:00-09:59' },
    cancelOnConversion: true
  })
}
"""
FACTS = """
module.exports = async function variation (options) {
  const seen = await options.getBrowserState()
  await options.integration('webhook').schedule({ seen }, { key: 'facts', delay: '1 day' })
}
"""
WAITING = "Object.keys(localStorage).filter(name => name.startsWith('experience_item_')).sort()"
DRAINED = f"() => experience.visitor && !{WAITING}.length"


@dataclass
class Shop:
    """A site on an origin of its own. `files` are its scripts; its policy lets in the runtime and itself."""

    server: ThreadingHTTPServer
    runtime: str = ""
    tag: str = ""
    before: str = ""
    files: dict[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.server.server_address[1]}"

    def content(self, path: str) -> tuple[str, str]:
        if path in self.files:
            return "text/javascript", self.files[path]
        return "text/html", f"<!doctype html><title>Shop</title>{self.before}{self.tag}<h1>Shop</h1>"


@dataclass
class Runtime:
    """`experience serve` as a process, and an operator's view of what it holds."""

    address: str
    operator: httpx.Client
    key: str

    def executions(self, *visitors: str) -> list[Any]:
        """What is there for these visitors."""
        return [each for visitor in visitors for each in self._executions(visitor)]

    def _executions(self, visitor: str) -> list[Any]:
        answer = self.operator.get("/v1/executions", params={"visitor": visitor})
        assert answer.status_code == 200, answer.text
        found: list[Any] = answer.json()["executions"]
        return found

    def visitor(self, visitor_id: str) -> Any:
        answer = self.operator.get(f"/v1/visitors/{visitor_id}")
        return answer.json() if answer.status_code == 200 else None

    def types(self, visitor_id: str) -> list[str]:
        """The types of a visitor's events, oldest first."""
        known = self.visitor(visitor_id)
        return [] if known is None else [event["type"] for event in known["events"]][::-1]


def _shop() -> Iterator[Shop]:
    made: list[Shop] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, text = made[0].content(self.path)
            sent, runtime = text.encode(), made[0].runtime
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(sent)))
            policy = f"default-src 'none'; script-src 'self' {runtime}; connect-src {runtime}"
            self.send_header("content-security-policy", policy)
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.append(Shop(server))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made[0]
    server.shutdown()
    thread.join()
    server.server_close()


_the_shop = pytest.fixture(_shop, name="the_shop", scope="module")
_other_shop = pytest.fixture(_shop, name="other_shop")


@pytest.fixture
def shop(the_shop: Shop, runtime: Runtime) -> Shop:
    """The shop, its page as it was."""
    the_shop.runtime = runtime.address
    the_shop.tag = f'<script src="{runtime.address}/visitor.js" data-key="{runtime.key}"></script>'
    the_shop.before = ""
    the_shop.files.clear()
    return the_shop


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory, the_shop: Shop) -> Iterator[Runtime]:
    tmp_path = tmp_path_factory.mktemp("served")
    (tmp_path / "experience.toml").write_text(CONFIG)
    (tmp_path / "reminder").mkdir()
    (tmp_path / "reminder/variation.js").write_text(REMINDER)
    (tmp_path / "facts").mkdir()
    (tmp_path / "facts/variation.js").write_text(FACTS)
    command = shutil.which("experience", path=str(Path(sys.executable).parent))
    assert command is not None
    environ = {name: value for name, value in os.environ.items() if not name.startswith("EXPERIENCE_")}

    def token(*words: str) -> str:
        done = subprocess.run(
            [command, "tokens", "create", *words, "--json"],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        )
        return str(json.loads(done.stdout)["token"])

    key = token("shop", "--scope", "site", "--origin", the_shop.origin)
    operator = token("ops", "--scope", "operator")
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [command, "serve", "--port", "0", "--json"],
            cwd=tmp_path,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    address = json.loads(process.stdout.readline())["address"]
    headers = {"authorization": f"Bearer {operator}"}
    with httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=120) as client:
        yield Runtime(address, client, key)
    process.terminate()
    process.wait(120)
    process.stdout.close()


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        lacking(f"there is no {CHROMIUM}: apt-get install chromium")
    opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield opened
    opened.close()


PATIENCE_SECONDS = 30

Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, shop: Shop) -> Iterator[Visit]:
    """Open the shop in a browser of this zone, with a script before all others; wait until all is sent."""
    contexts: list[BrowserContext] = []

    def open_shop(zone: str = "Europe/Paris", *, at: Shop = shop, init: str = "", wait: bool = True) -> Page:
        context = browser.new_context(timezone_id=zone)
        context.set_default_timeout(60_000)
        contexts.append(context)
        if init:
            context.add_init_script(init)
        page = context.new_page()
        page.goto(at.origin)
        if wait:
            page.wait_for_function(DRAINED)
        return page

    yield open_shop
    for context in contexts:
        context.close()


def visitor(page: Page) -> str:
    return str(page.evaluate("experience.visitor"))


def eventually(page: Page, holds: Callable[[], bool]) -> None:
    """Wait until the server knows: a page that was left tells nobody when it has told."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < ends
        page.wait_for_timeout(20)
