"""The gateway: pages of other origins, and what strangers send."""

import json
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest
from experience_runtime.documents.documents import execution_document
from experience_runtime.domain.access import Scope
from experience_runtime.domain.executions import Execution, Filter
from experience_runtime.runtime import Runtime

from .conftest import Token, write
from .gateway_client import encoded, refused_as

SHOP = "https://shop.example"


@pytest.fixture
def folder(folder: Path) -> Path:
    write(
        folder / "experience.toml",
        """
[serve]
per_second = 0
[integrations.webhook]
url = "http://127.0.0.1:9/hook?token=s3cret-one"
site = true
""",
    )
    return folder


@pytest.fixture
def key(token: Token) -> str:
    return token(Scope.SITE, name="shop", origins=[SHOP])


def executions(runtime: Runtime) -> Sequence[Execution]:
    return runtime.store.find(Filter(), limit=100).executions


# --- pages of other origins


def test_a_page_of_the_shop_may_call_and_read(client: httpx.Client, key: str) -> None:
    path = f"/integrations/k/{key}/conversion"

    asked = client.options(
        path,
        headers={
            "origin": SHOP,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type",
        },
    )
    answer = client.post(path, json={"visitorId": "anna"}, headers={"origin": SHOP})

    assert asked.status_code == 204
    assert "content-type" in asked.headers["access-control-allow-headers"].lower()
    for each in (asked, answer):
        assert each.headers["access-control-allow-origin"] == SHOP
        assert "origin" in each.headers["vary"].lower()
        assert "access-control-allow-credentials" not in each.headers
    assert answer.json() == {"ok": True, "data": {"cancelled": 0}}


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://shop.example",
        "https://shop.example:444",
        "https://shop.example.evil.example",
        "https://SHOP.example",
        "https://shop.example, https://evil.example",
        "https://shop.example\x01",
    ],
)
def test_a_page_of_any_other_origin_may_not(
    client: httpx.Client, key: str, runtime: Runtime, origin: str
) -> None:
    answer = client.post(
        f"/integrations/k/{key}/defer/{encoded('webhook')}",
        json={"data": 1, "delay": 1000},
        headers={"origin": origin},
    )

    assert answer.json()["ok"] is False
    assert "access-control-allow-origin" not in answer.headers
    assert executions(runtime) == []


def test_a_refusal_of_access_can_be_read_by_the_page(client: httpx.Client, key: str) -> None:
    answer = client.post(
        f"/integrations/k/{key}/{encoded('slack-update')}", json={"data": 1}, headers={"origin": SHOP}
    )

    assert refused_as(answer) == "forbidden"
    assert answer.headers["access-control-allow-origin"] == SHOP


def test_what_is_refused_before_it_is_looked_at_is_a_message_too(client: httpx.Client, token: Token) -> None:
    def told(**headers: str) -> str:
        answer = client.post("/integrations/conversion", json={"visitorId": "anna"}, headers=headers)
        return refused_as(answer)

    assert told(host="rebound.example") == "forbidden"
    token(Scope.OPERATOR)
    assert told(origin="https://evil.example") == "forbidden"


# --- what strangers send

