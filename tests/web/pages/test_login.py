"""Signing in: who may see what, and act on what."""

import re

import pytest
from experience_runtime.domain.access import Scope
from experience_runtime.domain.executions import Status
from playwright.sync_api import Page, expect

from .conftest import Shop


def _sign_in(page: Page, token: str) -> None:
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_token_opens_the_page_that_was_asked_for_until_signing_out(shop: Shop, script: bool) -> None:
    token, page = shop.token(Scope.OPERATOR), shop.page(script=script)
    page.goto("/executions?status=failed")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    _sign_in(page, token)

    expect(page).to_have_url(re.compile(r"/executions\?status=failed$"))
    page.get_by_role("button", name="Sign out").click()
    page.goto("/executions")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("kind", ["unknown", "site"])
def test_a_token_that_opens_no_page_is_refused_at_the_form(empty_shop: Shop, kind: str) -> None:
    site = empty_shop.token(Scope.SITE)
    page = empty_shop.page()
    page.goto("/")

    _sign_in(page, site if kind == "site" else "exp_operator_made-up")

    expect(page.get_by_role("alert")).to_contain_text("experience tokens create")
    expect(page.get_by_label("Token")).to_have_value("")


def test_an_author_plays_and_reads_but_acts_on_nothing(empty_shop: Shop) -> None:
    id = empty_shop.schedule(cancelOnConversion=True)
    empty_shop.runtime.recurring.set("digest", "update-crm", {}, {"daily": "09:00", "timezone": "UTC"})
    fired = empty_shop.runtime.recurring.run_now("digest")
    token, page = empty_shop.token(Scope.AUTHOR), empty_shop.page()
    page.goto("/")
    _sign_in(page, token)

    expect(page.get_by_role("heading", name="Playground")).to_be_visible()
    seen = ["Executions", "Experiences", "Visitors", "Playground"]
    expect(page.get_by_role("navigation").get_by_role("link")).to_have_text(seen)
    page.goto(f"/executions/{id}")
    expect(page.get_by_role("heading", name=id)).to_be_visible()
    expect(page.locator("main form, main a[href^='/visitors'], main a[href^='/settings']")).to_have_count(0)
    page.goto(f"/executions/{fired.id}")
    expect(page.get_by_role("alert")).to_contain_text("that an experience made")
    page.goto("/executions")
    expect(page.locator("tbody tr")).to_have_count(1)  # a schedule's is not an experience's
    page.goto("/visitors?id=ada")
    expect(page).to_have_url(re.compile(r"/executions\?visitor=ada$"))  # no page of a person
    for path in ("/settings/integrations", "/executions/bulk/cancel"):
        page.goto(path)
        expect(page.get_by_role("alert")).to_contain_text("this needs operator")
    page.goto("/playground")
    page.get_by_role("button", name="Run it").click()
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()

    page.goto("/playground")
    form_token = page.locator("input[name=form_token]").first.input_value()
    answer = page.request.post(
        f"/executions/{id}/cancel",
        form={"form_token": form_token, "reason": "not mine"},
        headers={"Origin": empty_shop.address},
    )
    assert answer.status == 403
    assert empty_shop.executions()[0].status is Status.PENDING
