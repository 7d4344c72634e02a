"""Every page in every state, light and dark, narrow and wide: axe-core finds nothing, nothing sticks out."""

import json
import re
from collections.abc import Callable

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from experience_runtime.domain.access import Scope
from experience_runtime.domain.executions import Status
from experience_runtime.releasing.releasing import Wanted, release
from playwright.sync_api import Page

from .conftest import Shop

WIDTHS = pytest.mark.parametrize("width", [360, 1280])


def _states(shop: Shop) -> dict[str, Callable[[Page], object]]:
    """What to do with a page so that it is in this state."""
    failed = shop.executions(statuses=[Status.FAILED])[0]
    pending = shop.executions(statuses=[Status.PENDING])[0]
    httpx.post(f"{shop.address}/v1/experiences/basket-reminder/run", json={"visitor": "ada"}, trust_env=False)
    (run,) = httpx.get(f"{shop.address}/v1/runs", trust_env=False).json()["runs"]
    slack = "/settings/integrations/slack-update"

    def refused_schedule(page: Page) -> None:
        page.goto(f"{slack}/schedule")
        page.fill("#name", "no spaces please")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("alert").wait_for()

    def played(page: Page) -> None:
        page.goto("/playground")
        page.fill("#at", "2026-03-06T15:30:00Z")
        page.get_by_role("button", name="Run it").click()
        page.get_by_role("heading", name="Timeline").wait_for()

    def broken(page: Page) -> None:
        page.goto("/playground")
        page.select_option("#experience", "")
        page.fill("#source", "module.exports = function (options) {\n  const options = 1\n}")
        page.get_by_role("button", name="Run it").click()
        page.get_by_role("alert").wait_for()

    def opened(page: Page) -> None:
        page.goto("/executions?reason=conversion&since=2020-01-01T00:00")
        page.get_by_text("More filters").focus()

    def ended(page: Page) -> None:
        page.goto("/executions/bulk/cancel?integration=update-crm")
        page.get_by_role("button", name=re.compile(r"^Cancel \d")).click()
        page.get_by_text("cancelled").first.wait_for()

    def reference(page: Page) -> None:
        page.goto("/docs")

    def told(page: Page) -> None:
        """A story of two that went otherwise than it expects; below it the last play that worked."""
        two = [{"do": "run", "visitor": "ada"}, {"do": "run", "visitor": "bob"}]
        page.goto("/playground")
        page.get_by_text("Play a story.json instead").click()
        page.get_by_label("story.json", exact=True).fill(json.dumps({"steps": two, "expect": []}))
        page.get_by_role("button", name="Run it").click()
        page.get_by_role("heading", name="What the story expects").wait_for()
        page.get_by_label("story.json", exact=True).fill(json.dumps({"steps": two, "variation": "7"}))
        page.get_by_role("button", name="Run it").click()
        page.get_by_role("heading", name="The last play that worked").wait_for()

    def held(page: Page) -> None:
        shop.runtime.operations.hold_all(reason="a backup was restored")
        page.goto("/")

    _released(shop)
    releases = "/experiences/offer/releases"

    def counted(page: Page) -> None:
        page.goto("/executions/bulk/cancel?integration=update-crm")

    return {
        "overview": lambda page: page.goto("/"),
        "executions": lambda page: page.goto("/executions"),
        "filtered": opened,
        "nothing found": lambda page: page.goto("/executions?visitor=nobody"),
        "failed execution": lambda page: page.goto(f"/executions/{failed.id}"),
        "pending execution": lambda page: page.goto(f"/executions/{pending.id}"),
        "no execution": lambda page: page.goto("/executions/ex_nope"),
        "bulk": counted,
        "integrations": lambda page: page.goto("/settings/integrations"),
        "integration": lambda page: page.goto("/settings/integrations/send-sms"),
        "settings": lambda page: page.goto("/settings/integrations/broadcast/settings"),
        "schedule": lambda page: page.goto(f"{slack}/schedule?edit=daily-digest"),
        "refused schedule": refused_schedule,
        "reference": reference,
        "visitors": lambda page: page.goto("/visitors"),
        "visitor": lambda page: page.goto(f"/visitors?id={failed.visitor}"),
        "playground": lambda page: page.goto("/playground"),
        "played": played,
        "broken": broken,
        "experiences": lambda page: page.goto("/experiences"),
        "experience": lambda page: page.goto("/experiences/offer"),
        "run": lambda page: page.goto(f"/runs/{run['id']}"),
        "no run": lambda page: page.goto("/runs/run_nope"),
        "tokens": lambda page: page.goto("/settings/tokens"),
        "audit": lambda page: page.goto("/settings/audit"),
        "bulk ended": ended,
        "agenda": lambda page: page.goto("/agenda?day=tomorrow&zone=Europe/Paris"),
        "schedules": lambda page: page.goto("/schedules"),
        "release": lambda page: page.goto(f"{releases}/2"),
        "activate": lambda page: page.goto(f"{releases}/ask/activate?number=1"),
        "traffic": lambda page: page.goto("/experiences/offer/traffic"),
        "told": told,
        "held": held,
        "nowhere": lambda page: page.goto("/nowhere"),
    }


def _released(shop: Shop) -> None:
    """Two releases of an experience with two variations, of which a visitor was shown one."""
    for text in ("one", "another"):
        files = {f"variation-{each}.js": f"module.exports = o => o.log.info('{text}')" for each in (101, 202)}
        files["package.json"] = json.dumps({"traffic": {"101": 1, "202": 1}})
        release(shop.runtime, Wanted(experience="offer", files=files, actor="ada", note=text))
    httpx.post(f"{shop.address}/v1/experiences/offer/run", json={"visitor": "ada"}, trust_env=False)
    assert shop.runtime.store.exposures.tally("offer")


@WIDTHS
def test_axe_finds_nothing_on_any_page(shop: Shop, width: int) -> None:
    shop.runtime.operations.pause("send-sms", reason="the provider is moving")
    page = shop.page(width=width)
    found: list[str] = []

    for name, arrive in _states(shop).items():
        arrive(page)
        found += _violations(page, name)

    assert found == []


@WIDTHS
def test_axe_finds_nothing_where_a_token_is_asked_for(shop: Shop, width: int) -> None:
    shop.token(Scope.AUTHOR)
    page = shop.page(width=width)

    page.goto("/executions")
    found = _violations(page, "login")
    page.fill("#token", "wrong")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").wait_for()

    assert found + _violations(page, "refused login") == []


def _violations(page: Page, name: str) -> list[str]:
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    results = Axe().run(page).response["violations"]
    page.emulate_media(color_scheme="dark")  # in which nothing differs but the colours
    dark = Axe().run(page, options={"runOnly": ["color-contrast"]}).response["violations"]
    page.emulate_media(color_scheme="light")
    found = [
        f"{name}: {each['id']}: {each['help']}: {each['nodes'][0]['html'][:200]}" for each in results + dark
    ]
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found + ([f"{name}: {wide} pixels stick out"] if wide > 0 else [])
