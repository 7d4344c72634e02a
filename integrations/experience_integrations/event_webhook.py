"""event-webhook: calls the url that came with a scheduled event, with its body as JSON."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from experience_runtime.integration import Answer, Context, Integration, SecretUrl, SigningSecret
from pydantic import BaseModel, ConfigDict

from experience_integrations.webhook import post, read_answer

_SECRET_LENGTH = 6  # shorter texts stand in too many innocent places


class Settings(BaseModel):
    """`secret` signs what is sent, as Standard Webhooks has it; see `webhook`."""

    secret: SigningSecret | None = None


class Call(BaseModel):
    """Which address is called, and with what. Its query may hold credentials."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    url: SecretUrl
    body: Any = {}


class EventWebhook(Integration[Settings, Call]):
    name = "event-webhook"
    settings = Settings
    payload = Call

    def call(self, payload: Call, context: Context[Settings]) -> Any:
        url = payload.url.get_secret_value()

        answer = post(url, payload.body, context, secret=context.settings.secret)

        return read_answer(_without_credentials(answer, url))


def _without_credentials(answer: Answer, url: str) -> Answer:
    """The answer as the history may keep it: the other side may echo what it was called with."""
    query = urlsplit(url).query
    values = [value for _, value in parse_qsl(query)]
    raw = [pair.partition("=")[2] for pair in query.split("&")]
    escaped = [json.dumps(value)[1:-1] for value in values]
    text = answer.text
    for secret in sorted({query, *values, *raw, *escaped}, key=len, reverse=True):
        if len(secret) >= _SECRET_LENGTH:
            text = text.replace(secret, "[redacted]")
    return replace(answer, text=text)
