"""Outbound: the one place HTTP leaves. A total deadline, a size cap, no way to a private address.

Nothing is taken from the environment, no redirect is followed, no cookie is kept. An error text shows the
scheme and host of an address and nothing more: paths and queries hold secrets.
"""

import codecs
import functools
import ipaddress
import json as _json
import re
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from experience_runtime import __version__
from experience_runtime.clocks import monotonic
from experience_runtime.domain.errors import BlockedAddress, InvalidParameter, InvalidPayload
from experience_runtime.integration import Answer, Http, IntegrationFailed

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]

BODY_BYTES = 64 * 1024
URL_LENGTH = 2048
_ADDRESSES_TRIED = 8
_LOOKUPS_AT_ONCE = 16


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as the system has them; raises OSError when there are none."""
    # bytes: a str goes through Python's own IDNA codec first, which refuses names the resolver accepts
    found = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Outbound:
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
        self._budget = _Budget()
        self._backend = _GuardedBackend(self._budget, resolve, tuple(allow_private))
        self._ssl_context = ssl_context
        self._pool: httpcore.ConnectionPool | None = None
        self._lock = threading.Lock()

    def post(
        self,
        url: str,
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """POST a JSON value."""
        try:
            content = _json.dumps(json, ensure_ascii=True, allow_nan=False).encode("ascii")
        except (TypeError, ValueError, RecursionError) as problem:
            reason = str(problem)
            raise InvalidPayload(
                f"the body is not JSON ({reason}); send objects, arrays, text, numbers"
            ) from None
        merged = {"content-type": "application/json", **_lowered(headers)}
        return self.request("POST", url, content=content, headers=merged, timeout=timeout)

    def request(
        self,
        method: str,
        url: str,
        *,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Send one request and return the answer, whatever its status; its text is cut at 64 KiB.

        `timeout` is in seconds and may only shorten the deadline. Source: design 5.
        """
        address = _parsed(url)
        where = origin(url)
        seconds = self._deadline_seconds if timeout is None else min(timeout, self._deadline_seconds)
        self._budget.ends_at = monotonic() + seconds
        try:
            with self._connections().stream(
                _method(method),
                httpcore.URL(
                    scheme=address.raw_scheme,
                    host=address.raw_host,
                    port=address.port,
                    target=address.raw_path,
                ),
                headers=_header_fields(address, headers),
                content=content or (b"" if method.upper() in ("POST", "PUT", "PATCH") else None),
            ) as response:
                return self._answer(response)
        except httpcore.TimeoutException:
            raise IntegrationFailed(f"{where} did not answer within {seconds:g} s", may_pass=True) from None
        except httpcore.ConnectError as problem:
            raise IntegrationFailed(_no_connection(where, problem), may_pass=True) from None
        except httpcore.NetworkError:
            raise IntegrationFailed(f"the connection to {where} broke", may_pass=True) from None
        except (httpcore.ProtocolError, zlib.error):
            raise IntegrationFailed(
                f"{where} answered with something that is not HTTP", may_pass=True
            ) from None
        finally:
            self._budget.ends_at = None

    def within(self, seconds: float) -> Http:
        """A view whose calls must all be over `seconds` from now, however many they are."""
        return _Within(self, monotonic() + seconds)

    def close(self) -> None:
        """Close the connections that are kept for reuse."""
        with self._lock:
            if self._pool is not None:
                self._pool.close()
                self._pool = None

    def _connections(self) -> httpcore.ConnectionPool:
        with self._lock:
            if self._pool is None:
                self._pool = httpcore.ConnectionPool(
                    ssl_context=self._ssl_context or _system_trust(),
                    # unlimited: a wait for a free connection would not be in the budget
                    max_connections=None,
                    max_keepalive_connections=20,
                    keepalive_expiry=5.0,
                    network_backend=self._backend,
                )
            return self._pool

    def _answer(self, response: httpcore.Response) -> Answer:
        headers: dict[str, str] = {}
        for raw_name, raw_value in response.headers:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return Answer(
            status=response.status,
            headers=headers,
            text=_text(response, headers),
            retry_after=_retry_after(headers.get("retry-after", ""), self._now),
        )


@functools.cache
def _system_trust() -> ssl.SSLContext:
    return httpcore.default_ssl_context()  # 75 ms to read every certificate: once for the process


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


def redact_url(url: str) -> str:
    """What a page or a history may show of an address: no userinfo, no query, no fragment.

    >>> redact_url("https://ann:pw@example.com/hooks/1?token=x#y")
    'https://example.com/hooks/1?…'
    """
    start = origin(url)
    if start == "[not a URL]":
        return start
    parts = urlsplit(url)
    return f"{start.removesuffix('/…')}{parts.path}{'?…' if parts.query else ''}"


def refusal(address: Address, allow_private: Sequence[Network] = ()) -> str | None:
    """Tell why an address must not be called ("a loopback address"), or None when it may be.

    An IPv4 address inside an IPv6 one (mapped, NAT64) is judged as that IPv4 address.
    """
    inner = _embedded(address)
    if any(form in network for network in allow_private for form in (address, inner)):
        return None
    if isinstance(inner, ipaddress.IPv6Address) and inner not in _GLOBAL_UNICAST:
        return _kind(inner)
    return _kind(inner) if any(inner in network for network in _SPECIAL) else None


