"""webhook: posts the payload as JSON to a configured address."""

from typing import Any

from experience_runtime.integration import Answer, Context, Integration, SecretUrl
from pydantic import BaseModel, SecretStr

EXCERPT_LENGTH = 4096


class Settings(BaseModel):
    """`headers` are sent with every call, for instance an authorization."""

    url: SecretUrl
    headers: dict[str, SecretStr] = {}


class Webhook(Integration[Settings, Any]):
    name = "webhook"
    settings = Settings

    def call(self, payload: Any, context: Context[Settings]) -> Any:
        headers = {name.lower(): value.get_secret_value() for name, value in context.settings.headers.items()}
        # the receiver tells a repeated delivery by the id: it is the same for every attempt
        headers["webhook-id"] = context.execution_id
        headers["webhook-timestamp"] = str(int(context.now.timestamp()))

        answer = context.http.post(context.settings.url.get_secret_value(), json=payload, headers=headers)

        if 300 <= answer.status < 400:
            raise answer.failure(
                f"the webhook answered {answer.status}, a redirect, which is not followed;"
                " set the final address as url"
            )
        answer.require_success()
        return {"status": answer.status, "body": _body(answer)}


def _body(answer: Answer) -> Any:
    value = answer.json() if "json" in answer.headers.get("content-type", "") else None
    return answer.text[:EXCERPT_LENGTH] if value is None else value
