"""discord: posts a message to the channel of a Discord webhook."""

from dataclasses import replace
from typing import Any, ClassVar, Self

from experience_runtime.integration import Answer, Context, Integration, IntegrationFailed, Pace, SecretUrl
from pydantic import BaseModel, ConfigDict, Field, StrictStr, model_validator

CONTENT_LENGTH = 2_000
EMBEDS = 10
DAY_SECONDS = 86_400.0

_ADVICE = {
    401: "the token in the url is not valid; copy the url from Discord again",
    403: "the webhook may not post there; check it in the settings of the channel",
    404: "the webhook was removed; make a new one and set its url",
}


class Settings(BaseModel):
    url: SecretUrl


def _also_a_text(schema: dict[str, Any]) -> None:
    """Let the schema have the short form too: a text."""
    whole = {name: schema.pop(name) for name in ("type", "properties", "additionalProperties")}
    schema["anyOf"] = [{"type": "string"}, whole]


class Message(BaseModel):
    """A Discord message; a bare string is its content. Other fields pass. It mentions nobody unless it says
    so: a text may come from a visitor."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_also_a_text)

    content: StrictStr = Field(default="", max_length=CONTENT_LENGTH)
    embeds: list[dict[str, Any]] = Field(default_factory=list, max_length=EMBEDS)
    allowed_mentions: dict[str, Any] = Field(default_factory=lambda: {"parse": []})

    @model_validator(mode="before")
    @classmethod
    def _from_a_text(cls, payload: Any) -> Any:
        if isinstance(payload, str):
            if len(payload) > CONTENT_LENGTH:
                raise ValueError(f"must have at most {CONTENT_LENGTH} characters, it has {len(payload)}")
            return {"content": payload}
        if not isinstance(payload, dict):
            raise ValueError('must be a text or an object such as {"content": "Hello!"}')
        return payload

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        more = self.model_extra or {}
        if not (self.content.strip() or self.embeds or more.get("components") or more.get("poll")):
            raise ValueError("says nothing; give it content or embeds")
        return self


class Discord(Integration[Settings, Message]):
    name = "discord"
    settings = Settings
    payload = Message
    example: ClassVar[Any] = {"content": "Hello!"}
    # Discord's documentation leaves the figures to its answers; these are what its users measure
    pace = Pace(per_second=0.5, burst=5)

    def call(self, payload: Message, context: Context[Settings]) -> Any:
        message = payload.model_dump(mode="json", exclude_unset=True)
        answer = context.http.post(
            context.settings.url.get_secret_value(),
            json={**message, "allowed_mentions": payload.allowed_mentions},
            query={"wait": "true"},  # without it Discord also says yes to a message that it does not keep
            headers={"webhook-id": context.execution_id},  # Discord ignores it
        )
        if answer.status == 204:
            return {"ok": True}
        said = answer.json() if answer.is_whole else None
        if answer.status == 200 and not answer.is_whole:  # it is posted: only the news of it broke off
            return {"ok": True}
        if answer.status == 200 and isinstance(said, dict) and isinstance(said.get("id"), str):
            return {"ok": True, "id": said["id"]}
        raise _failure(answer, said)


def _failure(answer: Answer, said: Any) -> IntegrationFailed:
    if 200 <= answer.status < 300:
        return answer.failure(
            f"Discord answered {answer.status} but no message; is the url one of Discord's webhooks?"
        )
    fields = said if isinstance(said, dict) else {}
    wait: Any = fields.get("retry_after")
    is_number = isinstance(wait, int | float) and not isinstance(wait, bool)
    if answer.status == 429 and is_number and wait > 0:
        answer = replace(answer, retry_after=max(float(min(wait, DAY_SECONDS)), answer.retry_after or 0.0))
    code = fields.get("code")
    shown = f" (code {code})" if type(code) is int and 0 < code < 10**6 else ""
    advice = _ADVICE.get(answer.status)
    if answer.status == 400:
        advice = "Discord could not read the message; check content and embeds"
    return answer.failure(f"Discord answered {answer.status}{shown}{'' if advice is None else f': {advice}'}")
