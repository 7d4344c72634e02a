"""The gateway, driven by the original client's request sequence, and by strangers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from experience_runtime.domain.access import Scope
from experience_runtime.domain.executions import Execution, Filter, Status
from experience_runtime.runtime import Runtime
from pytest_httpserver import HTTPServer

from .conftest import Token, bearing, write
from .gateway_client import Integration, Rejected, encoded, refused_as

SHOP = "https://shop.example"


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
[integrations.webhook]
url = "{httpserver.url_for("/hook?token=s3cret-one")}"
site = true
[integrations.slack-update]
url = "{httpserver.url_for("/slack")}"
""",
    )
    return folder


@pytest.fixture
def key(token: Token) -> str:
    return token(Scope.SITE, name="shop", origins=[SHOP])


@pytest.fixture
def webhook(client: httpx.Client, key: str) -> Integration:
    return Integration(http=client, base=f"/integrations/k/{key}", slug="webhook")


def executions(runtime: Runtime) -> Sequence[Execution]:
    return runtime.store.find(Filter(), limit=100).executions


def refusal(act: Any) -> Rejected:
    with pytest.raises(Rejected) as caught:
        act()
    return caught.value


# --- the original client


def test_schedule_cancel_and_conversion_go_as_the_original_client_has_them(
    webhook: Integration, runtime: Runtime
) -> None:
    options = {"key": {"foo": "bar"}, "delay": "2 days", "window": {"day": "monday-friday"}}

    made = webhook.schedule({"message": "Hello!"}, options)
    again = webhook.schedule({"message": "Again"}, {**options, "cancelOnConversion": True})
    converted = webhook.conversion()
    cancelled = webhook.cancel({"key": {"foo": "bar"}})

    assert set(made) == {"id", "key", "time", "requestedTime", "replaced"}
    assert made["key"] == {"foo": "bar"}
    assert again["replaced"] == made["id"]
    assert converted == {"cancelled": 1}
    assert cancelled == {"cancelled": 0, "ids": []}
    newest, oldest = executions(runtime)
    assert (newest.status, newest.reason, newest.visitor) == (Status.CANCELLED, "conversion", "anna")
    assert (oldest.reason, oldest.experience) == ("replaced", "143640")
    assert (oldest.zone, oldest.zone_from) == ("UTC+01:00", "window")  # what the client puts into a window


def test_a_cancel_says_what_it_cancelled(webhook: Integration) -> None:
    made = webhook.schedule(1, {"key": "k", "delay": 60_000})

    assert webhook.cancel({"key": "k", "reason": "bought in the shop"}) == {
        "cancelled": 1,
        "ids": [made["id"]],
    }


def test_defaults_fill_what_a_call_leaves_out(client: httpx.Client, key: str, runtime: Runtime) -> None:
    defaults = {"key": {"a": 1}, "delay": "1h", "cancelOnConversion": True}
    webhook = Integration(http=client, base=f"/integrations/k/{key}", slug="webhook", defaults=defaults)

    webhook.schedule("payload")

    (execution,) = executions(runtime)
    assert (execution.asked, execution.cancel_on_conversion) == ('delay "1h"', True)
    assert webhook.cancel()["cancelled"] == 1


def test_a_window_without_a_zone_is_in_the_visitors_own(webhook: Integration, runtime: Runtime) -> None:
    runtime.visitor("anna", timezone="America/New_York")
    webhook.offset = 0  # a browser in UTC: the client adds 0, which counts as every other number

    webhook.schedule(1, {"delay": "1h", "window": {"time": "09:00-17:00"}})
    webhook.http.post(
        f"{webhook.base}/defer/{encoded('webhook')}",
        json={"data": 1, "delay": "1h", "window": {"time": "09:00-17:00"}, "meta": {"visitorId": "anna"}},
    )

    ours, theirs = executions(runtime)
    assert (theirs.zone, theirs.zone_from) == ("UTC+00:00", "window")
    assert (ours.zone, ours.zone_from) == ("America/New_York", "visitor_zone")


