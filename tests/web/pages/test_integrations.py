"""Integrations: outcomes, test call, pause, settings without values, and the schedule form."""

from dataclasses import replace

import pytest
from experience_runtime.domain.executions import Status
from playwright.sync_api import Page, expect

from .conftest import Shop
from .sample import SECRET

SCHEDULE = "/settings/integrations/update-crm/schedule"
WITH_AND_WITHOUT_SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])


def test_the_way_from_an_integration_to_its_schedule(shop: Shop) -> None:
    page = shop.page()
    page.goto("/settings/integrations")

    page.get_by_role("link", name="Edit slack-update").click()
    page.get_by_role("link", name="Settings of slack-update").click()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    page.get_by_role("link", name="Schedule it").click()
    page.get_by_role("link", name="daily-digest").click()

    expect(page.get_by_label("Name")).to_have_value("daily-digest")
    expect(page.get_by_role("radio", name="Weekly")).to_be_checked()
    expect(page.get_by_label("Mon")).to_be_checked()


@pytest.mark.parametrize("path", ["", "/settings", "/schedule"])
def test_a_setting_is_shown_as_set_and_never_its_value(shop: Shop, path: str) -> None:
    page = shop.page()

    page.goto(f"/settings/integrations/email-offer{path}")

    assert SECRET not in page.content()
    if path == "/settings":
        expect(page.get_by_role("row", name="api_key")).to_contain_text("set")
        expect(page.get_by_role("row", name="sender")).to_contain_text("not set")


@WITH_AND_WITHOUT_SCRIPT
def test_a_test_call_is_made_once_and_kept(empty_shop: Shop, script: bool) -> None:
    page = empty_shop.page(script=script)
    page.goto("/settings/integrations/send-sms")

    page.get_by_label("Payload (JSON)").fill('{"to": "+15550100"}')
    page.get_by_text("Call it…").click()
    page.get_by_role("button", name="Call it").click()

    expect(page.get_by_role("status")).to_contain_text("The integration answered")
    expect(page.get_by_role("region", name="Recent outcomes").locator("tbody tr")).to_have_count(1)
    page.reload()  # the answer is a redirect: this calls nothing again
    assert [each.status for each in empty_shop.executions()] == [Status.SUCCEEDED]


def test_a_payload_that_is_no_json_is_refused_at_the_form(empty_shop: Shop) -> None:
    page = empty_shop.page()
    page.goto("/settings/integrations/send-sms")

    page.get_by_label("Payload (JSON)").fill('{"to": }')
    page.get_by_text("Call it…").click()
    page.get_by_role("button", name="Call it").click()

    expect(page.get_by_role("alert")).to_contain_text("the payload is not JSON")
    expect(page.get_by_label("Payload (JSON)")).to_have_value('{"to": }')
    assert empty_shop.executions() == []


def test_a_call_of_one_without_settings_says_what_is_missing(empty_shop: Shop) -> None:
    page = empty_shop.page()
    page.goto("/settings/integrations/webhook")

    page.get_by_label("Payload (JSON)").fill('{"body": {}, "url": "https://shop.example/"}')
    page.get_by_text("Call it…").click()
    page.get_by_role("button", name="Call it").click()

    expect(page.get_by_role("alert")).to_be_visible()


@WITH_AND_WITHOUT_SCRIPT
def test_pause_with_a_reason_and_resume(empty_shop: Shop, script: bool) -> None:
    page = empty_shop.page(script=script)
    page.goto("/settings/integrations/send-sms")

    page.get_by_label("Reason").fill("the provider is moving")
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_text("send-sms is paused since")).to_contain_text("the provider is moving")
    assert empty_shop.runtime.store.integration_states.of("send-sms").paused_at is not None
    page.get_by_role("button", name="Resume").click()

    expect(page.get_by_role("status")).to_contain_text("The integration goes on")
    assert empty_shop.runtime.store.integration_states.of("send-sms").paused_at is None


def _instants(page: Page) -> list[str]:
    return page.locator("#preview tbody tr td:first-child time").all_text_contents()


def test_the_next_five_instants_follow_what_is_typed(empty_shop: Shop) -> None:
    page = empty_shop.page()
    page.goto(SCHEDULE)
    expect(page.locator("#preview tbody tr")).to_have_count(5)

    page.get_by_role("radio", name="Cron expression").check()
    page.get_by_label("Five fields").fill("30 2 * * *")
    page.get_by_label("Zone").fill("America/New_York")

    expect(page.locator("#preview")).to_contain_text("Cron 30 2 * * *")
    expect(page.locator("#preview th").first).to_have_text("America/New_York")
    assert all(text.endswith("02:30") for text in _instants(page))
    page.get_by_label("Five fields").fill("30 2 * *")
    expect(page.locator("#preview")).to_contain_text("has 4 fields; five are needed")


def test_without_script_the_preview_button_shows_them_and_keeps_the_form(empty_shop: Shop) -> None:
    page = empty_shop.page(script=False)
    page.goto(SCHEDULE)

    page.get_by_role("radio", name="Weekly").check()
    page.get_by_label("Sat").check()
    page.get_by_label("Zone").fill("Asia/Tokyo")
    page.get_by_label("Payload (JSON)").fill("not yet")
    page.get_by_role("button", name="Preview").click()

    assert [text[:3] for text in _instants(page)] == ["Sat"] * 5
    expect(page.get_by_label("Payload (JSON)")).to_have_value("not yet")
    expect(page.get_by_label("Zone")).to_have_value("Asia/Tokyo")
    assert empty_shop.runtime.recurring.list() == []


