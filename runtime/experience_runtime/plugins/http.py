"""Outbound: the one place HTTP leaves. A total deadline, a size cap, no way to a private address.

Nothing is taken from the environment, no redirect is followed, no cookie is kept. An error text shows the
scheme and host of an address and nothing more: paths and queries hold secrets.
"""

import codecs
import functools
import re
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpcore2
import httpx2
import idna

from experience_runtime import __version__
from experience_runtime.clocks import monotonic
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.retries import MOST_RETRY_AFTER_SECONDS as _DAY
from experience_runtime.domain.urls import (
    is_token,
    require_header_name,
    require_header_value,
    require_web_address,
)
from experience_runtime.integration import Answer, Http, IntegrationFailed
from experience_runtime.plugins.addresses import Network
from experience_runtime.plugins.connections import Budget, GuardedBackend, Resolve, resolve
from experience_runtime.tracing import tracing

BODY_BYTES = 64 * 1024


class Outbound(Http):
    """HTTP for integrations: the SDK's `Http`. One for the whole process; any thread may use it.

    `now` is only asked when a `Retry-After` is a date. `deadline_seconds` covers a whole call: name lookup,
    connection, TLS, request, answer.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        allow_private: Sequence[Network] = (),
        deadline_seconds: float = 10.0,
        resolve: Resolve = resolve,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._now = now
        self._deadline_seconds = deadline_seconds
        self._budget = Budget()
        self._backend = GuardedBackend(self._budget, resolve, tuple(allow_private))
        self._ssl_context = ssl_context
        self._pool: httpcore2.ConnectionPool | None = None
        self._lock = threading.Lock()

    def send(
        self,
        method: str,
        url: str,
        *,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Send one request and return the answer, whatever its status; its text is cut at 64 KiB.

        `timeout` is in seconds and may only shorten the deadline.
        """
        address = _parsed(url)
        where = origin(url)
        seconds = self._deadline_seconds if timeout is None else min(timeout, self._deadline_seconds)
        # before the time counts: the first one reads every certificate, which is not the receiver's fault
        connections = self._connections()
        self._budget.ends_at = monotonic() + seconds
        try:
            with connections.stream(
                _method(method),
                httpcore2.URL(
                    scheme=address.raw_scheme,
                    host=address.raw_host,
                    port=address.port,
                    target=address.raw_path,
                ),
                headers=_header_fields(address, headers),
                content=content or (b"" if method.upper() in ("POST", "PUT", "PATCH") else None),
            ) as response:
                return self._answer(response)
        except httpcore2.TimeoutException:
            raise IntegrationFailed(f"{where} did not answer within {seconds:g} s", may_pass=True) from None
        except httpcore2.ConnectError as problem:
            raise IntegrationFailed(_no_connection(where, problem), may_pass=True) from None
        except httpcore2.NetworkError:
            raise IntegrationFailed(f"the connection to {where} broke", may_pass=True) from None
        except httpcore2.ProtocolError:
            raise IntegrationFailed(
                f"{where} answered with something that is not HTTP", may_pass=True
            ) from None
        finally:
            self._budget.ends_at = None

    def connect(self, host: str, port: int, *, timeout: float | None = None) -> socket.socket:
        seconds = self._deadline_seconds if timeout is None else min(timeout, self._deadline_seconds)
        where = f"{host}:{port}"
        self._budget.ends_at = monotonic() + seconds
        try:
            stream = self._backend.connect_tcp(host, port)
            connection: socket.socket = stream.get_extra_info("socket")
            connection.settimeout(self._budget.left())
        except (TimeoutError, httpcore2.TimeoutException):
            raise IntegrationFailed(f"{where} did not answer within {seconds:g} s", may_pass=True) from None
        except httpcore2.ConnectError as problem:
            raise IntegrationFailed(_no_connection(where, problem), may_pass=True) from None
        finally:
            self._budget.ends_at = None
        return connection

    def within(self, seconds: float) -> Http:
        """A view whose calls must all be over `seconds` from now, however many they are."""
        return _Within(self, monotonic() + seconds)

    def close(self) -> None:
        """Close the connections that are kept for reuse."""
        with self._lock:
            if self._pool is not None:
                self._pool.close()
                self._pool = None

    def _connections(self) -> httpcore2.ConnectionPool:
        with self._lock:
            if self._pool is None:
                self._pool = httpcore2.ConnectionPool(
                    ssl_context=self._ssl_context or _system_trust(),
                    # unlimited: a wait for a free connection would not be in the budget
                    max_connections=None,
                    max_keepalive_connections=100,
                    keepalive_expiry=5.0,
                    network_backend=self._backend,
                )
            return self._pool

    def _answer(self, response: httpcore2.Response) -> Answer:
        headers: dict[str, str] = {}
        for raw_name, raw_value in response.headers:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        text, is_whole = _text(response, headers)
        if not _ends_cleanly(response):
            response.extensions["network_stream"].close()
        waits = [
            value.decode("latin-1") for name, value in response.headers if name.lower() == b"retry-after"
        ]
        return Answer(
            status=response.status,
            headers=headers,
            text=text,
            retry_after=_longest(_retry_after(value, self._now) for value in waits),
            is_whole=is_whole,
        )


@functools.cache
def _system_trust() -> ssl.SSLContext:
    return httpcore2.default_ssl_context()  # 75 ms to read every certificate: once for the process


