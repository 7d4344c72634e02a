"""Executions: find one, see what happened and why, cancel and replay it; alone and many at once."""

import re
from datetime import timedelta

import pytest
from experience_runtime.domain.executions import Status, execution_number
from playwright.sync_api import expect

from .conftest import Shop

WITH_AND_WITHOUT_SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])


def test_an_empty_shop_says_what_to_do(empty_shop: Shop) -> None:
    page = empty_shop.page()

    page.goto("/executions")

    expect(page.get_by_text("No executions yet")).to_be_visible()


@WITH_AND_WITHOUT_SCRIPT
def test_a_filter_shows_only_what_it_means(shop: Shop, script: bool) -> None:
    page = shop.page(script=script)
    page.goto("/executions")

    page.get_by_role("checkbox", name="failed").check()
    page.get_by_role("button", name="Show").click()

    expect(page.locator("tbody tr")).to_have_count(len(shop.executions(statuses=[Status.FAILED])))
    expect(page.locator("tbody td .state")).to_have_text(["failed"] * page.locator("tbody tr").count())


def test_an_id_in_the_search_leads_to_its_page(shop: Shop) -> None:
    page, id = shop.page(), shop.schedule()
    page.goto("/executions")

    page.get_by_label("Visitor, key or id").fill(f" {id} ")
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(f"/executions/{id}$"))
    expect(page.get_by_role("heading", name=id)).to_be_visible()


def test_a_part_of_a_visitors_id_finds_its_executions(shop: Shop) -> None:
    shop.schedule(visitor="grace-hopper")
    page = shop.page()

    page.goto("/executions?text=grace")

    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.get_by_role("link", name="grace-hopper")).to_be_visible()


def test_older_leads_through_all_of_them_once(shop: Shop) -> None:
    page, seen = shop.page(), []
    page.goto("/executions")

    while True:
        seen += page.locator("tbody a.id").all_text_contents()
        if not page.get_by_role("link", name="Older").count():
            break
        page.get_by_role("link", name="Older").click()

    assert sorted(seen) == sorted(each.id for each in shop.executions())


def test_the_picture_says_in_words_what_it_shows(shop: Shop) -> None:
    page = shop.page()

    page.goto("/executions?status=failed")

    count = len(shop.executions(statuses=[Status.FAILED]))
    expect(page.get_by_role("img", name=f"{count} failed; {count} due before now, 0 after")).to_be_visible()
    expect(page.locator(".picture .mark.is-failed")).not_to_have_count(0)


def test_a_new_execution_appears_by_itself_and_the_focus_stays(empty_shop: Shop) -> None:
    first = empty_shop.schedule()
    page = empty_shop.page()
    page.clock.install()
    page.goto("/executions")
    page.get_by_role("link", name=first).focus()

    second = empty_shop.schedule(visitor="ben")
    page.clock.run_for(4_000)

    expect(page.get_by_role("link", name=second)).to_be_visible()
    expect(page.get_by_role("link", name=first)).to_be_focused()


def test_paused_updates_change_nothing(empty_shop: Shop) -> None:
    page = empty_shop.page()
    page.clock.install()
    page.goto("/executions")
    asked: list[str] = []

    page.get_by_role("button", name="Pause updates").click()
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(60_000)

    assert asked == []
    expect(page.get_by_text("paused")).to_be_visible()


def test_one_execution_shows_why_in_the_visitors_zone_and_in_utc(shop: Shop) -> None:
    id = shop.schedule(window={"day": "monday-friday", "time": "09:00-17:00"})
    page = shop.page()

    page.goto(f"/executions/{id}")

    execution = shop.runtime.store.execution(execution_number(id))
    why = page.get_by_role("region", name="Why at this time")
    expect(why).to_contain_text("Europe/Paris")
    expect(why).to_contain_text(f"{execution.due_at:%Y-%m-%dT%H:%M}")
    expect(why).to_contain_text('asked for delay "1 hour"')
    expect(why).to_contain_text("the window monday-friday 09:00-17:00")


@WITH_AND_WITHOUT_SCRIPT
def test_cancel_keeps_the_reason(empty_shop: Shop, script: bool) -> None:
    page, id = empty_shop.page(script=script), empty_shop.schedule()
    page.goto(f"/executions/{id}")

    page.get_by_label("Reason").fill("the offer ended")
    page.get_by_role("button", name="Cancel this execution").click()

    expect(page.get_by_role("status")).to_contain_text("The execution is cancelled.")
    expect(page.get_by_role("region", name="What happened")).to_contain_text("the offer ended")
    assert empty_shop.executions()[0].status is Status.CANCELLED

    page.get_by_role("button", name="Restore this execution").click()

    expect(page.get_by_role("status")).to_contain_text("pending again, at its own time")
    assert empty_shop.executions()[0].status is Status.PENDING


