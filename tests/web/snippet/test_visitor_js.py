"""visitor.js in Chromium, on a shop's page, against a served process on another origin."""

import gzip
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from experience_runtime.web.wire import snippet as snippet_module
from experience_runtime.web.wire.snippet import snippet
from playwright.sync_api import Page

from .conftest import DRAINED, WAITING, Runtime, Shop, Visit

PURCHASE = "ecBasketTransactionSummary"


def emit(page: Page, type: str, data: Any = None) -> None:
    """Emit an event and wait until it has been sent."""
    page.evaluate("([type, data]) => experience.emit(type, data)", [type, data])
    page.wait_for_function(DRAINED)


def visitor(page: Page) -> str:
    return str(page.evaluate("experience.visitor"))


def stored(page: Page) -> dict[str, Any]:
    """What the page's browser keeps."""
    found: dict[str, Any] = page.evaluate("({ cookie: document.cookie, local: { ...localStorage } })")
    return found


# --- the window and the purchase


@pytest.mark.parametrize(
    "zone", ["Europe/Paris", "America/New_York", "Australia/Adelaide", "Pacific/Auckland"]
)
def test_the_window_follows_the_browsers_zone(visit: Visit, runtime: Runtime, zone: str) -> None:
    page = visit(zone)

    outcome = page.evaluate("experience.run('reminder').then(report => report.outcome)")

    (execution,) = runtime.executions(visitor(page))
    assert outcome == "ran"
    assert (execution["zone"], execution["zone_from"]) == (zone, "visitor_zone")
    assert execution["due_local"][11:13] == "09"
    assert runtime.visitor(visitor(page))["timezone"] == zone


def test_an_integration_called_from_the_page_is_in_the_zone_the_snippet_told(
    visit: Visit, runtime: Runtime
) -> None:
    page = visit("America/New_York")

    answer = page.evaluate(
        """([base, id]) => fetch(base + '/defer/' + btoa('2499:webhook:1'), {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({
              data: 1, delay: '1h', window: { day: 'monday-friday' }, meta: { visitorId: id }
            })
        }).then(answer => answer.json())""",
        [f"{runtime.address}/integrations/k/{runtime.key}", visitor(page)],
    )

    assert answer["ok"] is True
    assert runtime.executions(visitor(page))[0]["zone"] == "America/New_York"


def test_a_purchase_cancels_the_reminder(visit: Visit, runtime: Runtime) -> None:
    buys, waits = visit("Europe/Paris"), visit("Europe/Paris")
    for page in (buys, waits):
        page.evaluate("experience.run('reminder')")

    emit(buys, f"shop.{PURCHASE}", {"basket": {"total": 5}})

    ended = {each["status"]: each["reason"] for each in runtime.executions(visitor(buys), visitor(waits))}
    assert ended == {"pending": None, "cancelled": "conversion"}
    assert runtime.types(visitor(buys)) == [f"shop.{PURCHASE}"]
    assert runtime.types(visitor(waits)) == []


# --- the visitor


def test_a_visitor_is_the_same_on_the_next_page_and_another_in_another_browser(visit: Visit) -> None:
    page = visit()
    first = visitor(page)

    page.reload()
    page.wait_for_function(DRAINED)

    assert re.fullmatch("[0-9a-f]{32}", first)
    assert visitor(page) == first
    assert visitor(visit()) != first


def test_the_id_is_a_first_party_cookie(visit: Visit) -> None:
    page = visit()

    (cookie,) = page.context.cookies()

    assert cookie["value"] == visitor(page)
    assert (cookie["domain"], cookie["path"], cookie["sameSite"]) == ("localhost", "/", "Lax")
    assert not cookie["secure"]  # the shop is not on https


def test_a_second_page_tells_the_zone_no_second_time(visit: Visit) -> None:
    page = visit()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.method))

    page.reload()
    page.wait_for_function(DRAINED)

    assert "POST" not in requests


def test_a_cookie_that_is_none_of_ours_is_replaced(visit: Visit) -> None:
    page = visit(init="document.cookie = 'experience_visitor=<b>; Path=/'")

    assert re.fullmatch("[0-9a-f]{32}", visitor(page))


@pytest.mark.parametrize(
    "forbidden",
    [
        "Object.defineProperty(window, 'localStorage', { get () { throw new Error('no') } })",
        "Storage.prototype.setItem = function () { throw new Error('full') }",
        "Object.defineProperty(Document.prototype, 'cookie', { get: () => '', set () {} })",
    ],
)
def test_a_browser_that_keeps_nothing_still_tells(visit: Visit, runtime: Runtime, forbidden: str) -> None:
    page = visit(init=forbidden, wait=False)

    with page.expect_response(lambda answer: "/events" in answer.url and answer.request.method == "POST"):
        page.evaluate("experience.emit('ecView', { a: 1 })")
    with page.expect_response(lambda answer: "/events" in answer.url and answer.request.method == "POST"):
        page.evaluate("experience.emit('ecProduct')")

    assert "ecView" in runtime.types(visitor(page))


