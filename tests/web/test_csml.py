"""POST /csml/apps, as the open CSML engine sends it; and as strangers do."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from experience_runtime.domain.access import Scope
from experience_runtime.domain.executions import Filter
from experience_runtime.runtime import Runtime

from .conftest import Token, bearing, write

CLIENT = {"bot_id": "bot", "channel_id": "messenger", "user_id": "anna"}
WEBHOOK = {"action": "webhook", "delay": "5 min", "url": "https://example.com/hook?token=s3cret-one"}


@pytest.fixture
def folder(folder: Path) -> Path:
    write(
        folder / "experience.toml",
        "[serve]\nper_second = 0\nper_address = 0\n[integrations.event-webhook]\nsite = true\n",
    )
    return folder


@pytest.fixture
def key(token: Token) -> str:
    return token(Scope.SITE, name="bot")


def sent(**data: Any) -> dict[str, Any]:
    return {"function_id": "utils/scheduler", "data": data, "client": CLIENT}


def stored(runtime: Runtime) -> int:
    return runtime.store.count(Filter())


def test_the_engine_schedules_and_cancels(client: httpx.Client, key: str, runtime: Runtime) -> None:
    headers = {"content-type": "application/json", "accept": "application/json,text/*"}
    address = f"/csml/apps/k/{key}"

    made = client.post(address, json=sent(**WEBHOOK, schedule_id="x"), headers=headers)
    cancelled = client.post(address, json=sent(action="cancel", schedule_id="x"), headers=headers)

    assert made.status_code == 200
    assert made.headers["content-type"] == "application/json"
    result = made.json()["data"]["result"]
    assert set(made.json()) == {"data"}
    assert result["url"] == "https://example.com/hook?…"
    assert set(result) == {"action", "schedule_id", "scheduled_at", "scheduled_at_unix", "url"}
    assert cancelled.json()["data"]["cancelled"] is True
    (execution,) = runtime.store.find(Filter()).executions
    assert (execution.visitor, json.loads(execution.key or "")["bot_id"]) == ("anna", "bot")


def test_users_do_not_cancel_each_others_events(client: httpx.Client, key: str) -> None:
    client.post(f"/csml/apps/k/{key}", json=sent(**WEBHOOK, schedule_id="cart_reminder"))

    other = {**sent(action="cancel", schedule_id="cart_reminder"), "client": {**CLIENT, "user_id": "ben"}}

    assert client.post(f"/csml/apps/k/{key}", json=other).json()["data"]["cancelled"] is False


def test_without_a_key_a_token_will_do_and_an_open_server_needs_none(
    client: httpx.Client, token: Token
) -> None:
    assert client.post("/csml/apps", json=sent(**WEBHOOK)).json()["data"]["success"] is True
    operator = token(Scope.OPERATOR)

    assert client.post("/csml/apps", json=sent(**WEBHOOK)).status_code == 401
    answer = client.post("/csml/apps", json=sent(**WEBHOOK), headers=bearing(operator))
    assert answer.json()["data"]["success"] is True
    assert (
        client.post("/csml/apps", json=sent(**WEBHOOK), headers=bearing(token(Scope.AUTHOR))).status_code
        == 403
    )


def test_a_site_key_has_only_those_actions_whose_integration_is_for_sites(
    client: httpx.Client, key: str, runtime: Runtime
) -> None:
    answer = client.post(f"/csml/apps/k/{key}", json=sent(flow_id="f", delay="1h"))

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert '"broadcast" is not for sites' in answer.json()["detail"]
    assert stored(runtime) == 0


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"action": "webhook", "schedule_time": "2020-03-12 12:33:00"}, "missing_parameter"),
        ({**WEBHOOK, "delay": "59 s"}, "too_soon"),
        ({**WEBHOOK, "delay": "32 days"}, "beyond_limit"),
        ({**WEBHOOK, "schedule_time": 1}, "delay_and_time"),
        ({**WEBHOOK, "url": "http://ann:pw@example.com"}, "invalid_parameter"),
        ({**WEBHOOK, "body": "x" * 300_000}, "payload_too_large"),
        ({**WEBHOOK, "schedule_id": "x" * 100_000}, "invalid_parameter"),
        ({**WEBHOOK, "schedule_id": "a\r\nb"}, "invalid_parameter"),
    ],
)
def test_a_refusal_is_an_answer(
    client: httpx.Client, key: str, runtime: Runtime, data: Any, code: str
) -> None:
    answer = client.post(f"/csml/apps/k/{key}", json=sent(**data))

    assert answer.status_code == 200
    assert answer.json()["data"]["success"] is False
    assert answer.json()["data"]["error"]["code"] == code
    assert len(answer.content) < 1000
    assert stored(runtime) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"{}",
        b'{"data": {"a": NaN}}',
        b'{"function_id": "utils/scheduler", "data": {}}',
        b"[" * 200_000,
        json.dumps({**sent(**WEBHOOK), "client": None}).encode(),
        json.dumps({**sent(**WEBHOOK), "client": "anna"}).encode(),
        json.dumps({**sent(**WEBHOOK), "client": {}}).encode(),
        json.dumps({**sent(**WEBHOOK), "client": {"bot_id": "b", "channel_id": "c"}}).encode(),
        json.dumps({**sent(**WEBHOOK), "client": {**CLIENT, "user_id": 5}}).encode(),
        json.dumps({**sent(**WEBHOOK), "client": {**CLIENT, "user_id": "x" * 100_000}}).encode(),
        json.dumps({**sent(**WEBHOOK), "client": {**CLIENT, "bot_id": "\x00"}}).encode(),
        json.dumps({**sent(**WEBHOOK), "function_id": "utils/other"}).encode(),
        json.dumps({**sent(**WEBHOOK), "function_id": {"a": "x" * 100_000}}).encode(),
        json.dumps({**sent(**WEBHOOK), "data": [1]}).encode(),
        json.dumps({**sent(**WEBHOOK), "data": "x" * 100_000}).encode(),
    ],
    ids=lambda body: body[:60].decode("latin-1"),
)
def test_a_hostile_body_is_refused_briefly_and_leaves_nothing(
    client: httpx.Client, key: str, runtime: Runtime, body: bytes
) -> None:
    answer = client.post(f"/csml/apps/k/{key}", content=body)

    assert answer.status_code == 200
    assert answer.json()["data"]["success"] is False
    assert answer.json()["data"]["error"]["code"] in ("invalid_parameter", "missing_parameter")
    assert len(answer.content) < 1000
    assert stored(runtime) == 0


def test_a_wrong_key_is_401(client: httpx.Client, key: str) -> None:
    assert client.post("/csml/apps/k/wrong", json=sent(**WEBHOOK)).status_code == 401
    assert client.post(f"/csml/apps/k/{key}x", json=sent(**WEBHOOK)).status_code == 401
