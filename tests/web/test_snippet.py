"""Where the snippet sends what visitors do: whose it is, when, and what strangers send."""

import contextlib
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from experience_runtime.domain.access import Scope
from experience_runtime.runtime import Runtime
from experience_runtime.web.guard.access import Access, Caller
from experience_runtime.web.guard.limits import AtOnce, Buckets
from experience_runtime.web.guard.problems import Throttled
from experience_runtime.web.wire.snippet import _browser
from starlette.requests import Request

from .conftest import Token, bearing
from .snippet_server import send, types


@pytest.mark.parametrize(
    ("zone", "wanted"),
    [
        ({"timezone": "Europe/Paris", "timezone_offset": -60}, ("Europe/Paris", None)),
        ({"timezone": None, "timezone_offset": -60}, (None, -60)),
        ({"timezone": "Mars/Olympus", "timezone_offset": 0}, (None, 0)),  # a browser newer than this machine
        ({"timezone": "Europe/Paris", "timezone_offset": 10**9}, ("Europe/Paris", None)),
        ({"timezone": ["x"], "timezone_offset": "x"}, (None, None)),
        ({"timezone": "x" * 100_000, "timezone_offset": 10**9}, (None, None)),
        ({"timezone": "../../etc/passwd"}, (None, None)),
        ({"timezone_offset": True}, (None, None)),
        ({"timezone_offset": float(-60)}, (None, -60)),
        ({}, (None, None)),
    ],
)
def test_a_visitors_zone_is_kept_as_far_as_it_can_be_read(
    client: httpx.Client, key: str, runtime: Runtime, zone: Any, wanted: Any
) -> None:
    answer = send(client, key, {"visitor": "anna", "type": "ecView", **zone})

    known = runtime.store.visitor("anna")
    assert answer.json() == {"conversion": False, "cancelled": 0}
    assert (known and known.timezone, known and known.timezone_offset) == wanted
    assert types(runtime, "anna") == ["ecView"]


def test_without_a_type_only_the_zone_is_told(client: httpx.Client, key: str, runtime: Runtime) -> None:
    send(client, key, {"visitor": "anna", "timezone": "Europe/Paris"})

    known = runtime.store.visitor("anna")
    assert known is not None
    assert known.timezone == "Europe/Paris"
    assert types(runtime, "anna") == []


def test_a_purchase_converts_once_however_often_it_is_sent(
    client: httpx.Client, key: str, runtime: Runtime
) -> None:
    visitor = runtime.visitor("anna")
    options = {"delay": "1h", "cancelOnConversion": True}
    runtime.scheduler.schedule("webhook", 1, options, visitor=visitor)
    body = {"visitor": "anna", "type": "ecBasketTransactionSummary", "data": {"total": 5}}

    first, again = (send(client, key, body, **{"idempotency-key": "k1"}) for _ in range(2))

    assert first.json() == again.json() == {"conversion": True, "cancelled": 1}
    assert again.headers["idempotent-replayed"] == "true"
    assert types(runtime, "anna") == ["ecBasketTransactionSummary"]
    assert len(runtime.store.events.conversions("anna", limit=9)) == 1