class _Budget(threading.local):
    """How long the call of this thread may still take. `ends_at` is on the monotonic clock."""

    ends_at: float | None = None

    def left(self, timeout: float | None = None) -> float:
        """The seconds left, at most `timeout`; TimeoutError when there are none."""
        if self.ends_at is None:
            raise TimeoutError  # outside a call nothing is read or written
        seconds = self.ends_at - monotonic()
        if seconds <= 0:  # 0 would make the socket non-blocking, which is another error
            raise TimeoutError
        return seconds if timeout is None else min(seconds, timeout)


class _GuardedBackend(httpcore.NetworkBackend):
    """Looks a name up, checks every address it has, connects to one that was checked."""

    def __init__(self, budget: _Budget, resolve: Resolve, allow_private: Sequence[Network]) -> None:
        self._budget = budget
        self._resolve = resolve
        self._allow_private = allow_private
        self._sockets = httpcore.SyncBackend()
        self._lookups = threading.BoundedSemaphore(_LOOKUPS_AT_ONCE)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            addresses = self._checked(host, self._look_up(host, port))[:_ADDRESSES_TRIED]
            failure: Exception = httpcore.ConnectError("no address")
            for waiting, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
                try:
                    # a share of the time each: one dead address must not take it all
                    share = self._budget.left(timeout) / waiting
                    stream = self._sockets.connect_tcp(address, port, share, local_address, socket_options)
                except (httpcore.ConnectError, httpcore.ConnectTimeout) as problem:
                    failure = problem
                else:
                    return _BudgetedStream(stream, self._budget)
            raise failure
        except TimeoutError:
            raise httpcore.ConnectTimeout from None

    def _look_up(self, host: str, port: int) -> Sequence[str]:
        """Resolve on a thread of its own: getaddrinfo knows no timeout."""
        found: Future[Sequence[str]] = Future()

        def run() -> None:
            try:
                found.set_result(self._resolve(host, port))
            except (OSError, UnicodeError) as problem:
                found.set_exception(problem)
            finally:
                self._lookups.release()

        if not self._lookups.acquire(timeout=self._budget.left()):
            raise TimeoutError
        threading.Thread(target=run, name="experience-lookup", daemon=True).start()
        try:
            return found.result(timeout=self._budget.left())
        except TimeoutError:
            raise
        except (OSError, UnicodeError):
            raise httpcore.ConnectError("the name was not found") from None

    def _checked(self, host: str, addresses: Sequence[str]) -> Sequence[str]:
        for address in addresses:
            why = refusal(ipaddress.ip_address(address), self._allow_private)
            if why is not None:
                raise BlockedAddress(
                    f'the host "{host}" is {why}, which must not be called; use a public address,'
                    " or for development list the network in [outbound] allow_private"
                )
        return addresses


