"""twilio-sms: sends an SMS through Twilio."""

from typing import Annotated, Any, ClassVar, Self
from urllib.parse import quote

from experience_runtime.integration import (
    Answer,
    Context,
    Integration,
    IntegrationFailed,
    SecretHeader,
    SecretUrl,
)
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StrictStr, model_validator

BODY_LENGTH = 1_600

_ADVICE = {
    20003: "Twilio does not know account_sid and auth_token; set them anew",
    21211: "the number is no phone number",
    21408: "the account may not send to that country; allow it in Twilio's geographic permissions",
    21606: "from_number is no number of the account that can send an SMS",
    21608: "a trial account sends to verified numbers only",
    21610: "they answered STOP and want no messages",
    21614: "the number takes no SMS",
}


class Settings(BaseModel):
    """Who sends is either `from_number` or the `messaging_service_sid`. `url` is Twilio's."""

    account_sid: Annotated[str, Field(pattern=r"^AC[0-9a-fA-F]{32}$")]
    auth_token: Annotated[SecretHeader, Field(min_length=1)]
    from_number: Annotated[str, Field(min_length=1)] | None = None
    messaging_service_sid: Annotated[str, Field(pattern=r"^MG[0-9a-fA-F]{32}$")] | None = None
    url: SecretUrl = SecretStr("https://api.twilio.com")

    @model_validator(mode="after")
    def _has_one_sender(self) -> Self:
        if (self.from_number is None) == (self.messaging_service_sid is None):
            raise ValueError("set either from_number or messaging_service_sid")
        return self


class Sms(BaseModel):
    """To which number, and its text."""

    model_config = ConfigDict(extra="forbid")

    to: Annotated[StrictStr, Field(pattern=r"^\+[1-9][0-9]{1,14}$")]
    body: Annotated[StrictStr, Field(min_length=1, max_length=BODY_LENGTH, pattern=r"\S")]


class TwilioSms(Integration[Settings, Sms]):
    name = "twilio-sms"
    settings = Settings
    payload = Sms
    example: ClassVar[Any] = {"to": "+15550100", "body": "Hello!"}

    def call(self, payload: Sms, context: Context[Settings]) -> Any:
        settings = context.settings
        sender = (
            {"MessagingServiceSid": settings.messaging_service_sid}
            if settings.from_number is None
            else {"From": settings.from_number}
        )
        base = settings.url.get_secret_value().rstrip("/")
        answer = context.http.post(
            f"{base}/2010-04-01/Accounts/{quote(settings.account_sid)}/Messages.json",
            form={"To": payload.to, "Body": payload.body, **sender},
            auth=(settings.account_sid, settings.auth_token),
            headers={"webhook-id": context.execution_id},  # Twilio ignores it
        )
        said = answer.json() if answer.is_whole else None
        fields = said if isinstance(said, dict) else {}
        if 200 <= answer.status < 300:
            if answer.is_whole and not isinstance(fields.get("sid"), str):
                raise answer.failure(f"Twilio answered {answer.status} but no message; is the url Twilio's?")
            return {name: fields[name] for name in ("sid", "status") if isinstance(fields.get(name), str)}
        raise _failure(answer, fields.get("code"))


def _failure(answer: Answer, code: Any) -> IntegrationFailed:
    """Twilio's own text is left out: it repeats the number."""
    if type(code) is not int or not 0 < code < 10**6:
        return answer.failure(f"Twilio answered {answer.status}")
    advice = _ADVICE.get(code, f"see https://www.twilio.com/docs/api/errors/{code}")
    return answer.failure(f"Twilio answered {answer.status}, error {code}: {advice}")
