"""`check_integration` looks at every attempt: what is sent, how often, under which id, what may be kept."""

import secrets
import sys
from typing import Any, ClassVar

import pytest
from experience_runtime.integration import Context, Integration, SecretUrl
from experience_runtime.testing import check_integration
from pydantic import BaseModel, model_validator


class Settings(BaseModel):
    url: SecretUrl


class Right(Integration[Settings, Any]):
    """The others are this one with one thing done wrong."""

    name = "right"
    settings = Settings

    def call(self, payload: Any, context: Context[Settings]) -> Any:
        return self.send(payload, context)

    def send(self, payload: Any, context: Context[Settings]) -> Any:
        headers = {"webhook-id": context.execution_id}
        url = context.settings.url.get_secret_value()
        return context.http.post(url, json=payload, headers=headers).require_success().json()


class Remembering(Right):
    def __init__(self) -> None:
        self.sent: set[str] = set()

    def call(self, payload: Any, context: Context[Settings]) -> Any:
        if context.execution_id in self.sent:
            return "already sent"
        self.sent.add(context.execution_id)
        return self.send(payload, context)


class Judging(Right):
    """Takes the answers of `fine` for success, and has only those of `passing` tried again."""

    fine: ClassVar[range] = range(200, 300)
    passing: ClassVar[tuple[int, ...]] = (408, 425, 429, *range(500, 600))

    def call(self, payload: Any, context: Context[Settings]) -> Any:
        url = context.settings.url.get_secret_value()
        answer = context.http.post(url, json=payload, headers={"webhook-id": context.execution_id})
        if answer.status in self.fine:
            return None
        raise answer.failure("no luck", may_pass=answer.status in self.passing)


class Redirected(Judging):
    fine = range(200, 400)


class Unauthorized(Judging):
    fine = range(200, 402)


class Lost(Judging):
    fine = range(200, 405)


class Choosy(Judging):
    passing = (429, 503)


class Looping(Right):
    def call(self, payload: Any, context: Context[Settings]) -> Any:
        url = context.settings.url.get_secret_value()
        for _ in range(3):
            answer = context.http.post(url, json=payload, headers={"webhook-id": context.execution_id})
            if answer.status != 503:
                break
        return answer.require_success().json()


class Decorating(Right):
    def call(self, payload: Any, context: Context[Settings]) -> Any:
        headers = {"idempotency-key": f"{context.execution_id}-{secrets.token_hex(4)}"}
        url = context.settings.url.get_secret_value()
        return context.http.post(url, json=payload, headers=headers).require_success().json()


class Particular(Right):
    def call(self, payload: Any, context: Context[Settings]) -> Any:
        if payload == "ho":
            raise KeyError(payload)
        return self.send(payload, context)


class Exiting(Right):
    def call(self, payload: Any, context: Context[Settings]) -> Any:  # noqa: ARG002 the SDK's names
        sys.exit(0)


class ExitingCheck(Right):
    def check(self, payload: Any, settings: Settings | None) -> None:  # noqa: ARG002 the SDK's names
        sys.exit(0)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (Remembering, ["after an answer of 503 with Retry-After: 7 the next attempt sends nothing"]),
        (Redirected, ["an answer of 302 counts as success"]),
        (Unauthorized, ["an answer of 401 counts as success"]),
        (Lost, ["an answer of 404 counts as success"]),
        (Choosy, ["an answer of 500 may pass", "an answer of 504 may pass"]),
        (Looping, ["503 with Retry-After: 7 makes it send 3 requests in one attempt"]),
        (Decorating, ["the execution id reaches the receiver with something else at every attempt"]),
        (Particular, ["makes it raise KeyError: 'ho' for the payload \"ho\""]),
        (Exiting, ["makes it raise SystemExit: 0"]),
        (ExitingCheck, ["could not check the payload: SystemExit"]),
    ],
)
def test_what_is_wrong_with_an_attempt_is_named(kind: type[Integration[Any, Any]], says: list[str]) -> None:
    with pytest.raises(AssertionError) as caught:
        check_integration(kind, settings=lambda url: {"url": url}, payloads=["hi", "ho"], answer={"is": "ok"})

    for part in says:
        assert part in str(caught.value)


class Talkative(Right):
    def call(self, payload: Any, context: Context[Settings]) -> Any:
        context.logger.info("POST /send was called")
        return self.send(payload, context)


class Preparing(Right):
    class settings(BaseModel):
        url: SecretUrl

        @model_validator(mode="before")
        @classmethod
        def complete(cls, table: Any) -> Any:
            return {"url": table["url"] + "/v1"}


@pytest.mark.parametrize("kind", [Right, Judging, Talkative, Preparing])
def test_right_is_right(kind: type[Integration[Any, Any]]) -> None:
    table = {"url": "https://api.example.com/send"}

    check_integration(kind, settings=table, payloads=["hi"], answer={"is": "ok"})
