"""webhook: posts the payload as JSON to a configured address, signed when there is a secret."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from experience_runtime.integration import (
    Answer,
    Context,
    HeaderName,
    Integration,
    SecretHeader,
    SecretUrl,
    SigningSecret,
    webhook_signature,
)
from pydantic import BaseModel

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Settings(BaseModel):
    """`headers` are sent with every call, for instance an authorization. `secret` signs what is sent, as
    Standard Webhooks has it: `whsec_…`; two, separated by a blank, while receivers change to the new one."""

    url: SecretUrl
    headers: dict[HeaderName, SecretHeader] = {}
    secret: SigningSecret | None = None


class Webhook(Integration[Settings, Any]):
    name = "webhook"
    settings = Settings
    example: ClassVar[Any] = {"message": "Hello!"}

    def call(self, payload: Any, context: Context[Settings]) -> Any:
        headers = {name: value.get_secret_value() for name, value in context.settings.headers.items()}
        url, secret = context.settings.url.get_secret_value(), context.settings.secret

        return read_answer(post(url, payload, context, headers=headers, secret=secret))


def post(
    url: str,
    payload: Any,
    context: Context[Any],
    *,
    headers: Mapping[str, str] = _NO_HEADERS,
    secret: SigningSecret | None,
) -> Answer:
    """Post a payload as JSON, with the headers that tell what it is; signed when there is a secret."""
    body = json.dumps(payload).encode("ascii")
    # ours come last: a configured header cannot replace them
    sent = {
        "content-type": "application/json",
        **{name.lower(): value for name, value in headers.items()},
        **_identity(body, context, secret),
    }
    return context.http.request("POST", url, content=body, headers=sent)


def read_answer(answer: Answer, *, who: str = "the webhook") -> dict[str, Any]:
    """What the execution's answer is; raises IntegrationFailed for an answer that is no success.

    `is_whole: False` stands beside a body that was cut, or that broke off: it was taken all the same.
    """
    if 300 <= answer.status < 400:
        raise answer.failure(
            f"{who} answered {answer.status}, a redirect, which is not followed; set the final address as url"
        )
    answer.require_success()
    cut = {} if answer.is_whole else {"is_whole": False}
    return {"status": answer.status, "body": _body(answer), **cut}


def _identity(body: bytes, context: Context[Any], secret: SigningSecret | None) -> dict[str, str]:
    """The headers by which a receiver knows a repeated message, an old one, and one that is not ours."""
    timestamp_seconds = int(context.now.timestamp())
    headers = {"webhook-id": context.execution_id, "webhook-timestamp": str(timestamp_seconds)}
    if secret is not None:
        headers["webhook-signature"] = webhook_signature(
            secret.get_secret_value(),
            message_id=context.execution_id,
            timestamp_seconds=timestamp_seconds,
            body=body,
        )
    return headers


def _body(answer: Answer) -> Any:
    is_json = answer.is_whole and "json" in answer.headers.get("content-type", "")
    value = answer.json() if is_json else None  # half of one is kept as text
    return answer.text if value is None else value
