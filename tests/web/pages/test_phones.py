"""Narrow screens and live pages: rows are cards, what is wrong has the focus, what was opened stays open."""

from datetime import timedelta

from experience_runtime.domain.executions import Status
from experience_runtime.web.pages.trend import trend_of
from playwright.sync_api import expect

from .conftest import Shop


def test_below_700_pixels_a_row_is_a_card_whose_cells_say_their_headings(shop: Shop) -> None:
    page = shop.page(width=360)
    page.goto("/executions")
    row = page.locator("#found tbody tr").first

    assert row.evaluate("row => getComputedStyle(row).display") == "block"
    cells = row.locator("[data-label]").evaluate_all("all => all.map(each => each.dataset.label)")
    assert cells == ["Choose", "State", "Due", "Integration", "Visitor", "Id and payload", "Reason"]
    fits = "[...document.querySelectorAll('.scroll')].every(each => each.scrollWidth <= each.clientWidth)"
    assert page.evaluate(fits)
    page.set_viewport_size({"width": 768, "height": 900})
    assert row.evaluate("row => getComputedStyle(row).display") == "table-row"


def test_a_refused_schedule_has_the_focus_where_it_is_wrong_and_a_new_one_has_the_browsers_zone(
    empty_shop: Shop,
) -> None:
    page = empty_shop.page()
    page.goto("/settings/integrations/update-crm/schedule")
    expect(page.get_by_label("Zone")).to_have_value("Europe/Paris")
    expect(page.locator("#preview")).to_contain_text("Europe/Paris")
    page.get_by_label("Name").fill("digest")
    page.get_by_label("Cron expression").check()
    page.get_by_label("Five fields").fill("0 9 * *")

    page.get_by_role("button", name="Save the schedule").click()

    expect(page.get_by_label("Five fields")).to_be_focused()
    expect(page.get_by_label("Five fields")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Zone")).to_have_value("Europe/Paris")


def test_a_live_page_goes_on_and_keeps_open_what_was_opened(shop: Shop) -> None:
    failed = shop.executions(statuses=[Status.FAILED])[0]
    page = shop.page()
    page.goto(f"/executions/{failed.id}")
    page.locator("summary", has_text="Every change of state").click()
    expect(page.get_by_role("region", name="What happened").locator("tbody tr").first).to_be_visible()

    shop.runtime.scheduler.replay(failed.id, reason="by somebody else")

    expect(page.locator("#diagnosis")).to_contain_text("Waits again")
    expect(page.get_by_role("cell", name="by somebody else")).to_be_visible()


def test_the_overview_tells_the_share_that_was_delivered_hour_by_hour(shop: Shop) -> None:
    now = shop.runtime.clock.now()
    told = trend_of(shop.runtime.store.ended_by_hour(since=now - timedelta(hours=48), most=100), now=now)
    page = shop.page()

    page.goto("/")

    said = f"{told.succeeded} succeeded, {told.failed} failed"
    assert told.succeeded > 0
    expect(page.get_by_role("region", name="Delivered and failed")).to_contain_text(said)
    expect(page.get_by_text("The scale bends")).to_be_visible()
