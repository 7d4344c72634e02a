"""What authors may not see changes no answer that they get: no list, count, picture, cursor or refusal."""

import re
from typing import Any

import httpx
import pytest
from experience_runtime.domain.access import Scope
from experience_runtime.runtime import Runtime
from experience_runtime.web.guard.limits import AtOnce
from fastapi import FastAPI

from .conftest import Token, bearing

QUESTIONS = [
    "",
    "?limit=1",
    "?status=pending",
    "?status=failed&limit=1",
    "?integration=webhook",
    "?visitor=v1",
    "?visitor=hidden",
    "?text=hid",
    "?text=payload&limit=1",
    "?payload=hidden",
    "?sort=due&limit=1",
    "?finished_since=2020-01-01",
]
UNCHANGED = ("experiences", "integrations", "runs?visitor=hidden", "visitors?text=hid")
PAGES = [
    "/executions",
    "/executions?status=failed",
    "/executions?text=hid",
    "/executions?text=payload",
    "/executions?payload=hidden",
    "/executions?sort=due&finished_since=2020-01-01",
    "/executions?visitor=hidden",
    "/executions?integration=webhook",
    "/visitors",
    "/visitors?text=hid",
    "/playground",
]


def _walked(client: httpx.Client, question: str, headers: dict[str, str]) -> list[dict[str, Any]]:
    """Every page of a question, from cursor to cursor."""
    pages: list[dict[str, Any]] = []
    cursor = None
    while cursor is not None or not pages:
        params = dict(httpx.QueryParams(question[1:])) | ({} if cursor is None else {"cursor": cursor})
        answer = client.get("/v1/executions", params=params, headers=headers)
        assert answer.status_code == 200, answer.text
        pages.append(answer.json())
        cursor = pages[-1]["next"]
    return pages


def _read(client: httpx.Client, path: str, headers: dict[str, str]) -> str:
    """A page, without what differs between two loads of the same: form tokens, and how long ago it was."""
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    text = re.sub(r'name="form_token" value="[^"]*"', "", answer.text)
    return re.sub(r"\bin [^<]*|\b\d+ \w+ ago|\d{2}:\d{2}(:\d{2}(\.\d+)?)?|[\d.]+%|nonce=\"[^\"]*\"", "", text)


@pytest.fixture
def hide(client: httpx.Client, runtime: Runtime, token: Token) -> Any:
    """Make rows that no experience made: called, failed, fired by a schedule."""
    operator = bearing(token(Scope.OPERATOR))

    def make() -> list[str]:
        body = {"payload": {"body": {"hidden": "payload"}}}
        client.post("/v1/integrations/webhook/call", json=body, headers=operator)
        daily = {"daily": "09:00", "timezone": "UTC"}
        runtime.recurring.set("hidden", "webhook", {"body": {"hidden": "payload"}}, daily)
        fired = runtime.recurring.run_now("hidden")
        runtime.scheduler.cancel_execution(fired.id, reason="hidden")
        runtime.receive("hidden", "ecView", None)
        listed = client.get("/v1/executions", headers=operator).json()["executions"]
        return [each["id"] for each in listed if each["experience"] is None]

    return make


def test_an_authors_answers_are_the_same_whether_hidden_rows_exist_or_not(
    client: httpx.Client, token: Token, hide: Any
) -> None:
    author = bearing(token(Scope.AUTHOR))
    for visitor in ("v1", "v2", "v3"):
        client.post("/v1/experiences/reminder/run", json={"visitor": visitor}, headers=author)

    def seen() -> dict[str, Any]:
        return {question: _walked(client, question, author) for question in QUESTIONS} | {
            path: client.get(f"/v1/{path}", headers=author).json()
            for path in (
                "experiences",
                "integrations",
                "runs",
                "runs?visitor=hidden",
                "runs?limit=1",
                "visitors?text=hid",
            )
        }

    before = seen()
    hidden = hide()
    client.post("/v1/experiences/reminder/run", json={"visitor": "v4"}, headers=author)
    hidden += hide()

    assert len(hidden) > 4
    (last, *_), *_ = [each["executions"] for each in _walked(client, "?visitor=v4", author)]
    assert last["visitor"] == "v4"
    after = seen()
    assert [len(page["executions"]) for page in after["?limit=1"]] == [1, 1, 1, 1]
    assert [page["executions"] for page in after["?limit=1"]][1:] == [
        page["executions"] for page in before["?limit=1"]
    ]
    for question in ("?visitor=v1", "?visitor=hidden", "?text=hid", "?status=failed&limit=1"):
        assert after[question] == before[question], question
    for path in UNCHANGED:
        assert after[path] == before[path], path


