"""`experience dev` in a browser: each save is told to the page, and what worked last stays to be seen."""

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

GOOD = """module.exports = options => options.integration('slack-update').schedule('hi', {
  key: 'reminder', delay: '1 hour'
})
"""
STORY = {
    "at": "2026-03-06T16:30:00Z",
    "steps": [{"do": "run", "visitor": "ada"}],
    "expect": [{"status": "succeeded", "due_at": "2026-03-06T17:30:00Z"}],
}
COMMAND = "from experience_runtime.cli import main; main(prog_name='experience')"


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/variation.js").write_text(GOOD, encoding="utf-8")
    (tmp_path / "mine/story.json").write_text(json.dumps(STORY), encoding="utf-8")
    started = subprocess.Popen(
        [sys.executable, "-u", "-c", COMMAND, "dev", "mine", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=tmp_path,
    )
    watchdog = threading.Timer(240, started.kill)  # a line that never comes would be waited for
    watchdog.start()
    yield started
    watchdog.cancel()
    started.kill()
    started.communicate()


def _page(chromium: Browser, address: str, console: list[str], *, script: bool = True) -> Page:
    page = chromium.new_context(java_script_enabled=script).new_page()
    page.set_default_timeout(60_000)
    page.on("console", lambda message: console.append(message.text))
    page.on("pageerror", lambda error: console.append(str(error)))
    page.goto(address)
    return page


def test_each_save_is_told_to_the_page_and_the_last_run_that_worked_stays(
    dev: subprocess.Popen[str], chromium: Browser, tmp_path: Path
) -> None:
    assert dev.stdout is not None
    address = dev.stdout.readline().partition(": ")[2].strip()
    file, console = tmp_path / "mine/variation.js", list[str]()
    page = _page(chromium, address, console)
    last, files = (page.get_by_role("region", name=name) for name in ("The last save", "Files of mine"))
    code = files.get_by_label("variation.js", exact=True)
    expected, picture = page.get_by_role("region", name="What the story expects"), page.get_by_role("img")
    expect(last).to_contain_text("passed  mine/story.json")
    expect(expected).to_contain_text("passed · 1 of 1 met")
    expect(page.locator(".editor").first.locator(".gutter")).to_have_text(re.compile(r"1\n2\n3\n4"))

    code.fill(GOOD.replace("1 hour", "2 hours"))
    expect(page.locator("#unsaved")).to_have_text("Not saved yet.")
    code.press("Control+s")
    expect(last).to_contain_text("variation.js changed")
    expect(last).to_contain_text("FAILED  mine/story.json")
    expect(expected).to_contain_text("2026-03-06T18:30")
    assert file.read_text(encoding="utf-8") == GOOD.replace("1 hour", "2 hours")

    code.fill(GOOD.replace("schedule", "schedul"))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#broken")).to_contain_text("The last save does not work: variation.js:1:")
    expect(last).to_contain_text("variation.js:1:")
    expect(expected).to_contain_text("2026-03-06T18:30")
    expect(picture.first).to_be_visible()

    file.write_text(GOOD, encoding="utf-8")  # in an editor of their own
    expect(last).to_contain_text("passed  mine/story.json")
    expect(page.locator("#broken")).to_have_count(0)
    expect(code).to_have_value(GOOD)

    code.fill("// typed meanwhile")
    file.write_text(GOOD + "// theirs", encoding="utf-8")
    expect(last).to_contain_text("checked mine")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#unsaved")).to_contain_text("was changed on the disk")
    assert file.read_text(encoding="utf-8") == GOOD + "// theirs"

    plain = _page(chromium, address, console, script=False)
    story = STORY | {"steps": [{"do": "run", "visitor": "ada"}, {"do": "run", "visitor": "bob"}]}
    told = plain.get_by_role("region", name="What runs").get_by_label("story.json", exact=True)
    told.fill(json.dumps(story))
    plain.get_by_role("button", name="Run it").click()
    expect(plain.get_by_role("region", name="What the story expects")).to_contain_text("bob")
    plain.get_by_role("button", name="Save as story.json").click()
    expect(last).to_contain_text("story.json changed")
    assert json.loads((tmp_path / "mine/story.json").read_text(encoding="utf-8")) == story
    plain.get_by_role("link", name="story.json", exact=True).click()
    plain.get_by_role("region", name="Files of mine").get_by_label("story.json", exact=True).fill(
        json.dumps(STORY)
    )
    plain.get_by_role("button", name="Save", exact=True).click()
    expect(last).to_contain_text("passed  mine/story.json")

    dev.send_signal(signal.SIGINT)
    assert dev.wait(30) == 0
    assert [line for line in console if "Failed to load resource" not in line] == []