class _BudgetedStream(httpcore.NetworkStream):
    """A connection whose every wait ends with the budget."""

    def __init__(self, stream: httpcore.NetworkStream, budget: _Budget) -> None:
        self._stream = stream
        self._budget = budget

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return self._stream.read(max_bytes, self._budget.left(timeout))
        except TimeoutError:
            raise httpcore.ReadTimeout from None

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # httpcore's own write starts its timeout anew with every piece the other side takes
        connection: socket.socket = self._stream.get_extra_info("socket")
        rest = memoryview(buffer)
        try:
            while rest:
                connection.settimeout(self._budget.left(timeout))
                rest = rest[connection.send(rest) :]
        except TimeoutError:
            raise httpcore.WriteTimeout from None
        except OSError as problem:
            raise httpcore.WriteError(str(problem)) from None

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        try:
            left = self._budget.left(timeout)
        except TimeoutError:
            self.close()
            raise httpcore.ConnectTimeout from None
        return _BudgetedStream(self._stream.start_tls(ssl_context, server_hostname, left), self._budget)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Within:
    """The `Http` of one delivery: its calls share one end."""

    def __init__(self, outbound: Outbound, ends_at: float) -> None:
        self._outbound = outbound
        self._ends_at = ends_at

    def post(self, url: str, *, json: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        return self._outbound.post(url, json=json, headers=headers, timeout=self._left())

    def request(
        self, method: str, url: str, *, content: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        return self._outbound.request(method, url, content=content, headers=headers, timeout=self._left())

    def _left(self) -> float:
        return max(0.0, self._ends_at - monotonic())


_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# IANA's special-purpose registries, by hand: `is_private` and `is_global` differ between Python releases.
_SPECIAL: Mapping[Network, str] = {
    ipaddress.ip_network(text): kind
    for text, kind in (
        ("0.0.0.0/8", "an unspecified address"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a carrier's private address"),
        ("127.0.0.0/8", "a loopback address"),
        ("168.63.129.16/32", "a cloud provider's metadata address"),
        ("169.254.0.0/16", "a link-local address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "a reserved address"),
        ("192.0.2.0/24", "a documentation address"),
        ("192.88.99.0/24", "a tunnel address"),
        ("192.168.0.0/16", "a private address"),
        ("198.18.0.0/15", "a benchmarking address"),
        ("198.51.100.0/24", "a documentation address"),
        ("203.0.113.0/24", "a documentation address"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),
        ("::/128", "an unspecified address"),
        ("::1/128", "a loopback address"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("ff00::/8", "a multicast address"),
        ("2001::/23", "a tunnel or reserved address"),  # Teredo among them
        ("2001:db8::/32", "a documentation address"),
        ("2002::/16", "a tunnel address"),  # 6to4
        ("3fff::/20", "a documentation address"),
    )
}


def _kind(address: Address) -> str:
    return next((kind for network, kind in _SPECIAL.items() if address in network), "a reserved address")


def _embedded(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_FIELD = re.compile(r"[\x20-\x7e\t]*")
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})


def _parsed(url: str) -> httpx.URL:
    """Refuse what is not a plain web address. No text of the address is in the messages but its origin."""
    if len(url) > URL_LENGTH:
        raise InvalidParameter(f"the url has {len(url)} characters; at most {URL_LENGTH} are allowed")
    if _CONTROL.search(url):
        raise InvalidParameter("the url holds a control character; remove line breaks and tabs from it")
    try:
        address = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError):  # the second for half a surrogate pair
        raise InvalidParameter('the url is not one; write it as "https://host/path"') from None
    if address.scheme not in ("http", "https"):
        raise InvalidParameter('the url must start with "https://" or "http://"')
    if not address.host or (address.port is not None and not 0 < address.port < 65536):
        raise InvalidParameter('the url names no host or an impossible port; write it as "https://host/path"')
    if address.userinfo:
        raise InvalidParameter(
            f"the url of {origin(url)} holds a user name or password; send them in an authorization header"
        )
    return address


def _method(method: str) -> str:
    if not _TOKEN.fullmatch(method) or method.upper() == "CONNECT":
        raise InvalidParameter(f"{method!r} is not a method; use POST or GET")
    return method.upper()


def _lowered(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {name.lower(): value for name, value in (headers or {}).items()}


def _header_fields(address: httpx.URL, headers: Mapping[str, str] | None) -> list[tuple[bytes, bytes]]:
    given = _lowered(headers)
    for name, value in given.items():
        if not _TOKEN.fullmatch(name):
            raise InvalidParameter(f"the header name {name!r} is not one; use letters, digits and dashes")
        if name in _OURS:
            raise InvalidParameter(f'the header "{name}" is set by the runtime; leave it out')
        if not _FIELD.fullmatch(value) or value != value.strip():
            raise InvalidParameter(
                f'the value of the header "{name}" holds a line break, a control or non-ASCII character,'
                " or blanks around it; send plain ASCII text"
            )
    fields = {
        "host": address.netloc.decode("ascii"),
        "user-agent": f"experience-runtime/{__version__}",
        "accept": "*/*",
        "accept-encoding": "identity",  # a compressed answer may grow a thousandfold
        **given,
    }
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in fields.items()]


def _text(response: httpcore.Response, headers: Mapping[str, str]) -> str:
    """The decoded body, cut at 64 KiB. Empty when it came in an encoding nobody asked for but gzip."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip", "deflate"):
        return ""
    inflate = zlib.decompressobj(wbits=47) if encoding not in ("identity", "") else None
    body = bytearray()
    for chunk in response.iter_stream():
        room = BODY_BYTES - len(body)
        body += chunk[:room] if inflate is None else inflate.decompress(chunk, room)
        if len(body) >= BODY_BYTES:
            break
    # only these two: other codecs of Python are slow or are no text
    latin = re.search(r"charset=\"?(iso-8859-1|latin-?1)\b", headers.get("content-type", ""), re.IGNORECASE)
    decoder = codecs.getincrementaldecoder("latin-1" if latin else "utf-8")("replace")
    # not final: a character the cut went through is dropped
    return decoder.decode(bytes(body), final=len(body) < BODY_BYTES)


def _retry_after(text: str, now: Callable[[], datetime]) -> float | None:
    """Seconds to wait; None when the header is absent, past or not understood. Source: RFC 9110, 10.2.3."""
    if re.fullmatch(r"[0-9]{1,9}", text.strip()):
        return float(text)
    try:
        at = parsedate_to_datetime(text)
        seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now()).total_seconds()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return seconds if seconds >= 0 else None


def _no_connection(where: str, problem: httpcore.ConnectError) -> str:
    cause = problem.__cause__ or problem.__context__
    match cause:
        case ssl.SSLCertVerificationError():
            return f"the certificate of {where} was not accepted: {cause.verify_message}"
        case ssl.SSLError():
            return f"no secure connection to {where} could be made"
        case OSError(strerror=str(reason)):
            return f"no connection to {where}: {reason}"
    return f"no connection to {where}: {problem}"
