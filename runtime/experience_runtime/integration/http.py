"""The way out as an integration sees it: requests, answers, failures."""

import base64
import json as _json
import socket
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from pydantic import SecretStr

from experience_runtime.domain.errors import InvalidParameter, InvalidPayload
from experience_runtime.domain.values import refuse_constant

Fields = Mapping[str, object] | Sequence[tuple[str, object]]
"""What a form or a query holds: a list as a value stands for several of one name."""

_PASSING = frozenset({408, 425, 429})  # and every 5xx. Source: reference/executions#retries


class IntegrationFailed(Exception):
    """An attempt did not succeed.

    `may_pass`: true for a failure that another try may mend (it is retried), false for one that
    stays (it is not). `retry_after` is in seconds, from the other side's own answer.
    """

    def __init__(
        self,
        message: str,
        *,
        may_pass: bool,
        status: int | None = None,
        retry_after: float | None = None,
        answer: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.may_pass = may_pass
        self.status = status
        self.retry_after = retry_after
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP call came back with: at most 64 KiB of body; header names are lower case.

    `is_whole` is false when there was more than that, or when it broke off.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    retry_after: float | None = None
    is_whole: bool = True

    def json(self) -> Any:
        """Read the body as JSON; None when it is not JSON. Raises IntegrationFailed for half a body."""
        if not self.is_whole:
            raise self.failure(
                f"the receiver answered {self.status} with a body that broke off or is longer than 64 KiB;"
                " it cannot be read as JSON"
            )
        try:
            return _json.loads(self.text, parse_constant=refuse_constant)
        except (ValueError, RecursionError):
            return None

    def require_success(self) -> "Answer":
        """Return this answer when its status is 2xx, else raise the IntegrationFailed it means."""
        if 200 <= self.status < 300:
            return self
        raise self.failure(f"the receiver answered {self.status}")

    def failure(self, message: str, *, may_pass: bool | None = None) -> IntegrationFailed:
        """Make the failure this answer means; 408, 425, 429 and 5xx may pass unless told otherwise."""
        passing = self.status in _PASSING or self.status >= 500
        return IntegrationFailed(
            message,
            may_pass=passing if may_pass is None else may_pass,
            status=self.status,
            retry_after=self.retry_after,
            answer=self.text,
        )


class Http(ABC):
    """The one way out. Raises IntegrationFailed for what may pass (network, timeout) and
    BlockedAddress for an address that must not be called. Answers of any status are returned.

    Of `json`, `form` and `content` one is the body. `query` is added to what the address has. `auth` is a
    user and a password, which go as HTTP's basic authentication.
    """

    def get(
        self,
        url: str,
        *,
        query: Fields | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, SecretStr | str] | None = None,
    ) -> Answer:
        """GET an address."""
        return self.request("GET", url, query=query, headers=headers, auth=auth)

    def post(
        self,
        url: str,
        *,
        json: Any = None,
        form: Fields | None = None,
        query: Fields | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, SecretStr | str] | None = None,
    ) -> Answer:
        """POST a form, or else a JSON value."""
        if form is not None and json is not None:
            raise InvalidParameter("post has both json and form; a body is one of them")
        content, kind = _json_body(json) if form is None else _form_body(form)
        return self._sent("POST", url, content, kind, query, headers, auth)

    def request(
        self,
        method: str,
        url: str,
        *,
        content: bytes = b"",
        json: Any = None,
        form: Fields | None = None,
        query: Fields | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, SecretStr | str] | None = None,
    ) -> Answer:
        """Send bytes, a JSON value (not None), a form or no body."""
        if sum((bool(content), json is not None, form is not None)) > 1:
            raise InvalidParameter("a request has one body: content, json or form")
        kind = None
        if json is not None:
            content, kind = _json_body(json)
        elif form is not None:
            content, kind = _form_body(form)
        return self._sent(method, url, content, kind, query, headers, auth)

    def _sent(
        self,
        method: str,
        url: str,
        content: bytes,
        kind: str | None,
        query: Fields | None,
        headers: Mapping[str, str] | None,
        auth: tuple[str, SecretStr | str] | None,
    ) -> Answer:
        sent = {} if kind is None else {"content-type": kind}
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        if auth is not None:
            sent["authorization"] = _basic(*auth)
        return self.send(method, _with_query(url, query), content=content, headers=sent)

    @abstractmethod
    def send(self, method: str, url: str, *, content: bytes, headers: Mapping[str, str]) -> Answer:
        """Send one request as it stands: everything above comes here."""
        ...

    @abstractmethod
    def connect(self, host: str, port: int) -> socket.socket:
        """Open a TCP connection for another protocol than HTTP, to an address that may be called.

        It is the caller's, who closes it; its timeout is what is left of the call's time.
        """
        ...


def _json_body(value: Any) -> tuple[bytes, str]:
    try:
        text = _json.dumps(value, ensure_ascii=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as problem:
        raise InvalidPayload(
            f"the body is not JSON ({problem}); send objects, arrays, text, numbers"
        ) from None
    return text.encode("ascii"), "application/json"


def _form_body(fields: Fields) -> tuple[bytes, str]:
    return _encoded(fields, "form").encode("ascii"), "application/x-www-form-urlencoded"


def _with_query(url: str, query: Fields | None) -> str:
    if not query:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return url  # who sends it refuses it, and does not show it
    added = _encoded(query, "query")
    return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))


def _encoded(fields: Fields, what: str) -> str:
    pairs = [
        (name, _field(each, f"{what}.{name}"))
        for name, value in (fields.items() if isinstance(fields, Mapping) else fields)
        for each in (value if isinstance(value, list | tuple) else [value])
    ]
    try:
        return urlencode(pairs)
    except UnicodeEncodeError:
        raise InvalidPayload(
            f"the {what} holds half a character (a lone surrogate); send whole text"
        ) from None


def _field(value: object, where: str) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)
        case SecretStr():
            return value.get_secret_value()
    raise InvalidPayload(
        f"{where} is a {type(value).__name__}; send text, numbers, true, false, or lists of them"
    )


def _basic(user: str, secret: SecretStr | str) -> str:
    """Source: RFC 7617."""
    if ":" in user:
        raise InvalidParameter("the user of auth holds a colon, which ends it; use another user")
    password = secret.get_secret_value() if isinstance(secret, SecretStr) else secret
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode('ascii')}"