_DEEP = b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b', "delay": 1000}'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"\xff\xfe",
        b'{"delay": NaN}',
        b'{"delay": 1000, "data": Infinity}',
        b'{"delay": 1' + b"0" * 5000 + b"}",
        _DEEP,
        b'{"delay": 1000, "meta": []}',
        b'{"delay": 1000, "meta": "anna"}',
        b'{"delay": 1000, "meta": {"visitorId": 5}}',
        b'{"delay": 1000, "meta": {"visitorId": ""}}',
        b'{"delay": 1000, "meta": {"visitorId": {"$ne": 1}}}',
        b'{"delay": 1000, "meta": {"visitorId": "a\\u0000b"}}',
        b'{"delay": 1000, "meta": {"visitorId": "\\ud800"}}',
        b'{"delay": 1000, "meta": {"visitorId": "a\\r\\nSet-Cookie: x"}}',
        json.dumps({"delay": 1000, "meta": {"visitorId": "x" * 100_000}}).encode(),
        b'{"delay": 1000, "meta": {"experience": 5}}',
        b'{"delay": 1000, "meta": {"experience": {"experienceId": "a\\nb"}}}',
        json.dumps({"delay": 1000, "meta": {"experience": {"experienceId": "x" * 10_000}}}).encode(),
        json.dumps({"delay": 1000, "data": "x" * 300_000}).encode(),
        json.dumps({"delay": 1000, "key": {"x" * 10_000: 1}}).encode(),
        b'{"delay": 1000, "key": ' + b'{"a":' * 3000 + b"1" + b"}" * 3000 + b"}",
        json.dumps({"delay": 1000, "window": {"day": "monday," * 10_000}}).encode(),
    ],
    ids=lambda body: body[:40].decode("latin-1"),
)
@pytest.mark.parametrize("path", ["defer/", "cancel/", ""])
def test_a_hostile_body_is_refused_briefly_and_leaves_nothing(
    client: httpx.Client, key: str, runtime: Runtime, body: bytes, path: str
) -> None:
    answer = client.post(f"/integrations/k/{key}/{path}{encoded('webhook')}", content=body)

    if path == "defer/":
        assert answer.status_code == 200
        assert answer.json()["ok"] is False
        assert executions(runtime) == []
    assert answer.status_code == 200
    assert len(answer.content) < 2000
    assert "set-cookie" not in answer.headers
    assert not any(b"secret" in line.encode() for line in answer.headers.values())


def test_a_body_beyond_the_limit_is_a_message_too(client: httpx.Client, key: str) -> None:
    path, large = f"/integrations/k/{key}/{encoded('webhook')}", b"x" * 600_000
    in_parts = (large[at : at + 100_000] for at in range(0, len(large), 100_000))

    assert refused_as(client.post(path, content=large)) == "payload_too_large"
    assert refused_as(client.post(path, content=in_parts)) == "payload_too_large"


@pytest.mark.parametrize(
    "encoded_id", ["x", "%00", "a" * 10_000, "..%2f..", "<script>", "MTpzbGFjazox%0d%0a"]
)
def test_an_id_that_names_nothing_is_refused(client: httpx.Client, key: str, encoded_id: str) -> None:
    answer = client.post(f"/integrations/k/{key}/{encoded_id}", json={"data": 1})

    assert answer.status_code in (200, 404)
    if answer.status_code == 200:
        assert answer.json()["error"]["code"] == "invalid_parameter"


@pytest.mark.parametrize("name", ["__proto__", "constructor", "<script>alert(1)</script>", "\x1b[2J"])
def test_what_is_in_a_payload_is_data_and_nothing_else(
    client: httpx.Client, key: str, runtime: Runtime, name: str
) -> None:
    body = {"data": {name: name}, "key": {name: name}, "delay": "1h", "meta": {"visitorId": "anna"}}

    assert client.post(f"/integrations/k/{key}/defer/{encoded('webhook')}", json=body).json()["ok"] is True

    document = execution_document(executions(runtime)[0], redact=str, shown=lambda _, payload: payload)
    assert (document["payload"], document["key"]) == ({name: name}, {name: name})


def test_a_timeout_of_a_stranger_holds_no_thread_for_long() -> None:
    from experience_runtime.web.answering import MOST_SECONDS

    assert MOST_SECONDS <= 10


def test_a_defect_is_a_500_and_says_nothing_of_us(client: httpx.Client, key: str, runtime: Runtime) -> None:
    runtime.store.close()

    answer = client.post(f"/integrations/k/{key}/conversion", json={"visitorId": "anna"})

    assert answer.status_code == 500
    assert "Traceback" not in answer.text
