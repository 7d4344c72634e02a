"""Idempotency-Key: a write happens once and is answered alike, in a race too."""

import hashlib
import json
import threading
from datetime import timedelta
from typing import Any

import httpx
import pytest
from experience_runtime.domain.access import Scope
from experience_runtime.domain.executions import Filter
from experience_runtime.engine.claims import Claim, in_hand
from experience_runtime.runtime import Runtime

from .conftest import REMINDER, Token, bearing
from .gateway_client import encoded, refused_as

RUN = "/v1/experiences/reminder/run"


def run(client: httpx.Client, key: str, body: Any = None, **headers: str) -> httpx.Response:
    return client.post(
        RUN, json={"visitor": "v1"} if body is None else body, headers={"Idempotency-Key": key, **headers}
    )


def test_the_same_request_happens_once_and_is_answered_alike(client: httpx.Client, runtime: Runtime) -> None:
    first, again = run(client, "k-1"), run(client, "k-1")

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert runtime.store.count(Filter()) == 1


def test_another_body_under_the_key_is_a_conflict(client: httpx.Client) -> None:
    run(client, "k-1")

    other = run(client, "k-1", {"visitor": "v2"})

    assert (other.status_code, other.json()["code"]) == (409, "conflict")


def test_a_refusal_is_kept_as_any_other_answer(client: httpx.Client) -> None:
    first = client.post("/v1/explain", json={"delay": "soon"}, headers={"Idempotency-Key": "k"})
    again = client.post("/v1/explain", json={"delay": "soon"}, headers={"Idempotency-Key": "k"})

    assert (first.status_code, first.json()["code"]) == (422, "invalid_delay")
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")


def test_who_may_not_is_told_so_each_time_and_may_later(client: httpx.Client, token: Token) -> None:
    author = bearing(token(Scope.AUTHOR))

    for _ in range(2):
        answer = client.post("/v1/integrations/webhook/pause", headers={"Idempotency-Key": "k", **author})
        assert (answer.status_code, "idempotent-replayed" in answer.headers) == (403, False)
    assert run(client, "k", Authorization="Bearer nobody").status_code == 401


def test_what_the_gateway_tells_with_200_and_may_happen_later_is_told_anew_each_time(
    client: httpx.Client, token: Token
) -> None:
    site = f"/integrations/k/{token(Scope.SITE, name='shop')}"
    operator = bearing(token(Scope.OPERATOR))

    def execute(slug: str, key: str, body: Any, **headers: str) -> tuple[str, bool]:
        base = "/integrations" if headers else site
        answer = client.post(
            f"{base}/{encoded(slug)}", json=body, headers={"Idempotency-Key": key, **headers}
        )
        return refused_as(answer), "idempotent-replayed" in answer.headers

    body = {"data": {"body": 1}, "key": "order 17", "meta": {"visitorId": "v1"}}
    failed = execute("webhook", "one", body, **operator)
    asked = [("slack-update", "two", body, {}), ("webhook", "three", body, operator)]
    told = [execute(slug, key, body, **headers) for slug, key, body, headers in asked for _ in range(2)]

    assert told == [("forbidden", False)] * 2 + [("rate_limited", False)] * 2
    assert execute("webhook", "one", body, **operator) == (failed[0], True)


def test_what_a_simulation_makes_is_none_of_what_its_request_made(client: httpx.Client) -> None:
    story = json.dumps({"steps": [{"do": "run", "visitor": "v1"}], "expect": [{"integration": "webhook"}]})
    released = {"files": {"variation.js": REMINDER, "story.json": story}}
    asked: list[tuple[str, Any]] = [
        ("/v1/simulate", {"experience": "reminder", "visitor": "v1"}),
        ("/v1/experiences/shop/releases", released),
    ]
    for path, body in asked:
        plain, keyed = (
            client.post(path, json=body, headers=headers) for headers in ({}, {"Idempotency-Key": path})
        )

        assert (plain.status_code, keyed.status_code) == (200, 200), (plain.text, keyed.text)
        assert len(keyed.json().get("executions", [])) == len(plain.json().get("executions", []))


def test_keys_are_each_callers_own(client: httpx.Client, token: Token) -> None:
    for name in ("one", "two"):
        answer = run(client, "k", **bearing(token(Scope.AUTHOR, name=name)))
        assert "idempotent-replayed" not in answer.headers


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "ü"])
def test_a_key_that_is_not_one_is_refused(client: httpx.Client, key: str, runtime: Runtime) -> None:
    answer = client.post(RUN, json={}, headers=[(b"Idempotency-Key", key.encode("utf-8"))])

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")
    assert runtime.store.count(Filter()) == 0


@pytest.mark.parametrize(
    "address", ["/integrations/conversion", "/csml/apps", "/visitors/events", "/v1/visitors/v1/convert"]
)
@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "ü"])
def test_a_key_that_is_not_one_is_refused_wherever_one_may_be_sent(
    client: httpx.Client, runtime: Runtime, address: str, key: str
) -> None:
    body = {"visitorId": "v1"} if address == "/integrations/conversion" else None

    answer = client.post(address, json=body, headers=[(b"Idempotency-Key", key.encode("utf-8"))])

    if address.startswith("/integrations/"):
        assert refused_as(answer) == "invalid_parameter"
    else:
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")
    assert runtime.store.events.conversions("v1", limit=1) == []


def test_a_new_token_of_an_old_name_is_not_answered_what_the_old_one_was(
    client: httpx.Client, token: Token, runtime: Runtime
) -> None:
    run(client, "k", **bearing(token(Scope.AUTHOR, name="qa")))
    runtime.store.tokens.revoke("qa", now=runtime.clock.now())

    answer = run(client, "k", **bearing(token(Scope.AUTHOR, name="qa")))

    assert (answer.status_code, answer.headers.get("idempotent-replayed")) == (200, None)


def test_of_many_at_once_one_happens(client: httpx.Client, runtime: Runtime) -> None:
    begin, answers = threading.Barrier(12), []

    def ask() -> None:
        begin.wait()
        answers.append(run(client, "race"))

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert runtime.store.count(Filter()) == 1
    good = [answer for answer in answers if answer.status_code == 200]
    assert {answer.content for answer in good} == {good[0].content}
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert sum("idempotent-replayed" not in answer.headers for answer in good) == 1


def test_the_answer_about_an_execute_that_may_still_run_is_not_the_last(
    client: httpx.Client, runtime: Runtime
) -> None:
    body = b'{"payload":{"a":1}}'
    digest = hashlib.sha256(b"POST\0/v1/integrations/webhook/call\0\0" + body).digest()
    claim = runtime.store.replies.claim(caller="", key="k", request=digest, now=runtime.clock.now())
    assert isinstance(claim, Claim)
    with in_hand(claim):
        execution = runtime.scheduler.begin_execute(
            "webhook", {"a": 1}, key=None, visitor=None, experience=None
        )
    runtime.store.replies.release(claim)  # its process ended

    def ask() -> tuple[int, str, bool]:
        headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
        answer = client.post("/v1/integrations/webhook/call", content=body, headers=headers)
        assert execution.id in answer.text
        return answer.status_code, answer.json()["code"], "idempotent-replayed" in answer.headers

    assert [ask(), ask()] == [(409, "conflict", False)] * 2
    runtime.store.give_back(now=runtime.clock.now() + timedelta(hours=1))
    assert [ask(), ask()] == [(502, "integration_failed", False), (502, "integration_failed", True)]
