"""teams: posts a text or an Adaptive Card to Microsoft Teams, through a workflow's webhook."""

import json
import re
from typing import Any, ClassVar, Literal, Self

from experience_runtime.integration import Answer, Context, Integration, IntegrationFailed, Pace, SecretUrl
from pydantic import BaseModel, ConfigDict, Field, StrictStr, model_validator

from experience_integrations.answers import is_web_page

MESSAGE_BYTES = 28 * 1024
"""The largest message that Teams takes."""

_UNDELIVERED = re.compile(r"delivery failed.*?HTTP error (\d{3})", re.DOTALL)


class Settings(BaseModel):
    url: SecretUrl


class Card(BaseModel):
    """An Adaptive Card. Its fields pass."""

    model_config = ConfigDict(extra="allow")

    type: Literal["AdaptiveCard"]


def _also_a_text(schema: dict[str, Any]) -> None:
    """Let the schema have the short form too: a text."""
    whole = {name: schema.pop(name) for name in ("type", "properties", "additionalProperties")}
    schema["anyOf"] = [{"type": "string"}, whole]


class Message(BaseModel):
    """Either a text, which is shown on a card of its own, or an Adaptive Card; a bare string is the text."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_also_a_text)

    text: StrictStr = Field(default="")
    card: Card | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_a_text(cls, payload: Any) -> Any:
        if isinstance(payload, str):
            return {"text": payload}
        if not isinstance(payload, dict):
            raise ValueError('must be a text or an object such as {"text": "Hello!"}')
        return payload

    @model_validator(mode="after")
    def _is_one_message(self) -> Self:
        if bool(self.text.strip()) == (self.card is not None):
            raise ValueError("must have either a text or a card")
        if (size := len(json.dumps(self.sent(), ensure_ascii=True))) > MESSAGE_BYTES:
            raise ValueError(f"is {size} bytes long as Teams gets it; at most {MESSAGE_BYTES} are taken")
        return self

    def sent(self) -> dict[str, Any]:
        """The message as Teams has it."""
        if self.card is None:
            block = {"type": "TextBlock", "text": self.text, "wrap": True}
            card: dict[str, Any] = {"type": "AdaptiveCard", "version": "1.4", "body": [block]}
        else:
            card = self.card.model_dump(mode="json")
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
        return {"type": "message", "attachments": [attachment]}


class Teams(Integration[Settings, Message]):
    name = "teams"
    settings = Settings
    payload = Message
    example: ClassVar[Any] = {"text": "Hello!"}
    pace = Pace(per_second=2, burst=4)  # a start: 4 in 1 s and 60 in 30 s is what connectors were allowed

    def call(self, payload: Message, context: Context[Settings]) -> Any:
        answer = context.http.post(
            context.settings.url.get_secret_value(),
            json=payload.sent(),
            headers={"webhook-id": context.execution_id},  # Teams ignores it
        )
        failed = _UNDELIVERED.search(answer.text)
        if answer.status in (200, 202) and failed is None and not is_web_page(answer):
            return {"ok": True}
        raise _failure(answer, failed)


def _failure(answer: Answer, failed: re.Match[str] | None) -> IntegrationFailed:
    if failed is not None and 200 <= answer.status < 300:  # an older webhook: its own status is 200 then too
        status = int(failed[1])
        return answer.failure(
            f"Teams answered {answer.status}, and that it did not deliver the message because of {status}",
            may_pass=status == 429 or status >= 500,
        )
    if answer.status in (200, 202):
        return answer.failure(
            f"Teams answered {answer.status} with a web page; is the url one of a workflow?"
        )
    advice = {
        400: ": the workflow could not read the message, or is switched off; look at its run history",
        401: ": the url is not valid any more; copy it from the workflow again",
        404: ": the workflow was removed; make a new one and set its url",
    }
    return answer.failure(f"Teams answered {answer.status}{advice.get(answer.status, '')}")