def test_execute_answers_with_what_the_integration_answered(
    webhook: Integration, runtime: Runtime, httpserver: HTTPServer
) -> None:
    coupon = {"coupon": "https://shop.example/c?code=1", "echo": "s3cret-one"}
    httpserver.expect_request("/hook").respond_with_json(coupon)

    answer = webhook.execute({"a": 1}, {"key": {"k": 1}, "timeout": 1000})

    assert answer == {
        "status": 200,
        "body": {"coupon": "https://shop.example/c?code=1", "echo": "[redacted]"},
    }
    (execution,) = executions(runtime)
    assert (execution.status, execution.payload) == (Status.SUCCEEDED, '{"a":1}')
    assert refusal(lambda: webhook.execute(2, {"key": {"k": 1}})).code == "rate_limited"


def test_an_integration_that_fails_is_a_refusal_and_no_broken_connection(
    webhook: Integration, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook").respond_with_data("no", status=500)

    refused = refusal(lambda: webhook.execute(1))

    assert (refused.type, refused.code) == (None, "integration_failed")
    assert str(refused) == "Failed to perform execute action: the receiver answered 500"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({}, "no_delay_or_time"),
        ({"delay": 1, "time": 1}, "delay_and_time"),
        ({"delay": "1h30m5"}, "invalid_delay"),
        ({"delay": "31 days"}, "beyond_limit"),
        ({"time": "2018-08-29T14:17:46.175Z"}, "in_the_past"),
        ({"delay": 1, "window": {"day": "weekdays"}}, "invalid_window"),
        ({"delay": 1, "window": "always"}, "invalid_window"),
        ({"delay": 1, "key": 5}, "invalid_key"),
        ({"delay": 1, "key": {"a": "x" * 5000}}, "invalid_key"),
        ({"delay": 1, "dealy": 1}, "invalid_parameter"),
        ({"delay": 1, "cancelOnConversion": "yes"}, "invalid_parameter"),
        ({"delay": 1, "ifExists": "maybe"}, "invalid_parameter"),
    ],
)
def test_a_refusal_is_an_answer_with_its_code(
    client: httpx.Client, key: str, runtime: Runtime, options: dict[str, Any], code: str
) -> None:
    answer = client.post(
        f"/integrations/k/{key}/defer/{encoded('webhook')}",
        json={"data": 1, **options, "meta": {"visitorId": "anna"}},
    )

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert (document["ok"], document["error"]["code"]) == (False, code)
    assert set(document) == {"ok", "error"}
    assert executions(runtime) == []


def test_an_unknown_visitor_cannot_convert(webhook: Integration) -> None:
    webhook.visitor_id = None

    refused = refusal(lambda: webhook.schedule(1, {"delay": 1, "cancelOnConversion": True}))

    assert refused.code == "unknown_visitor"
    assert refusal(webhook.conversion).code == "missing_parameter"


def test_the_same_request_under_an_idempotency_key_happens_once(
    client: httpx.Client, key: str, runtime: Runtime
) -> None:
    for _ in range(2):
        answer = client.post(
            f"/integrations/k/{key}/defer/{encoded('webhook')}",
            json={"data": 1, "delay": "1h"},
            headers={"idempotency-key": "one"},
        )
        assert answer.json()["ok"] is True

    assert len(executions(runtime)) == 1


@pytest.mark.parametrize("content_type", ["text/plain;charset=UTF-8", "application/json", "", "x/y; a=b"])
def test_the_content_type_does_not_count(
    client: httpx.Client, key: str, content_type: str, runtime: Runtime
) -> None:
    client.post(
        f"/integrations/k/{key}/defer/{encoded('webhook')}",
        content=b'{"data": 1, "delay": 1000}',
        headers={"content-type": content_type},
    )

    assert len(executions(runtime)) == 1


# --- who may


