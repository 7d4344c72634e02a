"""visitor.js: what waits when a page is left arrives, once, from one tab or two."""

import asyncio
from typing import Any

import pytest
from playwright.sync_api import Playwright

from tests.support.browsers import patience

from .conftest import DRAINED, Runtime, Visit, eventually, visitor

PURCHASE = "ecBasketTransactionSummary"


def test_everything_that_waits_goes_out_when_the_page_is_left(visit: Visit, runtime: Runtime) -> None:
    page = visit()
    first = visitor(page)

    page.evaluate(
        """type => {
            for (let n = 0; n < 20; n++) experience.emit('e' + n)
            experience.emit(type)
            location.href = 'about:blank'
        }""",
        PURCHASE,
    )

    eventually(page, lambda: len(runtime.types(first)) >= 21)
    assert sorted(runtime.types(first)) == sorted([*(f"e{number}" for number in range(20)), PURCHASE])


def test_what_arrived_while_leaving_does_not_count_again_on_the_next_page(
    visit: Visit, runtime: Runtime
) -> None:
    page = visit()
    first = visitor(page)
    # nothing but the beacon goes out, and nobody hears that it arrived
    page.evaluate("() => { window.fetch = () => Promise.reject(new Error('cut')) }")

    page.evaluate("type => { experience.emit('ecProduct'); experience.emit(type) }", PURCHASE)
    page.reload()
    page.wait_for_function(DRAINED)

    eventually(page, lambda: len(runtime.types(first)) >= 2)
    assert sorted(runtime.types(first)) == sorted(["ecProduct", PURCHASE])
    assert len(runtime.visitor(first)["conversions"]) == 1


def test_letters_of_more_than_one_byte_are_no_more_than_may_outlive_a_page(
    visit: Visit, runtime: Runtime
) -> None:
    page = visit()
    first = visitor(page)

    # too much for one request that outlives a page, though not so many letters
    page.context.set_offline(True)
    page.evaluate("() => { for (let n = 0; n < 9; n++) experience.emit('a' + n, '\u7c60'.repeat(2900)) }")
    page.context.set_offline(False)
    page.wait_for_function(DRAINED)
    page.evaluate(
        """type => {
            window.fetch = () => Promise.reject(new Error('cut'))
            for (let n = 0; n < 30; n++) experience.emit('b' + n, '\u7c60'.repeat(1000))
            experience.emit(type)
            location.href = 'about:blank'
        }""",
        PURCHASE,
    )

    eventually(page, lambda: PURCHASE in runtime.types(first))
    assert {f"a{n}" for n in range(9)} <= set(runtime.types(first))


def test_what_goes_out_while_much_is_under_way_goes_in_parts(visit: Visit, runtime: Runtime) -> None:
    page = visit()
    first = visitor(page)

    page.evaluate(
        """type => {
            const send = navigator.sendBeacon.bind(navigator)
            // as browsers do that have others' requests under way
            navigator.sendBeacon = (address, text) => text.length < 2e4 && send(address, text)
            window.fetch = () => Promise.reject(new Error('cut'))
            for (let n = 0; n < 40; n++) experience.emit('b' + n, 'x'.repeat(1000))
            experience.emit(type)
            location.href = 'about:blank'
        }""",
        PURCHASE,
    )

    eventually(page, lambda: len(runtime.types(first)) >= 41)
    assert sorted(runtime.types(first)) == sorted([*(f"b{n}" for n in range(40)), PURCHASE])


def test_a_browser_that_never_answers_is_given_up(visit: Visit, playwright: Playwright) -> None:
    page = visit()

    with patience(playwright, 0.2), pytest.raises(asyncio.CancelledError, match="has not answered"):
        page.evaluate("() => new Promise(() => {})")

    assert page.evaluate("1 + 1") == 2


@pytest.mark.parametrize("nonsense", ["null", "{}", '{"items": []}', "<!doctype html>"])
def test_an_answer_of_somebody_else_loses_nothing(visit: Visit, runtime: Runtime, nonsense: str) -> None:
    page = visit()
    told: list[int] = []

    def answer(route: Any) -> None:
        if len(told) > 2:
            route.continue_()
            return
        told.append(1)
        allowed = {"access-control-allow-origin": page.url.rstrip("/")}
        route.fulfill(status=200, content_type="application/json", body=nonsense, headers=allowed)

    page.route("**/events", answer)
    page.evaluate("experience.emit('ecProduct')")
    while len(told) < 3:
        page.wait_for_timeout(10)
        page.evaluate("dispatchEvent(new Event('online'))")
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_function(DRAINED)

    assert runtime.types(visitor(page)) == ["ecProduct"]


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [("ecProduct", "ecView", "pending"), (PURCHASE, "ecView", "pending"), ("ecView", PURCHASE, "cancelled")],
)
def test_a_run_that_waits_when_the_page_is_left_is_carried_out_in_its_place(
    visit: Visit, runtime: Runtime, before: str, after: str, status: str
) -> None:
    page = visit()
    first = visitor(page)

    page.evaluate(
        """([before, after]) => {
            window.fetch = () => new Promise(() => {})  // so that the run still waits for its turn
            experience.emit(before)
            experience.run('reminder')
            experience.emit(after)
            location.href = 'about:blank'
        }""",
        [before, after],
    )

    eventually(page, lambda: len(runtime.types(first)) == 2)
    eventually(page, lambda: [each["status"] for each in runtime.executions(first)] == [status])


def test_two_tabs_lose_and_double_nothing(visit: Visit, runtime: Runtime) -> None:
    page = visit()
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_function(DRAINED)
    page.context.set_offline(True)

    for number in range(10):
        page.evaluate("n => { experience.emit('a' + n) }", number)
        other.evaluate("n => { experience.emit('b' + n) }", number)
    page.context.set_offline(False)
    for each in (page, other):
        each.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_function(DRAINED)

    assert sorted(runtime.types(visitor(page))) == sorted(f"{tab}{n}" for tab in "ab" for n in range(10))


def test_without_locks_two_tabs_double_nothing_either(visit: Visit, runtime: Runtime) -> None:
    page = visit(init="Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })")
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_function(DRAINED)
    page.context.set_offline(True)
    for number in range(5):
        page.evaluate("n => { experience.emit('a' + n) }", number)
    page.context.set_offline(False)

    for each in (page, other):
        each.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_function(DRAINED)

    assert sorted(runtime.types(visitor(page))) == [f"a{n}" for n in range(5)]


def test_what_one_tab_emits_after_a_run_waits_for_it_in_the_other_too(visit: Visit, runtime: Runtime) -> None:
    page = visit()
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_function(DRAINED)
    first = visitor(page)
    asked: list[Any] = []

    def hold(route: Any) -> None:
        asked.append(route)

    page.route("**/run/reminder", hold)

    page.evaluate("type => { window.ran = experience.run('reminder'); experience.emit(type) }", PURCHASE)
    while not asked:
        page.wait_for_timeout(10)
    other.evaluate("experience.emit('ecProduct')")
    eventually(other, lambda: "ecProduct" in runtime.types(first))
    before = runtime.types(first)
    asked[0].continue_()
    page.evaluate("window.ran")
    page.wait_for_function(DRAINED)

    assert before == ["ecProduct"]
    assert [each["status"] for each in runtime.executions(first)] == ["cancelled"]
