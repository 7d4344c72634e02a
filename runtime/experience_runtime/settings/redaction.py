"""Redaction: which strings of the settings are secrets, and how they are taken out of what is shown."""

import base64
import functools
import html
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

SECRET_LENGTH = 6  # shorter texts stand in too many innocent places

_REDACTED = "[redacted]"
_MOST_LEARNED = 1_000
_PATH_SECRET_LENGTH = 16
_WORD_SECRET_LENGTH = 8
_SIGNING = "whsec_"
# What may stand in a list of the settings file and be shown: names of channels, of days.
_PLAIN_WORD = re.compile(r"(?=.{1,20}\Z)[A-Za-z]+(?:[-_][A-Za-z]+)*")
_SECRETS_NAME = re.compile(r"url|token|key|secret|password|auth|credential|cookie|header", re.IGNORECASE)
# Slashes as PHP writes them in JSON too; a quote, escaped or not, ends an address.
_ADDRESS = re.compile(r"""https?:(?:\\?/){2}(?:[^\s"'<>\\]|\\[^\s"'])+""", re.IGNORECASE)
_PERCENT = re.compile("%[0-9A-F]{2}")
_USER = re.compile(r"(?<=/)[^/?#@]*@")


def redacted(text: str, secrets: frozenset[str]) -> str:
    """Put `[redacted]` where the text holds a secret, and cut the query of every address."""
    return _ADDRESS.sub(_without_query, without_secrets(text, secrets))


def without_secrets(text: str, secrets: frozenset[str]) -> str:
    """Put `[redacted]` where the text holds a secret; addresses keep their queries."""
    # Looking for each is fast, and what is shown seldom holds one: a pattern of all would be slow.
    found = tuple(secret for secret in _longest_first(secrets) if secret in text)
    return _pattern(found).sub(_REDACTED, text) if found else text


def secret_texts(database: str, texts: Sequence[str]) -> Iterator[str]:
    """Every string that must not be shown, in the forms a receiver may echo it."""
    for text in (_password(database), *texts):
        for secret in (part for whole in (text, *_words(text)) for part in (whole, *_parts(whole))):
            # shorter than this, its encoded forms are no less innocent than itself
            if len(secret) >= SECRET_LENGTH:
                yield from (form for form in _forms(secret) if len(form) >= SECRET_LENGTH)


class Learned:
    """Secrets that came up while running, such as access tokens: the newest thousand. Any thread may add one.
    Those of settings that are changed meanwhile are kept for good.

    What is learned stays with the process: a copy in another one begins empty.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forms: dict[str, frozenset[str]] = {}
        self._kept: frozenset[str] = frozenset()
        self._all: frozenset[str] = frozenset()

    def __reduce__(self) -> tuple[type["Learned"], tuple[()]]:
        return Learned, ()

    def add(self, text: str) -> None:
        with self._lock:
            if text in self._forms:
                return
            self._forms[text] = frozenset(secret_texts("", [text]))
            if len(self._forms) > _MOST_LEARNED:
                del self._forms[next(iter(self._forms))]
            self._all = self._kept.union(*self._forms.values())

    def keep(self, texts: Iterable[str]) -> None:
        """Add secrets that are never forgotten: those of settings."""
        forms = frozenset(secret_texts("", list(texts)))
        with self._lock:
            self._kept |= forms
            self._all |= forms

    def taken_out(self, text: str) -> str:
        return without_secrets(text, self._all) if self._all else text


def setting_texts(value: object, follow: Callable[[str], str], setting: str = "") -> Iterator[str]:
    """The texts a setting holds, but for what may be shown: plain words in a list.

    `follow` gives the text that a reference means.
    """
    match value:
        case str():
            yield follow(value)
        case dict():
            for name, inner in value.items():
                yield from setting_texts(inner, follow, name)
        case list():
            may_show = not _SECRETS_NAME.search(setting)
            for inner in value:
                if not (may_show and isinstance(inner, str) and _PLAIN_WORD.fullmatch(inner)):
                    yield from setting_texts(inner, follow, setting)


def is_secrets_name(name: str) -> bool:
    """Whether a setting of this name is a secret whatever it holds."""
    return _SECRETS_NAME.search(name) is not None


def _words(text: str) -> Iterator[str]:
    """The parts of a text that are a secret by themselves: `Bearer sk-…`, `whsec_… whsec_…`."""
    words = text.split()
    yield from (word for word in words if len(word) >= _WORD_SECRET_LENGTH)
    yield from (word.removeprefix(_SIGNING) for word in words if word.startswith(_SIGNING))


def _forms(text: str) -> Iterator[str]:
    """A secret as it is, and as addresses, forms, JSON, HTML, base64 and hexadecimal digits write it."""
    yield text
    for encoded in (quote(text, safe="", errors="replace"), quote_plus(text, errors="replace")):
        yield from (encoded, _PERCENT.sub(lambda each: each[0].lower(), encoded))
    for written in (json.dumps(text, ensure_ascii=is_ascii)[1:-1] for is_ascii in (True, False)):
        yield from (written, written.replace("/", "\\/"))  # PHP escapes slashes
    yield from (html.escape(text), html.escape(text, quote=False))
    raw = text.encode("utf-8", "replace")
    yield from (raw.hex(), raw.hex().upper())
    yield from _in_base64(raw)
    escaped = quote_plus(text, errors="replace")
    if escaped != text:  # OAuth's basic authentication escapes first
        yield from _in_base64(escaped.encode("ascii"))


def _in_base64(raw: bytes) -> Iterator[str]:
    """What every base64 text that holds these bytes holds, wherever they begin: `user:` may stand before."""
    for before in range(3):
        first, after_last = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            inside = encode(bytes(before) + raw).decode("ascii")[first:after_last]
            yield from (inside, inside.replace("/", "\\/"), quote(inside, safe=""))


def _password(database: str) -> str:
    try:
        return urlsplit(database).password or ""
    except ValueError:
        return ""


def _parts(text: str) -> Iterator[str]:
    """The parts of an address that are a secret by themselves: a server may answer with its path or query."""
    if not text.lower().startswith(("http://", "https://")):
        return
    try:
        parts = urlsplit(text)
    except ValueError:
        return
    yield parts.path
    yield parts.path.replace("/", "\\/")  # as PHP writes it in JSON
    yield from (segment for segment in parts.path.split("/") if len(segment) >= _PATH_SECRET_LENGTH)
    yield parts.query
    yield from (value for _, value in parse_qsl(parts.query))
    yield parts.password or ""


def _without_query(address: re.Match[str]) -> str:
    base, question_mark, _ = _USER.sub("…@", address[0], count=1).partition("?")
    return f"{base}?…" if question_mark else base


@functools.lru_cache(maxsize=8)
def _longest_first(secrets: frozenset[str]) -> Sequence[str]:
    return sorted(secrets, key=lambda secret: (-len(secret), secret))


@functools.lru_cache(maxsize=64)
def _pattern(longest_first: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, longest_first)))
