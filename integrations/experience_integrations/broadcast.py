"""broadcast: asks a bot to begin a flow with one of its users."""

import hashlib
import hmac
import json
from typing import Annotated, Any, ClassVar, Self

from experience_runtime.integration import (
    Context,
    Integration,
    SecretHeader,
    SecretUrl,
    UnsupportedChannel,
)
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, StrictStr, model_validator

CHANNELS = ("messenger",)

_Name = Annotated[StrictStr, Field(min_length=1, max_length=1000)]


def _listed(value: Any) -> Any:
    """An environment variable holds one text: names separated by commas."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class Settings(BaseModel):
    """`url` is the broadcasts address of the bot API; `channels` are those that a bot can begin a talk on."""

    url: SecretUrl
    api_key: Annotated[SecretHeader, Field(min_length=1)]
    api_secret: Annotated[SecretStr, Field(min_length=1)]
    channels: Annotated[list[_Name], BeforeValidator(_listed)] = list(CHANNELS)


class Client(BaseModel):
    model_config = ConfigDict(extra="forbid")

    user_id: _Name
    bot_id: _Name | None = None
    channel_id: _Name | None = None


class FlowTrigger(BaseModel):
    """Which flow begins, at which step, with whom. `user_id` is short for a `client` with nothing else.

    `channel` is the name of the client's channel; left out, the bot API decides whether it can be reached.
    """

    model_config = ConfigDict(extra="forbid")

    flow_id: _Name
    step_id: _Name = "start"
    metadata: dict[str, Any] = {}
    channel: _Name | None = None
    client: Client | None = None
    user_id: _Name | None = None

    @model_validator(mode="after")
    def _is_for_one_user(self) -> Self:
        if (self.client is None) == (self.user_id is None):
            raise ValueError('must name its user once: either client {"user_id": …} or user_id')
        return self

    def receiver(self) -> dict[str, Any]:
        """The client as the bot API has it."""
        return {"user_id": self.user_id} if self.client is None else self.client.model_dump(exclude_none=True)


class Broadcast(Integration[Settings, FlowTrigger]):
    name = "broadcast"
    settings = Settings
    payload = FlowTrigger
    example: ClassVar[Any] = {"flow_id": "welcome", "user_id": "u1"}

    def check(self, payload: FlowTrigger, settings: Settings | None) -> None:
        if settings is None or payload.channel is None:
            return
        if payload.channel.casefold() not in (channel.casefold() for channel in settings.channels):
            known = ", ".join(settings.channels) or "none"
            raise UnsupportedChannel(
                f'channel "{payload.channel[:100]}" cannot be broadcast to; those that can: {known}'
                " (the setting channels of broadcast)"
            )

    def call(self, payload: FlowTrigger, context: Context[Settings]) -> Any:
        message = {
            "payload": {
                "content": {"flow_id": payload.flow_id, "step_id": payload.step_id},
                "content_type": "flow_trigger",
            },
            "client": payload.receiver(),
            "metadata": payload.metadata,
        }

        answer = context.http.request(
            "POST",
            context.settings.url.get_secret_value(),
            content=json.dumps(message).encode("ascii"),
            headers={"content-type": "application/json", **_identity(context)},
        )

        answer.require_success()
        return answer.json()


def _identity(context: Context[Settings]) -> dict[str, str]:
    """The headers of the bot API: a key with the second it is used in, signed. Refused some minutes later,
    and so made anew for every attempt."""
    key = f"{context.settings.api_key.get_secret_value()}|{int(context.now.timestamp())}"
    secret = context.settings.api_secret.get_secret_value()
    signature = hmac.digest(secret.encode(), key.encode(), hashlib.sha256).hex()
    return {
        "x-api-key": key,
        "x-api-signature": f"sha256={signature}",
        "webhook-id": context.execution_id,
    }
