"""webhook: posts the payload as JSON to a configured address, signed when there is a secret."""

import json
from typing import Any

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


class Settings(BaseModel):
    """`headers` are sent with every call, for instance an authorization. `secret` signs what is sent, as
    Standard Webhooks has it: `whsec_…`; two, separated by a blank, while receivers change to the new one."""

    url: SecretUrl
    headers: dict[HeaderName, SecretHeader] = {}
    secret: SigningSecret | None = None


class Webhook(Integration[Settings, Any]):
    name = "webhook"
    settings = Settings

    def call(self, payload: Any, context: Context[Settings]) -> Any:
        body = json.dumps(payload).encode("ascii")
        # ours come last: a configured header cannot replace them
        headers = {
            "content-type": "application/json",
            **{name.lower(): value.get_secret_value() for name, value in context.settings.headers.items()},
            **_identity(body, context),
        }

        answer = context.http.request(
            "POST", context.settings.url.get_secret_value(), content=body, headers=headers
        )

        if 300 <= answer.status < 400:
            raise answer.failure(
                f"the webhook answered {answer.status}, a redirect, which is not followed;"
                " set the final address as url"
            )
        answer.require_success()
        return {"status": answer.status, "body": _body(answer)}


def _identity(body: bytes, context: Context[Settings]) -> dict[str, str]:
    """The headers by which a receiver knows a repeated message, an old one, and one that is not ours."""
    timestamp_seconds = int(context.now.timestamp())
    headers = {"webhook-id": context.execution_id, "webhook-timestamp": str(timestamp_seconds)}
    if context.settings.secret is not None:
        headers["webhook-signature"] = webhook_signature(
            context.settings.secret.get_secret_value(),
            message_id=context.execution_id,
            timestamp_seconds=timestamp_seconds,
            body=body,
        )
    return headers


def _body(answer: Answer) -> Any:
    value = answer.json() if "json" in answer.headers.get("content-type", "") else None
    return answer.text if value is None else value