def test_what_is_pending_is_moved_and_run_now(empty_shop: Shop) -> None:
    page, id = empty_shop.page(), empty_shop.schedule()
    page.goto(f"/executions/{id}")

    page.get_by_label("Run at (UTC)").fill("2020-01-01T09:00")
    page.get_by_role("button", name="Move this execution").click()
    expect(page.get_by_role("alert")).to_contain_text("is in the past")
    expect(page.get_by_label("Run at (UTC)")).to_have_value("2020-01-01T09:00")
    at = f"{empty_shop.runtime.clock.now() + timedelta(days=3):%Y-%m-%dT%H:%M}"
    page.get_by_label("Run at (UTC)").fill(at)
    page.get_by_role("button", name="Move this execution").click()
    expect(page.get_by_role("status")).to_contain_text("The execution is moved")
    expect(page.get_by_label("Run at (UTC)")).to_have_value(at)
    page.get_by_text("Run now…").click()
    page.get_by_role("button", name="Run now").click()

    expect(page.get_by_role("status")).to_contain_text("due now")
    expect(page.get_by_role("region", name="What happened")).to_contain_text("run now")


def test_what_was_typed_stays_while_the_execution_changes(empty_shop: Shop) -> None:
    page, id = empty_shop.page(), empty_shop.schedule()
    page.clock.install()
    page.goto(f"/executions/{id}")
    page.get_by_label("Run at (UTC)").fill("2031-01-01T09:00")
    page.get_by_label("Run at (UTC)").blur()
    empty_shop.runtime.operations.move(id, {"delay": "2 days"}, reason="the shop is closed")

    for asked in (f"/executions/{id}", "/stamp"):  # the second begins when the first has been shown
        with page.expect_response(f"**{asked}"):
            page.clock.run_for(4_000)

    expect(page.get_by_label("Run at (UTC)")).to_have_value("2031-01-01T09:00")


def test_a_failed_execution_shows_its_attempt_and_is_replayed(shop: Shop) -> None:
    failed = shop.executions(statuses=[Status.FAILED])[0]
    page = shop.page()
    page.goto(f"/executions/{failed.id}")
    expect(page.get_by_role("region", name="Attempts")).to_contain_text("the receiver answered 410")

    page.get_by_role("button", name="Replay this execution").click()

    expect(page.get_by_role("status")).to_contain_text("pending again")
    assert shop.runtime.store.execution(failed.number).status is Status.PENDING


def test_a_refusal_stands_at_the_form_with_what_was_typed(empty_shop: Shop) -> None:
    page, id = empty_shop.page(), empty_shop.schedule()
    page.goto(f"/executions/{id}")
    page.evaluate("document.querySelector('#reason').maxLength = 2000")

    page.get_by_label("Reason").fill("x" * 1001)
    page.get_by_role("button", name="Cancel this execution").click()

    expect(page.get_by_role("alert")).to_contain_text("has 1001 characters")
    expect(page.get_by_label("Reason")).to_have_value("x" * 1001)
    assert empty_shop.executions()[0].status is Status.PENDING


@WITH_AND_WITHOUT_SCRIPT
def test_many_are_counted_first_and_then_cancelled_with_progress(empty_shop: Shop, script: bool) -> None:
    for index in range(12):
        empty_shop.schedule(visitor=f"visitor-{index}")
    page = empty_shop.page(script=script)
    page.goto("/executions?integration=update-crm")

    page.get_by_role("button", name="Cancel all of these…").click()
    expect(page.get_by_role("heading", name="12 executions would be cancelled")).to_be_visible()
    assert len(empty_shop.executions(statuses=[Status.PENDING])) == 12
    page.get_by_label("Reason").fill("the sale is over")
    page.get_by_role("button", name="Cancel 12 executions").click()
    if not script:
        for _ in range(50):
            if page.get_by_text("12 executions are cancelled").count():
                break
            page.reload()

    expect(page.get_by_role("heading", name="12 executions are cancelled")).to_be_visible()
    assert {each.reason for each in empty_shop.executions()} == {"the sale is over"}


def test_what_matches_meanwhile_is_not_cancelled_uncounted(empty_shop: Shop) -> None:
    empty_shop.schedule()
    page = empty_shop.page()
    page.goto("/executions/bulk/cancel?integration=update-crm")

    empty_shop.schedule(visitor="ben")
    page.get_by_role("button", name="Cancel 1 execution").click()

    expect(page.get_by_role("alert")).to_contain_text(
        "2 executions match now, and 1 matched when you were asked"
    )
    assert len(empty_shop.executions(statuses=[Status.PENDING])) == 2


def test_failed_ones_are_replayed_by_filter(shop: Shop) -> None:
    failed = len(shop.executions(statuses=[Status.FAILED]))
    page = shop.page()
    page.goto("/executions/bulk/replay?integration=send-sms")

    page.get_by_role("button", name=f"Replay {failed} executions").click()

    expect(page.get_by_role("heading", name=f"{failed} executions are replayed")).to_be_visible()


