"""state-changes: tells the webhooks what happened to executions; the runtime alone calls it."""

from collections.abc import Iterator
from typing import Any, ClassVar

from experience_integrations.webhook import post, read_answer
from pydantic import BaseModel, ConfigDict

from experience_runtime.domain.state_changes import STATE_CHANGES
from experience_runtime.integration import (
    Backoff,
    Context,
    HeaderName,
    Integration,
    IntegrationFailed,
    SecretHeader,
    SecretUrl,
    SigningSecret,
)
from experience_runtime.plugins.finding import Found


class Receiver(BaseModel):
    """Where one webhook is told, and what signs it."""

    model_config = ConfigDict(extra="forbid")

    url: SecretUrl
    secret: SigningSecret | None = None
    headers: dict[HeaderName, SecretHeader] = {}


class Settings(BaseModel):
    """`webhooks`: the receivers, by the names of their tables."""

    webhooks: dict[str, Receiver]


class Telling(BaseModel):
    """Which webhook is told, and of what."""

    model_config = ConfigDict(extra="forbid")

    webhook: str
    event: dict[str, Any]


class StateChanges(Integration[Settings, Telling]):
    """Each receiver has a pace of its own. One that is down is tried again for about ten hours."""

    name = STATE_CHANGES
    settings = Settings
    payload = Telling
    retries: ClassVar[int] = 24
    backoff: ClassVar[Backoff] = Backoff()

    def pace_key(self, payload: Telling, settings: Settings | None) -> str:  # noqa: ARG002 - the SDK's
        return payload.webhook

    def call(self, payload: Telling, context: Context[Settings]) -> Any:
        receiver = context.settings.webhooks.get(payload.webhook)
        if receiver is None:
            raise IntegrationFailed(
                f"there is no [webhooks.{payload.webhook}] any more; write it again, and replay this",
                may_pass=False,
            )
        headers = {name: value.get_secret_value() for name, value in receiver.headers.items()}
        answer = post(
            receiver.url.get_secret_value(), payload.event, context, headers=headers, secret=receiver.secret
        )
        return read_answer(answer, who=f"the webhook {payload.webhook}")


def own() -> Iterator[Found]:
    """What is registered where there are webhooks."""
    yield Found(name=STATE_CHANGES, source="the runtime", load=_kind)


def _kind() -> type[StateChanges]:
    return StateChanges
