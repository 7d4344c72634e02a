"""Where the snippet sends what visitors do: whose it is, when, and what strangers send."""

import json
from typing import Any

import httpx
import pytest
from experience_runtime.domain.access import Scope
from experience_runtime.runtime import Runtime

from .conftest import Token, bearing

SHOP = "https://shop.example"


@pytest.fixture
def key(token: Token) -> str:
    return token(Scope.SITE, name="shop", origins=[SHOP])


def send(client: httpx.Client, key: str, body: Any, **headers: str) -> httpx.Response:
    return client.post(f"/visitors/k/{key}/events", json=body, headers=headers)


def types(runtime: Runtime, visitor: str) -> list[str]:
    return [event.type for event in runtime.store.events.of(visitor, limit=100)]


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