def test_a_key_in_the_path_or_a_token_or_an_open_server(client: httpx.Client, token: Token) -> None:
    body = {"visitor": "anna", "type": "ecView"}

    assert client.post("/visitors/events", json=body).status_code == 200
    site, author = token(Scope.SITE), token(Scope.AUTHOR)

    assert client.post("/visitors/events", json=body).status_code == 401
    assert client.post("/visitors/events", json=body, headers=bearing(site)).status_code == 200
    assert client.post("/visitors/events", json=body, headers=bearing(author)).status_code == 403
    assert send(client, author, body).status_code == 403
    assert send(client, "wrong", body).status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"visitor": NaN}', 422),
        (b"[" * 100_000, 422),
        (b'{"visitor": 5, "type": "a"}', 422),
        (b'{"visitor": "", "type": "a"}', 422),
        (b'{"visitor": "a\\u0000", "type": "a"}', 422),
        (b'{"visitor": "\\ud800", "type": "a"}', 422),
        (b'{"visitor": "a\\r\\nX-Evil: 1", "type": "a"}', 422),
        (json.dumps({"visitor": "x" * 201, "type": "a"}).encode(), 422),
        (json.dumps({"visitor": "x", "type": ""}).encode(), 422),
        (json.dumps({"visitor": "x", "type": 5}).encode(), 422),
        (json.dumps({"visitor": "x", "type": ["a"]}).encode(), 422),
        (json.dumps({"visitor": "x", "type": "<script>"}).encode(), 422),
        (json.dumps({"visitor": "x", "type": "a\nb"}).encode(), 422),
        (json.dumps({"visitor": "x", "type": "a" * 100_000}).encode(), 422),
        (json.dumps({"visitor": "x", "type": "a", "data": "x" * 20_000}).encode(), 413),
        (json.dumps({"visitor": "x", "type": "a", "data": "x" * 600_000}).encode(), 413),
    ],
    ids=lambda value: value[:50].decode("latin-1") if isinstance(value, bytes) else str(value),
)
def test_a_hostile_event_is_refused_briefly_and_leaves_nothing(
    client: httpx.Client, key: str, runtime: Runtime, body: bytes, status: int
) -> None:
    answer = client.post(f"/visitors/k/{key}/events", content=body)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 1000
    assert "x-evil" not in answer.headers
    assert runtime.store.visitor("x") is None
    assert types(runtime, "x") == []


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://shop.example"])
def test_a_page_of_another_origin_tells_nothing(
    client: httpx.Client, key: str, runtime: Runtime, origin: str
) -> None:
    answer = send(client, key, {"visitor": "anna", "type": "ecView"}, origin=origin)

    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    assert types(runtime, "anna") == []


@pytest.mark.parametrize("header", ["\x01", "a b", "x" * 100_000, "é"])
def test_an_idempotency_key_that_is_none_breaks_nothing(client: httpx.Client, key: str, header: str) -> None:
    try:
        answer = send(client, key, {"visitor": "anna", "type": "ecView"}, **{"idempotency-key": header})
    except (httpx.HTTPError, UnicodeEncodeError):
        return  # the client or the server's parser would have none of it

    assert answer.status_code in (200, 400, 422, 431)


# --- batches


@pytest.mark.parametrize(
    ("origin", "host", "domain", "cookie"),
    [
        ("https://shop.example", "runtime.example", None, None),
        ("https://shop.example", "shop.example:8080", None, ""),
        ("https://www.shop.example", "runtime.shop.example", "shop.example", "Domain=shop.example"),
        ("https://www.shop.example", "runtime.shop.example", None, None),
        ("https://www.shop.example", "runtime.other.example", "shop.example", None),
        ("https://www.other.example", "runtime.shop.example", "shop.example", None),
        ("https://evilshop.example", "runtime.shop.example", "shop.example", None),
        ("https://www.shop.example", "runtime.shop.example", "shop.example; Path=/x", None),
        ("https://www.shop.example", "runtime.shop.example", ["x"], None),
    ],
)
def test_the_cookie_is_set_for_a_page_of_the_runtimes_own_site_only(
    client: httpx.Client, token: Token, origin: str, host: str, domain: Any, cookie: str | None
) -> None:
    key = token(Scope.SITE, name="cookies", origins=[origin])
    visitor = "0123456789abcdef0123456789abcdef"

    answer = send(client, key, {"visitor": visitor, "domain": domain}, origin=origin, host=host)

    assert answer.status_code == 200
    if cookie is None:
        assert "set-cookie" not in answer.headers
    else:
        assert answer.headers["set-cookie"].startswith(f"experience_visitor={visitor};")
        assert cookie in answer.headers["set-cookie"]
        assert answer.headers["access-control-allow-credentials"] == "true"


# --- runs


def test_a_run_is_answered_without_what_only_its_author_should_see(client: httpx.Client, key: str) -> None:
    answer = client.post(f"/visitors/k/{key}/run/reminder", content=json.dumps({"visitor": "anna"}))

    document = answer.json()
    assert (answer.status_code, document["outcome"]) == (200, "ran")
    assert document["executions"][0]["payload"] is None
    assert document["log"] == document["events"] == document["redirects"] == []


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/140", "computer"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19) Mobile/15E148", "mobile"),
        ("Mozilla/5.0 (Linux; Android 16; Pixel 11) Mobile Safari", "mobile"),
        ("Mozilla/5.0 (Linux; Android 16; SM-X910) Safari", "tablet"),
        ("Mozilla/5.0 (iPad; CPU OS 19) Mobile/15E148", "tablet"),
        ("", "computer"),
    ],
)
def test_the_device_is_told_by_the_user_agent(agent: str, device: str) -> None:
    facts = _browser({"url": "https://shop.example/"}, agent)

    assert facts == {"url": "https://shop.example/", "ua": {"deviceType": device, "userAgent": agent}}


