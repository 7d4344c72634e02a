"""The items of a batch: each once, in its order, and the runs that a page could not wait for."""

import hashlib
import json
from typing import Any

import httpx
import pytest
from experience_runtime.domain.access import Scope, token_digest
from experience_runtime.domain.executions import Filter
from experience_runtime.engine.claims import Claim
from experience_runtime.running.guest import Script
from experience_runtime.running.report import Report
from experience_runtime.running.run import Situation
from experience_runtime.runtime import Runtime

from .conftest import Token
from .snippet_server import SHOP, send, types


def item(number: int, **more: Any) -> dict[str, Any]:
    return {"key": f"{number:032x}", "age": 0, **more}


def test_the_items_of_a_batch_are_taken_in_order_and_each_once(
    client: httpx.Client, key: str, runtime: Runtime
) -> None:
    items = [item(1, type="one"), item(2, type="two"), item(3)]
    body = {"visitor": "anna", "timezone": "Europe/Paris", "items": items}

    first = send(client, key, body).json()
    again = send(client, key, body | {"items": [*items, item(4, type="three", age=9)]}).json()

    assert first == {"items": [{"conversion": False, "cancelled": 0}] * 3}
    assert again["items"][:3] == first["items"]
    assert types(runtime, "anna") == ["three", "two", "one"]
    known = runtime.store.visitor("anna")
    assert known is not None
    assert known.timezone == "Europe/Paris"


def test_an_item_that_is_refused_holds_up_no_other(client: httpx.Client, key: str, runtime: Runtime) -> None:
    items = [
        item(1, type="<script>"),
        item(2, type="fine", age=-1),
        item(3, type="fine", age="x"),
        {"type": "fine"},
        {"key": "short", "type": "fine"},
        item(4, identify=""),
        item(5, type=5),
        item(6, type="good", visitor="ben"),
        item(7, type="x", data="x" * 20_000),
    ]

    answers = send(client, key, {"visitor": "anna", "items": items}).json()["items"]

    codes = [answer.get("code") for answer in answers]
    assert codes == [*["invalid_parameter"] * 7, None, "payload_too_large"]
    assert types(runtime, "anna") == []
    assert types(runtime, "ben") == ["good"]


@pytest.mark.parametrize("items", ["x", 5, {}, [5], [[]], [item(number) for number in range(101)]])
def test_what_is_no_batch_is_refused_whole(client: httpx.Client, key: str, items: Any) -> None:
    assert send(client, key, {"visitor": "anna", "items": items}).status_code == 422


def test_a_run_that_its_page_cannot_wait_for_comes_between_what_was_before_and_after(
    client: httpx.Client, key: str, runtime: Runtime
) -> None:
    bought = "ecBasketTransactionSummary"
    before = [item(1, type=bought, age=500), item(2, run="reminder", age=400)]
    after = [item(3, run="reminder", age=300), item(4, type=bought, age=200), item(5, type="old", age=9000)]

    for visitor, items in (("anna", before), ("ben", after)):
        for _ in range(2):  # the page sends it again when it is left once more
            told = send(client, key, {"visitor": visitor, "items": items}).json()["items"]
            assert not [answer for answer in told if "code" in answer]

    found = runtime.lookup.executions(Filter(), limit=50)["executions"]
    assert {each["visitor"]: (each["status"], each["reason"]) for each in found} == {
        "anna": ("pending", None),
        "ben": ("cancelled", "conversion"),
    }
    assert len(found) == 2
    (old,) = [each for each in runtime.store.events.of("ben", limit=9) if each.type == "old"]
    assert (old.received_at - old.at).total_seconds() == 9


