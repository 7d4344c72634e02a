"""Hostile texts in every field, forms of strangers, and names that lead elsewhere."""

import re
from urllib.parse import quote

import pytest
from experience_runtime.domain.executions import Status
from experience_runtime.domain.visitor_events import VisitorEvent
from experience_runtime.domain.visitors import Visitor
from playwright.sync_api import Page

from .conftest import Shop
from .sample import SECRET

SCRIPT = "<script>window.owned=1</script>"
HOSTILE = f'"\'><img src=x onerror="window.owned=1">{SCRIPT}{{{{2017*2029}}}}\u202ejavascript:alert(1)'
PATHS = (
    "/",
    "/executions",
    "/executions?text={0}&visitor={0}&integration={0}&experience={0}&schedule={0}&reason={0}&since={0}",
    "/executions?status={0}&cursor={0}",
    "/executions/{0}",
    "/executions/bulk/cancel?visitor={0}",
    "/settings/integrations/{0}",
    "/settings/integrations/update-crm",
    "/settings/integrations/update-crm/schedule?edit={0}",
    "/visitors?id={0}",
    "/playground?s={0}",
    "/login?to={0}",
    "/nothing/{0}",
)


def _is_not_owned(page: Page) -> None:
    assert page.evaluate("window.owned") is None
    assert page.locator("main script, main img, [onerror]").count() == 0
    assert str(2017 * 2029) not in page.locator("main").inner_text()  # as a template would have it


def test_hostile_texts_in_the_store_and_in_addresses_stay_texts(empty_shop: Shop) -> None:
    runtime, visitor = empty_shop.runtime, HOSTILE[:200]
    scheduled = runtime.scheduler.schedule(
        "update-crm",
        {HOSTILE: [HOSTILE]},
        {"delay": "1 hour", "key": {HOSTILE: HOSTILE}},
        visitor=Visitor(id=visitor, timezone="Europe/Paris"),
        experience=HOSTILE,
    )
    runtime.scheduler.cancel_execution(scheduled.execution.id, reason=HOSTILE)
    runtime.scheduler.schedule(
        "update-crm", HOSTILE, {"delay": "2 hours"}, visitor=Visitor(id=visitor), experience=HOSTILE
    )
    runtime.operations.pause("update-crm", reason=HOSTILE)
    runtime.store.events.record(
        VisitorEvent(
            visitor=visitor, type="ecView", data="{}", at=runtime.clock.now(), received_at=runtime.clock.now()
        )
    )
    page = empty_shop.page()
    page.route("**/x", lambda route: pytest.fail(f"asked for {route.request.url}"))

    for path in (*PATHS, f"/executions/{scheduled.execution.id}", f"/visitors?id={quote(visitor, safe='')}"):
        page.goto(path.format(quote(HOSTILE, safe="")))
        if page.locator("main").count():
            _is_not_owned(page)


def test_hostile_texts_typed_into_every_field_come_back_as_texts(empty_shop: Shop) -> None:
    page = empty_shop.page()
    for path, button in (
        ("/executions", "Show"),
        ("/settings/integrations/update-crm", "Call it"),
        ("/settings/integrations/update-crm", "Pause"),
        ("/settings/integrations/update-crm/schedule", "Save the schedule"),
        ("/settings/integrations/update-crm/schedule", "Preview"),
        ("/visitors?id=ada", "Record the conversion"),
        ("/playground", "Run it"),
        ("/playground", "Send"),
    ):
        page.goto(path)
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        page.evaluate("document.querySelectorAll('form').forEach(each => { each.noValidate = true })")
        fields = "main input:not([type]):visible, main input[type=search]:visible, main textarea:visible"
        for field in page.locator(fields).all():
            if field.is_editable():
                field.fill(HOSTILE.replace("\n", " "))
        page.get_by_role("button", name=button, exact=True).first.click()
        page.locator("main").wait_for()
        _is_not_owned(page)


def test_a_form_without_this_sessions_token_changes_nothing(empty_shop: Shop) -> None:
    id, page = empty_shop.schedule(), empty_shop.page()
    forms: list[dict[str, str | float | bool]] = [{}, {"form_token": "0" * 64}, {"form_token": ""}]
    for form in forms:
        answer = page.request.post(
            f"/executions/{id}/cancel", form=form, headers={"Origin": empty_shop.address}
        )

        assert answer.status == 403
        assert "this form is not from this session" in answer.text()
    assert empty_shop.executions()[0].status is Status.PENDING


POSTED = (
    "/executions/{id}/cancel",
    "/executions/{id}/replay",
    "/executions/{id}/restore",
    "/executions/{id}/move",
    "/executions/{id}/run",
    "/executions/bulk/cancel",
    "/executions/bulk/replay",
    "/executions/bulk/restore",
    "/executions/bulk/move",
    "/settings/integrations/update-crm/settings",
    "/settings/webhooks/crm/test",
    "/settings/integrations/update-crm/pause",
    "/settings/integrations/update-crm/resume",
    "/settings/integrations/update-crm/call",
    "/settings/integrations/update-crm/schedule",
    "/settings/integrations/update-crm/schedule/x/remove",
    "/visitors",
    "/playground",
)


def test_every_form_is_refused_from_another_sites_page(empty_shop: Shop) -> None:
    id, page = empty_shop.schedule(), empty_shop.page()
    page.goto("/playground")
    token = page.locator("input[name=form_token]").first.input_value()

    for path in POSTED:
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = page.request.post(path.format(id=id), form={"form_token": token}, headers=headers)
            assert answer.status == 403, (path, headers)


@pytest.mark.parametrize(
    "name", ["../pages/bulk.py", "..%2f..%2fserver.py", "%2e%2e/server.py", "style.css%00", "nothing.css"]
)
def test_static_holds_its_own_files_only(empty_shop: Shop, name: str) -> None:
    answer = empty_shop.page().request.get(f"/static/{name}")

    assert answer.status == 404


@pytest.mark.parametrize("name", ["style.css", "live.js", "preview.js", "playground.js", "icon.svg"])
def test_each_file_has_its_own_type(empty_shop: Shop, name: str) -> None:
    answer = empty_shop.page().request.get(f"/static/{name}")

    kinds = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    assert answer.headers["content-type"].startswith(kinds[name.rpartition(".")[2]])
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_page_allows_its_own_files_and_nothing_else(empty_shop: Shop) -> None:
    answer = empty_shop.page().request.get("/")

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]* src=\"/static/)|<style|\sstyle=|\son[a-z]+=", answer.text())


def test_a_secret_in_a_payload_or_an_answer_is_redacted(empty_shop: Shop) -> None:
    id = empty_shop.schedule(payload={"token": SECRET, "to": f"https://shop.example/?key={SECRET}"})
    page = empty_shop.page()

    for path in ("/", "/executions", f"/executions/{id}", "/visitors?id=ada"):
        page.goto(path)
        assert SECRET not in page.content()
    page.goto(f"/executions/{id}")
    assert "[redacted]" in page.content()