@pytest.mark.parametrize("browser", [5, "x", []])
def test_browser_that_are_none_are_refused(client: httpx.Client, key: str, browser: Any) -> None:
    body = json.dumps({"visitor": "anna", "browser": browser})

    assert client.post(f"/visitors/k/{key}/run/reminder", content=body).status_code == 422


# --- what one address takes from the others


def test_a_flood_from_one_address_uses_up_nobody_elses_requests(runtime: Runtime, token: Token) -> None:
    token(Scope.SITE, name="shop")
    access = Access(runtime.store.tokens, runtime.clock, is_open=False, per_second=100, per_address=5)
    caller = Caller("shop", frozenset({Scope.SITE}), runtime.store.tokens.all()[0])

    def ask(address: str) -> bool:
        request = Request({"type": "http", "headers": [], "client": (address, 1)})
        try:
            access._admit(replace(caller, address=address), request)
        except Throttled:
            return False
        return True

    flood = [ask("192.0.2.1") for _ in range(1000)]
    others = [ask(f"198.51.100.{number}") for number in range(42)]

    assert sum(flood) <= 12
    assert all(others)


def test_a_flood_from_many_addresses_refuses_nobody_who_asks_little(runtime: Runtime, token: Token) -> None:
    token(Scope.SITE, name="shop")
    now = 0.0
    access = Access(
        runtime.store.tokens, runtime.clock, is_open=False, per_second=20, per_address=5, now=lambda: now
    )
    caller = Caller("shop", frozenset({Scope.SITE}), runtime.store.tokens.all()[0])

    def ask(address: str) -> bool:
        request = Request({"type": "http", "headers": [], "client": (address, 1)})
        try:
            access._admit(replace(caller, address=address), request)
        except Throttled:
            return False
        return True

    asked = []
    for second in range(20):
        now = float(second)
        for _ in range(20):  # twelve times what the key may
            for number in range(12):
                ask(f"192.0.2.{number}")
        if second >= 2:
            asked += [ask(f"198.51.100.{number}") for number in range(8)]

    assert all(asked)


def test_no_number_of_addresses_makes_a_bucket_full_again() -> None:
    now = 0.0
    buckets = Buckets(1, now=lambda: now, most_callers=3)

    def takes(caller: str) -> list[bool]:
        return [not buckets.take(caller) for _ in range(3)]

    assert takes("flood") == [True, True, False]
    assert takes("b") == [True, True, False]
    assert takes("c") == [True, True, False]
    assert takes("d") == [True, True, False]  # one bucket for all others from here on
    assert takes("e") == [False, False, False]
    assert takes("flood") == [False, False, False]
    now = 2.0  # the first is full, and forgotten
    assert takes("f") == [True, True, False]


def test_what_many_share_is_left_to_those_who_have_nothing_of_it() -> None:
    at_once = AtOnce(24)
    site = Caller("shop", frozenset({Scope.SITE}))

    with contextlib.ExitStack() as held:
        for number in range(4):
            for _ in range(2):
                held.enter_context(at_once.of(replace(site, address=f"192.0.2.{number}").shares))
        with pytest.raises(Throttled, match="8 experiences"):
            held.enter_context(at_once.of(replace(site, address="192.0.2.1").shares))
        for number in range(8):
            held.enter_context(at_once.of(replace(site, address=f"198.51.100.{number}").shares))


def test_one_address_of_a_key_has_its_share_of_the_room_and_no_more() -> None:
    at_once = AtOnce(24)
    site = Caller("shop", frozenset({Scope.SITE}))

    with contextlib.ExitStack() as held:
        for _ in range(4):
            held.enter_context(at_once.of(replace(site, address="192.0.2.1").shares))
        with pytest.raises(Throttled, match=r"192\.0\.2\.1"):
            held.enter_context(at_once.of(replace(site, address="192.0.2.1").shares))
        for number in range(12):
            held.enter_context(at_once.of(replace(site, address=f"198.51.100.{number}").shares))
        with pytest.raises(Throttled, match="16 experiences"):
            held.enter_context(at_once.of(replace(site, address="203.0.113.1").shares))
        held.enter_context(at_once.of(Caller("ops", frozenset({Scope.OPERATOR})).shares))
    held.enter_context(at_once.of(replace(site, address="192.0.2.1").shares))
    held.close()
