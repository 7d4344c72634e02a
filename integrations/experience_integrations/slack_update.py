"""slack-update: posts a message to the channel of a Slack incoming webhook."""

import re
from typing import Any, ClassVar, Self

from experience_runtime.integration import Answer, Context, Integration, IntegrationFailed, Pace, SecretUrl
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr, model_validator

TEXT_LENGTH = 40_000
BLOCKS = 50

_ADVICE = {
    "invalid_payload": "Slack could not read the message; check text and blocks in the Block Kit Builder",
    "invalid_blocks": "Slack refused the blocks; check them in the Block Kit Builder",
    "no_text": "the message is empty; send a text or blocks",
    "action_prohibited": "an admin of the workspace does not allow this post; ask them",
    "channel_not_found": "the channel of this webhook is gone; make a new webhook and set its url",
    "channel_is_archived": "the channel is archived; restore it, or make a webhook for another one",
    "no_service": "the webhook was removed or switched off; make a new one and set its url",
    "no_service_id": "the url is incomplete; copy it from Slack again",
    "no_team": "the workspace of this url does not exist; copy the url from Slack again",
    "invalid_token": "the url is not valid any more; make a new webhook and set its url",
    "user_not_found": "the user of this webhook is gone; make a new webhook and set its url",
    "posting_to_general_channel_denied": "an admin does not allow posts to #general; choose another channel",
    "rollup_error": "Slack had a problem of its own",
}


class Settings(BaseModel):
    url: SecretUrl


class Block(BaseModel):
    model_config = ConfigDict(extra="allow")

    type: StrictStr = Field(min_length=1)


def _also_a_text(schema: dict[str, Any]) -> None:
    """Let the schema have the short form too: a text."""
    whole = {name: schema.pop(name) for name in ("type", "properties", "additionalProperties")}
    schema["anyOf"] = [{"type": "string"}, whole]


class Message(BaseModel):
    """A Slack message; `message` is another name of `text`, a bare string is the text. Other fields pass.

    A visitor's text may be in it: it pings nobody and hides no link, unless `markdown` is true. `blocks` and
    `attachments` go as they are.
    """

    model_config = ConfigDict(extra="allow", json_schema_extra=_also_a_text)

    message: StrictStr = Field(default="", max_length=TEXT_LENGTH)
    text: StrictStr = Field(default="", max_length=TEXT_LENGTH)
    markdown: StrictBool = False
    blocks: list[Block] = Field(default_factory=list, max_length=BLOCKS)
    attachments: list[dict[str, Any]] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _from_short_forms(cls, payload: Any) -> Any:
        if isinstance(payload, str):
            if len(payload) > TEXT_LENGTH:
                raise ValueError(f"must have at most {TEXT_LENGTH} characters, it has {len(payload)}")
            return {"text": payload}
        if not isinstance(payload, dict):
            raise ValueError('must be a text or an object such as {"message": "Hello!"}')
        if "message" in payload and "text" in payload:
            raise ValueError("has both message and text, which are the same; leave one out")
        return payload

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.message.strip() or self.text.strip() or self.blocks or self.attachments):
            raise ValueError("says nothing; give it a message, a text, blocks or attachments")
        return self

    def sent(self) -> dict[str, Any]:
        """The message as Slack has it."""
        fields = self.model_dump(mode="json", exclude_unset=True, exclude={"markdown", "message", "text"})
        if not {"message", "text"} & self.model_fields_set:
            return fields
        text = self.message or self.text
        return {"text": text if self.markdown else _escaped(text), **fields}


class SlackUpdate(Integration[Settings, Message]):
    name = "slack-update"
    settings = Settings
    payload = Message
    example: ClassVar[Any] = {"message": "Hello!"}
    pace = Pace(per_second=1, burst=4)  # "one message per second per webhook, short bursts are allowed"

    def call(self, payload: Message, context: Context[Settings]) -> Any:
        answer = context.http.post(
            context.settings.url.get_secret_value(),
            json=payload.sent(),
            headers={"webhook-id": context.execution_id},  # Slack ignores it; a receiver of ours counts by it
        )
        if answer.status == 200 and answer.text.strip() == "ok":
            return {"ok": True}
        raise _failure(answer)


def _escaped(text: str) -> str:
    """What Slack shows as it is written: `<!channel>` pings nobody. Source: Slack's "Formatting text"."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _failure(answer: Answer) -> IntegrationFailed:
    error = answer.text.strip()
    if re.fullmatch(r"[a-z_]{1,60}", error):
        advice = _ADVICE.get(error, "see Slack's list of webhook errors")
        return answer.failure(f"Slack answered {answer.status} {error}: {advice}")
    if 200 <= answer.status < 300:
        said = f" ({error!r})" if len(error) <= 100 else ""  # whole or not: half a secret is not recognized
        return answer.failure(f'Slack answered {answer.status} but not "ok"{said}; is the url one of Slack?')
    return answer.failure(f"Slack answered {answer.status}")