def test_an_authors_pages_are_the_same_whether_hidden_rows_exist_or_not(
    client: httpx.Client, token: Token, hide: Any
) -> None:
    author = bearing(token(Scope.AUTHOR))
    client.post("/v1/experiences/reminder/run", json={"visitor": "v1"}, headers=author)
    assert client.post("/login", data={"token": token(Scope.AUTHOR, name="qa")}).status_code == 303
    before = {path: _read(client, path, {}) for path in PAGES}

    assert hide()

    for path in PAGES:
        assert _read(client, path, {}) == before[path], path


def test_a_hidden_execution_of_the_same_key_is_not_told_beside_one_that_is_seen(
    client: httpx.Client, token: Token
) -> None:
    author, operator = bearing(token(Scope.AUTHOR)), bearing(token(Scope.OPERATOR))
    options = {"key": {"reminder": "basket"}, "delay": "1 hour"}
    body = {"payload": {"body": 1}, "options": options, "visitor": "v1"}
    hidden = client.post("/v1/integrations/webhook/schedule", json=body, headers=operator).json()["id"]
    ran = client.post("/v1/experiences/reminder/run", json={"visitor": "v1"}, headers=author).json()
    path = f"executions/{ran['executions'][0]['id']}"

    told = {
        name: [client.get(f"{at}/{path}", headers=headers).text for at in ("", "/v1")]
        for name, headers in (("author", author), ("operator", operator))
    }

    assert [hidden in text for text in told["operator"]] == [True, True]
    assert [hidden in text for text in told["author"]] == [False, False]


def test_a_hidden_execution_is_refused_as_one_that_is_not_there(
    client: httpx.Client, token: Token, hide: Any
) -> None:
    author = bearing(token(Scope.AUTHOR))
    hidden = hide()[0]
    absent = f"{hidden[:-4]}zzzz" if not hidden.endswith("zzzz") else f"{hidden[:-4]}yyyy"

    answers = [client.get(f"/v1/executions/{id}", headers=author) for id in (hidden, absent)]

    assert [answer.status_code for answer in answers] == [404, 404]
    texts = [answer.text.replace(id, "ID") for answer, id in zip(answers, (hidden, absent), strict=True)]
    assert texts[0] == texts[1]


def test_searches_of_authors_keep_nobody_else_from_looking(
    client: httpx.Client, token: Token, web: FastAPI
) -> None:
    author, operator = bearing(token(Scope.AUTHOR)), bearing(token(Scope.OPERATOR))
    text = token(Scope.AUTHOR, name="qa")
    assert client.post("/login", data={"token": text}).status_code == 303
    web.state.searches = AtOnce(1, "searches of authors")

    def asked(headers: dict[str, str]) -> list[int]:
        listed = client.get("/v1/executions", headers=headers)
        searched = client.post("/v1/executions/search", json={"text": "x"}, headers=headers)
        return [listed.status_code, searched.status_code]

    with web.state.searches:
        refused, page, others = asked(author), client.get("/executions"), asked(operator)

    assert refused == [429, 429]
    assert (page.status_code, "searches of authors" in page.text) == (429, True)
    assert others == [200, 200]
    assert asked(author) == [200, 200]