@pytest.mark.parametrize(("age", "status"), [(0, "cancelled"), (60_000, "pending")])
def test_a_purchase_that_is_told_while_a_run_is_under_way_cancels_what_it_schedules(
    client: httpx.Client,
    key: str,
    runtime: Runtime,
    monkeypatch: pytest.MonkeyPatch,
    age: int,
    status: str,
) -> None:
    bought = {"visitor": "anna", "items": [item(1, type="ecBasketTransactionSummary", age=age)]}

    run = runtime.run

    def overtaken(script: Script, situation: Situation, *, notes_exposure: bool) -> Report:
        send(client, key, bought)
        return run(script, situation, notes_exposure=notes_exposure)

    monkeypatch.setattr(runtime, "run", overtaken)

    client.post(f"/visitors/k/{key}/run/reminder", json={"visitor": "anna", "age": 5})

    (found,) = runtime.lookup.executions(Filter(), limit=50)["executions"]
    assert found["status"] == status


@pytest.mark.parametrize(("age", "status"), [(0, "pending"), (60_000, "cancelled")])
def test_a_purchase_that_arrives_before_a_run_that_was_asked_for_earlier_cancels_what_it_schedules(
    client: httpx.Client, key: str, runtime: Runtime, age: int, status: str
) -> None:
    send(client, key, {"visitor": "v1", "type": "ecBasketTransactionSummary", "age": 0})

    client.post(f"/visitors/k/{key}/run/reminder", json={"visitor": "v1", "age": age})

    (execution,) = runtime.store.find(Filter(visitor="v1"), limit=2).executions
    assert execution.status == status


def test_an_item_that_is_in_hand_elsewhere_holds_up_no_other(
    client: httpx.Client, key: str, runtime: Runtime
) -> None:
    items = [item(1, type="one"), item(2, type="two")]
    told = {name: value for name, value in items[0].items() if name != "age"}
    claim = runtime.store.replies.claim(
        caller=token_digest(key).hex(),
        key=f"item {items[0]['key']}",
        request=hashlib.sha256(json.dumps(told, sort_keys=True).encode()).digest(),
        now=runtime.clock.now(),
    )
    assert isinstance(claim, Claim)

    first = send(client, key, {"visitor": "anna", "items": items})
    assert types(runtime, "anna") == ["two"]
    runtime.store.replies.release(claim)
    again = send(client, key, {"visitor": "anna", "items": items})

    assert (first.status_code, again.status_code) == (409, 200)
    assert types(runtime, "anna") == ["one", "two"]


def test_a_run_that_its_page_cannot_wait_for_is_held_to_what_every_run_is(
    client: httpx.Client, key: str, runtime: Runtime
) -> None:
    odd = [item(1, run="draft"), item(2, run=5), item(3, run="x" * 201), item(4, type="fine")]

    told = send(client, key, {"visitor": "anna", "items": odd}).json()["items"]
    many = send(client, key, {"visitor": "anna", "items": [item(n, run="reminder") for n in range(6)]})

    codes = [answer.get("code") for answer in told]
    assert codes == ["module_not_found", "invalid_parameter", "invalid_parameter", None]
    assert many.status_code == 422
    assert runtime.lookup.executions(Filter(), limit=50)["executions"] == []


def test_an_item_happened_when_its_age_says_and_never_in_the_future(
    client: httpx.Client, key: str, runtime: Runtime
) -> None:
    items = [item(1, type="now"), item(2, type="then", age=60_000), item(3, type="long", age=1e300)]

    send(client, key, {"visitor": "anna", "items": items})

    long, then, now = runtime.store.events.of("anna", limit=9)
    assert now.at == now.received_at
    assert (then.received_at - then.at).total_seconds() == 60
    assert (long.received_at - long.at).days == 31


def test_a_key_of_another_site_takes_nobodys_item(
    client: httpx.Client, key: str, token: Token, runtime: Runtime
) -> None:
    other = token(Scope.SITE, name="other", origins=[SHOP])

    send(client, key, {"visitor": "anna", "items": [item(1, type="one")]})
    send(client, other, {"visitor": "anna", "items": [item(1, type="two")]})

    assert types(runtime, "anna") == ["two", "one"]
