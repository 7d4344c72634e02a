"""segment: tells Segment what a user did (track) or who a user is (identify)."""

import json
from typing import Annotated, Any, ClassVar, Literal, Self

from experience_runtime.integration import Context, Integration, SecretHeader, SecretUrl
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StrictStr, model_validator

from experience_integrations.answers import is_web_page

EVENT_BYTES = 32 * 1024
"""The largest event that Segment takes."""

_Name = Annotated[StrictStr, Field(min_length=1, max_length=1000)]


def _user(key: SecretStr) -> SecretStr:
    """The key goes as the user of basic authentication, which a colon ends."""
    if ":" in key.get_secret_value():
        raise ValueError("holds a colon; copy the write key from the source's settings again")
    return key


class Settings(BaseModel):
    """`url` is where Segment takes events: another one for a workspace in the EU."""

    write_key: Annotated[SecretHeader, Field(min_length=1), AfterValidator(_user)]
    url: SecretUrl = SecretStr("https://api.segment.io/v1")


class Event(BaseModel):
    """An `event` with its `properties`, or with the type `identify` the `traits` of a user."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["track", "identify"] = "track"
    userId: _Name | None = None
    anonymousId: _Name | None = None
    event: _Name | None = None
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    context: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.userId is None and self.anonymousId is None:
            raise ValueError("names no user; give it a userId or an anonymousId")
        if self.type == "track" and self.event is None:
            raise ValueError('names no event; give it an event, or the type "identify"')
        if self.type == "track" and self.traits is not None:
            raise ValueError('has traits, which are of the type "identify"; an event has properties')
        if self.type == "identify" and (self.event is not None or self.properties is not None):
            raise ValueError('has an event or properties, which are of the type "track"; a user has traits')
        if (size := len(json.dumps(self.sent()))) > EVENT_BYTES - 100:  # what is left is for the messageId
            raise ValueError(f"is {size} bytes long; at most {EVENT_BYTES - 100} are taken")
        return self

    def sent(self) -> dict[str, Any]:
        """The fields as Segment has them."""
        return self.model_dump(mode="json", exclude={"type"}, exclude_none=True)


class Segment(Integration[Settings, Event]):
    name = "segment"
    settings = Settings
    payload = Event
    example: ClassVar[Any] = {"userId": "u1", "event": "Basket Reminder Due", "properties": {"value": 120}}

    def call(self, payload: Event, context: Context[Settings]) -> Any:
        answer = context.http.post(
            f"{context.settings.url.get_secret_value().rstrip('/')}/{payload.type}",
            # Segment drops a second event of one messageId
            json={**payload.sent(), "messageId": context.execution_id},
            auth=(context.settings.write_key.get_secret_value(), ""),
        )
        if 200 <= answer.status < 300:
            if is_web_page(answer):
                raise answer.failure(
                    f"Segment answered {answer.status} with a web page; is the url its API's?"
                )
            return {"ok": True}
        advice = ": the write key is not one of a source; set write_key anew" if answer.status == 401 else ""
        raise answer.failure(f"Segment answered {answer.status}{advice}")
