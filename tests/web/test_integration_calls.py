"""What a backend asks of an integration: the calls of an experience, with its options, keys and refusals."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from experience_runtime.domain.executions import Execution, Filter
from experience_runtime.domain.visitors import make_visitor
from experience_runtime.engine.claims import Claim, in_hand
from experience_runtime.runtime import Runtime
from pytest_httpserver import HTTPServer

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
    asked = f"POST\0/v1/integrations/webhook/{verb}\0\0{json.dumps(body)}".encode()
    digest = hashlib.sha256(asked).digest()
    claim = runtime.store.replies.claim(caller="", key="k", request=digest, now=runtime.clock.now())
    assert isinstance(claim, Claim)
    yield claim
    runtime.store.replies.release(claim)


def send(client: httpx.Client, verb: str, body: Any) -> httpx.Response:
    """The same request again."""
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    return client.post(f"/v1/integrations/webhook/{verb}", content=json.dumps(body), headers=headers)


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