# --- nothing lost, nothing twice


def test_events_wait_while_the_browser_is_offline(visit: Visit, runtime: Runtime) -> None:
    page = visit()
    page.evaluate("window.setTimeout = () => 0")  # not by a timer: at once, when it is online again
    page.context.set_offline(True)

    for number in range(3):
        page.evaluate("number => experience.emit('ecProduct', { number })", number)
    before = runtime.types(visitor(page))
    page.context.set_offline(False)
    page.wait_for_function(DRAINED)

    assert before == []
    events = runtime.visitor(visitor(page))["events"][::-1]
    assert [event["data"] for event in events] == [{"number": number} for number in range(3)]


def test_what_was_left_is_sent_from_the_next_page(visit: Visit, runtime: Runtime) -> None:
    page = visit()
    page.context.set_offline(True)
    page.evaluate("experience.emit('ecProduct')")
    first = visitor(page)
    page.close()

    page.context.set_offline(False)
    again = page.context.new_page()
    again.goto(page.url)
    again.wait_for_function(DRAINED)

    assert runtime.types(first) == ["ecProduct"]


def test_an_event_whose_answer_is_lost_counts_once(visit: Visit, runtime: Runtime) -> None:
    page = visit()
    lost: list[int] = []

    def lose_the_answer(route: Any) -> None:
        if route.request.method != "POST" or lost:
            route.continue_()
            return
        answer = route.fetch()
        lost.append(answer.status)
        route.abort()

    page.route("**/events", lose_the_answer)
    page.evaluate("experience.emit('ecProduct')")
    while not lost:
        page.wait_for_timeout(10)
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_function(DRAINED)

    assert lost == [200]
    assert runtime.types(visitor(page)) == ["ecProduct"]


def test_a_long_time_offline_keeps_every_purchase_and_the_newest_of_the_rest(visit: Visit) -> None:
    page = visit()
    page.context.set_offline(True)

    page.evaluate(
        """purchase => {
            experience.emit('shop.' + purchase)
            experience.emit('my-shop.uk.' + purchase)
            for (let n = 0; n < 200; n++) experience.emit('e' + n)
        }""",
        PURCHASE,
    )

    kept = page.evaluate(f"{WAITING}.map(name => JSON.parse(localStorage.getItem(name)).type)")
    newest = [f"e{number}" for number in range(152, 200)]
    assert kept == [f"shop.{PURCHASE}", f"my-shop.uk.{PURCHASE}", *newest]


@pytest.mark.parametrize("data", ["'x'.repeat(20000)", "(a => { a.push(a); return a })([])", "5n"])
def test_what_cannot_be_sent_is_said_at_once(visit: Visit, data: str) -> None:
    page = visit()

    assert page.evaluate(f"experience.emit('ecView', {data})") is False
    assert page.evaluate("experience.emit('ecView', {})") is True


def test_an_event_that_is_refused_does_not_hold_up_the_next(visit: Visit, runtime: Runtime) -> None:
    page = visit()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))

    page.evaluate("experience.emit('no such <type>')")
    emit(page, "ecProduct")

    assert runtime.types(visitor(page)) == ["ecProduct"]
    assert any("no such <type> was refused: event type" in text for text in said)


def test_what_a_queue_was_made_into_by_others_does_no_harm(visit: Visit, runtime: Runtime) -> None:
    for text in ("{", "5", "null", '"text"', "{}", "[null]", '{"visitor":5}', '{"visitor":"x","at":"y"}'):
        page = visit(init=f"localStorage.setItem('experience_item_1', {text!r})", wait=False)
        page.wait_for_function("() => window.experience && experience.visitor")

        with page.expect_response(lambda answer: answer.request.method == "POST"):
            page.evaluate("experience.emit('ecProduct')")

        assert runtime.visitor(visitor(page)) is not None


# --- consent


def test_before_consent_nothing_is_kept_or_sent(visit: Visit, runtime: Runtime, shop: Shop) -> None:
    shop.tag = shop.tag.replace("data-key", 'data-consent="required" data-key')
    page = visit(wait=False)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))

    emitted = page.evaluate("experience.emit('ecProduct')")
    refused = page.evaluate("experience.run('reminder').catch(error => error.message)")
    before = (stored(page), list(requests), page.evaluate("experience.visitor"))
    page.evaluate("experience.consent(true)")
    emit(page, "ecView")

    assert emitted is False
    assert refused == "experience: no consent"
    assert before == ({"cookie": "", "local": {}}, [], None)
    assert runtime.types(visitor(page)) == ["ecView"]