def test_the_keyboard_alone_skips_to_the_content_and_opens_a_page(empty_shop: Shop) -> None:
    page = empty_shop.page()
    page.goto("/")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Executions")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile("/executions$"))
    outline = page.get_by_label("Visitor, key or id")
    outline.focus()
    assert outline.evaluate("each => getComputedStyle(each).outlineStyle") == "solid"


def test_the_overview_counts_what_the_store_holds(shop: Shop) -> None:
    page = shop.page()

    page.goto("/")

    for status in Status:
        figure = page.locator(".figures div").filter(has_text=status.value)
        expect(figure.locator("dd")).to_have_text(str(len(shop.executions(statuses=[status]))))
    expect(page.get_by_role("region", name="What runs next").locator("tbody tr")).to_have_count(10)
    expect(page.get_by_role("region", name="Failures of the last 24 hours")).to_contain_text("send-sms")


def test_another_payload_is_checked_with_its_place_and_then_replayed_and_shown_as_changed(shop: Shop) -> None:
    failed = shop.executions(statuses=[Status.FAILED])[0]
    page = shop.page()
    page.goto(f"/executions/{failed.id}")
    page.get_by_text("Replay with another payload…").click()
    expect(page.get_by_label("Payload (JSON)")).to_have_value(re.compile("Your order is on its way"))

    page.get_by_label("Payload (JSON)").fill('{"to": "+15550111",\n "text": oops}')
    page.get_by_role("button", name="Replay with this payload").click()
    expect(page.get_by_role("alert")).to_contain_text("line 2, column 10")
    expect(page.get_by_label("Payload (JSON)")).to_be_focused()
    assert shop.runtime.store.execution(failed.number) == failed
    page.get_by_label("Payload (JSON)").fill('{"to": "+15550111", "text": "It is here"}')
    page.get_by_role("button", name="Replay with this payload").click()

    expect(page.get_by_role("status")).to_contain_text("pending again")
    expect(page.get_by_label("Payload", exact=True)).to_contain_text("It is here")
    page.get_by_text("Changed at").click()
    expect(page.get_by_label("Payload before")).to_contain_text("Your order is on its way")


@WITH_AND_WITHOUT_SCRIPT
def test_chosen_executions_are_moved_and_cancelled_and_the_rest_stays(empty_shop: Shop, script: bool) -> None:
    first, second, stays = (empty_shop.schedule(visitor=each) for each in ("ada", "ben", "eve"))
    page = empty_shop.page(script=script)
    page.goto("/executions?integration=update-crm")
    page.get_by_label(f"Choose {first}").check()
    page.get_by_label(f"Choose {second}").check()

    page.get_by_role("button", name="Move…").click()
    page.get_by_label("Run at (UTC)").fill("2031-01-01T09:00")
    page.get_by_role("button", name="Move 2 executions").click()
    expect(page.get_by_role("alert")).to_contain_text("2031-01-01")
    expect(page.get_by_label("Run at (UTC)")).to_be_focused()
    soon = (empty_shop.runtime.clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    page.get_by_label("Run at (UTC)").fill(soon)
    page.get_by_role("button", name="Move 2 executions").click()

    expect(page.get_by_role("status")).to_contain_text("moved")
    due = {each.id: each.due_at.strftime("%Y-%m-%dT%H:%M") for each in empty_shop.executions()}
    assert (due[first], due[second], due[stays] < soon) == (soon, soon, True)
    expect(page.get_by_label("Integration")).to_have_value("update-crm")
    page.get_by_label(f"Choose {first}").check()
    page.get_by_label(f"Choose {second}").check()
    page.get_by_role("button", name="Cancel…").click()
    empty_shop.runtime.scheduler.cancel_execution(second, reason=None)  # by somebody else, meanwhile
    page.get_by_role("button", name="Cancel 2 executions").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 execution is cancelled")
    expect(page.get_by_role("region", name="1 could not be cancelled")).to_contain_text("is cancelled")
    assert [each.id for each in empty_shop.executions(statuses=[Status.PENDING])] == [stays]


def test_one_box_chooses_all_that_are_shown(empty_shop: Shop) -> None:
    for visitor in ("ada", "ben", "eve"):
        empty_shop.schedule(visitor=visitor)
    page = empty_shop.page()
    page.goto("/executions")
    page.get_by_role("button", name="Cancel…").click()
    expect(page.get_by_role("alert")).to_contain_text("no execution is chosen")
    page.go_back()

    page.get_by_label("Choose", exact=True).check()
    expect(page.get_by_text("3 chosen")).to_be_visible()
    page.get_by_role("button", name="Cancel…").click()
    page.get_by_role("button", name="Cancel 3 executions").click()

    expect(page.get_by_role("status")).to_contain_text("cancelled")
    assert not empty_shop.executions(statuses=[Status.PENDING])
