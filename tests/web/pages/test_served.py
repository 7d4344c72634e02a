"""The whole of it: `experience serve` as a process of its own, its worker, and a browser."""

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.support.needs import lacking

from .sample import make_folder

DEADLINE_SECONDS = 120


def test_a_schedule_made_on_a_page_is_delivered_and_seen_without_loading_again(
    tmp_path: Path, chromium: Browser
) -> None:
    make_folder(tmp_path)
    experience = shutil.which("experience", path=str(Path(sys.executable).parent))
    if experience is None:
        lacking("the command `experience` is not installed beside this Python: python3 dev.py test makes it")
    command = [experience, "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as served:
        try:
            assert served.stdout is not None
            said = re.match(r"serving (http://[0-9.:]+)", served.stdout.readline())
            assert said is not None
            page = chromium.new_context(base_url=said[1]).new_page()
            page.goto("/settings/integrations/update-crm/schedule")
            page.get_by_label("Name").fill("stock")
            page.get_by_role("button", name="Save the schedule").click()
            page.get_by_text("Run now… stock").click()
            page.get_by_role("button", name="Run now stock").click()

            page.goto("/executions")

            row = page.get_by_role("row").filter(has_text="update-crm")
            expect(row).to_contain_text("succeeded", timeout=DEADLINE_SECONDS * 1000)
            page.goto("/")
            expect(page.get_by_text("No worker delivers now")).to_have_count(0)
            page.context.close()
        finally:
            served.send_signal(signal.SIGTERM)
            served.wait(DEADLINE_SECONDS)
    assert served.returncode == 0
