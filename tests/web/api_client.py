"""What an answer of the API says, where it is a success and where it is a refusal."""

from typing import Any

import httpx


def done(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


def refused(answer: httpx.Response, status: int) -> str:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert (set(problem), problem["status"]) == ({"type", "title", "status", "detail", "code"}, status)
    return str(problem["code"])


def run(client: httpx.Client, visitor: str = "v1") -> Any:
    body = {"visitor": visitor, "timezone": "Europe/Paris"}
    return done(client.post("/v1/experiences/reminder/run", json=body))