def origin(url: str) -> str:
    """What an error text may show of an address: `https://host/…`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "[not a URL]"
    if not host or not parts.scheme:
        return "[not a URL]"
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{'' if port is None else f':{port}'}/…"


class _Within(Http):
    """The `Http` of one delivery: its calls share one end."""

    def __init__(self, outbound: Outbound, ends_at: float) -> None:
        self._outbound = outbound
        self._ends_at = ends_at

    def send(self, method: str, url: str, *, content: bytes, headers: Mapping[str, str]) -> Answer:
        return self._outbound.send(method, url, content=content, headers=headers, timeout=self._left())

    def connect(self, host: str, port: int) -> socket.socket:
        return self._outbound.connect(host, port, timeout=self._left())

    def _left(self) -> float:
        return max(0.0, self._ends_at - monotonic())


_BROKEN = (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError)


def _parsed(url: str) -> httpx2.URL:
    """Refuse what is not a plain web address. No text of the address is in the messages."""
    try:
        require_web_address(url)
    except ValueError as problem:
        raise InvalidParameter(f"the url {problem}") from None
    try:
        address = httpx2.URL(url)
        host = address.raw_host.decode("ascii")
        if "xn--" in host:
            idna.decode(host)  # who sends it would pass on punycode that spells nothing
    except (httpx2.InvalidURL, UnicodeError):
        raise InvalidParameter('the url is not one; write it as "https://host/path"') from None
    # read a second time, by who sends it: two readers of one address may differ, and this one counts
    if not _HOST.fullmatch(host) or address.port == 0 or address.userinfo:
        raise InvalidParameter('the url names no plain host; write it as "https://host/path"')
    return address


def _method(method: str) -> str:
    if not is_token(method) or method.upper() == "CONNECT":
        raise InvalidParameter(f"{method!r} is not a method; use POST or GET")
    return method.upper()


_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")


def _lowered(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {name.lower(): value for name, value in (headers or {}).items()}


def _header_fields(address: httpx2.URL, headers: Mapping[str, str] | None) -> list[tuple[bytes, bytes]]:
    given = _lowered(headers)
    for name, value in given.items():
        try:
            require_header_name(name)
            require_header_value(value)
        except ValueError as problem:
            raise InvalidParameter(f"the header {name!r} {problem}") from None
    fields = {
        "host": address.netloc.decode("ascii"),
        "user-agent": f"experience-runtime/{__version__}",
        "accept": "*/*",
        **tracing().headers(),
        "accept-encoding": "identity",  # a compressed answer may grow a thousandfold
        **given,
    }
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in fields.items()]


def _text(response: httpcore2.Response, headers: Mapping[str, str]) -> tuple[str, bool]:
    """The decoded body, cut at 64 KiB and where it breaks off, and whether that is all of it. Empty when its
    encoding is not known."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip", "deflate"):
        return "", False
    inflate = zlib.decompressobj(wbits=47) if encoding not in ("identity", "") else None
    body = bytearray()
    is_whole = False
    try:
        for chunk in response.iter_stream():
            room = BODY_BYTES - len(body)
            body += chunk[:room] if inflate is None else inflate.decompress(chunk, room)
            if len(body) >= BODY_BYTES:
                break
        else:
            is_whole = True
    except (*_BROKEN, zlib.error):
        pass  # its status stands: what has decided must not be asked again for the sake of its words
    # only these two: other codecs of Python are slow or are no text
    latin = re.search(r"charset=\"?(iso-8859-1|latin-?1)\b", headers.get("content-type", ""), re.IGNORECASE)
    decoder = codecs.getincrementaldecoder("latin-1" if latin else "utf-8")("replace")
    # not final: a character the cut went through is dropped
    return decoder.decode(bytes(body), final=is_whole), is_whole


def _ends_cleanly(response: httpcore2.Response) -> bool:
    """Tell whether nothing came behind the answer. What did would be taken for the answer to the next request
    on this connection: somebody else's call would be settled by it."""
    try:
        # h11 keeps it and httpcore2 does not ask; where a later release has it elsewhere, nothing is reused
        behind, _ = response.stream._stream._connection._h11_state.trailing_data  # type: ignore[union-attr]
    except AttributeError:
        return False
    return not behind


def _retry_after(text: str, now: Callable[[], datetime]) -> float | None:
    """Seconds to wait, at most a day; None when it is past or not understood. Source: RFC 9110, 10.2.3."""
    if re.fullmatch(r"[0-9]+(\s*,\s*[0-9]+)*", text.strip()):  # a proxy joins two of them
        return _longest(_capped(number.strip()) for number in text.split(","))
    try:
        at = parsedate_to_datetime(text)
        seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now()).total_seconds()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return min(seconds, _DAY) if seconds >= 0 else None


def _capped(digits: str) -> float:
    digits = digits.lstrip("0")  # int() refuses thousands of them
    return float(min(int(digits or "0"), _DAY)) if len(digits) < 10 else float(_DAY)


def _longest(waits: Iterable[float | None]) -> float | None:
    return max((wait for wait in waits if wait is not None), default=None)


def _no_connection(where: str, problem: httpcore2.ConnectError) -> str:
    cause = problem.__cause__ or problem.__context__
    match cause:
        case ssl.SSLCertVerificationError():
            return f"the certificate of {where} was not accepted: {cause.verify_message}"
        case ssl.SSLError():
            return f"no secure connection to {where} could be made"
        case OSError(strerror=str(reason)):
            return f"no connection to {where}: {reason}"
    return f"no connection to {where}: {problem}"
