"""Tokens in use: when each was used last, until when it is good, and how it may be sent."""

from datetime import timedelta

import httpx
import pytest
from experience_runtime.domain.access import Scope, new_token, token_digest
from experience_runtime.domain.instants import iso
from experience_runtime.runtime import Runtime

from .conftest import Token, bearing

CALL = {
    "function_id": "utils/scheduler",
    "client": {"bot_id": "b", "channel_id": "messenger", "user_id": "anna"},
    "data": {"action": "webhook", "delay": "5 min", "url": "https://example.com/hook"},
}


def keep_expired(runtime: Runtime, *scopes: Scope, origins: tuple[str, ...] = ()) -> str:
    """A token that was good until an hour ago."""
    then = runtime.clock.now() - timedelta(days=1)
    text, made = new_token("old", scopes, origins, now=then, expires="23 hours")
    runtime.store.tokens.put(made)
    return text


def test_a_token_is_good_until_it_expires(client: httpx.Client, runtime: Runtime) -> None:
    old = keep_expired(runtime, Scope.OPERATOR, Scope.SITE, origins=("https://shop.example",))
    page = {"origin": "https://shop.example"}

    answers = [
        client.get("/v1/executions", headers=bearing(old)),
        client.post(f"/visitors/k/{old}/events", json={"visitor": "v1", "type": "x"}),
        client.post("/csml/apps", json=CALL, headers={"X-Api-Key": old}),
        client.get("/v1/executions"),  # the door stays closed
    ]
    preflight = client.options(
        f"/visitors/k/{old}/events", headers=page | {"access-control-request-method": "POST"}
    )

    assert [answer.status_code for answer in answers] == [401] * 4
    assert "was good until" in answers[0].json()["detail"]
    assert preflight.status_code == 403
    assert client.post("/login", data={"token": old}).status_code == 401


def test_a_session_ends_with_its_token(client: httpx.Client, runtime: Runtime) -> None:
    now = runtime.clock.now()
    keep_expired(runtime, Scope.OPERATOR)
    (made,) = runtime.store.tokens.all()
    ends_at = now + timedelta(hours=1)
    runtime.store.tokens.begin_session(token_digest("s"), token=made.digest, now=now, expires_at=ends_at)

    answer = client.get("/executions", headers={"cookie": "experience_session=s"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/login?to=%2Fexecutions")


def test_the_last_use_is_kept_to_the_minute(client: httpx.Client, runtime: Runtime, token: Token) -> None:
    ops = bearing(token(Scope.OPERATOR, name="ops"))
    before = runtime.clock.now()
    client.get("/v1/executions", headers=ops)
    client.get("/v1/executions", headers=ops)

    (shown,) = client.get("/v1/tokens", headers=ops).json()["tokens"]
    page = client.get("/settings/tokens", headers=ops)

    assert (shown["name"], shown["expires_at"], shown["note"]) == ("ops", None, "")
    assert iso(before) <= shown["used_at"] <= iso(runtime.clock.now())
    assert shown["used_at"][:19].replace("T", " ") in page.text


def test_no_list_of_tokens_holds_a_token(client: httpx.Client, token: Token) -> None:
    text = token(Scope.OPERATOR, name="ops")

    for path in ("/v1/tokens", "/settings/tokens"):
        assert text[20:] not in client.get(path, headers=bearing(text)).text


def test_the_open_engine_sends_its_key_as_x_api_key(client: httpx.Client, token: Token) -> None:
    operator, author = token(Scope.OPERATOR, name="ops"), token(Scope.AUTHOR, name="qa")

    def call(key: str, path: str = "/csml/apps", **headers: str) -> httpx.Response:
        return client.post(path, json=CALL, headers={"X-Api-Key": key, **headers})

    assert call(operator).json()["data"]["success"] is True
    assert call(author).status_code == 403
    assert call("exp_operator_" + "A" * 43).status_code == 401
    assert call(operator, path="/v1/explain").status_code == 401  # there, and nowhere else
    assert call(operator, origin="https://evil.example").status_code == 403


@pytest.mark.parametrize("origin", ["null", "https://shop.example"])
def test_a_page_without_an_origin_may_call_only_with_a_key_for_it(
    client: httpx.Client, token: Token, origin: str
) -> None:
    key = token(Scope.SITE, origins=[origin])
    sent = {"visitor": "v1", "type": "ecView"}

    answer = client.post(f"/visitors/k/{key}/events", json=sent, headers={"origin": "null"})

    allowed = answer.headers.get("access-control-allow-origin")
    assert (answer.status_code, allowed) == ((200, "null") if origin == "null" else (403, None))