def test_without_a_key_a_bearer_token_will_do_and_an_open_server_needs_none(
    client: httpx.Client, token: Token
) -> None:
    path, body = f"/integrations/defer/{encoded('slack-update')}", {"data": {"message": "x"}, "delay": 1000}

    opened = client.post(path, json=body)
    operator, author = token(Scope.OPERATOR), token(Scope.AUTHOR)

    assert opened.json()["ok"] is True
    assert refused_as(client.post(path, json=body)) == "unauthorized"
    assert refused_as(client.post(path, json=body, headers=bearing("exp_site_wrong"))) == "unauthorized"
    assert client.post(path, json=body, headers=bearing(operator)).json()["ok"] is True
    assert refused_as(client.post(path, json=body, headers=bearing(author))) == "forbidden"


@pytest.mark.parametrize("path", ["", "/defer", "/cancel"])
@pytest.mark.parametrize("slug", ["slack-update", "nowhere", "event-webhook"])
def test_a_site_calls_nothing_but_what_is_for_sites(
    client: httpx.Client, key: str, runtime: Runtime, path: str, slug: str
) -> None:
    body = {"data": {"message": "x"}, "key": "k", **({"delay": 1000} if path == "/defer" else {})}

    answers = [
        client.post(f"/integrations/k/{key}{path}/{encoded(slug)}", json=body),
        client.post(f"/integrations{path}/{encoded(slug)}", json=body, headers=bearing(key)),
    ]

    assert [refused_as(answer) for answer in answers] == ["forbidden"] * 2
    assert executions(runtime) == []


def test_a_key_of_another_kind_is_no_site_key(client: httpx.Client, token: Token) -> None:
    for text in (token(Scope.OPERATOR), "wrong", "%00", "k", ".."):
        answer = client.post(f"/integrations/k/{text}/conversion", json={"visitorId": "anna"})

        assert answer.status_code in (404, 405) or refused_as(answer) in ("unauthorized", "forbidden")


# --- a public key guesses the keys of others


def test_a_guessed_key_of_a_site_reaches_no_execution_of_an_experience(
    client: httpx.Client, key: str, runtime: Runtime
) -> None:
    options = {"key": "newsletter", "delay": "1h", "scope": "property"}
    ours = runtime.scheduler.schedule("webhook", 1, options, visitor=None, experience="newsletter")
    base, body = f"/integrations/k/{key}", {"key": "newsletter", "scope": "property"}

    def ask(path: str, **more: Any) -> Any:
        return client.post(f"{base}{path}/{encoded('webhook')}", json={**body, **more}).json()

    cancelled = ask("/cancel")
    anonymous = ask("/cancel", scope="visitor")
    replaced = ask("/defer", data=2, delay="1h")
    known = ask("/defer", data=2, delay="1h", meta={"visitorId": "v1"})

    assert cancelled["data"]["cancelled"] == anonymous["data"]["cancelled"] == 0
    assert replaced["data"]["replaced"] is None
    assert known["data"]["replaced"] == replaced["data"]["id"]  # the site's own: one for all its visitors
    assert runtime.store.execution(ours.execution.number).status is Status.PENDING
    assert ask("/cancel")["data"]["ids"] == [known["data"]["id"]]


def test_a_site_that_executes_under_a_guessed_key_holds_up_no_experience(
    client: httpx.Client, key: str, runtime: Runtime
) -> None:
    body = {"data": 1, "key": "newsletter"}

    client.post(f"/integrations/k/{key}/{encoded('webhook')}", json=body)
    again = client.post(f"/integrations/k/{key}/{encoded('webhook')}", json=body).json()
    ours = runtime.scheduler.begin_execute("webhook", 1, key="newsletter", visitor=None, experience="x")

    assert again["error"]["code"] == "rate_limited"
    assert ours.status is Status.RUNNING


def test_an_operator_reaches_them_all(client: httpx.Client, token: Token, runtime: Runtime) -> None:
    options = {"key": "newsletter", "delay": "1h", "scope": "property"}
    runtime.scheduler.schedule("webhook", 1, options, visitor=None)
    headers = bearing(token(Scope.OPERATOR))

    path, body = f"/integrations/cancel/{encoded('webhook')}", {"key": "newsletter", "scope": "property"}
    answer = client.post(path, json=body, headers=headers).json()

    assert answer["data"]["cancelled"] == 1
