"""event-webhook: calls the url that came with a scheduled event, with its body as JSON."""

import hashlib
import json
import re
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from experience_runtime.integration import (
    Answer,
    Context,
    Integration,
    InvalidPayload,
    SecretUrl,
    SigningSecret,
)
from pydantic import BaseModel, ConfigDict, SecretStr, TypeAdapter, ValidationError

from experience_integrations.webhook import post, read_answer

_ADDRESS = TypeAdapter[SecretStr](SecretUrl)
_SECRET_LENGTH = 6  # shorter texts stand in too many innocent places


class Settings(BaseModel):
    """`secret` signs what is sent, as Standard Webhooks has it; see `webhook`."""

    secret: SigningSecret | None = None


class Call(BaseModel):
    """Which address is called, and with what. Its query may hold credentials."""

    model_config = ConfigDict(extra="forbid")

    url: SecretStr  # which address it is `check` sees to: a model's own refusal would show it
    body: Any = {}


class EventWebhook(Integration[Settings, Call]):
    name = "event-webhook"
    settings = Settings
    payload = Call
    example: ClassVar[Any] = {"url": "https://example.com/hook", "body": {"message": "Hello!"}}

    def check(self, payload: Call, settings: Settings | None) -> None:  # noqa: ARG002 - the SDK's
        _address(payload)

    def shown(self, payload: Any) -> Any:
        """The query of the address may hold credentials."""
        if isinstance(payload, dict) and isinstance(payload.get("url"), str):
            return {**payload, "url": _without_query(payload["url"])}
        return payload

    def pace_key(self, payload: Call, settings: Settings | None) -> str:  # noqa: ARG002 - the SDK's
        """Each address has a pace of its own. Its path may hold credentials: only a digest of it is shown."""
        parts = urlsplit(payload.url.get_secret_value())
        digest = hashlib.sha256(f"{parts.scheme}://{parts.netloc}{parts.path}".encode()).hexdigest()
        return f"{parts.scheme}://{parts.hostname or ''}/… {digest[:8]}"

    def call(self, payload: Call, context: Context[Settings]) -> Any:
        url = _address(payload)

        answer = post(url, payload.body, context, secret=context.settings.secret)

        return read_answer(_without_credentials(answer, url))


def _address(payload: Call) -> str:
    try:
        return _ADDRESS.validate_python(payload.url).get_secret_value()
    except ValidationError as problem:
        fault = problem.errors(include_url=False, include_input=False)[0]["msg"]
    raise InvalidPayload(f"payload.url {fault.removeprefix('Value error, ')}")


def _without_query(url: str) -> str:
    base = re.split("[?#]", url, maxsplit=1)[0]
    return f"{base}?…" if "?" in url else base


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
