"""http: calls an HTTP API, with placeholders for what a payload holds, and the usual authentications."""

import json
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlencode

from experience_runtime.integration import (
    Answer,
    Context,
    HeaderName,
    Integration,
    InvalidPayload,
    OAuth2,
    SecretHeader,
)
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StrictStr, model_validator

from experience_integrations.hmac_signature import HmacSignature
from experience_integrations.placeholders import (
    Known,
    filled_header,
    filled_url,
    require_header,
    require_spelled_as_sent,
    require_url,
)
from experience_integrations.webhook import read_answer

Body = Literal["json", "form", "none"]


def _url(value: SecretStr) -> SecretStr:
    require_url(value.get_secret_value().strip())
    return SecretStr(value.get_secret_value().strip())


def _header(value: SecretStr) -> SecretStr:
    require_header(value.get_secret_value())
    return value


def _user(name: str) -> str:
    if ":" in name:
        raise ValueError("holds a colon, which ends it; use another user")
    return name


class Basic(BaseModel):
    """HTTP's basic authentication."""

    model_config = ConfigDict(extra="forbid")

    user: Annotated[StrictStr, Field(min_length=1), AfterValidator(_user)]
    password: SecretStr


class Settings(BaseModel):
    """`url` and the values of `headers` take `{payload.name}`, `{execution_id}` and `{timestamp}`.

    `body`: what of the payload is sent; for GET and DELETE none, for the others `json` unless it is told.
    One of `basic`, `bearer` and `oauth2` fills the header `authorization`; `hmac` signs what is sent.
    """

    url: Annotated[SecretStr, AfterValidator(_url)]
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    headers: dict[HeaderName, Annotated[SecretHeader, AfterValidator(_header)]] = {}
    body: Body | None = None
    basic: Basic | None = None
    bearer: Annotated[SecretHeader, Field(min_length=1)] | None = None
    oauth2: OAuth2 | None = None
    hmac: HmacSignature | None = None

    @model_validator(mode="after")
    def _has_one_of_each(self) -> Self:
        names = [name.lower() for name in self.headers]
        given = [name for name in ("basic", "bearer", "oauth2") if getattr(self, name) is not None]
        own = ["idempotency-key", *([] if self.hmac is None else self.hmac.header_names)]
        given += ["headers.authorization"] if "authorization" in names else []
        given += ["hmac"] if "authorization" in own else []
        if len(given) > 1:
            raise ValueError(f"has {' and '.join(given)}, which all fill the header authorization; keep one")
        taken = sorted(name for name in set(names) if names.count(name) > 1 or name in own)
        if taken:
            raise ValueError(f"sets the header {taken[0]} twice; leave it out of headers")
        if self.body not in (None, "none") and self.method in ("GET", "DELETE"):
            raise ValueError(f'sends a body with {self.method}; leave body out, or use the method "POST"')
        if self.hmac is not None and "{path}" in self.hmac.signs:
            try:
                require_spelled_as_sent(self.url.get_secret_value())
            except ValueError as problem:
                raise ValueError(f"url {problem}") from None
        return self

    @property
    def sent_body(self) -> Body:
        return self.body or ("none" if self.method in ("GET", "DELETE") else "json")


class HttpCall(Integration[Settings, Any]):
    name = "http"
    settings = Settings
    example: ClassVar[Any] = {"message": "Hello!"}

    def check(self, payload: Any, settings: Settings | None) -> None:
        """What the address, the headers and the form need must be there, and be harmless there."""
        if settings is not None:
            _request(payload, settings, Known(payload, execution_id="ex_0", timestamp_seconds=0))

    def call(self, payload: Any, context: Context[Settings]) -> Any:
        settings = context.settings
        known = Known(
            payload, execution_id=context.execution_id, timestamp_seconds=int(context.now.timestamp())
        )
        url, headers, content = _request(payload, settings, known)
        if settings.hmac is not None:
            headers |= settings.hmac.headers(settings.method, url, content, known)
        if settings.oauth2 is not None:
            send = settings.oauth2.request
            answer = send(context, settings.method, url, content=content, headers=headers)
        else:
            auth = None if settings.basic is None else (settings.basic.user, settings.basic.password)
            answer = context.http.request(settings.method, url, content=content, headers=headers, auth=auth)
        return _read(answer)


def _request(payload: Any, settings: Settings, known: Known) -> tuple[str, dict[str, str], bytes]:
    """Address, headers and body; raises InvalidPayload for a payload that cannot be sent so."""
    url = filled_url(settings.url.get_secret_value(), known)
    headers = {
        name.lower(): filled_header(value.get_secret_value(), known, name)
        for name, value in settings.headers.items()
    }
    headers["idempotency-key"] = known.execution_id
    if settings.bearer is not None:
        headers["authorization"] = f"Bearer {settings.bearer.get_secret_value()}"
    match settings.sent_body:
        case "json":
            return url, {"content-type": "application/json", **headers}, json.dumps(payload).encode("ascii")
        case "form":
            kind = {"content-type": "application/x-www-form-urlencoded"}
            return url, {**kind, **headers}, _form(payload)
    return url, headers, b""


def _form(payload: Any) -> bytes:
    if not isinstance(payload, dict):
        raise InvalidPayload('payload must be an object, for it is sent as a form; send {"name": "value"}')
    pairs = [
        (name, _field(each, f"payload.{name}"))
        for name, value in payload.items()
        for each in (value if isinstance(value, list) else [value])
    ]
    try:
        return urlencode(pairs).encode("ascii")
    except UnicodeEncodeError:
        raise InvalidPayload("payload holds half a character (a lone surrogate); send whole text") from None


def _field(value: Any, where: str) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)
    raise InvalidPayload(f"{where} cannot be a field of a form; send text, numbers, true, false, or a list")


def _read(answer: Answer) -> Any:
    return read_answer(answer, who="the API")
