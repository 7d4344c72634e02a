"""Placeholders: `{payload.name}` in an address or a header; no value changes where a call goes."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from experience_runtime.integration import InvalidPayload, SecretUrl
from pydantic import SecretStr, TypeAdapter, ValidationError

VALUE_LENGTH = 1_000

_ADDRESS = TypeAdapter[SecretStr](SecretUrl)
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"payload(?:\.[A-Za-z0-9_-]{1,100}){1,10}|execution_id|timestamp")
_AS_SENT = re.compile(r"(?:[A-Za-z0-9._~!$&()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*(?<!\?)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Known:
    """What placeholders stand for; `timestamp_seconds` is the time since 1970."""

    payload: Any
    execution_id: str
    timestamp_seconds: int

    def text(self, name: str) -> str:
        """The text of a placeholder; raises InvalidPayload when the payload has none that can be one."""
        if name == "execution_id":
            return self.execution_id
        if name == "timestamp":
            return str(self.timestamp_seconds)
        value = self.payload
        for part in name.split(".")[1:]:
            if isinstance(value, dict) and part in value:
                value = value[part]
            elif isinstance(value, list) and re.fullmatch("[0-9]{1,4}", part) and int(part) < len(value):
                value = value[int(part)]
            else:
                raise InvalidPayload(f"{name} is missing, and the settings of http use it; add it")
        text = _spelled(value)
        if text is None:
            raise InvalidPayload(f"{name} must be text, a number, true or false: the settings of http use it")
        if not text.strip() or len(text) > VALUE_LENGTH:
            raise InvalidPayload(f"{name} must have 1 to {VALUE_LENGTH} characters, it has {len(text)}")
        if _CONTROL.search(text):
            raise InvalidPayload(f"{name} holds a line break or another control character; remove it")
        return text


def _spelled(value: Any) -> str | None:
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int():
            return str(value)
        case float() if math.isfinite(value):
            return str(value)
    return None


def require_url(template: str) -> None:
    """Raise ValueError for what cannot be an address with placeholders. It shows no text of it."""
    list(_names(template))
    _require_address(_PLACEHOLDER.sub("x", template))
    begin = re.match("[^/]*//[^/?#]*", template)
    if begin is None or "{" in begin[0]:
        raise ValueError("has a placeholder in its host; put it into the path or the query")
    if "{" in template.partition("#")[2]:
        raise ValueError("has a placeholder behind #, which is not sent; put it into the path or the query")


def require_spelled_as_sent(template: str) -> None:
    """Raise ValueError where the path or the query is sent in another spelling than it has here."""
    target = re.sub("[^/]*//[^/?#]*", "", template, count=1).partition("#")[0]
    path = target.partition("?")[0]
    is_plain = _AS_SENT.fullmatch(_PLACEHOLDER.sub("x", target)) is not None
    if not is_plain or not {".", ".."}.isdisjoint(path.split("/")):
        raise ValueError(
            "is sent in another spelling than it has, and hmac signs {path}; "
            "write %20 for a blank and the like for every character that is no ASCII letter, and no . or .."
        )


def _require_address(url: str) -> None:
    try:
        _ADDRESS.validate_python(url)
    except ValidationError as problem:
        told = problem.errors(include_url=False, include_input=False)[0]["msg"]
        raise ValueError(told.removeprefix("Value error, ")) from None


def require_header(template: str) -> None:
    """Raise ValueError for a header whose placeholders are none."""
    list(_names(template))


def filled_url(template: str, known: Known) -> str:
    """The address; what a payload holds is quoted. Raises InvalidPayload for what would lead elsewhere."""
    before, mark, query = template.partition("?")
    scheme, _, rest = before.partition("//")
    host, *path = rest.split("/")
    segments = [_segment(each, known) for each in path]
    filled = f"{scheme}//{'/'.join([host, *segments])}{mark}{_filled(query, known, quoted=True)}"
    try:
        _require_address(filled)
    except ValueError as problem:
        raise InvalidPayload(f"payload makes an address that {problem}; send shorter values") from None
    if urlsplit(filled).netloc != urlsplit(_PLACEHOLDER.sub("x", template)).netloc:
        raise InvalidPayload("payload would lead to another host; send plain values")
    return filled


def _segment(template: str, known: Known) -> str:
    """A part of the path. No value may be `.` or `..`, however often it is read, nor complete one."""
    for name in _names(template):
        read = known.text(name)
        for _ in range(3):
            if any(part in (".", "..") for part in re.split(r"[/\\]", read)):
                raise InvalidPayload(f"{name} holds . or .. as a part of a path; send a plain value")
            read = unquote(read)
    filled = _filled(template, known, quoted=True)
    if filled in (".", "..") and filled != template:
        raise InvalidPayload("payload completes . or .. as a part of the path; send a plain value")
    return filled


def filled_header(template: str, known: Known, header: str) -> str:
    """The value of a header; raises InvalidPayload for what cannot stand in one."""
    filled = _filled(template, known, quoted=False)
    if not filled.isascii():
        names = ", ".join(_names(template))
        raise InvalidPayload(f"{names} holds what the header {header} cannot carry; send plain ASCII")
    return filled.strip()


def _filled(template: str, known: Known, *, quoted: bool) -> str:
    def fill(found: re.Match[str]) -> str:
        text = known.text(found[1])
        if not quoted:
            return text
        try:
            return quote(text, safe="")
        except UnicodeEncodeError:
            raise InvalidPayload(
                f"{found[1]} holds half a character (a lone surrogate); send whole text"
            ) from None

    return _PLACEHOLDER.sub(fill, template)


def _names(template: str) -> Iterator[str]:
    """The names of the placeholders; raises ValueError for one that is none, and for a brace by itself."""
    if re.search("[{}]", _PLACEHOLDER.sub("", template)):
        raise ValueError("holds a brace without its other one; write {payload.name}")
    for name in _PLACEHOLDER.findall(template):
        if not _NAME.fullmatch(name):
            raise ValueError(
                "holds a placeholder that is none; write {payload.name}, {execution_id} or {timestamp}"
            )
        yield name
