"""What a backend asks of an integration: the calls of an experience, with its options, keys and refusals."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import apsw
import httpx
import pytest
from experience_runtime.domain.errors import InThePast
from experience_runtime.domain.executions import Execution, Filter, Status
from experience_runtime.domain.visitors import make_visitor
from experience_runtime.engine.claims import Claim, in_hand
from experience_runtime.engine.prepared import Scheduled
from experience_runtime.runtime import Runtime
from experience_runtime.store.sqlite import file
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from .conftest import REMINDER, write

PAYLOAD = {"body": {"order": 17}}
VISITOR = {"visitor": "v1", "timezone": "Europe/Paris"}


@pytest.fixture
def folder(folder: Path, httpserver: HTTPServer) -> Path:
    write(
        folder / "experience.toml",
        f"""
[serve]
per_second = 0
per_address = 0
[outbound]
allow_private = ["127.0.0.1/32"]
[experiences]
reminder = "released/reminder"
[integrations.webhook]
url = "{httpserver.url_for("/hook?token=s3cret-one")}"
""",
    )
    write(folder / "released/reminder/variation.js", REMINDER)
    return folder


def ask(client: httpx.Client, verb: str, body: Any, key: str | None = None) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(f"/v1/integrations/webhook/{verb}", json=body, headers=headers)


def executions(runtime: Runtime) -> list[Execution]:
    return list(runtime.store.find(Filter(), limit=100).executions)


@contextmanager
def claimed(runtime: Runtime, verb: str, body: Any) -> Iterator[Claim]:
    """The first try of a request under the key `k`, whose process ends with the block."""
    asked = f"POST\0{place_of(verb)}\0\0{json.dumps(body)}".encode()
    digest = hashlib.sha256(asked).digest()
    claim = runtime.store.replies.claim(caller="", key="k", request=digest, now=runtime.clock.now())
    assert isinstance(claim, Claim)
    yield claim
    runtime.store.replies.release(claim)


def send(client: httpx.Client, verb: str, body: Any) -> httpx.Response:
    """The same request again."""
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    return client.post(place_of(verb), content=json.dumps(body), headers=headers)


def place_of(verb: str) -> str:
    return "/v1/batch" if verb == "batch" else f"/v1/integrations/webhook/{verb}"


def item(verb: str, *, integration: str = "webhook", **fields: Any) -> dict[str, Any]:
    """One item of a batch; `payload` is there where the verb takes one, unless it is said."""
    usual = {} if verb == "cancel" else {"payload": PAYLOAD}
    return {"verb": verb, "integration": integration, **usual, **fields}


def test_a_backend_schedules_as_an_experience_does_and_cancels_under_the_same_key(
    client: httpx.Client, runtime: Runtime
) -> None:
    client.post("/v1/experiences/reminder/run", json=VISITOR).raise_for_status()
    (of_the_experience,) = executions(runtime)
    options = {"key": {"reminder": "basket"}, "delay": "1 day", "ifExists": "replace"}

    made = ask(client, "schedule", {"payload": PAYLOAD, "options": options, **VISITOR}).json()

    assert (made["status"], made["payload"], made["zone"]) == ("pending", PAYLOAD, "Europe/Paris")
    assert (made["visitor"], made["key"]) == ("v1", {"reminder": "basket"})
    assert made["replaced"] == of_the_experience.id
    shown = client.get(f"/v1/executions/{made['id']}").json()
    assert {name: made[name] for name in shown} == shown
    cancelling = {"options": {"key": {"reminder": "basket"}, "reason": "paid"}, "visitor": "v1"}
    assert ask(client, "cancel", cancelling).json() == {
        "cancelled": 1,
        "ids": [made["id"]],
        "warnings": [],
    }
    again = ask(client, "cancel", cancelling).json()
    assert (again["cancelled"], again["ids"]) == (0, [])
    assert "nothing was pending under this key" in again["warnings"][0]


def test_the_zone_that_a_call_told_is_kept_for_the_next(client: httpx.Client) -> None:
    body = {"payload": PAYLOAD, "options": {"delay": 1000}}
    ask(client, "schedule", {**body, **VISITOR}).raise_for_status()

    assert ask(client, "schedule", {**body, "visitor": "v1"}).json()["zone"] == "Europe/Paris"


@pytest.mark.parametrize(
    ("verb", "body", "status", "code"),
    [
        ("schedule", {"payload": PAYLOAD, "options": {"delay": "soon"}}, 422, "invalid_delay"),
        ("schedule", {"payload": PAYLOAD, "options": {"time": "never"}}, 422, "invalid_time"),
        ("schedule", {"payload": PAYLOAD, "options": {"delai": 5}}, 422, "invalid_parameter"),
        ("schedule", {"payload": PAYLOAD, "options": [5]}, 422, "invalid_parameter"),
        ("schedule", {"payload": "x" * 300_000, "options": {"delay": 0}}, 413, "payload_too_large"),
        ("schedule", {"options": {"delay": 0}}, 422, "invalid_parameter"),
        ("cancel", {"options": {}}, 422, "invalid_key"),
        ("execute", {"payload": PAYLOAD, "options": {"delay": 5}}, 422, "invalid_parameter"),
        ("execute", {"payload": PAYLOAD, "options": {"timeout": -1}}, 422, "invalid_parameter"),
        ("execute", {"payload": PAYLOAD, "timezone": "Mars/Base"}, 422, "invalid_window"),
    ],
)
def test_of_a_refused_call_nothing_is_stored(
    client: httpx.Client,
    runtime: Runtime,
    httpserver: HTTPServer,
    *,
    verb: str,
    body: Any,
    status: int,
    code: str,
) -> None:
    answer = ask(client, verb, VISITOR | body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert executions(runtime) == []
    assert runtime.store.visitor("v1") is None
    assert httpserver.log == []


def test_an_execute_answers_what_the_integration_answered_once_per_idempotency_key(
    client: httpx.Client, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook").respond_with_json({"coupon": "A1", "echo": "s3cret-one"})
    body = {"payload": PAYLOAD, "options": {"key": "order 17"}, **VISITOR}

    first, second = (ask(client, "execute", body, "e1") for _ in range(2))

    assert (first.json()["status"], first.json()["visitor"]) == ("succeeded", "v1")
    assert "A1" in json.dumps(first.json()["result"])
    assert "s3cret-one" not in first.text
    assert (second.content, second.headers["idempotent-replayed"]) == (first.content, "true")
    assert len(httpserver.log) == 1
    limited = ask(client, "execute", body)
    assert (limited.status_code, limited.json()["code"]) == (429, "rate_limited")
    assert len(httpserver.log) == 1


def test_a_test_call_answers_without_secrets(client: httpx.Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/hook").respond_with_json({"coupon": "A1", "echo": "s3cret-one"})

    answer = ask(client, "call", {"payload": PAYLOAD})

    assert (answer.json()["ok"], "A1" in answer.text, "s3cret-one" in answer.text) == (True, True, False)


def test_a_schedule_that_was_interrupted_is_told_again_and_not_made_again(
    client: httpx.Client, runtime: Runtime
) -> None:
    body = {"payload": PAYLOAD, "options": {"delay": 60_000}}
    with claimed(runtime, "schedule", body) as claim, in_hand(claim):
        visitor = make_visitor(None)
        made = runtime.scheduler.schedule(
            "webhook", PAYLOAD, {"delay": 60_000}, visitor=visitor, experience=None
        )

    assert send(client, "schedule", body).json()["id"] == made.execution.id
    assert [each.id for each in executions(runtime)] == [made.execution.id]


def test_an_execute_that_was_interrupted_is_never_called_again(
    client: httpx.Client, runtime: Runtime, httpserver: HTTPServer
) -> None:
    body = {"payload": PAYLOAD, "options": {"key": "order 17"}}
    with claimed(runtime, "execute", body) as claim, in_hand(claim):
        begun = runtime.scheduler.begin_execute(
            "webhook", PAYLOAD, key="order 17", visitor=make_visitor(None), experience=None
        )

    running = send(client, "execute", body)
    runtime.store.give_back(now=runtime.clock.now() + timedelta(hours=1))
    lost = send(client, "execute", body)

    assert (running.status_code, running.json()["code"]) == (409, "conflict")
    assert begun.id in running.text
    assert (lost.status_code, lost.json()["code"]) == (502, "integration_failed")
    assert [each.id for each in executions(runtime)] == [begun.id]
    assert httpserver.log == []


def test_a_batch_answers_each_item_and_refuses_only_what_is_wrong(
    client: httpx.Client, runtime: Runtime, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook").respond_with_json({"coupon": "A1", "echo": "s3cret-one"})
    later = {"delay": "2 hours"}
    items = [
        (item("schedule", options={"key": "a", **later}, **VISITOR), None),
        (item("schedule", options={"delay": "soon"}, visitor="v1", timezone="Asia/Tokyo"), "invalid_delay"),
        (item("schedule", options={"key": "b", **later}, visitor="v1"), None),
        (
            item("schedule", options={"key": "b", **later, "ifExists": "reject"}, visitor="v1"),
            "already_scheduled",
        ),
        (item("execute", options={"key": "e"}, visitor="v1"), None),
        (item("execute", options={"key": "e"}, visitor="v1"), "rate_limited"),
        (item("cancel", options={"key": "a"}, visitor="v1"), None),
        (item("cancel", options={"key": "a"}, payload=1), "invalid_parameter"),
        ({"verb": "schedule", "integration": "webhook", "options": later}, "invalid_parameter"),
        (item("schedule", integration="fax", options=later), "unknown_integration"),
        (item("schedule", options=later, delai=5), "invalid_parameter"),
        (item("fly"), "invalid_parameter"),
        ("schedule", "invalid_parameter"),
        (item("schedule", options=later, payload="x" * 300_000), "payload_too_large"),
    ]

    answer = client.post("/v1/batch", json={"items": [each for each, _ in items]})

    assert answer.status_code == 200, answer.text
    told = answer.json()["items"]
    assert [each.get("problem", {}).get("code") for each in told] == [code for _, code in items]
    assert answer.json()["refused"] == sum(code is not None for _, code in items)
    assert told[6] == {"ok": True, "cancelled": 1, "ids": [told[0]["id"]], "warnings": []}
    assert (told[4]["status"], "A1" in json.dumps(told[4]["result"])) == ("succeeded", True)
    assert "s3cret-one" not in answer.text
    made = {each.id: (each.status.value, each.key, each.zone) for each in executions(runtime)}
    assert made == {
        told[0]["id"]: ("cancelled", '"a"', "Europe/Paris"),
        told[2]["id"]: ("pending", '"b"', "Europe/Paris"),
        told[4]["id"]: ("succeeded", '"e"', "Europe/Paris"),
    }
    known = runtime.store.visitor("v1")
    assert (known and known.timezone, len(httpserver.log)) == ("Europe/Paris", 1)


def test_a_batch_has_1000_items_at_most_and_50_that_are_waited_for(
    client: httpx.Client, runtime: Runtime
) -> None:
    many = [item("schedule", options={"key": f"k{n}", "delay": "1 day"}) for n in range(1000)]

    assert client.post("/v1/batch", json={"items": [*many, many[0]]}).status_code == 422
    assert client.post("/v1/batch", json={"items": []}).status_code == 422
    assert runtime.store.count(Filter()) == 0
    first, second = (
        client.post("/v1/batch", json={"items": many}, headers={"Idempotency-Key": "b"}) for _ in range(2)
    )
    assert (first.json()["refused"], second.content) == (0, first.content)
    assert runtime.store.count(Filter()) == 1000
    runtime.operations.pause("webhook")
    told = client.post("/v1/batch", json={"items": [item("execute")] * 51}).json()["items"]
    assert [each["problem"]["code"] for each in told] == ["conflict"] * 50 + ["invalid_parameter"]


def test_a_batch_that_was_interrupted_is_told_item_by_item_what_it_came_to(
    client: httpx.Client, runtime: Runtime
) -> None:
    later = {"delay": "2 hours"}
    body = {
        "items": [
            item("schedule", options=later),
            item("schedule", options=later),
            item("schedule", options={"time": "2020-01-01T00:00Z"}),
            item("execute", options={"key": "x"}),
            item("execute", options={"key": "y"}),
        ]
    }
    scheduler, visitor = runtime.scheduler, make_visitor(None)
    with claimed(runtime, "batch", body) as claim, in_hand(claim):
        # then the first was refused, and the third was not yet in the past
        prepared = [scheduler.prepare_schedule("webhook", PAYLOAD, later, visitor=visitor) for _ in range(2)]
        done = scheduler.carry_out_all([InThePast("too early"), *prepared])
        claim.place = "item 4: "  # and the fourth was refused
        begun = scheduler.begin_execute("webhook", PAYLOAD, key="y", visitor=visitor, experience=None)

    told = send(client, "batch", body).json()["items"]

    made = [each.execution.id for each in done if isinstance(each, Scheduled)]
    assert [each.get("id") or each["problem"]["code"] for each in told] == [
        "in_the_past",
        *made,
        "conflict",
        "conflict",
    ]
    assert begun.id in told[4]["problem"]["detail"]
    assert sorted(each.id for each in executions(runtime)) == sorted([*made, begun.id])


def test_what_is_pending_is_moved_inside_its_window_or_run_now(
    client: httpx.Client, runtime: Runtime
) -> None:
    window = {"day": "monday-friday", "time": "09:00-17:00"}
    options = {"delay": "2 hours", "window": window}
    id = ask(client, "schedule", {"payload": PAYLOAD, "options": options, **VISITOR}).json()["id"]
    place, now = f"/v1/executions/{id}", runtime.clock.now()
    saturday = (now + timedelta(days=12 - now.weekday())).replace(hour=10, minute=0, second=0, microsecond=0)

    moved = client.post(f"{place}/move", json={"time": saturday.isoformat(), "reason": "a fair"}).json()

    assert moved["due_local"][:16] == f"{saturday + timedelta(days=2):%Y-%m-%d}T09:00"
    assert moved["requested_at"] == moved["due_at"]
    assert [change["to"] for change in moved["history"]] == ["pending", "pending"]
    assert "a fair" in moved["history"][1]["reason"]
    assert any("inside the window" in sentence for sentence in moved["why"])
    refused = {
        "beyond_limit": {"delay": "31 days"},
        "delay_and_time": {"delay": 1, "time": "2030-01-01"},
        "no_delay_or_time": {},
        "in_the_past": {"time": "2020-01-01T00:00Z"},
        "invalid_delay": {"delay": "soon"},
    }
    assert [client.post(f"{place}/move", json=body).json()["code"] for body in refused.values()] == [*refused]
    assert client.get(place).json() == moved
    free = ask(client, "schedule", {"payload": PAYLOAD, "options": {"delay": "2 hours"}}).json()
    before = runtime.clock.now()
    run = client.post(f"/v1/executions/{free['id']}/run").json()
    assert before - timedelta(seconds=1) <= datetime.fromisoformat(run["due_at"]) <= runtime.clock.now()
    client.post(f"{place}/cancel").raise_for_status()
    for verb, body in (("move", {"delay": 1}), ("run", {})):
        answer = client.post(f"{place}/{verb}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
        assert client.post(f"/v1/executions/ex_0000000000001/{verb}", json=body).status_code == 404


def test_a_search_in_the_body_finds_what_the_list_finds_page_by_page(client: httpx.Client) -> None:
    for number in range(3):
        ask(client, "schedule", {"payload": PAYLOAD, "options": {"delay": 1000 + number}, "visitor": "v1"})
    listed = client.get("/v1/executions?visitor=v1&sort=due&limit=2").json()

    found = client.post("/v1/executions/search", json={"visitor": "v1", "sort": "due", "limit": 2})
    rest = client.post(
        "/v1/executions/search", json={"visitor": "v1", "sort": "due", "cursor": found.json()["next"]}
    )

    assert (found.status_code, found.json()) == (200, listed)
    assert len(rest.json()["executions"]) == 1
    wrong = client.post("/v1/executions/search", json={"visiter": "v1"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_parameter")


def test_a_call_that_happened_is_told_though_the_database_is_locked_when_it_ends(
    client: httpx.Client, runtime: Runtime, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told that nothing was stored, its caller would ask for it once more."""
    monkeypatch.setattr(file, "BUSY_TIMEOUT_MS", 50)
    assert executions(runtime) == []
    with closing(apsw.Connection(runtime.database_path)) as another:

        def take(_: Request) -> Response:
            another.execute("BEGIN IMMEDIATE")
            return Response("taken")

        httpserver.expect_request("/hook").respond_with_handler(take)
        answer = ask(client, "execute", {"payload": PAYLOAD})
        another.execute("ROLLBACK")

    assert (answer.status_code, len(httpserver.log)) == (200, 1)
    (execution,) = executions(runtime)
    assert execution.status is Status.RUNNING
    runtime.dispatcher.run_due()
    (execution,) = executions(runtime)
    assert (execution.status, execution.attempt) == (Status.SUCCEEDED, 1)
