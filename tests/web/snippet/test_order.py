"""visitor.js: what a page does is one ordered queue, framed, as a module, and in any zone."""

import time
from typing import Any

import pytest

from .conftest import DRAINED, Runtime, Shop, Visit, visitor

PURCHASE = "ecBasketTransactionSummary"


# --- order and time


def test_a_purchase_before_the_first_run_cancels_nothing_that_it_schedules(
    visit: Visit, runtime: Runtime
) -> None:
    page = visit(wait=False)

    page.evaluate("type => { experience.emit(type); return experience.run('reminder') }", PURCHASE)
    page.wait_for_function(DRAINED)

    (execution,) = runtime.executions(visitor(page))
    assert execution["status"] == "pending"
    assert runtime.types(visitor(page)) == [PURCHASE]


def test_a_purchase_right_after_a_run_was_asked_for_cancels_what_it_schedules(
    visit: Visit, runtime: Runtime
) -> None:
    page = visit()

    page.evaluate(
        "type => { const ran = experience.run('reminder'); experience.emit(type); return ran }", PURCHASE
    )
    page.wait_for_function(DRAINED)

    (execution,) = runtime.executions(visitor(page))
    assert (execution["status"], execution["reason"]) == ("cancelled", "conversion")


def test_a_purchase_between_two_runs_cancels_what_the_first_schedules_however_long_that_takes(
    visit: Visit, runtime: Runtime
) -> None:
    page = visit()
    asked: list[Any] = []

    def hold(route: Any) -> None:
        if asked:
            route.continue_()
        asked.append(route)

    page.route("**/run/reminder", hold)
    page.evaluate(
        """type => {
            const first = experience.run('reminder')
            experience.emit(type)
            window.ran = Promise.all([first, experience.run('reminder')])
            const now = Date.now
            Date.now = () => now() + 60000  // the first takes a minute
        }""",
        PURCHASE,
    )
    while not asked:
        page.wait_for_timeout(10)
    asked[0].continue_()
    page.evaluate("window.ran")
    page.wait_for_function(DRAINED)

    assert [each["status"] for each in runtime.executions(visitor(page))] == ["pending", "cancelled"]


def test_runs_are_carried_out_one_after_the_other(visit: Visit, runtime: Runtime) -> None:
    page = visit()

    outcomes = page.evaluate(
        "Promise.all(['reminder', 'facts'].map(name => experience.run(name).then(ran => ran.outcome)))"
    )

    assert outcomes == ["ran", "ran"]
    assert len(runtime.executions(visitor(page))) == 2


def test_a_purchase_that_was_told_late_cancels_nothing_that_came_after_it(
    visit: Visit, runtime: Runtime
) -> None:
    page = visit()
    page.context.set_offline(True)
    # ten minutes ago: how long its request takes to arrive counts too, and must not make it the later one
    page.evaluate(
        "type => { const now = Date.now; Date.now = () => now() - 600000; "
        "experience.emit(type); Date.now = now }",
        PURCHASE,
    )
    body = {"visitor": visitor(page), "timezone": "Europe/Paris"}
    assert runtime.operator.post("/v1/experiences/reminder/run", json=body).status_code == 200

    page.context.set_offline(False)
    page.wait_for_function(DRAINED)

    (execution,) = runtime.executions(visitor(page))
    (conversion,) = runtime.visitor(visitor(page))["conversions"]
    assert execution["status"] == "pending"
    assert conversion["at"] < conversion["received_at"]


# --- storage and frames


def test_a_sandboxed_frame_hears_no_exception(visit: Visit, shop: Shop) -> None:
    tag = shop.tag.replace('"', "&quot;")
    shop.before = f'<iframe sandbox="allow-scripts" srcdoc="{tag}"></iframe>'
    shop.tag = ""
    page = visit(wait=False)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(error.message))
    frame = page.frames[1]
    frame.wait_for_function("() => window.experience && experience.visitor")

    told = frame.evaluate("[experience.emit('ecView'), experience.visitor.length]")

    assert told == [True, 32]
    assert wrong == []


def test_it_may_be_loaded_as_a_module(visit: Visit, runtime: Runtime, shop: Shop) -> None:
    shop.tag = shop.tag.replace("<script", '<script type="module"')
    page = visit()

    page.evaluate("experience.emit('ecView')")
    page.wait_for_function(DRAINED)

    assert runtime.types(visitor(page)) == ["ecView"]


