"""The web: which addresses and header fields a call may have. One set of rules for settings and for calls."""

import ipaddress
import re
import unicodedata
from urllib.parse import urlsplit

URL_LENGTH = 2048

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")  # no zone of an IPv6 address: it names an interface
_IPV4 = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+")
_DOTS = re.compile("[\u3002\uff0e\uff61]")  # IDNA takes them for dots
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_FIELD = re.compile(r"[\x20-\x7e\t]*")
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})


def require_web_address(url: str) -> None:
    """Raise ValueError, without any text of it, for what is not a plain web address."""
    if len(url) > URL_LENGTH:
        raise ValueError(f"must have at most {URL_LENGTH} characters, it has {len(url)}")
    if _CONTROL.search(url):
        raise ValueError("must hold no control character; remove line breaks and tabs from it")
    if not url.lower().startswith(("https://", "http://")):
        raise ValueError('must be an address that starts with "https://" or "http://"')
    try:
        url.encode()  # half a surrogate pair
        parts = urlsplit(url)
        is_one = _is_host(parts.hostname or "") and parts.port != 0
    except ValueError:  # also an impossible port or IP address, and bad punycode
        is_one = False
    if not is_one:
        raise ValueError('must name a host and a possible port; write it as "https://host/path"')
    if parts.username or parts.password:
        raise ValueError("must hold no user name or password; send them in an authorization header")


def _is_host(host: str) -> bool:
    if _IPV4.fullmatch(host) or ":" in host:
        ipaddress.ip_address(host)
    host = _DOTS.sub(".", host)
    for label in host.split("."):
        if label.startswith("xn--"):
            label.removeprefix("xn--").encode().decode("punycode")
    return bool(_HOST.fullmatch("".join("x" if _is_foreign_letter(char) else char for char in host)))


def _is_foreign_letter(char: str) -> bool:
    # what is another character in a host's own spelling, such as a fullwidth digit, is none
    return not char.isascii() and char.isalpha() and unicodedata.normalize("NFKC", char) == char


def require_header_name(name: str) -> None:
    """Raise ValueError for what cannot be the name of a header of a call."""
    if not is_token(name):
        raise ValueError("is not the name of one; use letters, digits and dashes")
    if name.lower() in _OURS:
        raise ValueError("is set by the runtime; leave it out")


def require_header_value(value: str) -> None:
    """Raise ValueError, without the value, for what cannot be the value of a header."""
    if not _FIELD.fullmatch(value) or value != value.strip():
        raise ValueError(
            "holds a line break, a control or non-ASCII character, or blanks around it; send plain ASCII text"
        )


def is_token(text: str) -> bool:
    """Tell whether a text can be the name of a header or a method."""
    return _TOKEN.fullmatch(text) is not None


def without_query(url: str) -> str:
    """An address as it may be shown: without its query, which may hold credentials, and its fragment.

    >>> without_query("https://example.com/hooks/1?token=x#y")
    'https://example.com/hooks/1?…'
    """
    base = re.split("[?#]", url, maxsplit=1)[0]
    return f"{base}?…" if "?" in url else base