def test_consent_that_is_taken_back_leaves_nothing(visit: Visit, runtime: Runtime) -> None:
    page = visit()
    first = visitor(page)
    page.context.set_offline(True)
    page.evaluate("experience.emit('ecProduct')")

    page.evaluate("experience.consent(false)")
    page.context.set_offline(False)
    emitted = page.evaluate("experience.emit('ecView')")

    assert emitted is False
    assert stored(page) == {"cookie": "", "local": {}}
    assert page.context.cookies() == []
    assert runtime.types(first) == []


@pytest.mark.parametrize("wish", ["globalPrivacyControl", "doNotTrack"])
def test_a_browser_that_wishes_not_to_be_tracked_is_not(visit: Visit, shop: Shop, wish: str) -> None:
    value = "'1'" if wish == "doNotTrack" else "true"
    init = f"Object.defineProperty(Navigator.prototype, '{wish}', {{ value: {value} }})"

    page = visit(init=init, wait=False)

    assert page.evaluate("experience.emit('ecView')") is False
    assert stored(page) == {"cookie": "", "local": {}}
    shop.tag = shop.tag.replace("data-key", 'data-dnt="ignore" data-key')
    assert visit(init=init).evaluate("experience.emit('ecView')") is True


# --- the page it is on


def test_a_page_with_a_strict_policy_hears_nothing_of_it(visit: Visit, shop: Shop) -> None:
    said: list[str] = []
    shop.before = '<script src="/watch.js"></script>'
    shop.files["/watch.js"] = (
        "window.seen = []\n"
        "addEventListener('error', e => seen.push(e.message))\n"
        "addEventListener('unhandledrejection', e => seen.push(String(e.reason)))\n"
        "addEventListener('securitypolicyviolation', e => seen.push(e.violatedDirective))"
    )
    page = visit()
    page.on("console", lambda message: said.append(message.text))

    emit(page, "ecView", {"a": 1})

    assert page.evaluate("window.seen") == []
    assert said == []
    assert page.evaluate("Object.keys(window).filter(name => /experience|visitor/i.test(name))") == [
        "experience"
    ]


def test_calls_made_before_it_was_loaded_are_made_up_for(visit: Visit, runtime: Runtime, shop: Shop) -> None:
    shop.before = '<script src="/early.js"></script>'
    shop.files["/early.js"] = "window.experience = []; experience.push(['emit', 'ecView', { early: true }])"

    page = visit()

    assert runtime.visitor(visitor(page))["events"][0]["data"] == {"early": True}


def test_loaded_twice_it_is_there_once(visit: Visit, runtime: Runtime, shop: Shop) -> None:
    shop.tag += shop.tag
    page = visit()

    emit(page, "ecView")

    assert runtime.types(visitor(page)) == ["ecView"]


def test_a_page_of_another_origin_tells_nothing(
    visit: Visit, runtime: Runtime, shop: Shop, other_shop: Shop
) -> None:
    other_shop.runtime, other_shop.tag = shop.runtime, shop.tag
    page = visit(at=other_shop, wait=False)

    with page.expect_event("requestfailed"):
        page.evaluate("experience.emit('ecView')")

    assert runtime.visitor(visitor(page)) is None


# --- how it is served


def test_it_is_small_and_needs_nothing() -> None:
    text = snippet().decode()

    assert len(gzip.compress(snippet(("ecBasketTransactionSummary",)), 9)) <= 2560
    assert not re.search(r"\beval\b|\bFunction\(|\bimport\b|\brequire\b|\?\.[a-z\[(]|\?\?|innerHTML", text)


def test_the_blanks_that_are_taken_out_stand_in_no_string() -> None:
    whole = (Path(snippet_module.__file__).parents[1] / "static/visitor.js").read_text()
    strings = re.compile(r"'(?:[^'\\\n]|\\.)*'")

    assert strings.findall(snippet().decode()) == strings.findall(re.sub(r"(?m)^ *//.*$", "", whole))


def test_it_is_served_to_pages_of_every_origin_and_kept_by_them(runtime: Runtime) -> None:
    first = httpx.get(f"{runtime.address}/visitor.js", headers={"origin": "https://any.example"})
    again = httpx.get(f"{runtime.address}/visitor.js", headers={"if-none-match": first.headers["etag"]})

    assert first.headers["content-type"] == "text/javascript; charset=utf-8"
    assert first.headers["cross-origin-resource-policy"] == "cross-origin"
    assert first.headers["access-control-allow-origin"] == "*"
    assert "max-age" in first.headers["cache-control"]
    assert first.content == snippet(("ecBasketTransactionSummary",))
    assert (again.status_code, again.content) == (304, b"")