def test_where_the_runtime_is_on_the_sites_own_host_the_server_sets_the_cookie(
    visit: Visit, runtime: Runtime, shop: Shop
) -> None:
    ours = runtime.address.replace("127.0.0.1", "localhost")
    shop.tag, shop.runtime = shop.tag.replace(runtime.address, ours), ours
    page = visit()

    (cookie,) = page.context.cookies()

    assert cookie["value"] == visitor(page)
    assert cookie["expires"] > time.time() + 366 * 24 * 3600  # a script asks for a year


# --- zones


ZONES = [
    "Africa/Casablanca",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Europe/Kyiv",
    "Europe/London",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Marquesas",
]


@pytest.mark.parametrize("zone", ZONES)
def test_a_run_is_in_the_browsers_zone_wherever_it_is(visit: Visit, runtime: Runtime, zone: str) -> None:
    page = visit(zone)

    page.evaluate("experience.run('reminder')")

    (execution,) = runtime.executions(visitor(page))
    assert execution["zone_from"] == "visitor_zone"
    assert execution["due_local"][11:13] == "09"


@pytest.mark.parametrize("name", ["Etc/Unknown", "SystemV/EST5", "", "Mars/Olympus"])
def test_a_zone_that_the_server_does_not_know_falls_back_to_its_offset(
    visit: Visit, runtime: Runtime, name: str
) -> None:
    known = "Intl.DateTimeFormat.prototype.resolvedOptions"
    page = visit("Asia/Kolkata", init=f"{known} = () => ({{ timeZone: '{name}' }})")

    outcome = page.evaluate("experience.run('reminder').then(ran => ran.outcome)")

    (execution,) = runtime.executions(visitor(page))
    assert outcome == "ran"
    assert (execution["zone"], execution["zone_from"]) == ("UTC+05:30", "visitor_offset")
    assert execution["due_local"][11:13] == "09"


# --- run, identify, facts, names


def test_a_run_that_is_refused_rejects(visit: Visit) -> None:
    page = visit()

    told = page.evaluate("experience.run('nowhere').catch(error => [error.code, error.message])")

    assert told[0] == "module_not_found"
    assert "nowhere" in told[1]


def test_a_run_without_a_network_rejects(visit: Visit) -> None:
    page = visit()
    page.context.set_offline(True)

    assert page.evaluate("experience.run('reminder').catch(error => error instanceof Error)") is True


def test_a_browser_that_is_identified_is_the_persons(visit: Visit, runtime: Runtime) -> None:
    desk, phone = visit("Europe/Paris"), visit("Asia/Tokyo")
    person = f"person of {visitor(desk)}"
    for page in (desk, phone):
        page.evaluate("experience.run('reminder')")
        assert page.evaluate("id => experience.identify(id)", person) is True
        page.wait_for_function(DRAINED)

    phone.evaluate("type => experience.emit(type)", PURCHASE)
    phone.wait_for_function(DRAINED)

    found = runtime.executions(visitor(desk), visitor(phone))
    assert [each["reason"] for each in found] == ["conversion", "conversion"]
    assert runtime.visitor(person)["timezone"] == "Europe/Paris"


def test_the_browsers_facts_go_with_a_run(visit: Visit, runtime: Runtime) -> None:
    page = visit()

    page.evaluate("experience.run('facts')")

    (execution,) = runtime.executions(visitor(page))
    seen: dict[str, Any] = execution["payload"]["seen"]
    assert seen["url"] == page.url
    assert seen["language"] == page.evaluate("navigator.language")
    assert seen["screen"] == page.evaluate("({ width: screen.width, height: screen.height })")
    assert seen["ua"] == {"deviceType": "computer", "userAgent": page.evaluate("navigator.userAgent")}


def test_under_a_name_of_the_operators_own_it_asks_for_no_other(
    visit: Visit, runtime: Runtime, shop: Shop
) -> None:
    shop.tag = shop.tag.replace("/visitor.js", "/assets/shop.js")
    asked: list[str] = []
    page = visit()
    page.on("request", lambda request: asked.append(request.url))
    page.reload()

    page.evaluate("experience.emit('ecView')")
    page.evaluate("experience.run('reminder')")
    page.wait_for_function(DRAINED)

    assert runtime.types(visitor(page)) == ["ecView"]
    assert len(runtime.executions(visitor(page))) == 1
    ours = [url.removeprefix(runtime.address) for url in asked if url.startswith(runtime.address)]
    assert len(ours) >= 3
    assert all(path.startswith(("/assets/shop.js", "/assets/shop/k/")) for path in ours)
