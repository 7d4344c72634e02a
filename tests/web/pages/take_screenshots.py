"""Take the pictures of the README: `python -m tests.web.pages.take_screenshots docs`, in the root folder."""

import os
import sys
import tempfile
from pathlib import Path

from experience_runtime.web.server import make_web
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.serving import serving
from tests.web.pages.conftest import CHROMIUM
from tests.web.pages.sample import due_later, fill, make_folder, open_runtime


def main(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    to = folder.resolve()
    with tempfile.TemporaryDirectory() as shop:
        make_folder(Path(shop))
        os.chdir(shop)
        with open_runtime(Path(shop)) as runtime, sync_playwright() as playwright:
            runtime.for_serving()
            fill(runtime, runtime.clock.now())
            due_later(runtime)
            web = make_web(runtime, is_open=True)
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--headless", "--no-sandbox", "--disable-gpu"]
            )
            with serving(web) as address:
                _take(browser, address, to)
            browser.close()
            web.state.jobs.close()


def _take(browser: Browser, address: str, to: Path) -> None:
    def page(scheme: str, height: int) -> Page:
        context = browser.new_context(
            base_url=address,
            color_scheme="dark" if scheme == "dark" else "light",
            viewport={"width": 1120, "height": height},
        )
        return context.new_page()

    executions = page("light", 820)
    executions.goto("/executions")
    executions.screenshot(path=to / "executions.png")
    schedule = page("light", 900)
    schedule.goto("/settings/integrations/slack-update/schedule?edit=daily-digest")
    schedule.screenshot(path=to / "schedule.png")
    playground = page("dark", 1060)
    playground.goto("/playground")
    playground.fill("#at", "2026-03-06T15:30:00Z")
    playground.get_by_role("button", name="Run it").click()
    playground.fill("#forward", "1 day")
    playground.get_by_role("button", name="Forward", exact=True).click()
    playground.get_by_role("heading", name="Timeline").wait_for()
    playground.screenshot(path=to / "playground-dark.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