@WITH_AND_WITHOUT_SCRIPT
def test_a_schedule_is_saved_as_the_form_says(empty_shop: Shop, script: bool) -> None:
    page = empty_shop.page(script=script)
    page.goto(SCHEDULE)

    page.get_by_label("Name").fill("stock")
    page.get_by_role("radio", name="Every few minutes or hours").check()
    page.get_by_label("Every", exact=True).fill("90")
    page.get_by_label("Zone").fill("Europe/Paris")
    page.get_by_text("Window, dates to skip").click()
    page.get_by_label("Only on the days").fill("monday-friday")
    page.get_by_label("Only from").fill("09:00")
    page.get_by_label("until (inside)").fill("17:00")
    page.get_by_label("Dates to skip").fill("2031-12-25\n2032-01-01")
    page.get_by_label("After an outage").select_option("none")
    page.get_by_label("Payload (JSON)").fill('{"list": "stock"}')
    page.get_by_role("button", name="Save the schedule").click()

    expect(page.get_by_role("status")).to_contain_text("The schedule is saved")
    saved = empty_shop.runtime.recurring.show("stock").schedule
    assert '"every":"90 minutes"' in saved.recurrence
    assert (saved.zone, saved.window) == ("Europe/Paris", "monday-friday 09:00-17:00")
    assert (saved.skip, saved.catch_up) == ('["2031-12-25","2032-01-01"]', "none")
    expect(page.get_by_role("heading", name="Change stock")).to_be_visible()
    expect(page.get_by_role("radio", name="Every few minutes or hours")).to_be_checked()
    typed = {"Every": "90", "Zone": "Europe/Paris", "Only on the days": "monday-friday", "Only from": "09:00"}
    typed |= {"until (inside)": "17:00", "Dates to skip": "2031-12-25\n2032-01-01", "After an outage": "none"}
    for label, text in typed.items():
        expect(page.get_by_label(label, exact=label == "Every")).to_have_value(text)
    expect(page.get_by_label("Payload (JSON)")).to_have_value('{\n  "list": "stock"\n}')
    page.get_by_role("button", name="Save the change").click()
    expect(page.get_by_role("status")).to_contain_text("The schedule is saved")
    again = empty_shop.runtime.recurring.show("stock").schedule
    assert replace(again, updated_at=saved.updated_at, version=saved.version) == saved


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("Name", "no spaces", "is not a name"),
        ("Zone", "Europe/Pariss", 'did you mean "Europe/Paris"?'),
        ("Payload (JSON)", "{", "the payload is not JSON"),
        ("Dates to skip", "25.12.2026", "is not a date of the calendar"),
    ],
)
def test_a_schedule_that_is_refused_keeps_what_was_typed(
    empty_shop: Shop, field: str, text: str, words: str
) -> None:
    page = empty_shop.page()
    page.goto(SCHEDULE)
    page.get_by_text("Window, dates to skip").click()
    page.get_by_label("Name").fill("stock")

    page.get_by_label(field).fill(text)
    page.get_by_role("button", name="Save the schedule").click()

    expect(page.get_by_role("alert")).to_contain_text(words)
    expect(page.get_by_label(field)).to_have_value(text)
    assert empty_shop.runtime.recurring.list() == []


def test_a_name_that_is_taken_replaces_nothing(shop: Shop) -> None:
    page = shop.page()
    page.goto(SCHEDULE)

    page.get_by_label("Name").fill("daily-digest")  # it is slack-update's
    page.get_by_role("button", name="Save the schedule").click()

    expect(page.get_by_role("alert")).to_contain_text("a schedule is named daily-digest already")
    assert shop.runtime.recurring.show("daily-digest").schedule.integration == "slack-update"


@WITH_AND_WITHOUT_SCRIPT
def test_pause_resume_run_now_and_remove(shop: Shop, script: bool) -> None:
    page = shop.page(script=script)
    page.goto(SCHEDULE)
    before = len(shop.executions(schedule="stock-levels"))

    page.get_by_role("button", name="Pause stock-levels").click()
    expect(page.get_by_role("row", name="stock-levels")).to_contain_text("paused")
    page.get_by_role("button", name="Resume stock-levels").click()
    page.get_by_text("Run now… stock-levels").click()
    page.get_by_role("button", name="Run now stock-levels").click()
    expect(page.get_by_role("status")).to_contain_text("runs once now")
    assert len(shop.executions(schedule="stock-levels")) == before + 1
    page.get_by_text("Run now… stock-levels").click()
    page.get_by_role("button", name="Run now stock-levels").click()
    expect(page.get_by_role("alert")).to_be_visible()  # the one before is not over
    page.get_by_text("Remove… stock-levels").click()
    page.get_by_role("button", name="Remove stock-levels").click()

    expect(page.get_by_role("status")).to_contain_text("removed")
    assert [each.name for each in shop.runtime.recurring.list()] == ["daily-digest"]


def test_an_edit_keeps_a_payload_that_may_not_be_shown(shop: Shop) -> None:
    options = {"daily": "09:00", "timezone": "UTC"}
    shop.runtime.recurring.set("secretive", "update-crm", {"token": SECRET}, options)
    page = shop.page()
    page.goto(f"{SCHEDULE}?edit=secretive")
    assert SECRET not in page.content()

    page.get_by_label("At", exact=True).first.fill("10:30")
    page.get_by_role("button", name="Save the change").click()

    expect(page.get_by_role("status")).to_contain_text("The schedule is saved.")
    saved = shop.runtime.recurring.show("secretive").schedule
    assert '"daily":"10:30"' in saved.recurrence
    assert SECRET in saved.payload
