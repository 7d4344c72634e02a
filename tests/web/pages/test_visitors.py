"""Visitors: one visitor's zone, events, conversions and executions, and a conversion recorded by hand."""

import pytest
from experience_runtime.domain.executions import Status
from experience_runtime.domain.visitors import Visitor
from playwright.sync_api import expect

from .conftest import Shop


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_conversion_cancels_what_waits_for_one(empty_shop: Shop, script: bool) -> None:
    waits, stays = empty_shop.schedule(cancelOnConversion=True), empty_shop.schedule()
    empty_shop.runtime.store.remember_visitor(
        Visitor(id="ada", timezone="Europe/Paris"), now=empty_shop.runtime.clock.now()
    )
    page = empty_shop.page(script=script)
    page.goto("/visitors")
    page.get_by_label("Visitor id").fill("ada")
    page.get_by_role("button", name="Look up").click()
    expect(page.get_by_role("region", name="Where they are")).to_contain_text("Europe/Paris")

    page.get_by_role("button", name="Record the conversion").click()

    expect(page.get_by_role("status")).to_contain_text("The conversion is recorded")
    expect(page.get_by_role("row", name=waits)).to_contain_text("cancelled")
    expect(page.get_by_role("row", name=stays)).to_contain_text("pending")
    expect(page.get_by_role("region", name="Conversions")).to_contain_text("ecBasketTransactionSummary")


def test_an_event_that_is_no_conversion_is_refused_at_the_form(empty_shop: Shop) -> None:
    empty_shop.schedule(cancelOnConversion=True)
    page = empty_shop.page()
    page.goto("/visitors?id=ada")

    page.get_by_label("Event", exact=True).fill("ecView")
    page.get_by_role("button", name="Record the conversion").click()

    expect(page.get_by_role("alert")).to_contain_text('event "ecView" is not a conversion')
    expect(page.get_by_label("Event", exact=True)).to_have_value("ecView")
    assert empty_shop.executions()[0].status is Status.PENDING


@pytest.mark.parametrize("visitor", ["a/b", "..", "?id=x&y", "ü 名", "%2e%2e"])
def test_any_id_leads_to_its_own_page(empty_shop: Shop, visitor: str) -> None:
    empty_shop.schedule(visitor=visitor)
    page = empty_shop.page()
    page.goto("/executions")

    page.get_by_role("link", name=visitor, exact=True).click()

    expect(page.get_by_role("heading", level=1)).to_have_text(visitor)
    expect(page.get_by_role("region", name="Executions").locator("tbody tr")).to_have_count(1)


def test_events_are_shown_on_the_visitors_clock(shop: Shop) -> None:
    visitor = shop.executions(integration="email-offer")[0].visitor
    page = shop.page()

    page.goto(f"/visitors/{visitor}")

    expect(page.get_by_role("region", name="Events")).to_contain_text("ecView")


def test_a_visitor_is_suggested_while_an_id_of_the_person_is_typed(empty_shop: Shop) -> None:
    empty_shop.schedule(visitor="3f2a9c41")
    empty_shop.runtime.identify("3f2a9c41", "customer-5512")
    page = empty_shop.page()
    page.goto("/visitors")
    expect(page.get_by_role("row", name="3f2a9c41")).to_contain_text("customer-5512")

    page.get_by_label("Visitor id").press_sequentially("Cust")

    expect(page.locator("datalist option")).to_have_count(2)
    assert page.locator("datalist option").evaluate_all("all => all.map(each => each.value)") == [
        "customer-5512",
        "3f2a9c41",
    ]
    page.get_by_role("button", name="Look up").click()
    page.get_by_role("link", name="3f2a9c41").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("3f2a9c41")
    expect(page.get_by_role("region", name="Where they are")).to_contain_text("customer-5512")
